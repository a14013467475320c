"""Programs on Python's floats: the fastest way through a Program that holds single numbers.

Outside a function's domain Python raises (ArithmeticError or ValueError) where NumPy answers NaN or Inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Primitive
from adcli_methods.targets import INFIX, Entry, Target

_SAME_NAME = ("exp", "log", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "erf", "erfc", "exp2",
              "expm1", "log1p", "cbrt", "hypot", "copysign", "isnan", "isfinite", "isinf")  # fmt: skip
_RENAMED = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "gammaln": "lgamma",
}  # fmt: skip


def sign(x: float) -> float:
    """-1, 0 or 1; NaN stays NaN."""
    return x if x != x else float((x > 0) - (x < 0))


def maximum(a: float, b: float) -> float:
    """The larger of two; NaN if either is."""
    return a if a > b or a != a else b


def minimum(a: float, b: float) -> float:
    """The smaller of two; NaN if either is."""
    return a if a < b or a != a else b


def gaussian(x: float) -> float:
    """exp(-x**2), with x**2 in two parts so that no digit is lost."""
    if abs(x) > 40.0:
        return 0.0
    scaled = x * 134217729.0
    head = scaled - (scaled - x)
    return math.exp(-head * head) * math.exp(-(x - head) * (x + head))


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    y = math.exp(x)
    return y / (1.0 + y)


def softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), without overflow."""
    return a if a == b and math.isinf(a) else max(a, b) + math.log1p(math.exp(-abs(a - b)))


KINDS: dict[str, Callable[[float], float]] = {"float64": float, "int64": int, "bool": bool}
"""Python's types of numbers, by NumPy's names for them."""


def astype(x: float, dtype: str) -> float:
    """x in another type; whole numbers by leaving out the fraction."""
    return KINDS[dtype](x)


_FUNCTIONS = (sign, maximum, minimum, gaussian, sigmoid, softplus, logaddexp)

TABLE: dict[str, Entry] = {
    **{name: f"{{0}} {symbol} {{1}}" for name, symbol in INFIX.items()},
    **{name: f"{name}({{0}})" for name in _SAME_NAME if name not in ("hypot", "copysign")},
    **{name: f"{other}({{0}})" for name, other in _RENAMED.items()},
    **{function.__name__: function for function in _FUNCTIONS},
    "hypot": "hypot({0}, {1})",
    "copysign": "copysign({0}, {1})",
    "arctan2": "atan2({0}, {1})",
    "power": "pow({0}, {1})",
    "mod": "{0} % {1}",
    "negative": "-{0}",
    "positive": "{0}",
    "reciprocal": "1.0 / {0}",
    "square": "{0} * {0}",
    "absolute": "abs({0})",
    "relu": "maximum({0}, 0.0)",
    "sec": "1.0 / cos({0})",
    "csc": "1.0 / sin({0})",
    "cot": "1.0 / tan({0})",
    "sech": "1.0 / cosh({0})",
    "csch": "1.0 / sinh({0})",
    "coth": "1.0 / tanh({0})",
    "floor": "float(floor({0}))",
    "ceil": "float(ceil({0}))",
    "trunc": "float(trunc({0}))",
    "rint": "float(round({0}))",
    "logical_and": "bool({0} and {1})",
    "logical_or": "bool({0} or {1})",
    "logical_xor": "bool({0}) != bool({1})",
    "logical_not": "not {0}",
    "where": "{1} if {0} else {2}",
    "astype": astype,
    "to_integer": astype,
}

_BARE = sorted({"atan2", "pow", "hypot", "copysign", "floor", "ceil", "trunc", *_SAME_NAME, *_RENAMED.values()})


class MathTarget(Target):
    """Python's numbers."""

    def __init__(self) -> None:
        own = [*(getattr(math, name) for name in _BARE), *_FUNCTIONS, int]
        imports = ("import math", *(f"from math import {name}" for name in _BARE))
        super().__init__("math", TABLE, {each.__name__: each for each in own}, frozenset(TABLE), imports)

    def check(self, primitive: Primitive, parameters: Mapping[str, Any]) -> None:
        if parameters.get("dtype", "float64") not in KINDS:
            raise OperatorError(f"math has no numbers of type {parameters['dtype']}")

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        if "dtype" not in parameters:
            return super().expression(primitive, operands, parameters)
        self.check(primitive, parameters)
        return f"{KINDS[parameters['dtype']].__name__}({operands[0]})"


MATH = MathTarget()
