"""The walk that takes a Program's arrays apart: every entry becomes a number of its own, what moves entries disappears.

The place of an array is an array of slots, one for each entry, so that reshape, transpose, indexing and their like are
NumPy's own on it; the place of a number is a slot. Where an adjoint has received nothing yet its slot is NOTHING, and
the first term takes its place (0.0 + w costs an addition).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import fill_index
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract, Shaped

Slots = np.ndarray[Any, np.dtype[np.intp]]
NOTHING = -1
_ADD, _MULTIPLY = PRIMITIVES["add"], PRIMITIVES["multiply"]
_OR = PRIMITIVES["logical_or"]
"""What NumPy's addition does with truth values; the other operations have the same result on them as on 0 and 1."""
_ONE_BY_ONE = 8
"""Sums of up to this many terms add them in order, as NumPy does; longer ones add their halves."""


class NotEntrywiseError(Exception):
    """An operation that has no meaning on single entries, or too many of them."""


class Entrywise(ABC):
    """The places of a Program's values while it is taken apart; subclasses write the operations down.

    Arguments: most_operations: how many operations on entries are still worth it.
    Attributes:
        dtype: of the operation that is being taken apart.
        is_mixed: whether a result had entries that are an operand's, since there was nothing to add to them.
    """

    def __init__(self, most_operations: int) -> None:
        self.left = most_operations
        self.places: list[Any] = []  # a slot, or an array of slots
        self.dtype = "float64"
        self.has_nothing = False
        self.is_mixed = False

    @abstractmethod
    def input(self, abstract: Abstract) -> Slots:
        """The slots of the next input's entries."""

    @abstractmethod
    def constant(self, value: Value) -> Slots:
        """The slots of a constant's entries."""

    @abstractmethod
    def number(self, slot: int, instruction: Instruction, operands: list[int], abstract: Abstract) -> int:
        """The slot of an operation on numbers."""

    @abstractmethod
    def apply(self, primitive: Primitive, operands: list[Slots], source: Instruction) -> Slots:
        """The slots of an elementwise operation on vectors of one length, a result of `dtype`."""

    @abstractmethod
    def known(self, slot: int) -> Any:
        """The value in a slot if it is a constant, None if not."""

    @abstractmethod
    def done(self, slot: int, instruction: Instruction) -> None:
        """Called when an operation on arrays has its place."""

    def take_apart(self, given: Shaped) -> None:
        """Find the place of every value.

        Raises: NotEntrywiseError.
        """
        program, abstracts = given
        constants, places = program.constants, self.places
        for slot, instruction in enumerate(program.instructions):
            primitive, abstract = instruction.primitive, abstracts[slot]
            if primitive is None:
                self.spend(abstract.size)
                found = self.constant(constants[slot]) if slot in constants else self.input(abstract)
                places.append(found.reshape(abstract.shape) if abstract.shape else int(found[0]))
                continue
            operands, self.dtype = [places[operand] for operand in instruction.operands], abstract.dtype
            if abstract.shape or not primitive.elementwise:
                places.append(self._on_arrays(instruction, [np.asarray(place) for place in operands], abstract))
            elif self.has_nothing and NOTHING in operands:
                places.append(int(self.map(instruction, [np.asarray(place) for place in operands], abstract)))
            else:
                self.spend(1)
                places.append(self.number(slot, instruction, operands, abstract))
                continue
            self.done(slot, instruction)

    def spend(self, count: int) -> None:
        """Take so many operations from those that are left."""
        self.left -= count
        if self.left < 0:
            raise NotEntrywiseError

    def _on_arrays(self, instruction: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
        assert instruction.primitive is not None
        if instruction.primitive.elementwise:
            return self.map(instruction, operands, abstract)
        move = _MOVES.get(instruction.primitive.name)
        if move is None:
            raise NotEntrywiseError
        found = np.asarray(move(self, instruction, operands, abstract), dtype=np.intp)
        return found.reshape(abstract.shape) if abstract.shape else int(found.item())

    def map(self, instruction: Instruction, operands: list[Slots], abstract: Abstract) -> Slots:
        """An elementwise operation, entry by entry."""
        primitive, shape = instruction.primitive, abstract.shape
        assert primitive is not None
        vectors = [(place if place.shape == shape else np.broadcast_to(place, shape)).ravel() for place in operands]
        if primitive is _ADD:
            return self.added(vectors[0], vectors[1], instruction).reshape(shape)
        self.spend(abstract.size)
        return self.apply(primitive, [*map(self.filled, vectors)], instruction).reshape(shape)

    def filled(self, slots: Slots) -> Slots:
        """Slots with a zero in the places of NOTHING."""
        if not self.has_nothing or not (slots == NOTHING).any():
            return slots
        return np.where(slots == NOTHING, self.zero, slots)

    @cached_property
    def zero(self) -> int:
        """The slot of the number 0."""
        return int(self.constant(0.0)[0])

    def added(self, a: Slots, b: Slots, source: Instruction) -> Slots:
        """The sums of two vectors; NOTHING and a term make the term."""
        if self.has_nothing:
            both = (a != NOTHING) & (b != NOTHING)
            if not both.all():
                mixed = np.where(a == NOTHING, b, a)
                if both.any():
                    mixed[both] = self.added(a[both], b[both], source)
                self.is_mixed = True
                return mixed
        self.spend(a.size)
        return self.apply(_ADD if self.dtype != "bool" else _OR, [a, b], source)

    def total(self, terms: Slots, source: Instruction) -> Slots:
        """The sums along the first axis of two."""
        if not len(terms):
            return np.full(terms.shape[1], self.zero)
        return self.reduced(terms, lambda a, b: self.added(a, b, source))

    def reduced(self, terms: Slots, combine: Callable[[Slots, Slots], Slots]) -> Slots:
        """What an operation on two makes of the entries along the first axis of two."""
        while len(terms) > _ONE_BY_ONE:
            half = len(terms) // 2
            paired = combine(terms[:half].ravel(), terms[half : 2 * half].ravel())
            terms = np.concatenate([paired.reshape(half, -1), terms[2 * half :]])
        result: Slots = terms[0]
        for row in terms[1:]:
            result = combine(result, row)
        return result


def _arrays_known(walk: Entrywise, arrays: list[Slots]) -> tuple[np.ndarray, ...]:
    """Index arrays as numbers; they must be constants."""
    found = []
    for array in arrays:
        values = [walk.known(slot) for slot in array.ravel().tolist()]
        if None in values:
            raise NotEntrywiseError
        found.append(np.array(values).reshape(array.shape) if values else np.zeros(array.shape, np.intp))
    return tuple(found)


def _getitem(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    x, *arrays = operands
    return x[fill_index(source.parameters["index"], _arrays_known(walk, arrays))]


def _index_update(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    a, b, *arrays = operands
    updated = a.copy()
    updated[fill_index(source.parameters["index"], _arrays_known(walk, arrays))] = b
    return updated


def _scatter_add(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    w, *arrays = operands
    index = fill_index(source.parameters["index"], _arrays_known(walk, arrays))
    return _scattered(walk, source, abstract, [index], [w])


def _scatter_sum(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    return _scattered(walk, source, abstract, source.parameters["indices"], operands)


def _scattered(
    walk: Entrywise, source: Instruction, abstract: Abstract, indices: list[Any], pieces: list[Slots]
) -> Slots:
    """NOTHING with the entries of each piece added up at their places."""
    numbered = np.arange(abstract.size).reshape(abstract.shape)
    targets = [numbered[index] for index in indices]
    entries = [np.broadcast_to(piece, np.shape(target)).ravel() for piece, target in zip(pieces, targets, strict=True)]
    walk.has_nothing = True
    where, slots = _added_up(walk, source, np.concatenate([np.ravel(t) for t in targets]), np.concatenate(entries))
    result = np.full(abstract.size, NOTHING, dtype=np.intp)
    result[where] = slots
    return result


def _added_up(walk: Entrywise, source: Instruction, targets: Slots, slots: Slots) -> tuple[Slots, Slots]:
    """Each target once, with the sum of its terms: neighbours are added, again and again."""
    if not len(targets):
        return targets, slots
    order = np.argsort(targets, kind="stable")
    targets, slots = targets[order], slots[order]
    while True:
        is_first = np.concatenate([[True], targets[1:] != targets[:-1]])
        if is_first.all():
            return targets, slots
        starts = np.flatnonzero(is_first)
        ranks = np.arange(len(targets)) - np.repeat(starts, np.diff([*starts, len(targets)]))
        evens = np.flatnonzero(ranks % 2 == 0)
        is_paired = np.append(~is_first, False)[evens + 1]
        pairs = evens[is_paired]
        sums = slots[evens]
        sums[is_paired] = walk.added(slots[pairs], slots[pairs + 1], source)
        targets, slots = targets[evens], sums


def _columns(x: Slots, axis: tuple[int, ...]) -> Slots:
    """The entries of an array with those along the axes of a reduction first, as one axis."""
    kept = [i for i in range(x.ndim) if i not in axis]
    return np.transpose(x, (*axis, *kept)).reshape([math.prod(x.shape[i] for i in axes) for axes in (axis, kept)])


def _sum(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    return walk.total(_columns(operands[0], source.parameters["axis"]), source)


def _extreme(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    assert source.primitive is not None
    primitive = PRIMITIVES[{"max": "maximum", "min": "minimum"}[source.primitive.name]]

    def better(a: Slots, b: Slots) -> Slots:
        walk.spend(a.size)
        return walk.apply(primitive, [a, b], source)

    return walk.reduced(_columns(walk.filled(operands[0]), source.parameters["axis"]), better)


def _matmul(walk: Entrywise, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    a, b = map(walk.filled, operands)
    rows, columns = np.moveaxis(a, -1, 0)[..., None], np.moveaxis(b, -2, 0)[..., None, :]
    count = len(rows)
    walk.spend(count * abstract.size)
    factors = [np.broadcast_to(part, (count, *abstract.shape)).ravel() for part in _aligned(rows, columns)]
    products = walk.apply(_MULTIPLY, factors, source)
    return walk.total(products.reshape(count, abstract.size), source)


def _aligned(rows: Slots, columns: Slots) -> tuple[Slots, Slots]:
    """Factors of a product with as many axes: those of a batch that one lacks come behind the first."""
    rank = max(rows.ndim, columns.ndim)
    first, second = (part.reshape(len(part), *(1,) * (rank - part.ndim), *part.shape[1:]) for part in (rows, columns))
    return first, second


_Move = Callable[[Entrywise, Instruction, list[Slots], Abstract], Any]
_MOVES: dict[str, _Move] = {
    "getitem": _getitem,
    "index_update": _index_update,
    "scatter_add": _scatter_add,
    "scatter_sum": _scatter_sum,
    "sum": _sum,
    "max": _extreme,
    "min": _extreme,
    "matmul": _matmul,
    "reshape": lambda walk, source, operands, abstract: operands[0],
    "broadcast_to": lambda walk, source, operands, abstract: np.broadcast_to(operands[0], abstract.shape),
    "transpose": lambda walk, source, operands, abstract: np.transpose(operands[0], source.parameters["axes"]),
    "concatenate": lambda walk, source, operands, abstract: np.concatenate(operands, source.parameters["axis"]),
    "stack": lambda walk, source, operands, abstract: np.array(operands),
    "astype": lambda walk, source, operands, abstract: operands[0],
}
"""What becomes of the slots of arrays whose entries are moved, added up or multiplied."""
