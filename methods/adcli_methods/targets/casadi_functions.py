"""Arrays of CasADi expressions: CasADi has matrices alone, so an array is the column of its entries and a shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import casadi
import numpy as np

from adcli_methods.errors import OperatorError
from adcli_methods.primitives.structural import fill_index

Column = Any
"""A column of SX or MX expressions."""


class Expressions(NamedTuple):
    """An array: its entries in C order as a column, and its shape."""

    column: Column
    shape: tuple[int, ...]


def _slice(places: np.ndarray[Any, Any]) -> Any:
    """Places as a slice where they are evenly spaced, which CasADi reads without a table."""
    flat = places.ravel()
    if flat.size > 1:
        step = int(flat[1]) - int(flat[0])
        if step > 0 and np.array_equal(flat, np.arange(flat[0], flat[0] + step * flat.size, step)):
            return slice(int(flat[0]), int(flat[-1]) + 1, step)
    return flat.tolist()


def gathered(x: Expressions, places: np.ndarray[Any, Any]) -> Expressions:
    """The entries at these places, in the shape of the array of places."""
    if places.size == len(range(math.prod(x.shape))) and np.array_equal(places.ravel(), np.arange(places.size)):
        return Expressions(x.column, places.shape)
    if not places.size:
        return Expressions(type(x.column)(0, 1), places.shape)
    return Expressions(x.column[_slice(places)], places.shape)


def places_of(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The place of each entry in the column."""
    return np.arange(math.prod(shape)).reshape(shape)


def broadcast_to(x: Expressions, shape: tuple[int, ...]) -> Expressions:
    """x broadcast."""
    return x if x.shape == shape else gathered(x, np.broadcast_to(places_of(x.shape), shape))


def elementwise(function: Callable[..., Column]) -> Callable[..., Expressions]:
    """A function of columns of equal length, or of one entry, as a function of broadcast arrays."""

    def call(*operands: Expressions) -> Expressions:
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        size = math.prod(shape)
        columns = [x.column if math.prod(x.shape) in (1, size) else broadcast_to(x, shape).column for x in operands]
        result = function(*columns)
        return Expressions(result if result.shape[0] == size else casadi.repmat(result, size, 1), shape)

    return call


def where(condition: Column, a: Column, b: Column) -> Column:
    """a where the condition holds, else b; the branch not taken counts for nothing, NaN or not."""
    kind = type(condition + a + b)
    size = max(part.shape[0] for part in (condition, a, b))
    c, a, b = (kind(casadi.repmat(part, size, 1) if part.shape[0] < size else part) for part in (condition, a, b))
    zero = casadi.OP_IF_ELSE_ZERO
    return kind.binary(zero, c, a) + kind.binary(zero, casadi.logic_not(c), b)


def _axes_last(x: Expressions, axis: Sequence[int]) -> tuple[np.ndarray[Any, Any], tuple[int, ...]]:
    """The places with the axes to reduce as the last one, and the shape of the others."""
    kept = [i for i in range(len(x.shape)) if i not in axis]
    outer = tuple(x.shape[i] for i in kept)
    return places_of(x.shape).transpose([*kept, *axis]).reshape((*outer, -1)), outer


def _reduced(shape: tuple[int, ...], axis: Sequence[int], keepdims: bool) -> tuple[int, ...]:
    if keepdims:
        return tuple(1 if i in axis else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axis)


def sum_(x: Expressions, axis: tuple[int, ...], keepdims: bool) -> Expressions:
    """The sum along axes."""
    places, outer = _axes_last(x, axis)
    shape = _reduced(x.shape, axis, keepdims)
    if not axis:
        return x
    inner = places.shape[-1]
    table = casadi.reshape(gathered(x, places).column, inner, math.prod(outer))
    return Expressions(casadi.sum1(table).T, shape)


def fold(function: Callable[[Column, Column], Column], whole: Callable[[Column], Column] | None = None) -> Any:
    """A reduction along axes by a function of two columns; `whole` reduces a whole column at once."""

    def call(x: Expressions, axis: tuple[int, ...], keepdims: bool) -> Expressions:
        places, outer = _axes_last(x, axis)
        shape = _reduced(x.shape, axis, keepdims)
        if whole is not None and not outer and isinstance(x.column, casadi.MX):
            return Expressions(whole(x.column), shape)
        columns = [gathered(x, places[..., i]).column for i in range(places.shape[-1])]
        while len(columns) > 1:
            pairs = [function(a, b) for a, b in zip(columns[::2], columns[1::2], strict=False)]
            columns = pairs + ([columns[-1]] if len(columns) % 2 else [])
        return Expressions(columns[0], shape)

    return call


