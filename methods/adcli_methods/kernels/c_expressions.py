"""The elementwise operations in C.

In a template, {0} and {1} are the operands, already of the type that is computed in, and @ is the suffix of functions
and numbers of that type (none for double, f for float).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract

C_TYPES = {
    "float64": "double", "float32": "float", "bool": "uint8_t", "int64": "int64_t", "int32": "int32_t",
    "int16": "int16_t", "int8": "int8_t", "uint32": "uint32_t", "uint16": "uint16_t", "uint8": "uint8_t",
}  # fmt: skip
"""The C type of each NumPy type that kernels read."""

FLOATS = ("float64", "float32")

_ARITHMETIC = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}", "positive": "{0}",
    "square": "{0} * {0}", "where": "{0} ? {1} : {2}",
    "maximum": "({0} > {1}) | ({0} != {0}) ? {0} : {1}", "minimum": "({0} < {1}) | ({0} != {0}) ? {0} : {1}",
}  # fmt: skip
"""On floats and on int64."""

_FUNCTIONS = {
    "absolute": "fabs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    **{name: name for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt",
        "cbrt", "hypot", "floor", "ceil", "trunc", "rint", "copysign", "erf",
    )},
}  # fmt: skip

_FORMULAS = {
    "divide": "{0} / {1}", "reciprocal": "1.0@ / {0}", "power": "pow@({0}, {1})", "mod": "mod@({0}, {1})",
    "sign": "{0} != {0} ? {0} : ({0} > 0.0@ ? 1.0@ : ({0} < 0.0@ ? -1.0@ : 0.0@))",
    "sec": "1.0@ / cos@({0})", "csc": "1.0@ / sin@({0})", "cot": "1.0@ / tan@({0})",
    "sech": "1.0@ / cosh@({0})", "csch": "1.0@ / sinh@({0})", "coth": "1.0@ / tanh@({0})",
    "relu": "({0} > 0.0@) | ({0} != {0}) ? {0} : 0.0@",
    "softplus": "(({0} > 0.0@) | ({0} != {0}) ? {0} : 0.0@) + log1p@(exp@(-fabs@({0})))",
    "sigmoid": "({0} >= 0.0@ ? 1.0@ : exp@(-fabs@({0}))) / (1.0@ + exp@(-fabs@({0})))",
    "logaddexp": "{0} == {1} ? {0} + 0.693147180559945309417@"
                 " : ({0} > {1} ? {0} : {1}) + log1p@(exp@(-fabs@({0} - {1})))",
    "gaussian": "gaussian@({0})", "astype": "{0}",
}  # fmt: skip

_TESTS = {
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    "logical_and": "({0} != 0) & ({1} != 0)", "logical_or": "({0} != 0) | ({1} != 0)",
    "logical_xor": "({0} != 0) != ({1} != 0)", "logical_not": "{0} == 0",
    "isnan": "{0} != {0}", "isfinite": "fabs@({0}) <= MAX@", "isinf": "fabs@({0}) > MAX@",
}  # fmt: skip

_OF_FLOATS = _ARITHMETIC | {name: f"{c}@({{0}})" for name, c in _FUNCTIONS.items()} | _FORMULAS
_OF_FLOATS |= {name: f"{_FUNCTIONS[name]}@({{0}}, {{1}})" for name in ("arctan2", "hypot", "copysign")}

_COSTS = {
    "add": 1, "subtract": 1, "multiply": 1, "negative": 1, "positive": 0, "square": 1, "where": 1, "maximum": 2,
    "minimum": 2, "divide": 5, "reciprocal": 5, "sqrt": 6, "absolute": 1, "sign": 2, "relu": 1, "floor": 1, "ceil": 1,
    "trunc": 1, "rint": 1, "copysign": 1, "astype": 1, **dict.fromkeys(_TESTS, 1),
}  # fmt: skip
_COST_OF_A_FUNCTION = 20

LARGEST = "1.7976931348623157e308"
"""The largest double."""

PRELUDE = f"""#include <stdint.h>
typedef void (Parallel)(void (*)(void *, long), void *, long, long);
#define TILE 256
#define MIN2(a, b) ((a) < (b) ? (a) : (b))
#define MAX2(a, b) ((a) > (b) ? (a) : (b))
#if defined(__GNUC__) && !defined(__clang__)
#define VECTOR __attribute__((simd("notinbranch")))
#else
#define VECTOR
#endif
#define MAX {LARGEST}
#define MAXf 3.40282346638528859812e38f
"""

HELPERS = {
    "mod": """static inline T modS(T a, T b) {
    T m = fmodS(a, b);
    if (b == 0) return m;
    if (m != 0) return ((b < 0) != (m < 0)) ? m + b : m;
    return copysignS((T)0, b);
}
""",
    "gaussian": """static inline T gaussianS(T x) {
    T c = x > 40 ? 40 : (x < -40 ? -40 : x);
    T scaled = c * (T)SPLIT;
    T head = scaled - (scaled - c);
    return expS(-(head * head)) * expS(-((c - head) * (c + head)));
}
""",
    "sum": """typedef T V4S_t __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
static inline T sumS(const T *t, long m) {
    V4S_t a = {0}, b = {0}, c = {0}, d = {0};
    T rest = 0;
    long l = 0;
    for (; l + 16 <= m; l += 16) {
        const V4S_t *v = (const V4S_t *)(t + l);
        a += v[0];
        b += v[1];
        c += v[2];
        d += v[3];
    }
    for (; l < m; l++) rest += t[l];
    a = (a + b) + (c + d);
    return ((a[0] + a[1]) + (a[2] + a[3])) + rest;
}
""",
    "max": """static inline T max2S(T a, T b) { return (b > a) | (b != b) ? b : a; }
