"""Elementwise functions that NumPy has and the table of primitives does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.functions.axes import assembled, kind_of, refuse
from adcli_methods.indexing import concrete
from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.tracer import Tracer


def safe_sqrt(x: Value) -> Value:
    """The square root with slope 0 at 0: the subgradient of least norm where it ends a Euclidean norm."""
    return safe_root(x, 2)


def safe_root(x: Value, degree: float) -> Value:
    """The root of a sum of powers, with slope 0 at 0."""
    zero = e.equal(x, 0.0)
    inside = e.where(zero, 1.0, x)
    return e.where(zero, 0.0, e.sqrt(inside) if degree == 2 else e.power(inside, 1.0 / degree))


def whole(x: Value) -> Value:
    """A traced float without fraction as a whole number, as math.floor and round give; huge ones stay floats."""
    size = x
    while isinstance(size, Tracer):
        size = size.value
    return s.to_integer(x, dtype="int64") if abs(size) < 2**53 else x


def floor_divide(a: Value, b: Value) -> Value:
    """a // b, exact as NumPy's: the remainder is taken off before dividing."""
    quotient = e.rint(e.divide(e.subtract(a, e.mod(a, b)), b))
    if kind_of(a) in "iu" and kind_of(b) in "iu":
        return s.to_integer(quotient, dtype="int64")
    return e.where(e.equal(b, 0), e.divide(a, b), quotient)


def divmod_(a: Value, b: Value) -> tuple[Value, Value]:
    """np.divmod."""
    return floor_divide(a, b), e.mod(a, b)


def fmod(a: Value, b: Value) -> Value:
    """The remainder with the sign of a, exact as C's."""
    size = e.absolute(b)
    below = e.less(a, 0)
    rest = e.mod(e.where(below, e.negative(a), a), size)
    return e.where(below, e.negative(rest), rest)


def modf(x: Value) -> tuple[Value, Value]:
    """Fractional and whole part."""
    whole = e.trunc(x)
    return e.subtract(x, whole), whole


def fmax(a: Value, b: Value) -> Value:
    """The larger one, a NaN giving way to a number."""
    return e.where(e.isnan(a), b, e.where(e.isnan(b), a, e.maximum(a, b)))


def fmin(a: Value, b: Value) -> Value:
    """The smaller one, a NaN giving way to a number."""
    return e.where(e.isnan(a), b, e.where(e.isnan(b), a, e.minimum(a, b)))


def heaviside(x: Value, at_zero: Value) -> Value:
    """0 below 0, 1 above, and the second operand at 0."""
    step = e.where(e.isnan(x), np.nan, e.where(e.greater(x, 0), 1.0, 0.0))
    return e.where(e.equal(x, 0), at_zero, step)


def float_power(a: Value, b: Value) -> Value:
    """np.float_power."""
    return e.power(e.multiply(a, 1.0), b)


def deg2rad(x: Value) -> Value:
    """Degrees to radians."""
    return e.multiply(x, math.pi / 180)


def rad2deg(x: Value) -> Value:
    """Radians to degrees."""
    return e.multiply(x, 180 / math.pi)


def ldexp(x: Value, exponent: Value) -> Value:
    """x * 2**exponent."""
    return e.multiply(x, e.power(2.0, exponent))


def signbit(x: Value) -> Value:
    """Whether the sign is negative, of -0.0 too."""
    return e.less(e.copysign(1.0, x), 0)


def real(x: Value) -> Value:
    """The value itself: every traced value is real."""
    return assembled(x)


def imag(x: Value) -> Value:
    """Zeros: every traced value is real."""
    shape = shape_of(assembled(x))
    return np.zeros(shape) if shape else 0.0


def _bitwise(primitive: Primitive, ufunc: Any, sign: str) -> Any:
    def front(*operands: Value) -> Value:
        kinds = {kind_of(operand) for operand in operands}
        if kinds == {"b"}:
            return primitive(*operands)
        if not kinds <= set("biu"):
            raise TypeError(f"`{sign}` works on truth values and whole numbers, not on floats")
        bits = [concrete(operand) for operand in operands]
        return ufunc(*bits)

    return front


bitwise_and = _bitwise(e.logical_and, np.bitwise_and, "&")
bitwise_or = _bitwise(e.logical_or, np.bitwise_or, "|")
bitwise_xor = _bitwise(e.logical_xor, np.bitwise_xor, "^")
invert = _bitwise(e.logical_not, np.invert, "~")


def round_(a: Value, decimals: int = 0, out: Any = None) -> Value:
    """np.round: half to even."""
    x = assembled(a)
    if not decimals or kind_of(x) in "iub":
        return e.rint(x) if kind_of(x) == "f" else x
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return e.divide(e.rint(e.multiply(x, scale)), scale)
    return e.multiply(e.rint(e.divide(x, scale)), scale)


def fix(x: Value) -> Value:
    """Rounded towards 0."""
    return e.trunc(assembled(x))


def clip(a: Value, a_min: Any = None, a_max: Any = None, out: Any = None, **bounds: Any) -> Value:
    """np.clip; a bound of None does not bind."""
    x, low, high = assembled(a), bounds.pop("min", a_min), bounds.pop("max", a_max)
    refuse(bool(bounds), f"np.clip with {sorted(bounds)}", "leave that argument out")
    if low is not None:
        x = e.maximum(x, assembled(low))
    return x if high is None else e.minimum(x, assembled(high))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Value:
    """np.select: the first choice whose condition holds."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    result = assembled(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = e.where(assembled(condition), assembled(choice), result)
    return result


def nan_to_num(x: Value, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Value:
    """np.nan_to_num."""
    value, largest = assembled(x), np.finfo(np.float64).max
    value = e.where(e.isnan(value), nan, value)
    value = e.where(e.equal(value, np.inf), largest if posinf is None else posinf, value)
    return e.where(e.equal(value, -np.inf), -largest if neginf is None else neginf, value)


def isclose(a: Value, b: Value, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Value:
    """np.isclose."""
    x, y = assembled(a), assembled(b)
    near = e.less_equal(e.absolute(e.subtract(x, y)), e.add(atol, e.multiply(rtol, e.absolute(y))))
    near = e.logical_or(e.logical_and(near, e.isfinite(y)), e.equal(x, y))
    return e.logical_or(near, e.logical_and(e.isnan(x), e.isnan(y))) if equal_nan else near


def isposinf(x: Value) -> Value:
    """Whether entries are +inf."""
    return e.equal(assembled(x), np.inf)


def isneginf(x: Value) -> Value:
    """Whether entries are -inf."""
    return e.equal(assembled(x), -np.inf)


def isreal(x: Value) -> Value:
    """True throughout."""
    return e.equal(0.0, e.multiply(0.0, e.sign(e.isnan(assembled(x)))))


def is_real_type(x: Value) -> bool:
    """np.isrealobj."""
    return True


def is_complex_type(x: Value) -> bool:
    """np.iscomplexobj."""
    return False
