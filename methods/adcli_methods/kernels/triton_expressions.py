"""The elementwise operations in Triton, with the meaning that IEEE gives them.

In a template, {0} and {1} are the operands, of the type that is computed in, and @(1.0) is a number of that type.
Functions are CUDA's libdevice, at most 4 units in the last place off (CUDA C Programming Guide, 13.1 and 13.2): those
of triton.language are approximate for float32 or missing for float64, and so are its division and its square root.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from adcli_methods.kernels.c_expressions import FLOATS

_FUNCTIONS = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "sqrt": "sqrt_rn",
    **{name: name for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "cbrt",
        "floor", "ceil", "trunc", "rint", "erf",
    )},
}  # fmt: skip
_OF_TWO = {"divide": "div_rn", "power": "pow", "arctan2": "atan2", "hypot": "hypot", "copysign": "copysign"}

_RELU = "tl.where(({0} > 0) | ({0} != {0}), {0}, @(0.0))"
_DECAY = "libdevice.exp(tl.abs({0}) * -1)"

TEMPLATES = {
    **{name: f"libdevice.{function}({{0}})" for name, function in _FUNCTIONS.items()},
    **{name: f"libdevice.{function}({{0}}, {{1}})" for name, function in _OF_TWO.items()},
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "square": "{0} * {0}", "positive": "{0}",
    "negative": "{0} * -1",  # Triton's -x is 0 - x, which loses the sign of zero
    "where": "tl.where({0}, {1}, {2})",
    "maximum": "tl.where(({0} > {1}) | ({0} != {0}), {0}, {1})",
    "minimum": "tl.where(({0} < {1}) | ({0} != {0}), {0}, {1})",
    "absolute": "tl.abs({0})", "reciprocal": "libdevice.div_rn(@(1.0), {0})", "mod": "mod({0}, {1})", "astype": "{0}",
    "sign": "tl.where({0} > 0, @(1.0), tl.where({0} < 0, @(-1.0), tl.where({0} == 0, @(0.0), {0})))",
    "sec": "libdevice.div_rn(@(1.0), libdevice.cos({0}))", "csc": "libdevice.div_rn(@(1.0), libdevice.sin({0}))",
    "cot": "libdevice.div_rn(@(1.0), libdevice.tan({0}))", "sech": "libdevice.div_rn(@(1.0), libdevice.cosh({0}))",
    "csch": "libdevice.div_rn(@(1.0), libdevice.sinh({0}))", "coth": "libdevice.div_rn(@(1.0), libdevice.tanh({0}))",
    "relu": _RELU, "softplus": f"{_RELU} + libdevice.log1p({_DECAY})",
    "sigmoid": f"libdevice.div_rn(tl.where({{0}} >= 0, @(1.0), {_DECAY}), {_DECAY} + 1)",
    "logaddexp": "tl.where({0} == {1}, {0} + 0.693147180559945309417, tl.where({0} > {1}, {0}, {1})"
                 " + libdevice.log1p(libdevice.exp(tl.abs({0} - {1}) * -1)))",
    "gaussian": "gaussian({0}, SPLIT)",
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    "logical_and": "({0} != 0) & ({1} != 0)", "logical_or": "({0} != 0) | ({1} != 0)",
    "logical_xor": "({0} != 0) ^ ({1} != 0)", "logical_not": "{0} == 0", "isnan": "{0} != {0}",
    "isfinite": "tl.abs({0}) < float('inf')", "isinf": "tl.abs({0}) == float('inf')",
}  # fmt: skip

PRELUDE = """import triton
import triton.language as tl
from triton.language.extra import libdevice
"""

HELPERS = {
    "mod": """@triton.jit
def mod(a, b):
    m = libdevice.fmod(a, b)
    turned = tl.where((m != 0) & ((b < 0) != (m < 0)), m + b, m)
    return tl.where((m == 0) & (b != 0), libdevice.copysign(m, b), turned)
""",
    "gaussian": """@triton.jit
def gaussian(x, split):
    c = tl.where(x > 40, 40, tl.where(x < -40, -40, x))
    scaled = c * split
    head = scaled - (scaled - c)
    return libdevice.exp(head * head * -1) * libdevice.exp((c - head) * (c + head) * -1)
""",
    "larger": """@triton.jit
def larger(a, b):
    return tl.where((b > a) | (b != b), b, a)
""",
    "smaller": """@triton.jit
def smaller(a, b):
    return tl.where((b < a) | (b != b), b, a)
""",
}
"""Functions that a text may call, by their names."""


def type_of(kind: str) -> str:
    """Triton's type of a value; whole numbers are all int64, as torch has them here."""
    return {"float64": "tl.float64", "float32": "tl.float32", "bool": "tl.int1"}.get(kind, "tl.int64")


class TritonDialect:
    """Triton, for a Body."""

    def literal(self, value: float, kind: str) -> str:
        """A number of its full precision; by itself, a number in Triton is a float32."""
        if kind not in FLOATS:
            return f"tl.full((), {int(value)}, {type_of(kind)})"
        number = float(np.float32(value)) if kind == "float32" else float(value)
        if number == 0:  # tl.full loses the sign of zero
            zero = f"tl.full((), 0.0, {type_of(kind)})"
            return f"({zero} * -1)" if math.copysign(1.0, number) < 0 else zero
        text = repr(number) if math.isfinite(number) else f"float('{number}')"
        return f"tl.full((), {text}, {type_of(kind)})"

    def cast(self, name: str, kind: str) -> str:
        """A value in another type."""
        return f"{name}.to({type_of(kind)})"

    def truth(self, name: str, kind: str) -> str:
        """Triton decides by truth values alone."""
        return name if kind == "bool" else f"{name} != 0"

    def operation(self, name: str, operands: Sequence[str], kind: str, exponent: float | None) -> str:
        """An elementwise operation."""
        if exponent is not None and (known := self._power(operands[0], exponent, kind)):
            return known
        template = TEMPLATES[name].replace("SPLIT", f"@({_SPLIT.get(kind, '')})")
        return re.sub(r"@\(([^)]*)\)", rf"tl.full((), \1, {type_of(kind)})", template).format(*operands)

    def definition(self, name: str, kind: str, text: str) -> str:
        """The statement that gives an expression a name."""
        return f"{name} = {text}"

    def _power(self, x: str, exponent: float, kind: str) -> str | None:
        """What NumPy does for these exponents, and short products, as in C."""
        if exponent == 0.0:
            return self.literal(1.0, kind)
        if exponent == 3.0:
            return f"{x} * {x} * {x}"
        if exponent == 4.0:
            return f"({x} * {x}) * ({x} * {x})"
        known = {1.0: "positive", 2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}.get(exponent)
        return known and self.operation(known, [x], kind, None)


_SPLIT = {"float64": "134217729.0", "float32": "4097.0"}
"""Splits a number into a head and a rest, both of half the digits."""
