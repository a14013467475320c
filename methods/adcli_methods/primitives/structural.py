"""Rows that move, add up or combine entries of arrays: most are linear, each with its transpose.

Axes are given as tuples of non-negative integers; `adcli_methods.functions` has the NumPy-like fronts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Linear, Primitive, Tangent, Value, shape_of
from adcli_methods.primitives.elementary import divide, equal, where

ARRAY = "array"
"""Stands in an index for an index array, which is an operand of its own."""


def reduced_shape(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """The shape after a reduction that keeps the reduced axes as 1."""
    return tuple(1 if i in axis else length for i, length in enumerate(shape))


def sum_to(x: Value, shape: tuple[int, ...]) -> Value:
    """Add up the axes over which an operand of `shape` was broadcast to the shape of x."""
    given = shape_of(x)
    if given == shape:
        return x
    extra = len(given) - len(shape)
    axis = tuple(i for i, n in enumerate(given) if i < extra or (shape[i - extra] == 1 and n != 1))
    total = sum_(x, axis=axis, keepdims=False) if axis else x
    return total if shape_of(total) == shape else reshape(total, shape=shape)


def swap_last(x: Value) -> Value:
    """The matrix transpose of the last two axes."""
    axes = list(range(len(shape_of(x))))
    axes[-1], axes[-2] = axes[-2], axes[-1]
    return transpose(x, axes=tuple(axes))


def flip(x: Value, axis: int) -> Value:
    """x with one axis reversed."""
    index = tuple(slice(None, None, -1) if i == axis else slice(None) for i in range(len(shape_of(x))))
    return getitem(x, index=index)


def fill_index(index: tuple[Any, ...], arrays: tuple[Value, ...]) -> tuple[Any, ...]:
    """The index with its index arrays put in."""
    if not arrays:
        return index
    given = map(_whole_numbers, arrays)
    return tuple(next(given) if isinstance(item, str) and item == ARRAY else item for item in index)


def _whole_numbers(array: Value) -> Value:
    """An index array as whole numbers, which other number types (complex, objects) carry as their own."""
    kind = getattr(getattr(array, "dtype", None), "kind", "i")
    if kind == "c":
        return array.real.astype(np.intp)
    if kind != "O":
        return array
    try:
        return np.vectorize(int, otypes=[np.intp])(array)
    except TypeError:
        raise OperatorError("symbols cannot decide an index that depends on a comparison") from None


def _expand(w: Value, x: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
    """A reduction's cotangent, broadcast back over the reduced axes."""
    shape = shape_of(x)
    if not keepdims:
        w = reshape(w, shape=reduced_shape(shape, axis))
    return broadcast_to(w, shape=shape)


sum_: Primitive = Primitive(
    "sum",
    (Linear(lambda w, x, axis, keepdims: _expand(w, x, axis, keepdims)),),
    lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
)


def _others_product(x: Value, axis: int) -> Value:
    """For each entry, the product of the others along the axis, right where entries are zero."""
    before, after = x, flip(x, axis)
    n = shape_of(x)[axis]
    before, after = _running_product(before, axis), _running_product(after, axis)
    one = broadcast_to(1.0, shape=tuple(1 if i == axis else k for i, k in enumerate(shape_of(x))))
    shifted = concatenate(one, _part(before, axis, 0, n - 1), axis=axis)
    return shifted * flip(concatenate(one, _part(after, axis, 0, n - 1), axis=axis), axis)


def _part(x: Value, axis: int, start: int, stop: int) -> Value:
    index = tuple(slice(start, stop) if i == axis else slice(None) for i in range(len(shape_of(x))))
    return getitem(x, index=index)


def _running_product(x: Value, axis: int) -> Value:
    """The cumulative product by doubling, made of multiplications only (so that zeros do no harm)."""
    n, step = shape_of(x)[axis], 1
    while step < n:
        x = concatenate(_part(x, axis, 0, step), _part(x, axis, step, n) * _part(x, axis, 0, n - step), axis=axis)
        step *= 2
    return x


