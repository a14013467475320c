"""Complex functions that carry a tiny imaginary part to the last digits, as if it were of first order alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets.object_arrays import adjugate as adjugate_of_minors
from adcli_methods.targets.object_arrays import over_matrices


def joined(real: Value, imag: Value) -> Value:
    """real + i imag, without the product that makes NaN of an infinity."""
    pair = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), dtype=complex)
    pair.real, pair.imag = real, imag
    return pair[()]


def first_order(*partials: Callable[..., Value]) -> Callable[..., Value]:
    """What has this imaginary part to first order, the partials being functions of the real parts."""

    def call(*operands: Value, **parameters: Any) -> Value:
        reals = [z.real for z in operands]
        slopes = [partial(*reals, **parameters) for partial in partials]
        changes: Any = sum(strong(slope, z.imag) for slope, z in zip(slopes, operands, strict=True))
        return joined(0.0, changes)

    return call


def strong(partial: Value, move: Value) -> Value:
    """partial * move, where zero times infinity is zero."""
    return np.where((move == 0) | (partial == 0), 0.0, partial * move)


def borrowed(primitive: Primitive) -> Callable[..., Value]:
    """The function whose imaginary part is the primitive's own partial times the operand's."""
    rule: Any = primitive.rule(0, 1)
    return first_order(lambda x, **p: rule.function(x, primitive.numpy(x, **p), **p))


def multiply(a: Value, b: Value) -> Value:
    """The product, by the product rule."""
    # without the product of the imaginary parts, which is of second order
    real, imag = a.real * b.real, a.real * b.imag + a.imag * b.real
    if np.any(np.isnan(imag)):  # beside an infinity zero times anything is zero
        imag = strong(a.real, b.imag) + strong(b.real, a.imag)
    return complex(real, imag) if type(real) is float else joined(real, imag)


def einsum(*operands: Value, subscripts: str) -> Value:
    """Einstein's summation, by the product rule."""
    reals = [np.real(operand) for operand in operands]
    changes: Any = 0.0
    for position, operand in enumerate(operands):
        if np.iscomplexobj(operand):
            moved = [*reals[:position], np.imag(operand), *reals[position + 1 :]]
            changes = changes + np.einsum(subscripts, *moved)
    return joined(np.einsum(subscripts, *reals), changes)


def matmul(a: Value, b: Value) -> Value:
    """The matrix product, by the product rule."""
    return joined(a.real @ b.real, a.real @ b.imag + a.imag @ b.real)


def divide(a: Value, b: Value) -> Value:
    """The quotient; at 0 its change is infinite."""
    at_zero = b.real == 0
    steep = first_order(lambda x, y: 1 / y, lambda x, y: -x / (y * y))(a, b)
    return np.where(at_zero, steep, a / np.where(at_zero, 1.0, b))


def maximum(a: Value, b: Value) -> Value:
    """The one of the larger real part, the mean at a tie."""
    larger: Any = np.where((a.real > b.real) | np.isnan(a.real), a, b)
    return np.where(a.real == b.real, 0.5 * (a + b), larger)


def away(function: Callable[[Value], Value], slope: float) -> Callable[[Value], Value]:
    """The complex function but at real part 0, where its slope is given."""

    def call(z: Value) -> Value:
        at_zero = z.real == 0
        steep = joined(0.0, strong(slope, z.imag))
        return np.where(at_zero, steep, function(np.where(at_zero, 1.0, z)))

    return call


def cbrt(z: Value) -> Value:
    """The real cube root away from 0."""
    side = np.where(z.real < 0, -1.0, 1.0)
    return side * np.exp(np.log(side * z) / 3)


def power(a: Value, b: Value) -> Value:
    """The power of a real base, negative ones for whole exponents."""
    # a negative base is left to whole exponents; at 0 there is no logarithm
    safe = np.where(a.real == 0, 1.0, np.where(a.real < 0, -a, a))
    raised = np.exp(b * np.log(safe))
    turned = np.power(a.real, b.real) * (raised.imag / raised.real)
    slope = np.where(b.real == 0, 0.0, b.real * np.power(0.0, b.real - 1.0))
    at_zero = strong(slope, a.imag) + strong(np.where(b.real > 0, 0.0, -np.inf), b.imag)
    return joined(0.0, np.where(a.real == 0, at_zero, turned))


