"""Unit seeds in a batch, and what comes of them while each member has one entry: nothing is spent on the zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives.elementary import equal, multiply, where
from adcli_methods.primitives.structural import ARRAY, broadcast_to, getitem, reshape, transpose
from adcli_methods.tracer import Tracer

if TYPE_CHECKING:
    from adcli_methods.batching import Batch

_SCALING = {"negative", "multiply", "divide"}


class Diagonal(Tracer):
    """For each member of a batch an array that differs from zero in one entry alone, the member's own.

    Arguments:
        trace: the batch; its `places` tell which entry is whose.
        value: what stands in every entry when its member comes; it broadcasts to the shape.
        shape: of each member.
    """

    __slots__ = ("_dense", "shape")

    def __init__(self, trace: Batch, value: Value, shape: tuple[int, ...]) -> None:
        super().__init__(trace, -1, value)
        self.shape = shape
        self._dense: Tracer | None = None

    @property
    def ndim(self) -> int:
        """The number of axes of each member."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries of each member."""
        return math.prod(self.shape)

    def entries(self) -> Value:
        """Each member's one entry."""
        flat = reshape(broadcast_to(self.value, shape=self.shape), shape=(self.size,))
        return _taken(self.trace, flat)

    def dense(self) -> Tracer:
        """The same with its zeros written out; made once, for it is read again and again."""
        if self._dense is None:
            batch: Any = self.trace
            every = np.arange(self.size)
            places = every if batch.places is None else batch.places
            own = equal(reshape(places, shape=(batch.count, 1)), every)
            own = reshape(own, shape=(batch.count, *self.shape))
            self._dense = batch.batched(where(own, self.value, 0.0))
        return self._dense


def on_diagonals(
    batch: Batch, primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]
) -> Value | None:
    """The result of a primitive of which an operand is Diagonal; None: its members have more than one entry."""
    diagonals = [operand for operand in operands if isinstance(operand, Diagonal)]
    first, name, shape = diagonals[0], primitive.name, diagonals[0].shape
    values = [operand.value if isinstance(operand, Diagonal) else operand for operand in operands]
    if len(diagonals) == len(operands) == 2:
        is_sum = name in ("add", "subtract") and diagonals[1].shape == shape
        return Diagonal(batch, primitive(*values), shape) if is_sum else None
    if any(isinstance(operand, Tracer) and operand.trace is batch for operand in operands if operand is not first):
        return None
    if name in _SCALING and (name != "divide" or operands[0] is first):
        is_within = all(np.broadcast_shapes(shape_of(value), shape) == shape for value in values)
        return Diagonal(batch, primitive(*values), shape) if is_within else None
    if name == "reshape":
        whole = broadcast_to(first.value, shape=shape)
        return Diagonal(batch, reshape(whole, **parameters), parameters["shape"])
    if name == "sum" and len(parameters["axis"]) == len(shape) and not parameters["keepdims"]:
        return batch.batched(first.entries())
    if (
        name == "matmul"
        and math.prod(shape) == max(shape)
        and len(shape_of(values[0])) == len(shape_of(values[1])) == 2
    ):
        return _product(batch, first, operands[0], operands[1])
    return None


def _product(batch: Batch, diagonal: Diagonal, a: Value, b: Value) -> Value | None:
    """A matrix times unit vectors, rows or columns: its own rows or columns."""
    (rows, inner), columns = shape_of(a), shape_of(b)[1]
    if inner != diagonal.size:
        return None  # the vector's one entry makes a whole matrix
    picked = _taken(batch, b if a is diagonal else transpose(a, axes=(1, 0)))
    scaled = multiply(picked, reshape(diagonal.entries(), shape=(batch.count, 1)))
    return batch.batched(reshape(scaled, shape=(batch.count, rows, columns)))


def _taken(batch: Any, values: Value) -> Value:
    """Along the first axis, what stands at each member's place."""
    return values if batch.places is None else getitem(values, batch.places, index=(ARRAY,))
