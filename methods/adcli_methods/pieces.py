"""The adjoint of an array that was read in parts."""

from __future__ import annotations

from typing import Any

from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.structural import scatter_add, scatter_sum


class Pieces:
    """The adjoint of an array whose parts were read: what came back, and where each piece of it belongs.

    The pieces are put in their places together when the sweep comes to the array, and not each into an array of its
    own, so that n reads of n entries cost n and not n**2.
    """

    __slots__ = ("dense", "indices", "pieces")

    def __init__(self, dense: Value | None, piece: Value, index: tuple[Any, ...]) -> None:
        self.dense = dense
        self.pieces = [piece]
        self.indices = [index]

    def add(self, part: Value) -> Pieces:
        """The same with one more part, itself a whole array or Pieces."""
        if type(part) is Pieces:
            self.pieces += part.pieces
            self.indices += part.indices
            part = part.dense
        if part is not None:
            self.dense = part if self.dense is None else self.dense + part
        return self

    def total(self, value: Value) -> Value:
        """The adjoint as one array, of the value's shape."""
        shape = shape_of(value)
        if len(self.pieces) == 1:
            whole = scatter_add(self.pieces[0], index=self.indices[0], shape=shape)
        else:
            whole = scatter_sum(*self.pieces, indices=tuple(self.indices), shape=shape)
        return whole if self.dense is None else self.dense + whole


def added(known: Value | None, part: Value) -> Value:
    """The sum of what is known of an adjoint and one part more; either may be Pieces."""
    if known is None:
        return part
    if type(known) is Pieces:
        return known.add(part)
    return part.add(known) if type(part) is Pieces else known + part
