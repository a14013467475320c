"""Programs on complex numbers x + ihv whose tiny imaginary part carries a directional derivative.

Real parts come from the real function of the primitive's row, with NaN outside its domain: a Program means a
real function, and its decisions and jumps go by the real part. Imaginary parts come from complex functions
that keep them to the last digits, however small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets import Entry, Target
from adcli_methods.targets.object_arrays import adjugate, cholesky, over_matrices

BORROWED_RULES = ("erfinv", "polygamma", "bessel_j", "bessel_y", "bessel_i", "bessel_k", "sinc")
"""Primitives without a fit complex function (sinc: from its first derivative on): the imaginary part is the
primitive's own partial times the operand's, which is no evidence for the rule."""


class ComplexTarget(Target):
    """Complex numbers and arrays; plain ones beside them count as real."""

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        if primitive.name in _DIRECT or not primitive.elementwise:
            return function
        if all(primitive.rule(i, len(primitive.rules)) is None for i in range(len(primitive.rules))):  # type: ignore
            return lambda *operands: primitive.numpy(*map(np.real, operands))
        return _guarded(primitive, function)


def _guarded(primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
    """The real function's value joined to the imaginary part of a complex function."""

    def call(*operands: Value, **parameters: Any) -> Value:
        moved = [np.asarray(operand, dtype=complex) for operand in operands]
        with np.errstate(all="ignore"):
            real = np.asarray(primitive.numpy(*[z.real for z in moved], **parameters))
            imag = np.imag(function(*moved, **parameters))
        return joined(real, np.where(np.isnan(real), np.nan, imag))

    return call


def joined(real: Value, imag: Value) -> Value:
    """real + i imag, without the product that makes NaN of an infinity."""
    pair = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), dtype=complex)
    pair.real, pair.imag = real, imag
    return pair[()]


def _first_order(*partials: Callable[..., Value]) -> Callable[..., Value]:
    """What has this imaginary part to first order, the partials being functions of the real parts."""

    def call(*operands: Value, **parameters: Any) -> Value:
        reals = [z.real for z in operands]
        slopes = [partial(*reals, **parameters) for partial in partials]
        return 1j * sum(_strong(slope, z.imag) for slope, z in zip(slopes, operands, strict=True))

    return call


def _strong(partial: Value, move: Value) -> Value:
    return np.where(move == 0, 0.0, partial * move)


def _borrowed(primitive: Primitive) -> Callable[..., Value]:
    rule: Any = primitive.rule(0, 1)
    return _first_order(lambda x, **p: rule.function(x, primitive.numpy(x, **p), **p))


def _maximum(a: Value, b: Value) -> Value:
    larger: Any = np.where((a.real > b.real) | np.isnan(a.real), a, b)
    return np.where(a.real == b.real, 0.5 * (a + b), larger)


def _away(function: Callable[[Value], Value], slope: float) -> Callable[[Value], Value]:
    """The complex function but at real part 0, where its slope is given."""

    def call(z: Value) -> Value:
        at_zero = z.real == 0
        return np.where(at_zero, 1j * _strong(slope, z.imag), function(np.where(at_zero, 1.0, z)))

    return call


def _cbrt(z: Value) -> Value:
    side = np.where(z.real < 0, -1.0, 1.0)
    return side * np.exp(np.log(side * z) / 3)


def _power(a: Value, b: Value) -> Value:
    # a negative base is left to whole exponents; at 0 there is no logarithm
    safe = np.where(a.real == 0, 1.0, np.where(a.real < 0, -a, a))
    raised = np.exp(b * np.log(safe))
    turned = np.power(a.real, b.real) * (raised.imag / raised.real)
    at_zero = _strong(np.where(b.real == 0, 0.0, b.real * np.power(0.0, b.real - 1.0)), a.imag)
    return 1j * np.where(a.real == 0, at_zero, turned)


def _hypot(a: Value, b: Value) -> Value:
    size = np.hypot(a.real, b.real)
    unit = np.where(size == 0, 1.0, size)
    return np.where(size == 0, 0.0, unit * np.sqrt((a / unit) ** 2 + (b / unit) ** 2))


def _arctan2(a: Value, b: Value) -> Value:
    # b + ia turned back by its own real angle: only the small rest goes through arctan
    size = np.hypot(a.real, b.real)
    cosine, sine = b.real / size, a.real / size
    return np.arctan((a * cosine - b * sine) / (a * sine + b * cosine))


def _sinc(z: Value, order: int) -> Value:
    if order:
        return _borrowed(PRIMITIVES["sinc"])(z, order=order)
    near = np.abs(z.real) < 0.5
    square = (np.pi * np.where(near, z, 0.0)) ** 2
    series = np.ones_like(square)
    for k in range(13, 0, -1):
        series = 1 - square / (2 * k * (2 * k + 1)) * series
    angle = np.pi * np.where(near, 1.0, z)
    return np.where(near, series, np.sin(angle) / angle)


def _logaddexp(a: Value, b: Value) -> Value:
    larger = np.where(a.real >= b.real, a, b)
    smaller: Any = np.where(a.real >= b.real, b, a)
    return np.where(np.isneginf(smaller.real), larger, larger + np.log1p(np.exp(smaller - larger)))


def _sigmoid(z: Value) -> Value:
    decay = np.exp(np.where(z.real < 0, z, -z))
    return np.where(z.real < 0, decay, 1.0) / (1 + decay)