def cumulative_product(x: Value, axis: int) -> Value:
    """The cumulative product along an axis."""
    return _running_product(x, axis)


def _push_product(t: Value, x: Value, y: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
    return sum_(t * _others_product(x, axis[0]), axis=axis, keepdims=keepdims)


prod: Primitive = Primitive(
    "prod",
    (Tangent(_push_product),),
    lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
)  # over one axis


def _push_extreme(t: Value, x: Value, y: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
    best = y if keepdims else reshape(y, shape=reduced_shape(shape_of(x), axis))
    hit = equal(x, best)
    count, total = (sum_(where(hit, part, 0.0), axis=axis, keepdims=keepdims) for part in (1.0, t))
    return divide(total, count)


def _ties(x: Value, best: Any, axis: tuple[int, ...]) -> Value:
    return np.sum(x == best(x, axis=axis, keepdims=True), axis=axis) > 1


max_: Primitive = Primitive(
    "max",
    (Tangent(_push_extreme),),
    lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    kink=lambda x, axis, keepdims: _ties(x, np.max, axis),
    convention="a tie shares the derivative equally",
)
min_: Primitive = Primitive(
    "min",
    (Tangent(_push_extreme),),
    lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
    kink=lambda x, axis, keepdims: _ties(x, np.min, axis),
    convention="a tie shares the derivative equally",
)
cumsum: Primitive = Primitive(
    "cumsum",
    (Linear(lambda w, x, axis: flip(cumsum(flip(w, axis), axis=axis), axis)),),
    lambda x, axis: np.cumsum(x, axis=axis),
)
reshape: Primitive = Primitive(
    "reshape", (Linear(lambda w, x, shape: reshape(w, shape=shape_of(x))),), lambda x, shape: np.reshape(x, shape)
)
transpose: Primitive = Primitive(
    "transpose",
    (Linear(lambda w, x, axes: transpose(w, axes=tuple(int(i) for i in np.argsort(axes)))),),
    lambda x, axes: np.transpose(x, axes),
)
broadcast_to: Primitive = Primitive(
    "broadcast_to",
    (Linear(lambda w, x, shape: sum_to(w, shape_of(x))),),
    lambda x, shape: np.broadcast_to(x, shape) if shape else np.asarray(x)[()],
)


def _pull_part(position: int, count: int) -> Linear:
    def pull(w: Value, *operands: Value, axis: int) -> Value:
        start = sum(shape_of(x)[axis] for x in operands[:position])
        return _part(w, axis, start, start + shape_of(operands[position])[axis])

    return Linear(pull)


concatenate: Primitive = Primitive(
    "concatenate", _pull_part, lambda *xs, axis: np.concatenate(xs, axis=axis), joint=True
)
getitem: Primitive = Primitive(
    "getitem",
    lambda position, count: (
        Linear(lambda w, x, *arrays, index: scatter_add(w, *arrays, index=index, shape=shape_of(x)))
        if position == 0
        else None
    ),
    lambda x, *arrays, index: x[fill_index(index, arrays)],
)


def _scatter_add(w: Value, *arrays: Value, index: tuple[Any, ...], shape: tuple[int, ...]) -> Value:
    total = np.zeros(shape, dtype=np.asarray(w).dtype)
    if arrays:
        np.add.at(total, fill_index(index, arrays), w)
    else:
        total[index] = w
    return total


scatter_add: Primitive = Primitive(
    "scatter_add",
    lambda position, count: (
        Linear(lambda w, x, *arrays, index, shape: getitem(w, *arrays, index=index)) if position == 0 else None
    ),
    _scatter_add,
)


def _pull_piece(position: int, count: int) -> Linear:
    return Linear(lambda w, *pieces, indices, shape: getitem(w, index=indices[position]))


def _scatter_sum(*pieces: Value, indices: tuple[tuple[Any, ...], ...], shape: tuple[int, ...]) -> Value:
    total = np.zeros(shape, dtype=np.result_type(*{np.asarray(piece).dtype for piece in pieces}))
    for piece, index in zip(pieces, indices, strict=True):
        total[index] += piece
    return total


scatter_sum: Primitive = Primitive("scatter_sum", _pull_piece, _scatter_sum, joint=True)  # no index arrays


def _index_update(a: Value, b: Value, *arrays: Value, index: tuple[Any, ...]) -> Value:
    is_object = getattr(getattr(a, "dtype", None), "kind", "") == "O"
    updated = np.array(a, dtype=object if is_object else np.result_type(a, b))
    updated[fill_index(index, arrays)] = b
    return updated


def _rule_of_update(position: int, count: int) -> Linear | None:
    if position == 0:
        return Linear(lambda w, a, b, *arrays, index: index_update(w, 0.0, *arrays, index=index))
    if position == 1:
        return Linear(lambda w, a, b, *arrays, index: sum_to(getitem(w, *arrays, index=index), shape_of(b)))
    return None


index_update: Primitive = Primitive("index_update", _rule_of_update, _index_update, joint=True)
matmul: Primitive = Primitive(
    "matmul",
    (
        Linear(lambda w, a, b: sum_to(matmul(w, swap_last(b)), shape_of(a))),
        Linear(lambda w, a, b: sum_to(matmul(swap_last(a), w), shape_of(b))),
    ),
    np.matmul,
)  # of operands with at least two axes


def _pull_einsum(position: int, count: int) -> Linear:
    def pull(w: Value, *operands: Value, subscripts: str) -> Value:
        inputs, result = subscripts.split("->")
        terms = inputs.split(",")
        wanted = terms[position]
        given = [result, *terms[:position], *terms[position + 1 :]]
        others = [w, *operands[:position], *operands[position + 1 :]]
        for letter, length in zip(wanted, shape_of(operands[position]), strict=True):
            if all(letter not in term for term in given):
                given.append(letter)
                others.append(broadcast_to(1.0, shape=(length,)))
        return einsum(*others, subscripts=",".join(given) + "->" + wanted)

    return Linear(pull)


einsum: Primitive = Primitive("einsum", _pull_einsum, lambda *xs, subscripts: np.einsum(subscripts, *xs))
# no letter twice in one operand, the result written out
argsort: Primitive = Primitive("argsort", (None,), lambda x, axis: np.argsort(x, axis=axis, kind="stable"))
argmax: Primitive = Primitive("argmax", (None,), lambda x, axis: np.argmax(x, axis=axis))
argmin: Primitive = Primitive("argmin", (None,), lambda x, axis: np.argmin(x, axis=axis))


def _pull_row(position: int, count: int) -> Linear:
    return Linear(lambda w, *rows: getitem(w, index=(position,)))


stack: Primitive = Primitive("stack", _pull_row, lambda *rows: np.array(rows), joint=True)  # along a new first axis
_MOST_ROWS = 256


def pile(rows: Sequence[Value]) -> Value:
    """Any number of rows stacked; many in parts, because each row's rule is handed all rows of its part."""
    if len(rows) <= _MOST_ROWS:
        return stack(*rows)
    parts = [stack(*rows[i : i + _MOST_ROWS]) for i in range(0, len(rows), _MOST_ROWS)]
    while len(parts) > 1:
        groups = [parts[i : i + _MOST_ROWS] for i in range(0, len(parts), _MOST_ROWS)]
        parts = [concatenate(*group, axis=0) for group in groups]
    return parts[0]


astype: Primitive = Primitive(
    "astype",
    (Linear(lambda w, x, dtype: astype(w, dtype=str(getattr(x, "dtype", "float64")))),),
    lambda x, dtype: np.asarray(x).astype(dtype),
)  # between floating types
to_integer: Primitive = Primitive("to_integer", (None,), lambda x, dtype: np.asarray(x).astype(dtype)[()])
