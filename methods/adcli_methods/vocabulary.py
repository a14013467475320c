"""The names that a formula may call, under all the spellings that NumPy, SciPy, SymPy and math users expect."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from adcli_methods.expression import NamedFunction
from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES, special
from adcli_methods.primitives import elementary as e

CONSTANTS = {"pi": math.pi, "e": math.e}
"""Names with a value of their own, unless the point binds them."""

_SPELLINGS = {
    "absolute": "abs Abs fabs",
    "power": "pow",
    "multiply": "mul",
    "negative": "neg",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "arcsec": "asec",
    "arccsc": "acsc",
    "arccot": "acot",
    "arcsech": "asech",
    "arccsch": "acsch",
    "arccoth": "acoth",
    "log": "ln",
    "mod": "remainder",
    "rint": "round",
    "ceil": "ceiling",
    "gammaln": "lgamma loggamma",
    "digamma": "psi",
    "sigmoid": "expit",
    "where": "",
    "sign": "sgn",
}
_PLAIN = """
add subtract divide reciprocal maximum minimum square sqrt cbrt exp exp2 expm1 log2 log10 log1p sin cos tan sec
csc cot hypot sinh cosh tanh sech csch coth floor trunc copysign erf erfc erfinv gamma softplus relu logaddexp
logaddexp2 xlogy logit ndtr log_ndtr less less_equal greater greater_equal equal not_equal logical_and
logical_or logical_xor logical_not
""".split()
_REDUCTIONS = """
sum mean prod var std max min cumsum cumprod norm logsumexp softmax median ptp
""".split()
_PRODUCTS = ["dot", "matmul", "inner", "outer", "trace", "det", "inv", "solve"]


def _front(name: str) -> Callable[..., Value]:
    """The NumPy function of that name, made of primitives; imported when first called."""

    def call(*operands: Value, **keywords: Any) -> Value:
        from adcli_methods.functions.reductions import log_sum_exp, softmax
        from adcli_methods.numpy_tables import FUNCTIONS, UFUNCS

        if name in ("logsumexp", "softmax"):  # SciPy's
            return (log_sum_exp if name == "logsumexp" else softmax)(*operands, **keywords)
        known = getattr(np, name, None) or getattr(np.linalg, name)
        return (UFUNCS if known in UFUNCS else FUNCTIONS)[known](*operands, **keywords)

    return call


def _extreme(name: str, pairwise: Primitive) -> Callable[..., Value]:
    """max(x) of an array's entries; max(a, b, ...) of several values, elementwise."""
    reduction = _front(name)

    def call(*operands: Value, **keywords: Any) -> Value:
        if len(operands) == 1:
            return reduction(*operands, **keywords)
        best = operands[0]
        for operand in operands[1:]:
            best = pairwise(best, operand)
        return best

    return call


def _of_order_first(name: str) -> Callable[[Value, Value], Value]:
    def call(order: Value, x: Value) -> Value:
        return PRIMITIVES[name](x, order=_whole(order) if name == "polygamma" else float(order))

    return call


def _whole(number: Value) -> int:
    if int(number) != number or number < 0:
        raise ValueError(f"an order must be a whole number from 0, not {number}")
    return int(number)


def _clip(x: Value, low: Value, high: Value) -> Value:
    return e.minimum(e.maximum(x, low), high)


def _normalized_sinc(x: Value) -> Value:
    return special.sinc(x, order=0)


def _log(x: Value, base: Value = None) -> Value:
    return e.log(x) if base is None else e.log(x) / e.log(base)


def _floor_divide(a: Value, b: Value) -> Value:
    return e.floor(e.divide(a, b))


def _arity(primitive: Primitive) -> int:
    assert not callable(primitive.rules)
    return len(primitive.rules)


_OTHERS: dict[str, tuple[Callable[..., Value], int, int | None, tuple[str, ...]]] = {
    "log": (_log, 1, 2, ()),
    "ln": (e.log, 1, 1, ()),
    "floor_divide": (_floor_divide, 2, 2, ()),
    "clip": (_clip, 3, 3, ()),
    "sinc": (_normalized_sinc, 1, 1, ()),
    "beta": (special.beta, 2, 2, ()),
    "betaln": (special.log_beta, 2, 2, ()),
    "entr": (special.entropy, 1, 1, ()),
    "softsign": (special.softsign, 1, 1, ()),
    "heaviside": (lambda x, half: e.where(e.equal(x, 0.0), half, e.where(e.greater(x, 0.0), 1.0, 0.0)), 2, 2, ()),
    "degrees": (lambda x: x * (180.0 / math.pi), 1, 1, ()),
    "radians": (lambda x: x * (math.pi / 180.0), 1, 1, ()),
    "deg2rad": (lambda x: x * (math.pi / 180.0), 1, 1, ()),
    "rad2deg": (lambda x: x * (180.0 / math.pi), 1, 1, ()),
    "polygamma": (_of_order_first("polygamma"), 2, 2, ()),
    "jv": (_of_order_first("bessel_j"), 2, 2, ()),
    "besselj": (_of_order_first("bessel_j"), 2, 2, ()),
    "yv": (_of_order_first("bessel_y"), 2, 2, ()),
    "iv": (_of_order_first("bessel_i"), 2, 2, ()),
    "kv": (_of_order_first("bessel_k"), 2, 2, ()),
    "max": (_extreme("max", e.maximum), 1, None, ("axis",)),
    "Max": (_extreme("max", e.maximum), 1, None, ("axis",)),
    "min": (_extreme("min", e.minimum), 1, None, ("axis",)),
    "Min": (_extreme("min", e.minimum), 1, None, ("axis",)),
}


@cache
def vocabulary() -> dict[str, NamedFunction]:
    """Every function that a formula may call, by each of its names."""
    table: dict[str, NamedFunction] = {}

    def enter(name: str, call: Callable[..., Value], least: int, most: int | None, keywords: tuple[str, ...]) -> None:
        table[name] = NamedFunction(name, call, least, most, keywords)

    for name in _PLAIN + list(_SPELLINGS):
        primitive = PRIMITIVES[name]
        arity = _arity(primitive)
        for spelling in (name, *_SPELLINGS.get(name, "").split()):
            enter(spelling, primitive, arity, arity, ())
    for name in _REDUCTIONS:
        enter(name, _front(name), 1, 2, ("axis", "ddof") if name in ("var", "std") else ("axis",))
    for name in _PRODUCTS:
        unary = name in ("trace", "det", "inv")
        enter(name, _front(name), 1 if unary else 2, 1 if unary else 2, ())
    for name, (call, least, most, keywords) in _OTHERS.items():
        enter(name, call, least, most, keywords)
    return table
