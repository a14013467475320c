"""Indices of traced arrays: as primitives take them, and the decisions that they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import structural as s
from adcli_methods.tracer import Tracer
from adcli_methods.user_code import trace_error


def concrete(array: Value) -> Any:
    """The entries of an index or mask as plain whole numbers or booleans, with a guard on a traced one."""
    if not isinstance(array, Tracer):
        return array
    array.settle()
    inner = concrete(array.value)
    values = np.asarray(inner)
    if values.dtype.kind == "f":
        whole = values.astype(np.int64)
        if not np.array_equal(whole, values):
            raise trace_error("fractional numbers are used as an index", "an index must hold whole numbers")
        values = whole
    array.trace.guard(array, values)
    return values


def split_index(index: Any, shape: tuple[int, ...]) -> tuple[tuple[Value, ...], dict[str, Any]]:
    """An index as its arrays (operands) and the rest (a parameter)."""
    arrays: list[Value] = []
    template: list[Any] = []
    for item in index if type(index) is tuple else (index,):
        if isinstance(item, (slice, int, np.integer, type(None), type(Ellipsis))) and not isinstance(item, bool):
            template.append(item if not isinstance(item, np.integer) else int(item))
            continue
        if isinstance(item, Tracer) and item.dtype.kind == "i" and item.ndim:
            arrays.append(item)
            template.append(s.ARRAY)
            continue
        if isinstance(item, Tracer) and not item.ndim and item.dtype.kind != "b":
            template.append(int(item.__index__()))
            continue
        values = np.asarray(concrete(item) if isinstance(item, Tracer) else _plain_index(item))
        if not values.size and values.dtype.kind == "f":
            values = values.astype(np.intp)
        for part in np.nonzero(values) if values.dtype.kind == "b" else (values,):
            arrays.append(part)
            template.append(s.ARRAY)
    return tuple(arrays), {"index": tuple(_plain_slice(item) for item in template)}


def _plain_index(item: Any) -> Any:
    return [_plain_index(part) for part in item] if isinstance(item, (list, tuple)) else concrete(item)


def _plain_slice(item: Any) -> Any:
    if type(item) is not slice:
        return item
    ends = (item.start, item.stop, item.step)
    return slice(*(end if end is None else int(end.__index__()) for end in ends))


def last_writes(target: Value, value: Value, arrays: tuple[Value, ...], index: tuple[Any, ...]) -> Value | None:
    """The target after an assignment by index arrays that name an entry twice, where the last write counts.

    None where no entry is named twice.
    """
    shape = shape_of(target)
    size = int(np.prod(shape))
    chosen = np.arange(size).reshape(shape)[s.fill_index(index, arrays)]
    places = chosen.ravel()
    last = np.array(sorted({place: write for write, place in enumerate(places.tolist())}.values()), dtype=np.intp)
    if len(last) == len(places):
        return None
    values = s.reshape(s.broadcast_to(value, shape=chosen.shape), shape=(len(places),))
    kept = s.getitem(values, last, index=(s.ARRAY,))
    line = s.index_update(s.reshape(target, shape=(size,)), kept, places[last], index=(s.ARRAY,))
    return s.reshape(line, shape=shape)
