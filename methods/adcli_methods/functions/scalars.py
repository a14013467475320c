"""The functions of Python's math module on traced numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from adcli_methods.functions import elementwise as el
from adcli_methods.functions.elementwise import safe_sqrt
from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import special as sp
from adcli_methods.primitives import structural as s
from adcli_methods.tracer import Tracer


def log(x: Value, base: Value = None) -> Value:
    """math.log with a base."""
    return e.log(x) if base is None else e.divide(e.log(x), e.log(base))


def hypot(*coordinates: Value) -> Value:
    """The Euclidean norm of any number of coordinates."""
    if len(coordinates) == 2:
        return e.hypot(*coordinates)
    return safe_sqrt(fsum(e.square(x) for x in coordinates)) if len(coordinates) != 1 else e.absolute(coordinates[0])


def dist(p: Sequence[Value], q: Sequence[Value]) -> Value:
    """The Euclidean distance of two points."""
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return hypot(*(e.subtract(a, b) for a, b in zip(p, q, strict=True)))


def fsum(seq: Iterable[Value]) -> Value:
    """The sum of a sequence."""
    parts = list(seq)
    return s.sum_(s.pile(parts), axis=(0,), keepdims=False) if parts else 0.0


def prod(iterable: Iterable[Value], *, start: Value = 1) -> Value:
    """The product of a sequence."""
    for factor in iterable:
        start = e.multiply(start, factor)
    return start


def sumprod(p: Iterable[Value], q: Iterable[Value]) -> Value:
    """The sum of products."""
    return fsum(e.multiply(a, b) for a, b in zip(p, q, strict=True))


def fma(x: Value, y: Value, z: Value) -> Value:
    """x * y + z."""
    return e.add(e.multiply(x, y), z)


def isclose(a: Value, b: Value, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> Value:
    """math.isclose."""
    largest = e.maximum(e.absolute(a), e.absolute(b))
    near = e.less_equal(e.absolute(e.subtract(a, b)), e.maximum(e.multiply(rel_tol, largest), abs_tol))
    return e.logical_or(e.equal(a, b), e.logical_and(near, e.isfinite(largest)))


def remainder(x: Value, y: Value) -> Value:
    """The IEEE 754 remainder: x less the nearest multiple of y."""
    size = e.absolute(y)
    rest = el.fmod(x, e.multiply(2.0, size))
    far = e.absolute(rest)
    # rest lies within (-2y, 2y): take off 0, 1 or 2 of y, halves to the even multiple
    twice = e.multiply(2.0, far)
    times = e.where(e.less_equal(twice, size), 0.0, e.where(e.less(twice, e.multiply(3.0, size)), 1.0, 2.0))
    return e.subtract(rest, e.multiply(e.multiply(e.sign(rest), times), size))


_SAME = """exp exp2 expm1 log2 log10 log1p sqrt cbrt sin cos tan sinh cosh tanh copysign isnan isinf
isfinite"""


def _to_whole(primitive: Primitive) -> Callable[[Value], Value]:
    return lambda x: el.whole(primitive(x))


FRONTS: dict[str, Callable[..., Value]] = {
    **{name: getattr(e, name) for name in _SAME.split()},
    "fabs": e.absolute, "pow": e.power, "atan2": e.arctan2, "log": log, "hypot": hypot, "dist": dist, "fsum": fsum,
    "asin": e.arcsin, "acos": e.arccos, "atan": e.arctan, "asinh": e.arcsinh, "acosh": e.arccosh, "atanh": e.arctanh,
    "erf": sp.erf, "erfc": sp.erfc, "gamma": sp.gamma, "lgamma": sp.gammaln,
    "fmod": el.fmod, "modf": el.modf, "ldexp": el.ldexp, "remainder": remainder,
    "floor": _to_whole(e.floor), "ceil": _to_whole(e.ceil), "trunc": _to_whole(e.trunc),
    "degrees": el.rad2deg, "radians": el.deg2rad,
    "prod": prod, "sumprod": sumprod, "fma": fma, "isclose": isclose,
}  # fmt: skip
"""By the name in `math`."""

SEQUENCES = frozenset({"fsum", "prod", "sumprod", "dist"})
"""The functions that take sequences of numbers."""


def number(arg: Any, name: str) -> Any:
    """An argument as one number, as math takes arrays of one entry."""
    if not shape_of(arg):
        return arg
    if math.prod(shape_of(arg)) != 1:
        raise TypeError(f"math.{name}: only length-1 arrays can be converted to Python scalars")
    return s.reshape(arg, shape=())


def plain_number(value: Any) -> Any:
    """The number inside of a traced one."""
    while isinstance(value, Tracer):
        value = value.value
    return value


def is_strange(result: Any) -> bool:
    """Whether a result is NaN or infinite, which the real functions may refuse to give."""
    value = plain_number(result[0] if type(result) is tuple else result)
    return bool(isinstance(value, (float, np.floating)) and value - value != 0)
