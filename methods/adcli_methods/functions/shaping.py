"""Shapes, axes and the order of entries. What NumPy gives as a view shares its entries here too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.functions.axes import (
    along,
    assembled,
    axes_of,
    count,
    flattened,
    one_axis,
    part,
    refuse,
    view,
    whole_shape,
)
from adcli_methods.indexing import concrete
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s


def _layout(x: ArrayTracer) -> np.ndarray[Any, Any]:
    """An array that lies in memory as NumPy's would: tells whether a reshape is a view or a copy."""
    if x.base is not None and x.view is not None:
        laid: np.ndarray[Any, Any] = x.view.numpy(_layout(x.base), **x.parameters)
        return laid
    value = x.value
    while isinstance(value, ArrayTracer):
        value = value.value
    return np.asarray(value)


def _reshaped(x: Value, shape: tuple[int, ...], is_view: Callable[[Any], bool]) -> Value:
    if type(x) is ArrayTracer:
        laid = _layout(x)
        if laid.flags.c_contiguous or is_view(laid):
            return view(x, s.reshape, shape=shape)
    return _copied(x, shape)


def _copied(x: Value, shape: tuple[int, ...]) -> Value:
    entries = s.reshape(x, shape=shape)
    return entries.copy() if type(entries) is ArrayTracer else entries


def reshape(a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None) -> Value:
    """np.reshape, with one length of -1 worked out."""
    refuse(order != "C", f"order={order!r}", "transpose before and after: np.reshape(a.T, ...).T")
    x = assembled(a)
    wanted = _worked_out(whole_shape(newshape if shape is None else shape), shape_of(x))
    return _reshaped(x, wanted, lambda laid: np.may_share_memory(laid, np.reshape(laid, wanted)))


def _worked_out(wanted: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    return np.empty(shape, dtype=np.int8).reshape(wanted).shape


def ravel(a: Any, order: str = "C") -> Value:
    """np.ravel: a view where the array is contiguous."""
    refuse(order not in "CK", f"order={order!r}", "transpose before: np.ravel(a.T)")
    x = assembled(a)
    return _reshaped(x, (count(shape_of(x)),), lambda laid: laid.flags.c_contiguous)


def flatten(a: Any, order: str = "C") -> Value:
    """The entries in one row, a copy."""
    refuse(order not in "CK", f"order={order!r}", "transpose before: a.T.flatten()")
    x = assembled(a)
    return _copied(x, (count(shape_of(x)),))


def flat(a: Any) -> Value:
    """The entries in one row, always a view."""
    return view(a, s.reshape, shape=(count(shape_of(a)),))


def transpose(a: Any, axes: Any = None) -> Value:
    """np.transpose."""
    x = assembled(a)
    n = len(shape_of(x))
    order = tuple(range(n))[::-1] if axes is None else tuple(one_axis(axis, n) for axis in axes)
    if sorted(order) != list(range(n)):
        raise ValueError("axes don't match array")
    return view(x, s.transpose, axes=order) if n > 1 else x


def swapaxes(a: Any, axis1: int, axis2: int) -> Value:
    """np.swapaxes."""
    x = assembled(a)
    order = list(range(len(shape_of(x))))
    one, other = one_axis(axis1, len(order)), one_axis(axis2, len(order))
    order[one], order[other] = other, one
    return transpose(x, order)


def matrix_transpose(x: Any, /) -> Value:
    """The last two axes swapped."""
    return swapaxes(x, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> Value:
    """np.moveaxis."""
    x = assembled(a)
    return transpose(x, np.moveaxis(_axes_as_lengths(x), source, destination).shape)


def rollaxis(a: Any, axis: int, start: int = 0) -> Value:
    """np.rollaxis."""
    x = assembled(a)
    return transpose(x, np.rollaxis(_axes_as_lengths(x), axis, start).shape)


def _axes_as_lengths(x: Value) -> np.ndarray[Any, Any]:
    """An empty array whose axis i has length i: NumPy's own moves of axes can be read off its shape."""
    return np.empty(range(len(shape_of(x))), dtype=np.int8)


def expand_dims(a: Any, axis: Any) -> Value:
    """np.expand_dims."""
    x = assembled(a)
    return view(x, s.reshape, shape=np.expand_dims(np.empty(shape_of(x), dtype=np.int8), axis).shape)


def squeeze(a: Any, axis: Any = None) -> Value:
    """np.squeeze."""
    x = assembled(a)
    return view(x, s.reshape, shape=np.squeeze(np.empty(shape_of(x), dtype=np.int8), axis).shape)


def _at_least(real: Callable[..., Any]) -> Callable[..., Value]:
    def front(*arys: Any) -> Value:
        found = []
        for x in map(assembled, arys):
            wanted = real(np.empty(shape_of(x), dtype=np.int8)).shape
            found.append(x if wanted == shape_of(x) else view(x, s.reshape, shape=wanted))
        return found[0] if len(found) == 1 else tuple(found)

    return front


atleast_1d, atleast_2d, atleast_3d = map(_at_least, (np.atleast_1d, np.atleast_2d, np.atleast_3d))


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Value:
    """np.broadcast_to."""
    return s.broadcast_to(assembled(array), shape=whole_shape(shape))


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Value, ...]:
    """np.broadcast_arrays."""
    given = [assembled(arg) for arg in args]
    shape = np.broadcast_shapes(*map(shape_of, given))
    return tuple(x if shape_of(x) == shape else s.broadcast_to(x, shape=shape) for x in given)


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Value, ...]:
    """np.meshgrid."""
    lines = [flattened(assembled(x)) for x in xi]
    places = list(range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        places[:2] = 1, 0
    grids = []
    for line, place in zip(lines, places, strict=True):
        grids.append(
            s.reshape(line, shape=tuple(count(shape_of(line)) if i == place else 1 for i in range(len(lines))))
        )
    return tuple(grids) if sparse else broadcast_arrays(*grids)


def flip(m: Any, axis: Any = None) -> Value:
    """np.flip."""
    x = assembled(m)
    axes = axes_of(axis, len(shape_of(x)))
    index = tuple(slice(None, None, -1 if i in axes else 1) for i in range(len(shape_of(x))))
    return view(x, s.getitem, index=index)


def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Value:
    """np.rot90."""
    turns, x = k % 4, assembled(m)
    if turns == 2:
        return flip(x, tuple(axes))
    if turns == 0:
        return x
    return swapaxes(flip(x, axes[1]), *axes) if turns == 1 else flip(swapaxes(x, *axes), axes[1])


def roll(a: Any, shift: Any, axis: Any = None) -> Value:
    """np.roll."""
    x = assembled(a)
    if axis is None:
        return s.reshape(roll(flattened(x), shift, 0), shape=shape_of(x))
    for each, one in np.broadcast(shift, axis):
        at = one_axis(one, len(shape_of(x)))
        length = shape_of(x)[at]
        cut = -int(each) % length if length else 0
        if cut:
            x = s.concatenate(part(x, at, cut, None), part(x, at, 0, cut), axis=at)
    return x


def repeat(a: Any, repeats: Any, axis: Any = None) -> Value:
    """np.repeat."""
    x = flattened(assembled(a)) if axis is None else assembled(a)
    at = one_axis(axis or 0, len(shape_of(x)))
    order = np.repeat(np.arange(shape_of(x)[at]), concrete(repeats))
    return s.getitem(x, order, index=along(at, len(shape_of(x)), s.ARRAY))


def tile(A: Any, reps: Any) -> Value:
    """np.tile."""
    x, times = assembled(A), whole_shape(reps)
    shape = (1,) * (len(times) - len(shape_of(x))) + shape_of(x)
    times = (1,) * (len(shape) - len(times)) + times
    spread = s.reshape(x, shape=tuple(k for n in shape for k in (1, n)))
    spread = s.broadcast_to(spread, shape=tuple(k for pair in zip(times, shape, strict=True) for k in pair))
    return s.reshape(spread, shape=tuple(t * n for t, n in zip(times, shape, strict=True)))


def pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Value:
    """np.pad: constant, and the modes that repeat entries (edge, reflect, symmetric, wrap)."""
    x = assembled(array)
    shape = shape_of(x)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(i, pad_width.get(i - len(shape), 0)) for i in range(len(shape))]
        pad_width = [width if isinstance(width, tuple) else (width, width) for width in pad_width]
    if mode in ("constant", "empty"):
        background = np.pad(np.zeros(shape), pad_width, "constant", **keywords)
        places = np.pad(np.ones(shape, dtype=bool), pad_width).nonzero()
        index = tuple(slice(int(at.min()), int(at.max()) + 1) if at.size else slice(0, 0) for at in places)
        return s.index_update(background, x, index=index)
    refuse(
        mode not in ("edge", "reflect", "symmetric", "wrap"),
        f"np.pad with mode {mode!r}",
        "use np.concatenate",
    )
    widths = np.broadcast_to(np.asarray(pad_width, dtype=int), (len(shape), 2))
    for axis, length in enumerate(shape):
        order = np.pad(np.arange(length), widths[axis], mode, **keywords)
        x = s.getitem(x, order, index=along(axis, len(shape), s.ARRAY))
    return x


