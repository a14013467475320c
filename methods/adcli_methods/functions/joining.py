"""Arrays put together and taken apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.functions.axes import along, assembled, cast, count, flattened, one_axis, view
from adcli_methods.functions.shaping import atleast_1d, atleast_2d, atleast_3d, expand_dims, moveaxis
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import structural as s


def concatenate(
    arrays: Sequence[Any], axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = ""
) -> Value:
    """np.concatenate."""
    given = [assembled(x) for x in arrays]
    if axis is None:
        given, axis = [flattened(x) for x in given], 0
    if not given or not all(shape_of(x) for x in given):
        raise ValueError("need at least one array, and of at least one axis, to concatenate")
    at = one_axis(axis, len(shape_of(given[0])))
    return cast(s.concatenate(*given, axis=at) if len(given) > 1 else assembled(given[0]), dtype)


def stack(arrays: Sequence[Any], axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "") -> Value:
    """np.stack."""
    given = [assembled(x) for x in arrays]
    if len({shape_of(x) for x in given}) != 1:
        raise ValueError("all input arrays must have the same shape" if given else "need at least one array to stack")
    piled = s.stack(*given)
    at = one_axis(axis, len(shape_of(piled)))
    return cast(moveaxis(piled, 0, at) if at else piled, dtype)


def hstack(tup: Sequence[Any], **keywords: Any) -> Value:
    """np.hstack."""
    given = [atleast_1d(x) for x in tup]
    return concatenate(given, 0 if len(shape_of(given[0])) == 1 else 1, **keywords)


def vstack(tup: Sequence[Any], **keywords: Any) -> Value:
    """np.vstack."""
    return concatenate([atleast_2d(x) for x in tup], 0, **keywords)


def dstack(tup: Sequence[Any]) -> Value:
    """np.dstack."""
    return concatenate([atleast_3d(x) for x in tup], 2)


def column_stack(tup: Sequence[Any]) -> Value:
    """np.column_stack."""
    given = [assembled(x) for x in tup]
    return concatenate([x if len(shape_of(x)) > 1 else s.reshape(x, shape=(count(shape_of(x)), 1)) for x in given], 1)


def block(arrays: Any) -> Value:
    """np.block."""
    depth = _depth(arrays)
    return _block(arrays, depth, max(depth, _most_axes(arrays)))


def _depth(arrays: Any) -> int:
    return 1 + max(_depth(part) for part in arrays) if isinstance(arrays, list) else 0


def _most_axes(arrays: Any) -> int:
    if isinstance(arrays, list):
        return max(_most_axes(part) for part in arrays)
    return len(shape_of(assembled(arrays)))


def _block(arrays: Any, depth: int, ndim: int) -> Value:
    if isinstance(arrays, list):
        return concatenate([_block(part, depth - 1, ndim) for part in arrays], -depth)
    x = assembled(arrays)
    return s.reshape(x, shape=(1,) * (ndim - len(shape_of(x))) + shape_of(x))


def append(arr: Any, values: Any, axis: Any = None) -> Value:
    """np.append."""
    return concatenate((arr, values), axis)


def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Value:
    """np.insert."""
    x, given = assembled(arr), assembled(values)
    if axis is None:
        x, axis = flattened(x), 0
    at = one_axis(axis, len(shape_of(x)))
    length = shape_of(x)[at]
    if np.ndim(obj) == 0 and shape_of(given):
        given = moveaxis(atleast_1d(given), 0, at) if len(shape_of(given)) == len(shape_of(x)) else given
    number = np.size(np.arange(length)[obj]) if isinstance(obj, slice) or np.ndim(obj) else 1
    if number == 1 and len(shape_of(given)) == len(shape_of(x)):
        number = shape_of(given)[at]
    wanted = (*shape_of(x)[:at], number, *shape_of(x)[at + 1 :])
    order = np.insert(np.arange(length), obj, length + np.arange(number))
    whole = s.concatenate(x, s.broadcast_to(given, shape=wanted), axis=at)
    return s.getitem(whole, order, index=along(at, len(wanted), s.ARRAY))


def delete(arr: Any, obj: Any, axis: Any = None) -> Value:
    """np.delete."""
    x = assembled(arr)
    if axis is None:
        x, axis = flattened(x), 0
    at = one_axis(axis, len(shape_of(x)))
    order = np.delete(np.arange(shape_of(x)[at]), obj)
    return s.getitem(x, order, index=along(at, len(shape_of(x)), s.ARRAY))


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """np.array_split: views."""
    x = assembled(ary)
    at = one_axis(axis, len(shape_of(x)))
    cuts = np.cumsum([0, *map(len, np.array_split(np.empty(shape_of(x)[at]), indices_or_sections))])
    if np.ndim(indices_or_sections):
        cuts = np.array([0, *np.asarray(indices_or_sections), shape_of(x)[at]])
    pairs = itertools.pairwise(int(cut) for cut in cuts)
    return [view(x, s.getitem, index=along(at, len(shape_of(x)), slice(*pair))) for pair in pairs]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """np.split: views of equal length."""
    x = assembled(ary)
    if not np.ndim(indices_or_sections) and shape_of(x)[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """np.hsplit."""
    return split(ary, indices_or_sections, 0 if len(shape_of(assembled(ary))) == 1 else 1)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """np.vsplit."""
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """np.dsplit."""
    return split(ary, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Value, ...]:
    """np.unstack."""
    value = moveaxis(x, axis, 0)
    return tuple(view(value, s.getitem, index=(i,)) for i in range(shape_of(value)[0]))


class Rows:
    """np.r_ without its directives in text."""

    def __getitem__(self, key: Any) -> Value:
        items = key if isinstance(key, tuple) else (key,)
        if any(isinstance(item, str) for item in items) or not any(hasattr(item, "trace") for item in items):
            return np.r_[key]
        return concatenate([atleast_1d(np.r_[item] if isinstance(item, slice) else item) for item in items])


class Columns:
    """np.c_ without its directives in text."""

    def __getitem__(self, key: Any) -> Value:
        items = key if isinstance(key, tuple) else (key,)
        if any(isinstance(item, str) for item in items) or not any(hasattr(item, "trace") for item in items):
            return np.c_[key]
        given = [atleast_1d(np.r_[item] if isinstance(item, slice) else item) for item in items]
        return concatenate([expand_dims(x, 1) if len(shape_of(x)) == 1 else x for x in given], -1)