def hypot(a: Value, b: Value) -> Value:
    """The length of (a, b), without overflow."""
    size = np.hypot(a.real, b.real)
    unit = np.where(size == 0, 1.0, size)
    return np.where(size == 0, 0.0, unit * np.sqrt((a / unit) ** 2 + (b / unit) ** 2))


def arctan2(a: Value, b: Value) -> Value:
    """The angle of the point (b, a)."""
    # b + ia turned back by its own real angle: only the small rest goes through arctan
    size = np.hypot(a.real, b.real)
    cosine, sine = b.real / size, a.real / size
    return np.arctan((a * cosine - b * sine) / (a * sine + b * cosine))


def sinc(z: Value, order: int) -> Value:
    """sin(pi z) / (pi z) and its derivatives of an order."""
    if order:
        return borrowed(PRIMITIVES["sinc"])(z, order=order)
    near = np.abs(z.real) < 0.5
    square = (np.pi * np.where(near, z, 0.0)) ** 2
    series = np.ones_like(square)
    for k in range(13, 0, -1):
        series = 1 - square / (2 * k * (2 * k + 1)) * series
    angle = np.pi * np.where(near, 1.0, z)
    return np.where(near, series, np.sin(angle) / angle)


def xlogy(a: Value, b: Value) -> Value:
    """a log(b), and 0 at a = 0."""
    return multiply(a, joined(np.log(b.real), away(np.log, np.inf)(b).imag))


def logaddexp(a: Value, b: Value) -> Value:
    """log(exp(a) + exp(b)), without overflow."""
    larger = np.where(a.real >= b.real, a, b)
    smaller: Any = np.where(a.real >= b.real, b, a)
    return np.where(np.isneginf(smaller.real), larger, larger + np.log1p(np.exp(smaller - larger)))


def sigmoid(z: Value) -> Value:
    """1 / (1 + exp(-z)), without overflow."""
    decay = np.exp(np.where(z.real < 0, z, -z))
    return np.where(z.real < 0, decay, 1.0) / (1 + decay)


def special(name: str) -> Callable[..., Value]:
    """A function of scipy.special, imported when called."""

    def value(*operands: Value) -> Value:
        import scipy.special

        return getattr(scipy.special, name)(*operands)

    return value


def ndtr(z: Value) -> Value:
    """The normal distribution function."""
    return 0.5 * special("erfc")(-np.sqrt(0.5) * z)


def log_ndtr(z: Value) -> Value:
    """The logarithm of the normal distribution function."""
    high = z.real > -1
    low = special("log_ndtr")(np.where(high, -1.0, z))
    return np.where(high, np.log1p(-ndtr(-np.where(high, z, 0.0))), low)


def choose(condition: Value, a: Value, b: Value) -> Value:
    """a where the condition's real part is not 0, else b."""
    chosen: Any = np.where(np.real(condition) != 0, a, b)
    return chosen[()]


def extreme(best: Callable[..., Value]) -> Callable[..., Value]:
    """The largest or smallest real part; ties share."""

    def call(x: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
        hit: Any = x.real == best(x.real, axis=axis, keepdims=True)
        share: Any = np.sum(np.where(hit, x, 0), axis=axis, keepdims=keepdims)
        return share / np.sum(hit, axis=axis, keepdims=keepdims)

    return call


def prod(x: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
    """The product along axes."""
    product: Any = np.prod(x, axis=axis, keepdims=keepdims)
    return joined(np.prod(x.real, axis=axis, keepdims=keepdims), product.imag)


def logabsdet(a: Value) -> Value:
    """log |det a|: its change is the angle by which the determinant is turned."""
    sign, size = np.linalg.slogdet(a)
    return joined(size, np.imag(sign) / np.real(sign))


def adjugate(a: Value) -> Value:
    """The transposed cofactors."""
    return over_matrices(lambda m: adjugate_of_minors(m, np.linalg.det))(a).astype(complex)