def _triangle(mask: Callable[..., Any]) -> Callable[..., Value]:
    def front(m: Any, k: int = 0) -> Value:
        x = assembled(m)
        rows, columns = shape_of(x)[-2:] if len(shape_of(x)) > 1 else shape_of(x) * 2
        return e.where(mask(np.ones((rows, columns), dtype=bool), k), x, 0.0)

    return front


tril, triu = _triangle(np.tril), _triangle(np.triu)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """np.diagonal."""
    x = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = shape_of(x)[-2:]
    at = np.arange(max(min(rows + min(offset, 0), columns - max(offset, 0)), 0))
    return s.getitem(x, at - min(offset, 0), at + max(offset, 0), index=(Ellipsis, s.ARRAY, s.ARRAY))


def diag(v: Any, k: int = 0) -> Value:
    """np.diag: a diagonal as a matrix, or a matrix's diagonal."""
    x = assembled(v)
    if len(shape_of(x)) != 1:
        return diagonal(x, k)
    n = shape_of(x)[0] + abs(k)
    at = np.arange(shape_of(x)[0])
    return s.index_update(np.zeros((n, n)), x, at - min(k, 0), at + max(k, 0), index=(s.ARRAY, s.ARRAY))


def diagflat(v: Any, k: int = 0) -> Value:
    """np.diagflat."""
    return diag(flattened(assembled(v)), k)


def sliding_window_view(x: Any, window_shape: Any, axis: Any = None, **_: Any) -> Value:
    """np.lib.stride_tricks.sliding_window_view."""
    value, windows = assembled(x), whole_shape(window_shape)
    n = len(shape_of(value))
    axes = tuple(range(n)) if axis is None else tuple(one_axis(one, n) for one in whole_shape(axis))
    for at, length in zip(axes, windows, strict=True):
        starts = np.arange(shape_of(value)[at] - length + 1)
        windowed = s.getitem(value, starts[:, None] + np.arange(length), index=along(at, len(shape_of(value)), s.ARRAY))
        value = moveaxis(windowed, at + 1, -1)
    return value