def cumsum(x: Expressions, axis: int) -> Expressions:
    """The cumulative sum along an axis."""
    places, outer = _axes_last(x, (axis,))
    count = places.shape[-1]
    table = casadi.reshape(gathered(x, places).column, count, math.prod(outer))
    total = Expressions(casadi.vec(casadi.cumsum(table, 0)), (*outer, count))
    return gathered(total, np.moveaxis(places_of(total.shape), -1, axis))


def getitem(x: Expressions, *arrays: Any, index: tuple[Any, ...]) -> Expressions:
    """x[index]."""
    return gathered(x, np.asarray(places_of(x.shape)[fill_index(index, arrays)]))


def scatter_add(x: Expressions, *arrays: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> Expressions:
    """Zeros of a shape with x added up at an index."""
    target = np.broadcast_to(places_of(shape)[fill_index(index, arrays)], x.shape).ravel()
    size = math.prod(shape)
    entries = casadi.DM.triplet(
        target.tolist(), list(range(target.size)), casadi.DM.ones(target.size), size, target.size
    )
    return Expressions(casadi.densify(entries @ x.column), shape)


def scatter_sum(*pieces: Expressions, indices: tuple[tuple[Any, ...], ...], shape: tuple[int, ...]) -> Expressions:
    """Zeros of a shape with each piece added up at its index."""
    parts = [scatter_add(piece, index=index, shape=shape) for piece, index in zip(pieces, indices, strict=True)]
    return Expressions(sum(part.column for part in parts), shape)


def index_update(a: Expressions, b: Expressions, *arrays: Any, index: tuple[Any, ...]) -> Expressions:
    """a with b written at an index."""
    target = places_of(a.shape)[fill_index(index, arrays)]
    source = broadcast_to(b, np.shape(target))
    place = places_of(a.shape).ravel()
    place[np.ravel(target)] = math.prod(a.shape) + np.arange(np.size(target))
    both = Expressions(casadi.vertcat(a.column, source.column), (math.prod(a.shape) + np.size(target),))
    return gathered(both, place.reshape(a.shape))


def joined(parts: Sequence[Expressions], join: Callable[..., Any]) -> Expressions:
    """Parts joined as `join` joins their places."""
    places, start = [], 0
    for part in parts:
        places.append(places_of(part.shape) + start)
        start += math.prod(part.shape)
    whole = Expressions(casadi.vertcat(*[part.column for part in parts]), (start,))
    return gathered(whole, join(places))


def matrix(x: Expressions) -> Column:
    """The CasADi matrix of a two-dimensional array."""
    if len(x.shape) != 2:
        raise OperatorError("casadi has matrices, and no stacks of them")
    return casadi.reshape(x.column, x.shape[1], x.shape[0]).T


def of_matrix(x: Column) -> Expressions:
    """A CasADi matrix as an array."""
    return Expressions(casadi.vec(x.T), x.shape)


def matmul(a: Expressions, b: Expressions) -> Expressions:
    """The product of two matrices, or of two stacks of them."""
    if len(a.shape) == len(b.shape) == 2:
        return of_matrix(matrix(a) @ matrix(b))
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    letters = "abcdefgh"[: len(lead)]
    a, b = broadcast_to(a, lead + a.shape[-2:]), broadcast_to(b, lead + b.shape[-2:])
    return einsum(a, b, subscripts=f"{letters}xy,{letters}yz->{letters}xz")


def einsum(*operands: Expressions, subscripts: str) -> Expressions:
    """Einstein's summation, by broadcasting over all letters."""
    inputs, result = subscripts.split("->")
    terms = inputs.split(",")
    extent = {
        letter: n for term, x in zip(terms, operands, strict=True) for letter, n in zip(term, x.shape, strict=True)
    }
    letters = [*result, *[letter for letter in extent if letter not in result]]
    shape = tuple(extent[letter] for letter in letters)
    product = None
    for term, x in zip(terms, operands, strict=True):
        order = sorted(range(len(term)), key=lambda i: letters.index(term[i]))
        places = places_of(x.shape).transpose(order)
        spread = places.reshape([extent[letter] if letter in term else 1 for letter in letters])
        column = gathered(x, np.broadcast_to(spread, shape)).column
        product = column if product is None else product * column
    whole = Expressions(product, shape)
    return sum_(whole, axis=tuple(range(len(result), len(letters))), keepdims=False)
