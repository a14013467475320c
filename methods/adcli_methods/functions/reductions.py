"""Reductions: sums, products, extremes, means and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adcli_methods.functions.axes import assembled, axes_of, cast, count, flattened, one_axis, part
from adcli_methods.functions.elementwise import isclose, safe_sqrt
from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s


def merged(x: Value, axes: tuple[int, ...]) -> Value:
    """The array with the axes that are reduced moved to the end and made one."""
    shape = shape_of(x)
    others = tuple(i for i in range(len(shape)) if i not in axes)
    if (*others, *axes) != tuple(range(len(shape))):
        x = s.transpose(x, axes=(*others, *axes))
    return s.reshape(x, shape=(*(shape[i] for i in others), count(tuple(shape[i] for i in axes))))


def kept(reduced: Value, x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    """A reduction's result with the reduced axes put back as 1 where asked for."""
    return s.reshape(reduced, shape=s.reduced_shape(shape_of(x), axes)) if keepdims else reduced


def _masked(a: Any, dtype: Any, where: Any, neutral: float) -> Value:
    x = cast(assembled(a), dtype)
    return x if where is True else e.where(assembled(where), x, neutral)


def sum_(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Value:
    """np.sum."""
    x = _masked(a, dtype, where, 0.0)
    axes = axes_of(axis, len(shape_of(x)))
    total = s.sum_(x, axis=axes, keepdims=bool(keepdims)) if axes else x
    return total if type(initial) is int and initial == 0 else e.add(total, initial)


def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Value:
    """np.prod."""
    x = _masked(a, dtype, where, 1.0)
    axes = axes_of(axis, len(shape_of(x)))
    if len(axes) == 1:
        total = s.prod(x, axis=axes, keepdims=bool(keepdims))
    elif axes:
        flat = merged(x, axes)
        total = kept(s.prod(flat, axis=(len(shape_of(flat)) - 1,), keepdims=False), x, axes, keepdims)
    else:
        total = x
    return total if type(initial) is int and initial == 1 else e.multiply(total, initial)


def _extreme(primitive: Primitive, combine: Primitive, worst: float) -> Callable[..., Value]:
    def front(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Value:
        if where is not True and initial is None:
            raise ValueError("a reduction with `where` needs `initial`")
        x = _masked(a, None, where, worst)
        axes = axes_of(axis, len(shape_of(x)))
        best = primitive(x, axis=axes, keepdims=bool(keepdims)) if axes else x
        return best if initial is None else combine(best, initial)

    return front


max_ = _extreme(s.max_, e.maximum, -np.inf)
min_ = _extreme(s.min_, e.minimum, np.inf)


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Value:
    """The range: largest less smallest."""
    return e.subtract(max_(a, axis, keepdims=keepdims), min_(a, axis, keepdims=keepdims))


def any_(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Value:
    """np.any."""
    return e.greater(count_nonzero(_masked(a, None, where, 0.0), axis, keepdims=keepdims), 0)


def all_(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Value:
    """np.all."""
    fails = e.equal(_masked(a, None, where, 1.0), 0)
    return e.equal(sum_(fails, axis, keepdims=keepdims), 0)


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Value:
    """np.count_nonzero."""
    return sum_(e.not_equal(assembled(a), 0), axis, keepdims=keepdims)


def _length(x: Value, axis: Any) -> int:
    shape = shape_of(x)
    return count(tuple(shape[i] for i in axes_of(axis, len(shape))))


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Value:
    """np.mean."""
    x = cast(assembled(a), dtype)
    if where is True:
        return e.divide(sum_(x, axis, keepdims=keepdims), float(_length(x, axis)))
    number = sum_(s.broadcast_to(assembled(where), shape=shape_of(x)), axis, keepdims=keepdims)
    return e.divide(sum_(x, axis, keepdims=keepdims, where=where), number)


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Value:
    """np.var."""
    x = cast(assembled(a), dtype)
    centred = e.subtract(x, mean(x, axis, keepdims=True))
    freedom = max(_length(x, axis) - (ddof if correction is None else correction), 0)
    return e.divide(sum_(e.square(centred), axis, keepdims=keepdims), float(freedom))


def std(*args: Any, **keywords: Any) -> Value:
    """np.std; its derivative is 0 where all entries are equal."""
    return safe_sqrt(var(*args, **keywords))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Value:
    """np.average."""
    x = assembled(a)
    shape = shape_of(x)
    if weights is None:
        result, scale = mean(x, axis, keepdims=keepdims), assembled(float(_length(x, axis)))
    else:
        w = assembled(weights)
        if shape_of(w) != shape:
            if axis is None or isinstance(axis, tuple) or len(shape_of(w)) != 1:
                raise TypeError("axis must be one number when the shapes of a and weights differ")
            w = s.reshape(w, shape=s.reduced_shape(shape, tuple(set(range(len(shape))) - {one_axis(axis, len(shape))})))
        w = e.multiply(w, np.ones(shape)) if shape_of(w) != shape else w
        scale = sum_(w, axis, keepdims=keepdims)
        result = e.divide(sum_(e.multiply(x, w), axis, keepdims=keepdims), scale)
    return (result, s.broadcast_to(scale, shape=shape_of(result))) if returned else result


def _along(scan: Callable[..., Value]) -> Callable[..., Value]:
    def front(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Value:
        x = cast(assembled(a), dtype)
        if axis is None:
            x, axis = flattened(x), 0
        return scan(x, axis=one_axis(axis, len(shape_of(x))))

    return front


def scan_by(combine: Callable[[Value, Value], Value], x: Value, axis: int) -> Value:
    """The running result of an associative operation along an axis, by doubling."""
    n, step = shape_of(x)[axis], 1
    while step < n:
        head, tail = part(x, axis, 0, step), part(x, axis, step, n)
        x = s.concatenate(head, combine(part(x, axis, 0, n - step), tail), axis=axis)
        step *= 2
    return x


cumsum = _along(s.cumsum)
cumprod = _along(s.cumulative_product)


def _position(primitive: Primitive) -> Callable[..., Value]:
    def front(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Value:
        x = assembled(a)
        shape = shape_of(x)
        if axis is None:
            position = primitive(flattened(x), axis=0)
            return s.reshape(position, shape=(1,) * len(shape)) if keepdims else position
        at = one_axis(axis, len(shape))
        return kept(primitive(x, axis=at), x, (at,), keepdims)

    return front


argmax, argmin = _position(s.argmax), _position(s.argmin)


def log_sum_exp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Value:
    """scipy.special.logsumexp, stable: the exponents are shifted by about the largest."""
    x = assembled(a)
    top = shift(x, axis)
    terms = e.exp(e.subtract(x, top))
    total = sum_(terms if b is None else e.multiply(assembled(b), terms), axis, keepdims=keepdims)
    top = top if keepdims else s.reshape(top, shape=shape_of(total)) if shape_of(total) != shape_of(top) else top
    if return_sign:
        return e.add(e.log(e.absolute(total)), top), e.sign(total)
    return e.add(e.log(total), top)


def shift(x: Value, axis: Any) -> Value:
    """The largest entry, rounded so that no derivative passes; 0 where it is infinite."""
    top = e.rint(max_(x, axis, keepdims=True))
    return e.where(e.isfinite(top), top, 0.0)


def softmax(x: Any, axis: Any = None) -> Value:
    """scipy.special.softmax."""
    value = assembled(x)
    terms = e.exp(e.subtract(value, shift(value, axis)))
    return e.divide(terms, sum_(terms, axis, keepdims=True))


def log_softmax(x: Any, axis: Any = None) -> Value:
    """scipy.special.log_softmax."""
    value = assembled(x)
    return e.subtract(value, log_sum_exp(value, axis, keepdims=True))


def without_nan(front: Callable[..., Value], neutral: float) -> Callable[..., Value]:
    """A reduction that passes over NaN entries."""

    def nan_front(a: Any, axis: Any = None, *args: Any, **keywords: Any) -> Value:
        x = assembled(a)
        return front(e.where(e.isnan(x), neutral, x), axis, *args, **keywords)

    return nan_front


nansum, nanprod = without_nan(sum_, 0.0), without_nan(prod, 1.0)
nanmax, nanmin = without_nan(max_, -np.inf), without_nan(min_, np.inf)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Value:
    """np.nanmean."""
    x = assembled(a)
    return mean(e.where(e.isnan(x), 0.0, x), axis, dtype, None, keepdims, where=e.logical_not(e.isnan(x)))


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False
) -> Value:
    """np.nanvar."""
    x = assembled(a)
    given = e.logical_not(e.isnan(x))
    centred = e.where(given, e.subtract(x, nanmean(x, axis, dtype, None, True)), 0.0)
    number = sum_(given, axis, keepdims=keepdims)
    return e.divide(sum_(e.square(centred), axis, keepdims=keepdims), e.subtract(number, ddof))


def nanstd(*args: Any, **keywords: Any) -> Value:
    """np.nanstd."""
    return safe_sqrt(nanvar(*args, **keywords))


def allclose(*args: Any, **keywords: Any) -> bool:
    """np.allclose: a decision."""
    return bool(all_(isclose(*args, **keywords)))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """np.array_equal: a decision."""
    x, y = assembled(a1), assembled(a2)
    if shape_of(x) != shape_of(y):
        return False
    same = e.equal(x, y)
    return bool(all_(e.logical_or(same, e.logical_and(e.isnan(x), e.isnan(y))) if equal_nan else same))
