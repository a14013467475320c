"""SymPy expressions as textbooks print them, in text and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from typing import Any

from adcli_methods import formula_text as build
from adcli_methods.formula_text import Formula, named, subscript, text_of

_NAMES = {
    "log": "ln", "absolute": "||", "Abs": "||", "maximum": "max", "Max": "max", "minimum": "min", "Min": "min",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh",
    "atan2": "arctan2", "asec": "arcsec", "acsc": "arccsc", "loggamma": "lnΓ", "gamma": "Γ", "digamma": "ψ",
    "sigmoid": "σ", "ndtr": "Φ", "ceiling": "ceil", "cbrt": "∛", "sinc_": "sinc",
}  # fmt: skip
_BESSEL = {"besselj": "J", "bessely": "Y", "besseli": "I", "besselk": "K"}
_RELATIONS = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def text(expression: Any) -> str:
    """An expression in one line.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> text(2 * x * sympy.exp(x**2) - 1 / sympy.sqrt(x))
    '2x·exp(x²) − 1/√x'
    """
    return text_of(_formula(expression))


def latex(expression: Any) -> str:
    """An expression in LaTeX."""
    import sympy

    for function, counterpart in _counterparts():
        if expression.has(function):
            expression = expression.replace(function, counterpart)
    return str(sympy.latex(expression, ln_notation=True, inv_trig_style="full"))


@cache
def _counterparts() -> tuple[tuple[Any, Any], ...]:
    """SymPy's function for each of ours that it prints better."""
    import sympy

    from adcli_methods.targets import sympy_functions as own

    return (
        (own.absolute, sympy.Abs),
        (own.sign, sympy.sign),
        (own.tanh, sympy.tanh),
        (own.maximum, sympy.Max),
        (own.minimum, sympy.Min),
        (own.floor, sympy.floor),
        (own.ceil, sympy.ceiling),
        (own.arccot, sympy.acot),
        (own.sigmoid, sympy.Function("sigma")),
        (own.ndtr, sympy.Function("Phi")),
    )


def _formula(e: Any) -> Formula:
    for kind, convert in _converters():
        if isinstance(e, kind):
            return convert(e)
    name = e.func.__name__
    if name in _BESSEL:
        order, x = e.args
        return ("call", _BESSEL[name] + (subscript(int(order)) if order.is_Integer else f"[{order}]"), _formula(x))
    if not e.args:
        return named(str(e))
    return ("call", _NAMES.get(name, name), *map(_formula, e.args))


def _sum(e: Any) -> Formula:
    return reduce(build.add, map(_formula, e.as_ordered_terms()))


def _product(e: Any) -> Formula:
    import sympy

    above, below = sympy.fraction(e)
    if below != 1:
        return build.divide(_formula(above), _formula(below))
    return reduce(build.multiply, map(_formula, above.as_ordered_factors())) if above.is_Mul else _formula(above)


def _power(e: Any) -> Formula:
    import sympy

    base, exponent = e.as_base_exp()
    if exponent.is_Rational and exponent < 0:
        return build.divide(build.ONE, _formula(base**-exponent))
    if exponent == sympy.Rational(1, 2):
        return ("call", "√", _formula(base))
    return build.power(_formula(base), _formula(exponent))


def _rational(e: Any) -> Formula:
    return build.divide(("number", int(e.p)), ("number", int(e.q)))


def _relation(e: Any) -> Formula:
    return ("compare", _RELATIONS[e.rel_op], _formula(e.lhs), _formula(e.rhs))


def _junction(sign: str) -> Callable[[Any], Formula]:
    return lambda e: reduce(lambda a, b: ("compare", sign, a, b), map(_formula, e.args))


def _pieces(e: Any) -> Formula:
    parts = [text(value) + (f" if {text(condition)}" if condition.args else "") for value, condition in e.args]
    return named("{" + "; ".join(parts) + "}")


@cache
def _converters() -> tuple[tuple[Any, Callable[[Any], Formula]], ...]:
    """How each kind of expression becomes a formula, special kinds first."""
    import sympy

    return (
        (sympy.Rational, _rational),
        (sympy.Float, lambda e: ("number", float(e))),
        (type(sympy.pi), lambda e: named("π")),
        (type(sympy.E), lambda e: named("e")),
        (sympy.Add, _sum),
        (sympy.Mul, _product),
        (sympy.exp, lambda e: ("call", "exp", _formula(e.args[0]))),
        (sympy.Pow, _power),
        (sympy.core.relational.Relational, _relation),
        (sympy.And, _junction("and")),
        (sympy.Or, _junction("or")),
        (sympy.Piecewise, _pieces),
    )
