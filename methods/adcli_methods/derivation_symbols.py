"""Numbers and expressions for derivations: constants by their names, choices away from single points."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from adcli_methods.primitive import Value

Expression = Any
"""A SymPy expression, or an array of them."""
_MOST_PARTS = 24
_SHORT = 10**6


def constants(value: Value) -> Expression:
    """A constant of a Program, or an array of them, as SymPy numbers."""
    array = np.asarray(value)
    if array.ndim == 0:
        return constant(array.item())
    lifted = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        lifted[place] = constant(array[place].item())
    return lifted


@lru_cache(maxsize=4096, typed=True)
def constant(number: float) -> Expression:
    """A number as its formula has it: a fraction, a part of pi, e, ln 2, ln 10, or a decimal number.

    >>> constant(0.1), constant(2 * math.pi), constant(math.e)
    (1/10, 2*pi, E)
    """
    import sympy

    if type(number) is bool:
        return sympy.true if number else sympy.false
    if isinstance(number, int):
        return sympy.Integer(number)
    if not math.isfinite(number):
        return sympy.nan if number != number else sympy.oo if number > 0 else -sympy.oo
    short = Fraction(repr(number))
    if short.denominator <= _SHORT and abs(short.numerator) <= 10**15:
        return sympy.Rational(short.numerator, short.denominator)
    for symbol, size in _known_constants():
        ratio = Fraction(number / size).limit_denominator(_MOST_PARTS)
        if ratio and float(sympy.Rational(ratio.numerator, ratio.denominator) * symbol) == number:
            return sympy.Rational(ratio.numerator, ratio.denominator) * symbol
    return sympy.Float(number)


@cache
def _known_constants() -> tuple[tuple[Expression, float], ...]:
    """The constants that a float may be a part of, each with its value."""
    import sympy

    roots = (1 / sympy.sqrt(sympy.pi), 1 / sympy.sqrt(2 * sympy.pi))
    return tuple((symbol, float(symbol)) for symbol in (sympy.pi, sympy.E, sympy.log(2), sympy.log(10), *roots))


def generic(expression: Expression) -> Expression:
    """An expression with exact numbers, and without the choices that single points need (x = 0)."""
    import sympy

    if isinstance(expression, np.ndarray):
        changed = np.empty(expression.shape, dtype=object)
        for place in np.ndindex(expression.shape):
            changed[place] = generic(expression[place])
        return changed
    if isinstance(expression, (bool, int, float)):
        return constant(expression)
    floats = {number: constant(float(number)) for number in expression.atoms(sympy.Float)}
    if floats:
        expression = expression.xreplace(floats)
    if expression.has(sympy.Piecewise):
        expression = expression.replace(sympy.Eq, lambda *_: sympy.false).replace(sympy.Ne, lambda *_: sympy.true)
    return expression
