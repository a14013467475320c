"""Programs on mpmath's numbers, at the working precision: real functions, NaN outside their domains."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from adcli_methods.primitive import Value
from adcli_methods.targets import Entry, object_arrays
from adcli_methods.targets.object_arrays import ObjectTarget, fold, over_matrices

Number = Any


def _real(function: Callable[..., Number]) -> Callable[..., Number]:
    """The function with NaN for complex values; a pole's value is infinite."""

    @functools.wraps(function)
    def value(*operands: Number, **parameters: Any) -> Number:
        try:
            result = function(*operands, **parameters)
        except ZeroDivisionError:
            return mp.nan if any(mp.isnan(x) for x in operands) else mp.inf
        except ValueError:
            return mp.nan
        return mp.nan if isinstance(result, mpmath.mpc) else mp.mpf(result)

    return value


def _divide(a: Number, b: Number) -> Number:
    a, b = mpf(a), mpf(b)
    if b == 0:
        return mp.nan if a == 0 or mp.isnan(a) else mp.sign(a) * mp.inf
    return a / b


def _power(a: Number, b: Number) -> Number:
    a, b = mpf(a), mpf(b)
    if b == 0:
        return mpf(1)
    if a == 0:
        return mp.inf if b < 0 else mpf(0)
    return mp.power(a, b)


def _maximum(a: Number, b: Number) -> Number:
    return a if mp.isnan(a) or a > b else b


def _minimum(a: Number, b: Number) -> Number:
    return a if mp.isnan(a) or a < b else b


def _sign(x: Number) -> Number:
    return x if mp.isnan(x) else mp.sign(x)


def _rint(x: Number) -> Number:
    return mp.nint(x) if mp.isfinite(x) else mpf(x)


def _trunc(x: Number) -> Number:
    return _sign(x) * mp.floor(abs(x)) if mp.isfinite(x) else mpf(x)


def _cbrt(x: Number) -> Number:
    return mp.sign(x) * mp.cbrt(abs(mpf(x)))


def _mod(a: Number, b: Number) -> Number:
    a, b = mpf(a), mpf(b)
    return a - b * mp.floor(a / b) if b != 0 else mp.nan


def _sinc(x: Number, order: int) -> Number:
    """The order-th derivative of sin(pi x)/(pi x) = integral over t in [0, 1] of cos(pi x t)."""
    z = mp.pi * x
    if abs(z) > order + 1:
        value = mp.sin(z) / z
        for n in range(1, order + 1):
            value = (mp.sin(z + n * mp.pi / 2) - n * value) / z
        return value * mp.pi**order
    total, k = mpf(0), (order + 1) // 2
    while True:
        term = (-1) ** k * z ** (2 * k - order) / (mp.factorial(2 * k - order) * (2 * k + 1))
        total += term
        k += 1
        if abs(term) <= abs(total) * mp.eps / 8 or (z == 0 and 2 * k > order):
            return total * mp.pi**order


def _logaddexp(a: Number, b: Number) -> Number:
    larger = _maximum(mpf(a), mpf(b))
    return larger + mp.log1p(mp.exp(-abs(mpf(a) - b))) if mp.isfinite(larger) else larger


def _sigmoid(x: Number) -> Number:
    decay = mp.exp(-abs(mpf(x)))
    return (1 if x >= 0 else decay) / (1 + decay)


def _softplus(x: Number) -> Number:
    return max(mpf(x), mpf(0)) + mp.log1p(mp.exp(-abs(mpf(x))))


def _xlogy(a: Number, b: Number) -> Number:
    return mpf(0) if a == 0 and not mp.isnan(b) else a * mp.log(b)


def _ndtr(x: Number) -> Number:
    return mp.erfc(-mpf(x) / mp.sqrt(2)) / 2


def _gammaln(x: Number) -> Number:
    return mp.re(mp.loggamma(x))


def _of_reciprocal(function: Callable[[Number], Number]) -> Callable[[Number], Number]:
    return lambda x: function(_divide(1, x))