def _special(name: str) -> Callable[..., Value]:
    def value(*operands: Value) -> Value:
        import scipy.special

        return getattr(scipy.special, name)(*operands)

    return value


def _ndtr(z: Value) -> Value:
    return 0.5 * _special("erfc")(-np.sqrt(0.5) * z)


def _log_ndtr(z: Value) -> Value:
    high = z.real > -1
    low = _special("log_ndtr")(np.where(high, -1.0, z))
    return np.where(high, np.log1p(-_ndtr(-np.where(high, z, 0.0))), low)


def _choose(condition: Value, a: Value, b: Value) -> Value:
    chosen: Any = np.where(np.real(condition) != 0, a, b)
    return chosen[()]


def _extreme(best: Callable[..., Value]) -> Callable[..., Value]:
    """The largest or smallest real part; ties share."""

    def call(x: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
        hit: Any = x.real == best(x.real, axis=axis, keepdims=True)
        share: Any = np.sum(np.where(hit, x, 0), axis=axis, keepdims=keepdims)
        return share / np.sum(hit, axis=axis, keepdims=keepdims)

    return call


def _logabsdet(a: Value) -> Value:
    sign, size = np.linalg.slogdet(a)
    return joined(size, np.imag(sign) / np.real(sign))


def _adjugate(a: Value) -> Value:
    return over_matrices(lambda m: adjugate(m, np.linalg.det))(a).astype(complex)


def _by_real_part(names: Sequence[str]) -> dict[str, Entry]:
    def of_real(row: Primitive) -> Callable[..., Value]:
        return lambda x, **parameters: row.numpy(np.real(x), **parameters)

    return {name: of_real(PRIMITIVES[name]) for name in names}


_DIRECT: dict[str, Entry] = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "negative": "-{0}",
    "positive": "+{0}",
    "square": "{0} * {0}",
    "where": _choose,
}
_NAMED = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
_RECIPROCALS = {
    "sec": np.cos, "csc": np.sin, "cot": np.tan, "sech": np.cosh, "csch": np.sinh, "coth": np.tanh,
}  # fmt: skip
_INVERSES = {
    "arcsec": np.arccos, "arccsc": np.arcsin, "arcsech": np.arccosh, "arccsch": np.arcsinh,
    "arccoth": np.arctanh,
}  # fmt: skip
_STRUCTURAL = (
    "sum", "prod", "cumsum", "reshape", "transpose", "broadcast_to", "concatenate", "getitem", "scatter_add",
    "index_update", "matmul", "einsum", "stack", "inv", "solve", "det",
)  # fmt: skip

TABLE: dict[str, Entry] = {
    **_DIRECT,
    **{name: getattr(np, name) for name in _NAMED},
    **{name: (lambda z, f=function: 1 / f(z)) for name, function in _RECIPROCALS.items()},
    **{name: (lambda z, f=function: f(1 / z)) for name, function in _INVERSES.items()},
    **{name: PRIMITIVES[name].numpy for name in _STRUCTURAL},
    **{name: _special(name) for name in ("erf", "erfc", "gamma", "digamma")},
    **{name: _borrowed(PRIMITIVES[name]) for name in BORROWED_RULES},
    **_by_real_part(("argsort", "argmax", "argmin", "to_integer")),
    **{name: row.numpy for name, row in PRIMITIVES.items() if row.elementwise and None in row.rules},  # type: ignore
    **dict.fromkeys(("sign", "floor", "ceil", "trunc", "rint"), np.real),
    "where": _choose,
    "divide": lambda a, b: a / b,
    "reciprocal": lambda z: 1 / z,
    "power": _power,
    "absolute": lambda z: z * np.sign(z.real),
    "maximum": _maximum,
    "minimum": lambda a, b: -_maximum(-a, -b),
    "mod": lambda a, b: a - np.floor(a.real / b.real) * b,
    "sqrt": _away(np.sqrt, np.inf),
    "cbrt": _away(_cbrt, np.inf),
    "arccot": lambda z: -np.arctan(z),
    "arctan2": _arctan2,
    "hypot": _hypot,
    "copysign": lambda a, b: a * np.sign(a.real) * np.copysign(1.0, b.real),
    "gaussian": lambda z: np.exp(-z * z),
    "gammaln": _special("loggamma"),
    "sinc": _sinc,
    "sigmoid": _sigmoid,
    "softplus": lambda z: _logaddexp(z, np.zeros_like(z)),
    "relu": lambda z: np.where(z.real > 0, z, 0.0),
    "logaddexp": _logaddexp,
    "logaddexp2": lambda a, b: _logaddexp(a * np.log(2.0), b * np.log(2.0)) / np.log(2.0),
    "xlogy": lambda a, b: a * np.log(b),
    "logit": lambda z: np.log(z) - np.log(1 - z),
    "ndtr": _ndtr,
    "log_ndtr": _log_ndtr,
    "max": _extreme(np.max),
    "min": _extreme(np.min),
    "astype": lambda x, dtype: x,
    "det_sign": lambda a: np.sign(np.real(np.linalg.det(a))),
    "logabsdet": _logabsdet,
    "adjugate": _adjugate,
    "cholesky": over_matrices(lambda a: cholesky(a, np.sqrt)),
}

COMPLEX = ComplexTarget("complex", TABLE)
