"""Elementwise rows: arithmetic and the elementary functions.

Partials are written so that they stay within a few ulp: (1-x)*(1+x) instead of 1-x**2, sech instead of 1-tanh**2.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from adcli_methods.primitive import Linear, Partial, Primitive, Value

LN2 = math.log(2.0)
LN10 = math.log(10.0)
_ANY = (-8.0, 8.0)
_POSITIVE = (1e-3, 40.0)
_UNIT = (-0.999, 0.999)
_ABOVE_ONE = (1.001, 40.0)


def _is_zero(x: Value, *_: Value) -> Value:
    return x == 0


add: Primitive = Primitive("add", (Partial(1), Partial(1)), np.add, operator.add, domain=(_ANY, _ANY))
subtract: Primitive = Primitive("subtract", (Partial(1), Partial(-1)), np.subtract, operator.sub, domain=(_ANY, _ANY))
multiply: Primitive = Primitive(
    "multiply",
    (Partial(lambda a, b, y: b), Partial(lambda a, b, y: a)),
    np.multiply,
    operator.mul,
    domain=(_ANY, _ANY),
)
divide: Primitive = Primitive(
    "divide",
    (Partial(lambda a, b, y: reciprocal(b)), Partial(lambda a, b, y: -y / b)),
    np.divide,
    operator.truediv,
    domain=(_ANY, _POSITIVE),
)
negative: Primitive = Primitive("negative", (Partial(-1),), np.negative, operator.neg, domain=(_ANY,))
positive: Primitive = Primitive("positive", (Partial(1),), np.positive, operator.pos, domain=(_ANY,))
reciprocal: Primitive = Primitive(
    "reciprocal", (Partial(lambda x, y: -y * y),), lambda x: 1.0 / x, lambda x: 1.0 / x, domain=(_POSITIVE,)
)


def _power_base(a: Value, b: Value, y: Value) -> Value:
    if type(b) is int:
        return b * a ** (b - 1) if b else 0.0
    if type(b) is float:
        return 0.0 if b == 0 else b * power(a, b - 1)
    return b * power(a, where(b == 0, 1.0, b - 1.0))


def _power_exponent(a: Value, b: Value, y: Value) -> Value:
    # lim of a**b * log(a) is 0 at a = 0 for b > 0; log is taken of 1 there, so that no NaN is born
    return y * log(where(logical_and(a == 0, b > 0), 1.0, a))


def _numpy_power(a: Value, b: Value) -> Value:
    if isinstance(b, int) and not isinstance(a, np.ndarray):
        b = float(b)
    return a**b if isinstance(a, np.ndarray) else np.power(a, b)


power: Primitive = Primitive(
    "power",
    (Partial(_power_base), Partial(_power_exponent)),
    _numpy_power,
    math.pow,
    domain=((0.01, 6.0), (-4.0, 4.0)),
    kink=lambda a, b: (a == 0) & (b < 1) & (b != 0),
    convention="the slope of x**p at 0 is infinite for 0 < p < 1",
)
absolute: Primitive = Primitive(
    "absolute", (Partial(lambda x, y: sign(x)),), np.abs, abs,
    domain=((0.1, 8.0),), kink=_is_zero, convention="abs'(0) = 0",
)  # fmt: skip


def _scalar_sign(x: float) -> float:
    return 0.0 if x == 0 else math.nan if x != x else math.copysign(1.0, x)


def _maximum_weight(a: Value, b: Value) -> Value:
    # NaN is passed on by maximum, so either side may own it
    return where(a == b, 0.5, where(a > b, 1.0, where(a != a, 1.0, 0.0)))


def _scalar_maximum(a: float, b: float) -> float:
    return a if a > b or a != a else b


def _scalar_minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


_TIE: Any = {"kink": lambda a, b: a == b, "convention": "a tie shares the derivative equally"}
maximum: Primitive = Primitive(
    "maximum",
    (Partial(lambda a, b, y: _maximum_weight(a, b)), Partial(lambda a, b, y: 1.0 - _maximum_weight(a, b))),
    np.maximum, _scalar_maximum, domain=(_ANY, _ANY), **_TIE,
)  # fmt: skip
minimum: Primitive = Primitive(
    "minimum",
    (Partial(lambda a, b, y: _maximum_weight(-a, -b)), Partial(lambda a, b, y: 1.0 - _maximum_weight(-a, -b))),
    np.minimum, _scalar_minimum, domain=(_ANY, _ANY), **_TIE,
)  # fmt: skip
where: Primitive = Primitive(
    "where",
    (
        None,
        Linear(lambda w, condition, a, b: where(condition, w, 0.0)),
        Linear(lambda w, condition, a, b: where(condition, 0.0, w)),
    ),
    np.where,
    lambda condition, a, b: a if condition else b,
    joint=True,
)


def _scalar_mod(a: float, b: float) -> float:
    return a % b


mod: Primitive = Primitive(
    "mod",
    (Partial(1), Partial(lambda a, b, y: -floor(a / b))),
    np.mod, _scalar_mod, domain=((0.1, 0.9), (1.0, 3.0)),
    kink=lambda a, b: np.mod(a, b) == 0, convention="the jump of mod is left out",
)  # fmt: skip
square: Primitive = Primitive("square", (Partial(lambda x, y: 2 * x),), np.square, lambda x: x * x, domain=(_ANY,))
sqrt: Primitive = Primitive(
    "sqrt", (Partial(lambda x, y: 0.5 / y),), np.sqrt, math.sqrt,
    domain=(_POSITIVE,), kink=_is_zero, convention="the slope of sqrt at 0 is infinite",
)  # fmt: skip
cbrt: Primitive = Primitive(
    "cbrt", (Partial(lambda x, y: _cbrt_slope(x, y)),), np.cbrt, math.cbrt,
    domain=(_POSITIVE,), kink=_is_zero, convention="the slope of cbrt at 0 is infinite",
)  # fmt: skip


def _cbrt_slope(x: Value, y: Value) -> Value:
    # y / 3x passes the rounding error of y on once, 1 / 3y**2 twice
    return where(x == 0, math.inf, y / (3.0 * where(x == 0, 1.0, x)))


exp: Primitive = Primitive("exp", (Partial(lambda x, y: y),), np.exp, math.exp, domain=(_ANY,))
exp2: Primitive = Primitive("exp2", (Partial(lambda x, y: LN2 * y),), np.exp2, math.exp2, domain=(_ANY,))
expm1: Primitive = Primitive("expm1", (Partial(lambda x, y: exp(x)),), np.expm1, math.expm1, domain=(_ANY,))
log: Primitive = Primitive("log", (Partial(lambda x, y: 1.0 / x),), np.log, math.log, domain=(_POSITIVE,))
log2: Primitive = Primitive("log2", (Partial(lambda x, y: 1.0 / (LN2 * x)),), np.log2, math.log2, domain=(_POSITIVE,))
log10: Primitive = Primitive(
    "log10", (Partial(lambda x, y: 1.0 / (LN10 * x)),), np.log10, math.log10, domain=(_POSITIVE,)
)
log1p: Primitive = Primitive(
    "log1p", (Partial(lambda x, y: 1.0 / (1.0 + x)),), np.log1p, math.log1p, domain=((-0.9, 40.0),)
)
sin: Primitive = Primitive("sin", (Partial(lambda x, y: cos(x)),), np.sin, math.sin, domain=(_ANY,))
cos: Primitive = Primitive("cos", (Partial(lambda x, y: -sin(x)),), np.cos, math.cos, domain=(_ANY,))
tan: Primitive = Primitive("tan", (Partial(lambda x, y: 1.0 + y * y),), np.tan, math.tan, domain=((-1.5, 1.5),))
arcsin: Primitive = Primitive(
    "arcsin", (Partial(lambda x, y: 1.0 / sqrt((1.0 - x) * (1.0 + x))),), np.arcsin, math.asin, domain=(_UNIT,)
)
arccos: Primitive = Primitive(
    "arccos", (Partial(lambda x, y: -1.0 / sqrt((1.0 - x) * (1.0 + x))),), np.arccos, math.acos, domain=(_UNIT,)
)
arctan: Primitive = Primitive(
    "arctan", (Partial(lambda x, y: 1.0 / (1.0 + x * x)),), np.arctan, math.atan, domain=(_ANY,)
)
arctan2: Primitive = Primitive(
    "arctan2",
    (
        Partial(lambda a, b, y: (b / hypot(a, b)) / hypot(a, b)),
        Partial(lambda a, b, y: -(a / hypot(a, b)) / hypot(a, b)),
    ),
    np.arctan2, math.atan2, domain=(_ANY, _POSITIVE),
    kink=lambda a, b: (a == 0) & (b == 0), convention="arctan2 has no derivative at (0, 0)",
)  # fmt: skip
hypot: Primitive = Primitive(
    "hypot",
    (Partial(lambda a, b, y: a / where(y == 0, 1.0, y)), Partial(lambda a, b, y: b / where(y == 0, 1.0, y))),
    np.hypot, math.hypot, domain=(_ANY, _POSITIVE),
    kink=lambda a, b: (a == 0) & (b == 0), convention="hypot'(0, 0) = (0, 0), the subgradient of least norm",
)  # fmt: skip
sinh: Primitive = Primitive("sinh", (Partial(lambda x, y: cosh(x)),), np.sinh, math.sinh, domain=(_ANY,))
cosh: Primitive = Primitive("cosh", (Partial(lambda x, y: sinh(x)),), np.cosh, math.cosh, domain=(_ANY,))
tanh: Primitive = Primitive("tanh", (Partial(lambda x, y: square(sech(x))),), np.tanh, math.tanh, domain=(_ANY,))
arcsinh: Primitive = Primitive(
    "arcsinh", (Partial(lambda x, y: 1.0 / hypot(1.0, x)),), np.arcsinh, math.asinh, domain=(_ANY,)
)
arccosh: Primitive = Primitive(
    "arccosh", (Partial(lambda x, y: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0))),),
    np.arccosh, math.acosh, domain=(_ABOVE_ONE,),
)  # fmt: skip
arctanh: Primitive = Primitive(
    "arctanh", (Partial(lambda x, y: 1.0 / ((1.0 - x) * (1.0 + x))),), np.arctanh, math.atanh, domain=(_UNIT,)
)


def _unary(name: str, partial: Any, value: Any, scalar: Any, domain: tuple[float, float]) -> Primitive:
    return Primitive(name, (Partial(partial),), value, scalar, domain=(domain,))


def _outside(x: Value) -> Value:
    return sqrt((absolute(x) - 1.0) * (absolute(x) + 1.0))


sec: Primitive = _unary("sec", lambda x, y: y * tan(x), lambda x: 1 / np.cos(x), lambda x: 1 / math.cos(x), (-1.5, 1.5))
csc: Primitive = _unary("csc", lambda x, y: -y * cot(x), lambda x: 1 / np.sin(x), lambda x: 1 / math.sin(x), (0.1, 3.0))
cot: Primitive = _unary(
    "cot", lambda x, y: -square(csc(x)), lambda x: 1 / np.tan(x), lambda x: 1 / math.tan(x), (0.1, 3.0)
)
sech: Primitive = _unary("sech", lambda x, y: -y * tanh(x), lambda x: 1 / np.cosh(x), lambda x: 1 / math.cosh(x), _ANY)
csch: Primitive = _unary(
    "csch", lambda x, y: -y * coth(x), lambda x: 1 / np.sinh(x), lambda x: 1 / math.sinh(x), (0.1, 8.0)
)
coth: Primitive = _unary(
    "coth", lambda x, y: -1.0 / square(sinh(x)), lambda x: 1 / np.tanh(x), lambda x: 1 / math.tanh(x), (0.1, 8.0)
)
arcsec: Primitive = _unary(
    "arcsec", lambda x, y: 1.0 / (absolute(x) * _outside(x)),
    lambda x: np.arctan2(np.sqrt((np.abs(x) - 1.0) * (np.abs(x) + 1.0)), np.sign(x)),
    lambda x: math.atan2(math.sqrt((abs(x) - 1.0) * (abs(x) + 1.0)), x / abs(x)), _ABOVE_ONE,
)  # fmt: skip
arccsc: Primitive = _unary(
    "arccsc", lambda x, y: -1.0 / (absolute(x) * _outside(x)),
    lambda x: np.arcsin(1 / x), lambda x: math.asin(1 / x), _ABOVE_ONE,
)  # fmt: skip
arccot: Primitive = _unary(
    "arccot", lambda x, y: -1.0 / (1.0 + x * x),
    lambda x: np.arctan(1 / np.asarray(x, dtype=float)), lambda x: math.atan(1 / x) if x else math.pi / 2, (0.1, 8.0),
)  # fmt: skip
arcsech: Primitive = _unary(
    "arcsech", lambda x, y: -1.0 / (x * sqrt((1.0 - x) * (1.0 + x))),
    lambda x: np.log1p((1.0 - x + np.sqrt((1.0 - x) * (1.0 + x))) / x),
    lambda x: math.log1p((1.0 - x + math.sqrt((1.0 - x) * (1.0 + x))) / x), (0.01, 0.999),
)  # fmt: skip
arccsch: Primitive = _unary(
    "arccsch", lambda x, y: -1.0 / (absolute(x) * hypot(1.0, x)),
    lambda x: np.arcsinh(1 / x), lambda x: math.asinh(1 / x), (0.1, 8.0),
)  # fmt: skip
arccoth: Primitive = _unary(
    "arccoth", lambda x, y: 1.0 / ((1.0 - x) * (1.0 + x)),
    lambda x: 0.5 * np.sign(x) * np.log1p(2.0 / (np.abs(x) - 1.0)),
    lambda x: 0.5 * x / abs(x) * math.log1p(2.0 / (abs(x) - 1.0)), _ABOVE_ONE,
)  # fmt: skip


def _step(name: str, value: Any, scalar: Any, kink: Any) -> Primitive:
    return Primitive(
        name, (Partial(0),), value, scalar, domain=((0.1, 0.4),),
        kink=kink, convention=f"{name} is taken as constant between its jumps",
    )  # fmt: skip


sign: Primitive = _step("sign", np.sign, _scalar_sign, _is_zero)
floor: Primitive = _step("floor", np.floor, lambda x: float(math.floor(x)), lambda x: x == np.floor(x))
ceil: Primitive = _step("ceil", np.ceil, lambda x: float(math.ceil(x)), lambda x: x == np.floor(x))
trunc: Primitive = _step("trunc", np.trunc, lambda x: float(math.trunc(x)), lambda x: (x == np.floor(x)) & (x != 0))
rint: Primitive = _step("rint", np.rint, lambda x: float(round(x)), lambda x: np.abs(x - np.trunc(x)) == 0.5)
copysign: Primitive = Primitive(
    "copysign", (Partial(lambda a, b, y: sign(a) * copysign(1.0, b)), Partial(0)),
    np.copysign, math.copysign, domain=((0.1, 8.0), _ANY), kink=lambda a, b: (a == 0) | (b == 0), convention="0 at 0",
)  # fmt: skip


def _test(name: str, value: Any, scalar: Any) -> Primitive:
    return Primitive(name, (None, None), value, scalar)


less: Primitive = _test("less", np.less, operator.lt)
less_equal: Primitive = _test("less_equal", np.less_equal, operator.le)
greater: Primitive = _test("greater", np.greater, operator.gt)
greater_equal: Primitive = _test("greater_equal", np.greater_equal, operator.ge)
equal: Primitive = _test("equal", np.equal, operator.eq)
not_equal: Primitive = _test("not_equal", np.not_equal, operator.ne)
logical_and: Primitive = _test("logical_and", np.logical_and, lambda a, b: bool(a) and bool(b))
logical_or: Primitive = _test("logical_or", np.logical_or, lambda a, b: bool(a) or bool(b))
logical_xor: Primitive = _test("logical_xor", np.logical_xor, lambda a, b: bool(a) != bool(b))
logical_not: Primitive = Primitive("logical_not", (None,), np.logical_not, operator.not_)
isnan: Primitive = Primitive("isnan", (None,), np.isnan, math.isnan)
isfinite: Primitive = Primitive("isfinite", (None,), np.isfinite, math.isfinite)
isinf: Primitive = Primitive("isinf", (None,), np.isinf, math.isinf)
