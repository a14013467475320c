"""Programs on SymPy expressions in real symbols."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy.codegen import cfunctions

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Value
from adcli_methods.targets import Entry, object_arrays
from adcli_methods.targets import sympy_functions as own
from adcli_methods.targets.object_arrays import ObjectTarget, fold, over_matrices

Expression = Any
_SMALL = 1 << 10


def exact(number: float) -> Expression:
    """A float as a SymPy number of the same value.

    A whole number or a short fraction where it is one, so that the rules of algebra apply, else a Float of
    17 digits, which comes back from `lambdify` as the same float.
    """
    if number - number != 0:
        return sympy.nan if number != number else sympy.oo if number > 0 else -sympy.oo
    fraction = Fraction(number)
    if fraction.denominator <= _SMALL and abs(number) < 1 << 53:
        return sympy.Rational(fraction.numerator, fraction.denominator)
    return sympy.Float(number, 17)


def _expression(function: Callable[..., Expression]) -> Callable[..., Expression]:
    return lambda *operands, **parameters: function(*map(sympy.sympify, operands), **parameters)


def _condition(value: Expression) -> Expression:
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    # a symbol counts as a Boolean too, but here it is a number
    test = isinstance(value, sympy.logic.boolalg.Boolean) and not value.is_Symbol
    return value if test else sympy.Ne(value, 0)


def _where(condition: Expression, a: Expression, b: Expression) -> Expression:
    return sympy.Piecewise((a, _condition(condition)), (b, True))


def _logical(function: Callable[..., Expression]) -> Callable[..., Expression]:
    return lambda *operands: function(*map(_condition, operands))


_SAME = (
    "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "sec", "csc", "cot", "erf", "erfc", "erfinv",
    "gamma", "digamma",
)  # fmt: skip
_OWN = (
    "sigmoid", "softplus", "tanh", "cbrt", "arccot", "hypot", "absolute", "sign", "floor", "ceil",
    "trunc", "rint", "mod", "copysign", "xlogy", "logaddexp", "logaddexp2", "ndtr", "log_ndtr", "logit",
    "maximum", "minimum",
)  # fmt: skip
_SCALAR: dict[str, Callable[..., Expression]] = {
    **{name: getattr(sympy, name) for name in _SAME},
    **{name: getattr(own, name) for name in _OWN},
    **{name: getattr(cfunctions, name) for name in ("expm1", "log1p", "exp2", "log2", "log10")},
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "reciprocal": lambda x: 1 / x,
    "power": lambda a, b: a**b,
    "square": lambda x: x**2,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "arctan2": sympy.atan2,
    "arcsinh": sympy.asinh,
    "arccosh": sympy.acosh,
    "arctanh": sympy.atanh,
    "sech": lambda x: 1 / sympy.cosh(x),
    "csch": lambda x: 1 / sympy.sinh(x),
    "coth": lambda x: 1 / own.tanh(x),
    "arcsec": sympy.asec,
    "arccsc": sympy.acsc,
    "arcsech": lambda x: sympy.acosh(1 / x),
    "arccsch": lambda x: sympy.asinh(1 / x),
    "arccoth": lambda x: sympy.atanh(1 / x),
    "gaussian": lambda x: sympy.exp(-(x**2)),
    "gammaln": sympy.loggamma,
    "polygamma": lambda x, order: sympy.polygamma(order, x),
    "bessel_j": lambda x, order: sympy.besselj(_order(order), x),
    "bessel_y": lambda x, order: sympy.bessely(_order(order), x),
    "bessel_i": lambda x, order: sympy.besseli(_order(order), x),
    "bessel_k": lambda x, order: sympy.besselk(_order(order), x),
    "sinc": lambda x, order: own.sinc(x, order),
    "relu": lambda x: sympy.Piecewise((x, x > 0), (0, True)),
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": sympy.Eq,
    "not_equal": sympy.Ne,
    "isnan": lambda x: sympy.Eq(x, sympy.nan) if x.is_number else sympy.false,
    "isfinite": lambda x: sympy.true,
    "isinf": lambda x: sympy.false,
}


def _order(order: float) -> Expression:
    return exact(float(order))


def _matrix(array: Value) -> Any:
    return sympy.Matrix(array.tolist())


def _array(matrix: Any) -> Value:
    return np.array(matrix.tolist(), dtype=object).reshape(matrix.shape)


def _undecided(name: str) -> Callable[..., Value]:
    def refuse(*_: Value, **__: Any) -> Value:
        raise OperatorError(f"sympy cannot do {name}: it depends on which of the expressions is larger")

    return refuse


TABLE: dict[str, Entry] = {
    **{name: _expression(function) for name, function in _SCALAR.items()},
    "where": _where,
    "logical_and": _logical(sympy.And),
    "logical_or": _logical(sympy.Or),
    "logical_xor": _logical(sympy.Xor),
    "logical_not": _logical(sympy.Not),
    "max": fold(_expression(own.maximum)),
    "min": fold(_expression(own.minimum)),
    **{name: _undecided(name) for name in ("argsort", "argmax", "argmin", "to_integer")},
    "inv": over_matrices(lambda a: _array(_matrix(a).inv(method="ADJ"))),
    "solve": over_matrices(lambda a, b: _array(_matrix(a).adjugate() * _matrix(b) / _matrix(a).det())),
    "det": over_matrices(lambda a: _matrix(a).det(method="berkowitz")),
    "det_sign": over_matrices(lambda a: own.sign(_matrix(a).det(method="berkowitz"))),
    "logabsdet": over_matrices(lambda a: sympy.log(own.absolute(_matrix(a).det(method="berkowitz")))),
    "adjugate": over_matrices(lambda a: _array(_matrix(a).adjugate())),
    "cholesky": over_matrices(lambda a: object_arrays.cholesky(a, sympy.sqrt)),
}

SYMPY = ObjectTarget("sympy", TABLE, exact, decides=False)
