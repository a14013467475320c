"""Values of a batch that are a sum of few terms: unit seeds, and what linear operations make of them.

A whole Jacobian's tangents then cost what one tangent costs, as long as each entry moves with few of the seeds, or
with all of them by way of a number (an outer product). `structured_rules` tells how primitives take them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adcli_methods.primitive import Recorded, Value
from adcli_methods.primitives.elementary import add, equal, multiply, where
from adcli_methods.primitives.structural import broadcast_to, reshape
from adcli_methods.tracer import Tracer

if TYPE_CHECKING:
    from adcli_methods.batching import Batch


class Own(NamedTuple):
    """Entries that move with one member each, and by how much.

    Arguments:
        owners: for each entry 1 + the place of that member's seed, 0 for none; never traced.
        values: the member's entry; it broadcasts.
    """

    owners: np.ndarray
    values: Value


class Shared(NamedTuple):
    """An outer product: entries that move with all members, in proportion to a number of each.

    Arguments:
        weights: that number, for each member.
        values: by which it is multiplied; it broadcasts.
    """

    weights: Value
    values: Value


class TooManyEntriesError(Exception):
    """Raised where a batch's zeros would have to be written out though it has too many members for that."""


class Members(Tracer):
    """A value that is different for each member of a batch; its shape is that of each member."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """The number of axes of each member."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries of each member."""
        return math.prod(self.shape)


class Structured(Members):
    """For each member of a batch an array that is a sum of few terms.

    Arguments:
        trace: the batch; its `places` tell which seed is whose.
        shape: of each member.
        own: no two have the same owners.
        shared: no two have the same weights.
    """

    __slots__ = ("_dense", "own", "shape", "shared")
    trace: Batch

    def __init__(self, trace: Batch, shape: tuple[int, ...], own: tuple[Own, ...], shared: tuple[Shared, ...]) -> None:
        self.trace, self.slot = trace, -1
        self.shape, self.own, self.shared = shape, own, shared
        self._dense: Tracer | None = None

    @property
    def value(self) -> Value:
        """What is not a number where the terms may not add up to what each member is alone.

        A factor of an outer product may be infinite where the members are not, the other being zero or small.
        """
        doubts = [plain_of(part) for term in self.shared for part in term]
        alarms = [*map(plain_of, self.parts), *(values - values for values in doubts)]
        return np.array([np.sum(part) for part in alarms])

    @property
    def dtype(self) -> Any:
        """NumPy's type of the entries."""
        return np.result_type(*[plain_of(part) for part in self.parts])

    @property
    def is_traced(self) -> bool:
        """Whether another trace records what is done to the values."""
        return any(isinstance(part, Recorded) for part in (self.trace.places, *self.parts))

    @property
    def parts(self) -> list[Value]:
        """All numbers that the terms are made of."""
        return [term.values for term in self.own] + [part for term in self.shared for part in term]

    def dense(self) -> Tracer:
        """The same, written out; made once, for it is read again and again."""
        if self._dense is None:
            self._dense = self.trace.batched(written_out(self.trace, self))
        return self._dense


def plain_of(value: Value) -> Value:
    """What is traced by any number of traces."""
    while isinstance(value, Recorded):
        value = value.recorded()
    return value


def written_out(batch: Batch, given: Structured) -> Value:
    """All entries of all members."""
    shape = (batch.count, *given.shape)
    if not given.is_traced:
        return added_into(np.zeros(shape, given.dtype), batch, given)
    column = (batch.count, *(1,) * given.ndim)
    places = reshape(np.arange(batch.seeded) if batch.places is None else batch.places, shape=column)
    total: Value = None
    for owners, values in given.own:
        part = where(equal(places, owners - 1), values, 0.0)
        total = part if total is None else add(total, part)
    for weights, values in given.shared:
        part = multiply(reshape(weights, shape=column), values)
        total = part if total is None else add(total, part)
    return broadcast_to(total, shape=shape)


def added_into(total: np.ndarray, batch: Batch, given: Structured) -> np.ndarray:
    """Values of a batch, in C order, with the terms added to them in place."""
    for weights, values in given.shared:
        total += np.reshape(weights, (batch.count, *(1,) * given.ndim)) * values
    flat = total.reshape(batch.count, given.size)
    for owners, values in given.own:
        rows = batch.members[owners.ravel()]
        columns = np.flatnonzero(rows)
        entries = np.broadcast_to(values, given.shape).ravel()
        flat[rows[columns] - 1, columns] += entries[columns]
    return total
