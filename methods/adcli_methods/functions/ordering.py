"""Picking, sorting and searching entries; where an answer decides which entries count, it is kept as a guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.functions.axes import along, assembled, axes_of, flattened, one_axis, refuse
from adcli_methods.functions.creation import zeros
from adcli_methods.functions.joining import stack
from adcli_methods.functions.reductions import kept, mean, merged
from adcli_methods.indexing import concrete
from adcli_methods.primitive import Recorded, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.user_code import trace_error


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Value:
    """np.take."""
    x, at = (flattened(assembled(a)), 0) if axis is None else (assembled(a), None)
    at = one_axis(axis, len(shape_of(x))) if at is None else at
    places = assembled(indices)
    if mode != "raise":
        length = shape_of(x)[at]
        places = concrete(places)
        places = np.clip(places, 0, length - 1) if mode == "clip" else np.asarray(places) % length
    if not isinstance(places, Recorded):
        places = np.asarray(places, dtype=np.intp)
    return s.getitem(x, places, index=along(at, len(shape_of(x)), s.ARRAY))


def _grid(places: Value, axis: int) -> tuple[Value, ...]:
    shape = shape_of(places)
    grid: list[Value] = list(np.indices(shape, sparse=True))
    grid[axis] = places
    return tuple(grid)


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Value:
    """np.take_along_axis."""
    x, places = assembled(arr), assembled(indices)
    if axis is None:
        x, axis = flattened(x), 0
    at = one_axis(axis, len(shape_of(x)))
    shape = np.broadcast_shapes(_but(shape_of(x), at), _but(shape_of(places), at))
    places = s.broadcast_to(places, shape=(*shape[:at], shape_of(places)[at], *shape[at + 1 :]))
    x = (
        s.broadcast_to(x, shape=(*shape[:at], shape_of(x)[at], *shape[at + 1 :]))
        if _but(shape_of(x), at) != shape
        else x
    )
    return s.getitem(x, *_grid(places, at), index=(s.ARRAY,) * len(shape_of(x)))


def _but(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])


def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Value:
    """np.argsort, stable."""
    x = assembled(a)
    if axis is None:
        x, axis = flattened(x), 0
    return s.argsort(x, axis=one_axis(axis, len(shape_of(x))))


def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Value:
    """np.sort."""
    x = assembled(a)
    if axis is None:
        x, axis = flattened(x), 0
    return take_along_axis(x, argsort(x, axis), axis)


def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Value:
    """np.partition: a sorted array is partitioned everywhere."""
    return sort(a, axis)


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Value:
    """np.median."""
    x = assembled(a)
    axes = axes_of(axis, len(shape_of(x)))
    if not axes:
        return x
    ordered = sort(merged(x, axes))
    n = shape_of(ordered)[-1]
    return kept(mean(s.getitem(ordered, index=(Ellipsis, slice((n - 1) // 2, n // 2 + 1))), -1), x, axes, keepdims)


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Value:
    """np.quantile with linear interpolation."""
    refuse(method != "linear", f"np.quantile with method {method!r}", "use method='linear'")
    if np.ndim(q):
        return stack([quantile(a, each, axis, keepdims=keepdims) for each in q])
    x = assembled(a)
    axes = axes_of(axis, len(shape_of(x)))
    ordered = sort(merged(x, axes))
    place = e.multiply(q, float(shape_of(ordered)[-1] - 1))
    below = min(int(place), shape_of(ordered)[-1] - 1)
    low = s.getitem(ordered, index=(Ellipsis, below))
    high = s.getitem(ordered, index=(Ellipsis, min(below + 1, shape_of(ordered)[-1] - 1)))
    return kept(e.add(low, e.multiply(e.subtract(high, low), e.subtract(place, float(below)))), x, axes, keepdims)


def percentile(a: Any, q: Any, *args: Any, **keywords: Any) -> Value:
    """np.percentile with linear interpolation."""
    return quantile(a, e.divide(assembled(q), 100.0) if not np.ndim(q) else np.divide(q, 100.0), *args, **keywords)


def nonzero(a: Any) -> tuple[Any, ...]:
    """np.nonzero: where the entries are not 0, a decision."""
    return np.nonzero(concrete(e.not_equal(assembled(a), 0)))


def flatnonzero(a: Any) -> Any:
    """np.flatnonzero."""
    return nonzero(flattened(assembled(a)))[0]


def argwhere(a: Any) -> Any:
    """np.argwhere."""
    return np.transpose(nonzero(a))


def where(condition: Any, *choices: Any) -> Value:
    """np.where with one or three arguments."""
    if not choices:
        return nonzero(condition)
    return e.where(assembled(condition), *map(assembled, choices))


def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Value:
    """np.compress."""
    return take(a, nonzero(condition)[0], axis)


def extract(condition: Any, arr: Any) -> Value:
    """np.extract."""
    return take(arr, flatnonzero(condition))


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Value:
    """np.searchsorted by bisection: how many entries of a lie before each of v."""
    line, sought = assembled(a), assembled(v)
    if sorter is not None:
        line = take(line, sorter)
    before = e.less if side == "left" else e.less_equal
    length, found = shape_of(line)[0], np.zeros(shape_of(sought), dtype=np.intp)
    step = 1 << max(length.bit_length() - 1, 0)
    while step and length:
        further = e.add(found, step)
        last = e.minimum(further, length)
        ahead = before(s.getitem(line, e.subtract(last, 1), index=(s.ARRAY,)), sought)
        found = e.where(e.logical_and(e.less_equal(further, length), ahead), further, found)
        step >>= 1
    return found


def digitize(x: Any, bins: Any, right: bool = False) -> Value:
    """np.digitize of increasing bins."""
    return searchsorted(bins, x, "left" if right else "right")


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Value:
    """np.interp."""
    refuse(period is not None, "np.interp with a period", "take x modulo the period first")
    at, line, heights = assembled(x), assembled(xp), assembled(fp)
    last = shape_of(line)[0] - 1
    low = e.minimum(e.maximum(e.subtract(searchsorted(line, at, "right"), 1), 0), max(last - 1, 0))
    high = e.minimum(e.add(low, 1), last)
    x0, x1, y0, y1 = (s.getitem(v, i, index=(s.ARRAY,)) for v in (line, heights) for i in (low, high))
    slope = e.divide(e.subtract(y1, y0), e.subtract(x1, x0)) if last else 0.0
    y = e.add(e.multiply(slope, e.subtract(at, x0)), y0)
    first, end = (s.getitem(heights, index=(i,)) for i in (0, last))
    y = e.where(e.less(at, s.getitem(line, index=(0,))), first if left is None else left, y)
    return e.where(e.greater(at, s.getitem(line, index=(last,))), end if right is None else right, y)


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **keywords: Any) -> Value:
    """np.piecewise: each function is called with the entries that it is for."""
    value = assembled(x)
    conditions = [np.asarray(concrete(assembled(one))) for one in _listed(condlist, shape_of(value))]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(f"with {len(conditions)} conditions as many functions are expected, or one more")
    result: Value = zeros(shape_of(value)) if shape_of(value) else 0.0
    for holds, function in zip(conditions, funclist, strict=True):
        if not holds.any():
            continue
        given = value[holds] if shape_of(value) else value
        found = function(given, *args, **keywords) if callable(function) else function
        if shape_of(value):
            result[holds] = found
        else:
            result = found
    return result


def _listed(condlist: Any, shape: tuple[int, ...]) -> list[Any]:
    if isinstance(condlist, (list, tuple)) and condlist and not isinstance(condlist[0], (bool, np.bool_)):
        return list(condlist) if shape_of(assembled(condlist[0])) == shape else [condlist]
    return [condlist]


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Value:
    """np.bincount."""
    places = np.asarray(concrete(assembled(x)))
    if weights is None:
        return np.bincount(places, minlength=minlength)
    shape = (max(int(places.max()) + 1 if places.size else 0, minlength),)
    return s.scatter_add(assembled(weights), places, index=(s.ARRAY,), shape=shape)


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **keywords: Any) -> Value:
    """np.apply_along_axis."""
    x = assembled(arr)
    at = one_axis(axis, len(shape_of(x)))
    others = _but(shape_of(x), at)
    index = [(*place[:at], slice(None), *place[at + 1 :]) for place in np.ndindex(others)]
    found = [assembled(func1d(x[each], *args, **keywords)) for each in index]
    inner = shape_of(found[0])
    rows = s.reshape(s.pile(found), shape=(*others[:at], *others[at + 1 :], *inner))
    start = len(others) - 1
    order = (*range(at), *range(start, start + len(inner)), *range(at, start))
    return s.transpose(rows, axes=order) if order != tuple(range(len(order))) else rows


def _written(array: Any) -> ArrayTracer:
    if type(array) is not ArrayTracer:
        raise trace_error(
            "a traced value is written into a plain array, which would lose its derivative",
            "make the array inside the function, with np.zeros or np.array",
        )
    return array


def copyto(dst: Any, src: Any, casting: str = "", where: Any = True) -> None:
    """np.copyto."""
    target = _written(dst)
    target[...] = assembled(src) if where is True else e.where(assembled(where), assembled(src), target)


def putmask(a: Any, mask: Any, values: Any) -> None:
    """np.putmask of one value or an array of the same shape."""
    target, given = _written(a), assembled(values)
    refuse(shape_of(given) not in ((), target.shape), "np.putmask with values to repeat", "use a[mask] = values")
    target[...] = e.where(assembled(mask), given, target)


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """np.put."""
    target = _written(a)
    line = target.take_view(s.reshape, (), {"shape": (target.size,)})
    line[ind] = v


def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """np.put_along_axis."""
    target = _written(arr)
    places = np.asarray(concrete(assembled(indices)))
    target[_grid(places, one_axis(axis, places.ndim))] = values


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """np.fill_diagonal."""
    refuse(wrap, "np.fill_diagonal with wrap", "index the diagonal")
    target = _written(a)
    at = np.arange(min(target.shape))
    target[(at,) * target.ndim] = val


def fill(a: Any, value: Any) -> None:
    """ndarray.fill."""
    _written(a)[...] = value


def sort_in_place(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> None:
    """ndarray.sort."""
    _written(a)[...] = sort(a, axis)