_INVERSE = {
    "arcsec": "acos", "arccsc": "asin", "arccot": "atan", "arcsech": "acosh", "arccsch": "asinh",
    "arccoth": "atanh",
}  # fmt: skip
_SAME = (
    "sqrt", "exp", "expm1", "log", "log10", "log1p", "sin", "cos", "tan", "hypot", "sinh", "cosh", "tanh",
    "sec", "csc", "cot", "sech", "csch", "coth", "floor", "ceil", "erf", "erfc", "erfinv", "gamma", "digamma",
)  # fmt: skip
_NAMED = {
    **{name: name for name in _SAME},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
_SCALAR: dict[str, Callable[..., Number]] = {
    **{name: getattr(mp, function) for name, function in _NAMED.items()},
    **{name: _of_reciprocal(getattr(mp, function)) for name, function in _INVERSE.items()},
    "add": lambda a, b: mpf(a) + b,
    "subtract": lambda a, b: mpf(a) - b,
    "multiply": lambda a, b: mpf(a) * b,
    "divide": _divide,
    "negative": lambda x: -mpf(x),
    "positive": mpf,
    "reciprocal": lambda x: _divide(1, x),
    "power": _power,
    "absolute": lambda x: abs(mpf(x)),
    "maximum": _maximum,
    "minimum": _minimum,
    "mod": _mod,
    "square": lambda x: mpf(x) * x,
    "cbrt": _cbrt,
    "exp2": lambda x: mpf(2) ** x,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "sign": _sign,
    "trunc": _trunc,
    "rint": _rint,
    "copysign": lambda a, b: abs(mpf(a)) if b >= 0 else -abs(mpf(a)),
    "gaussian": lambda x: mp.exp(-mpf(x) * x),
    "gammaln": _gammaln,
    "polygamma": lambda x, order: mp.polygamma(order, x),
    "bessel_j": lambda x, order: mp.besselj(order, x),
    "bessel_y": lambda x, order: mp.bessely(order, x),
    "bessel_i": lambda x, order: mp.besseli(order, x),
    "bessel_k": lambda x, order: mp.besselk(order, x),
    "sinc": _sinc,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu": lambda x: x if x > 0 or mp.isnan(x) else mpf(0),
    "logaddexp": _logaddexp,
    "logaddexp2": lambda a, b: _logaddexp(a * mp.log(2), b * mp.log(2)) / mp.log(2),
    "xlogy": _xlogy,
    "logit": lambda x: mp.log(x) - mp.log1p(-x),
    "ndtr": _ndtr,
    "log_ndtr": lambda x: mp.log(_ndtr(x)),
}
_TESTS: dict[str, Callable[..., Any]] = {
    "where": lambda condition, a, b: a if condition else b,
    "less": lambda a, b: bool(a < b),
    "less_equal": lambda a, b: bool(a <= b),
    "greater": lambda a, b: bool(a > b),
    "greater_equal": lambda a, b: bool(a >= b),
    "equal": lambda a, b: bool(a == b),
    "not_equal": lambda a, b: bool(a != b),
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b),
    "logical_not": lambda a: not a,
    "isnan": lambda x: bool(mp.isnan(x)),
    "isfinite": lambda x: bool(mp.isfinite(x)),
    "isinf": lambda x: bool(mp.isinf(x)),
}


def _determinant(a: Value) -> Number:
    return object_arrays.solved(a, np.zeros((a.shape[-1], 0), dtype=object), abs)[1]


def _solve(a: Value, b: Value) -> Value:
    solution, determinant = object_arrays.solved(a, b, abs)
    if determinant == 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return solution


def _identity(n: int) -> Value:
    return np.array([[mpf(i == j) for j in range(n)] for i in range(n)], dtype=object)


def _to_integer(x: Value, dtype: Any) -> Value:
    return x.astype(float).astype(dtype) if isinstance(x, np.ndarray) else int(x)


TABLE: dict[str, Entry] = {
    **{name: _real(function) for name, function in _SCALAR.items()},
    **_TESTS,
    "max": fold(_maximum),
    "min": fold(_minimum),
    "argsort": lambda x, axis: np.argsort(x, axis=axis, kind="stable"),
    "argmax": lambda x, axis: np.argmax(x, axis=axis),
    "argmin": lambda x, axis: np.argmin(x, axis=axis),
    "to_integer": _to_integer,
    "inv": over_matrices(lambda a: _solve(a, _identity(a.shape[-1]))),
    "solve": over_matrices(_solve),
    "det": over_matrices(_determinant),
    "det_sign": over_matrices(lambda a: mp.sign(_determinant(a))),
    "logabsdet": over_matrices(lambda a: mp.log(abs(_determinant(a)))),
    "adjugate": over_matrices(lambda a: object_arrays.adjugate(a, _determinant)),
    "cholesky": over_matrices(lambda a: object_arrays.cholesky(a, _real(mp.sqrt))),
}

MPMATH = ObjectTarget("mpmath", TABLE, mpf, decides=True)
