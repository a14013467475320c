"""Many tangents or cotangents in one sweep: values with one more axis, first, which the rules do not see.

A batched value is traced by a Batch, which computes each primitive for all members at once by the primitive's row in
BATCHING, the batching column of the primitives' table; what has no row is computed member by member.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import ARRAY, broadcast_to, matmul, reshape, stack, transpose
from adcli_methods.structured import Members, Structured, TooManyEntriesError, written_out
from adcli_methods.structured_rules import on_structured, units
from adcli_methods.trace import Trace

CACHE_ENTRIES = 1 << 17
"""Numbers that fit into a core's second-level cache with room for operands: 1 MiB of float64."""
MOST_BATCH_ENTRIES = 1 << 22
"""The largest value of a batch: 32 MiB of float64."""


class Batched(Members):
    """Values of one shape, one for each member of a batch."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each member."""
        return shape_of(self.value)[1:]


class Batch(Trace):
    """The recorder of batched values: computes, and writes nothing down.

    Arguments:
        count: how many members it has.
        places: of unit seeds, the entry that each member has, counted in the seeded value's C order; None: all of them,
            one after the other.
        most_entries: how many entries its values may have in all while they are computed with; None: any number.
    """

    __slots__ = ("_members", "count", "most_entries", "places", "seeded")

    def __init__(self, count: int, places: Value | None = None, most_entries: int | None = None) -> None:
        super().__init__(())
        self.count = count
        self.places = places
        self.most_entries = most_entries
        self.seeded = 0
        self._members: np.ndarray | None = None

    def batched(self, values: Value) -> Batched:
        """Values stacked along a first axis, one for each member.

        Raises: TooManyEntriesError for more entries than the batch may have.
        """
        if self.most_entries is not None and math.prod(shape_of(values)) > self.most_entries:
            raise TooManyEntriesError
        return Batched(self, -1, values)

    def units(self, shape: tuple[int, ...], one: Value = 1.0) -> Structured:
        """Unit seeds of this shape, the only ones of this batch: member k is 1 in the k-th of the places."""
        self.seeded = math.prod(shape)
        return units(self, shape, one)

    @property
    def members(self) -> np.ndarray:
        """From 1 + a seed's place to 1 + the member that has it, 0 where none has."""
        if self._members is None:
            self._members = np.zeros(1 + self.seeded, np.intp)
            owners = 1 + (np.arange(self.seeded) if self.places is None else self.places)
            self._members[owners] = 1 + np.arange(self.count)
        return self._members

    def whole(self, value: Value) -> Value:
        """A sweep's result with the batch's axis first."""
        if isinstance(value, Structured):
            return written_out(self, value)
        is_own = isinstance(value, Batched)
        return self.spread(value.value if is_own else value, is_own)

    def record(self, primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Any:
        result = on_structured(self, primitive, operands, parameters)
        if result is not None:
            return result
        operands = [operand.dense() if isinstance(operand, Structured) else operand for operand in operands]
        own = [isinstance(operand, Batched) and operand.trace is self for operand in operands]
        values = [operand.value if is_own else operand for operand, is_own in zip(operands, own, strict=True)]
        if primitive.elementwise or primitive.name in _ALIGNED:
            return self.batched(primitive(*_aligned(values, own), **parameters))
        rule = BATCHING.get(primitive.name)
        result = rule(self, values, own, parameters) if rule is not None else None
        if result is None:
            result = _one_by_one(self, primitive, values, own, parameters)
        return self.batched(result)

    def spread(self, value: Value, is_own: bool) -> Value:
        """A value with the batch's axis, the same for each member where it is not batched."""
        return value if is_own else broadcast_to(value, shape=(self.count, *shape_of(value)))


Rule = Callable[[Batch, list[Value], list[bool], dict[str, Any]], Value | None]
"""From operands, which of them are batched, and parameters, to the batched result; None: not this way."""
_ALIGNED = {"inv", "det", "det_sign", "logabsdet", "adjugate", "cholesky", "astype", "to_integer"}


def _one_by_one(
    batch: Batch, primitive: Primitive, values: list[Value], own: list[bool], parameters: dict[str, Any]
) -> Value:
    def member(i: int) -> list[Value]:
        picked = PRIMITIVES["getitem"]
        return [picked(v, index=(i,)) if is_own else v for v, is_own in zip(values, own, strict=True)]

    return stack(*[primitive(*member(i), **parameters) for i in range(batch.count)])


def _aligned(values: list[Value], own: list[bool]) -> list[Value]:
    """Operands whose members' axes stand where broadcasting looks for them."""
    rank = max(len(shape_of(value)) - is_own for value, is_own in zip(values, own, strict=True))
    return [_with_rank(value, rank) if is_own else value for value, is_own in zip(values, own, strict=True)]


def _with_rank(value: Value, rank: int) -> Value:
    count, *shape = shape_of(value)
    missing = rank - len(shape)
    return reshape(value, shape=(count, *(1,) * missing, *shape)) if missing > 0 else value


def _along(name: str) -> Rule:
    """An operation along axes, which all lie one further."""

    def rule(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
        axis = parameters["axis"]
        moved = tuple(i + 1 for i in axis) if isinstance(axis, tuple) else axis + 1
        return PRIMITIVES[name](values[0], **{**parameters, "axis": moved})

    return rule


def _reshape(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    return reshape(values[0], shape=(batch.count, *parameters["shape"]))


def _broadcast_to(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    shape = parameters["shape"]
    return broadcast_to(_with_rank(values[0], len(shape)), shape=(batch.count, *shape))


def _transpose(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    return transpose(values[0], axes=(0, *(axis + 1 for axis in parameters["axes"])))


def _is_together(index: tuple[Any, ...]) -> bool:
    """Whether the arrays and whole numbers of an index stand side by side, so that a slice before moves no axis."""
    if not any(isinstance(item, str) for item in index):
        return True
    places = [k for k, item in enumerate(index) if isinstance(item, (str, int, np.integer)) and item is not True]
    return places[-1] - places[0] + 1 == len(places)


def _getitem(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value | None:
    index = parameters["index"]
    if any(own[1:]) or not _is_together(index):
        return None
    return PRIMITIVES["getitem"](*values, index=(slice(None), *index))


def _scatter_add(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value | None:
    index = parameters["index"]
    if any(own[1:]) or not _is_together(index):
        return None
    shape = (batch.count, *parameters["shape"])
    return PRIMITIVES["scatter_add"](*values, index=(slice(None), *index), shape=shape)


def _scatter_sum(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    pieces = [batch.spread(value, is_own) for value, is_own in zip(values, own, strict=True)]
    indices = tuple((slice(None), *index) for index in parameters["indices"])
    return PRIMITIVES["scatter_sum"](*pieces, indices=indices, shape=(batch.count, *parameters["shape"]))


def _index_update(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value | None:
    index = parameters["index"]
    a, b, *arrays = values
    if arrays or any(isinstance(item, str) and item == ARRAY for item in index):
        return None
    whole = batch.spread(a, own[0])
    if own[1]:
        b = _with_rank(b, np.broadcast_to(0.0, shape_of(whole)[1:])[index].ndim)
    return PRIMITIVES["index_update"](whole, b, index=(slice(None), *index))


def _concatenate(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    parts = [batch.spread(value, is_own) for value, is_own in zip(values, own, strict=True)]
    return PRIMITIVES["concatenate"](*parts, axis=parameters["axis"] + 1)


def _stack(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    rows = stack(*[batch.spread(value, is_own) for value, is_own in zip(values, own, strict=True)])
    return transpose(rows, axes=(1, 0, *range(2, len(shape_of(rows)))))


def _matmul(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    """One product for all members where only one factor is batched."""
    a, b = values
    if own == [True, False] and len(shape_of(a)) == 3 and len(shape_of(b)) == 2:
        count, n, m = shape_of(a)
        return reshape(matmul(reshape(a, shape=(count * n, m)), b), shape=(count, n, shape_of(b)[1]))
    if own == [False, True] and len(shape_of(a)) == 2 and len(shape_of(b)) == 3:
        return _side_by_side(matmul, a, b)
    return matmul(*_aligned(values, own))


def _side_by_side(primitive: Primitive, a: Value, b: Value) -> Value:
    """A matrix times, or under, many: their columns side by side in one."""
    count, m, p = shape_of(b)
    columns = reshape(transpose(b, axes=(1, 0, 2)), shape=(m, count * p))
    result = reshape(primitive(a, columns), shape=(shape_of(a)[0], count, p))
    return transpose(result, axes=(1, 0, 2))


def _solve(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    a, b = values
    if not own[0] and len(shape_of(a)) == 2 and len(shape_of(b)) == 3:
        return _side_by_side(PRIMITIVES["solve"], a, b)
    spread = [batch.spread(value, is_own) for value, is_own in zip(values, own, strict=True)]
    return PRIMITIVES["solve"](*_aligned(spread, [True, True]))


def _einsum(batch: Batch, values: list[Value], own: list[bool], parameters: dict[str, Any]) -> Value:
    inputs, result = parameters["subscripts"].split("->")
    letter = next(c for c in "zyxwvutsrqponmlkjihgfedcbaABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in inputs + result)
    terms = [letter * is_own + term for term, is_own in zip(inputs.split(","), own, strict=True)]
    return PRIMITIVES["einsum"](*values, subscripts=f"{','.join(terms)}->{letter}{result}")


BATCHING: dict[str, Rule] = {
    **{name: _along(name) for name in ("sum", "prod", "max", "min", "cumsum", "argsort", "argmax", "argmin")},
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "transpose": _transpose,
    "getitem": _getitem,
    "scatter_add": _scatter_add,
    "scatter_sum": _scatter_sum,
    "index_update": _index_update,
    "concatenate": _concatenate,
    "stack": _stack,
    "matmul": _matmul,
    "solve": _solve,
    "einsum": _einsum,
}
"""How each primitive that is not elementwise is computed for a whole batch."""


def chunk_size(values: Sequence[Value], wanted: int | None) -> int:
    """How many members a batch has: as many as were wanted, or as fit into the cache with a value of middling size.

    Arguments:
        values: the values that each member has one of, at its own time.
        wanted: the number asked for, None for automatic.

    >>> chunk_size([np.zeros(1000)], None)
    131
    """
    if wanted is not None:
        return wanted
    sizes = [math.prod(shape_of(value)) for value in values] or [1]
    mean = max(1, sum(sizes) // len(sizes))
    return max(1, min(CACHE_ENTRIES // mean, MOST_BATCH_ENTRIES // max(1, *sizes)))