static inline T maxS(const T *t, long m) {
    T a[16];
    long l = 0;
    for (int k = 0; k < 16; k++) a[k] = t[0];
    for (; l + 16 <= m; l += 16) {
        #pragma omp simd
        for (int k = 0; k < 16; k++) a[k] = (t[l + k] > a[k]) | (t[l + k] != t[l + k]) ? t[l + k] : a[k];
    }
    for (; l < m; l++) a[0] = max2S(a[0], t[l]);
    for (int k = 1; k < 16; k++) a[0] = max2S(a[0], a[k]);
    return a[0];
}
""",
}
"""Functions of each type: T is the type, S its suffix."""

HELPERS["min"] = HELPERS["max"].replace("max", "min").replace(" > ", " < ")


def compute_type(instruction: Instruction, operands: Sequence[Abstract], result: Abstract) -> str | None:
    """The type that an elementwise operation computes in; None where C has no such operation."""
    primitive = instruction.primitive
    assert primitive is not None
    name = primitive.name
    if any(operand.dtype not in C_TYPES for operand in operands):
        return None
    if name in _TESTS:
        kind = promoted(operands)
        return kind if kind in C_TYPES and (kind in FLOATS or not name.startswith("is")) else None
    if name == "where":
        operands = operands[1:]
    if result.dtype in FLOATS:
        return result.dtype if name in _OF_FLOATS else None
    if name in _ARITHMETIC and result.dtype == "int64" and all(o.dtype in ("int64", "bool") for o in operands):
        return "int64"
    return "bool" if name == "where" and result.dtype == "bool" else None


def promoted(operands: Sequence[Abstract]) -> str:
    """The type in which NumPy compares: that of the arrays, where numbers only count by their kind."""
    if all(not operand.shape for operand in operands):
        return np.result_type(*[operand.dtype for operand in operands]).name
    plain = {"f": 0.0, "b": False}
    known = [np.dtype(o.dtype) if o.shape else plain.get(np.dtype(o.dtype).kind, 0) for o in operands]
    return np.result_type(*known).name


def cost_of(name: str) -> int:
    """The rough cost of one operation, in additions."""
    return _COSTS.get(name, _COST_OF_A_FUNCTION)


def names() -> tuple[str, ...]:
    """The elementwise primitives that C has on doubles, in order."""
    return tuple(sorted({*_OF_FLOATS, *_TESTS}))


def functions() -> frozenset[str]:
    """The names of the C functions and macros that expressions on doubles use."""
    return frozenset(re.findall(r"[A-Za-z]\w*", " ".join([*_OF_FLOATS.values(), *_TESTS.values(), *HELPERS])))


def suffix(kind: str) -> str:
    """The suffix of C functions and numbers of a type."""
    return "f" if kind == "float32" else ""


def literal(value: float | int | bool, kind: str) -> str:
    """A number in C."""
    if kind not in FLOATS:
        return f"INT64_C({int(value)})" if kind == "int64" else str(int(value))
    number = float(np.float32(value)) if kind == "float32" else float(value)
    if math.isnan(number):
        return f'({C_TYPES[kind]})__builtin_nan("")'
    if math.isinf(number):
        return f"({C_TYPES[kind]}){'-' * (number < 0)}__builtin_inf()"
    return f"({number!r}{suffix(kind)})" if number < 0 or str(number)[0] == "-" else f"{number!r}{suffix(kind)}"


def local_type(kind: str) -> str:
    """The C type of a local value; truth values are _Bool, which compilers turn into masks."""
    return "_Bool" if kind == "bool" else C_TYPES[kind]


class CDialect(NamedTuple):
    """C, for a Body.

    Arguments: strict: whether whole powers above 2 must be the library's.
    """

    strict: bool

    def literal(self, value: float, kind: str) -> str:
        """A number."""
        return literal(value, kind)

    def cast(self, name: str, kind: str) -> str:
        """A value in another type."""
        return f"({C_TYPES[kind]}){name}"

    def truth(self, name: str, kind: str) -> str:
        """C takes a value of any type."""
        return name

    def operation(self, name: str, operands: Sequence[str], kind: str, exponent: float | None) -> str:
        """An elementwise operation."""
        return expression(name, operands, kind, exponent, self.strict)

    def definition(self, name: str, kind: str, text: str) -> str:
        """The statement that gives an expression a name."""
        return f"const {local_type(kind)} {name} = {text};"


def expression(name: str, operands: Sequence[str], kind: str, exponent: float | None, strict: bool) -> str:
    """One operation in C.

    Arguments:
        name: the primitive.
        operands: the operands' names, of the type that is computed in.
        kind: that type.
        exponent: of a power by a known number.
        strict: whether whole powers above 2 must be the library's.
    """
    if name == "power" and exponent is not None:
        known = _power(operands[0], exponent, suffix(kind), strict)
        if known:
            return known
    template = _TESTS.get(name) or _OF_FLOATS[name]
    return template.replace("@", suffix(kind)).format(*operands)


def _power(x: str, exponent: float, end: str, strict: bool) -> str | None:
    """What NumPy does for these exponents, and short products."""
    if exponent in (3.0, 4.0) and not strict:
        return f"{x} * {x} * {x}" if exponent == 3.0 else f"({x} * {x}) * ({x} * {x})"
    return {
        0.0: f"1.0{end}", 1.0: x, 2.0: f"{x} * {x}", 0.5: f"sqrt{end}({x})", -1.0: f"1.0{end} / {x}",
    }.get(exponent)  # fmt: skip
