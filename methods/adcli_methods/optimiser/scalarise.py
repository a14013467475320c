"""A pass for Programs on small arrays: every entry becomes a number of its own, and what moves entries disappears.

An array is a NumPy array of slots, so that reshape, transpose, indexing and their like are NumPy's own on it. Where an
adjoint has received nothing yet its slot is NOTHING, and the first term takes its place (0.0 + w costs an addition).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.optimiser.rewrite import Draft
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import fill_index
from adcli_methods.program import Guard, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped

Slots = np.ndarray[Any, np.dtype[np.intp]]
_NUMBERS = {"float64", "bool", "int64"}
NOTHING = -1
_ONE_BY_ONE = 8
"""Sums of up to this many terms add them in order, as NumPy does; longer ones add their halves."""


class Scalars(NamedTuple):
    """A Program on numbers: its inputs and outputs are the entries of the arrays that it was made from, in C order.

    Arguments:
        shaped: the Program.
        inputs: the Abstract of each array or number that comes in.
        outputs: of each that goes out.
    """

    shaped: Shaped
    inputs: tuple[Abstract, ...]
    outputs: tuple[Abstract, ...]


class _NotScalarError(Exception):
    """An operation that has no meaning on single entries, or too many of them."""


def scalarise(given: Shaped, most_operations: int) -> Scalars | None:
    """The Program on numbers; None if it would have more operations than that, or has one that needs arrays whole.

    Arguments:
        given: a Program on float64 arrays.
        most_operations: how many scalar operations are still worth it.
    """
    program, abstracts = given.program, given.abstracts
    if any(abstract.dtype not in _NUMBERS for abstract in set(abstracts)):
        return None
    ins, outs = (tuple(abstracts[slot] for slot in slots) for slots in (program.inputs, program.outputs))
    if not any(abstract.shape for abstract in set(abstracts)):
        return Scalars(given, ins, outs)
    exploded = _Exploded(most_operations)
    try:
        places = [exploded.place(slot, given) for slot in range(len(program.instructions))]
        guards = [Guard(_one(places, given, guard.slot), guard.outcome) for guard in program.guards]
    except _NotScalarError:
        return None
    draft = exploded.draft
    outputs = [slot for output in program.outputs for slot in exploded.filled(places[output]).ravel().tolist()]
    made = Program(draft.instructions, exploded.inputs, draft.constants, outputs, guards)
    return Scalars(Shaped(made, tuple(draft.abstracts)), ins, outs)


def _one(places: list[Slots], given: Shaped, slot: int) -> int:
    if given.abstracts[slot].shape or places[slot] == NOTHING:
        raise _NotScalarError
    return int(places[slot])


class _Exploded:
    """The Draft of single entries, and the slots of the entries of each array."""

    def __init__(self, most_operations: int) -> None:
        self.draft = Draft()
        self.inputs: list[int] = []
        self.left = most_operations
        self.places: list[Slots] = []
        self.known: dict[Any, int] = {}

    def place(self, slot: int, given: Shaped) -> Slots:
        """The slots of one value's entries."""
        instruction, abstract = given.program.instructions[slot], given.abstracts[slot]
        if instruction.primitive is not None:
            found = self._operation(instruction, abstract)
        elif slot in given.program.constants:
            value = np.asarray(given.program.constants[slot])
            self.spend(value.size)
            found = np.array([self.number(entry) for entry in value.ravel().tolist()], dtype=np.intp)
        else:
            self.spend(abstract.size)
            found = np.array([self.draft.input(Abstract((), abstract.dtype)) for _ in range(abstract.size)], np.intp)
            self.inputs.extend(found.tolist())
        self.places.append(found.reshape(abstract.shape))
        return self.places[-1]

    def number(self, value: Any) -> int:
        """The slot of a constant number."""
        key = (type(value), repr(value))
        if key not in self.known:
            self.known[key] = self.draft.constant(value)
        return self.known[key]

    def spend(self, count: int) -> None:
        """Take so many operations from those that are left."""
        self.left -= count
        if self.left < 0:
            raise _NotScalarError

    def _operation(self, instruction: Instruction, abstract: Abstract) -> Slots:
        primitive, operands = instruction.primitive, [self.places[operand] for operand in instruction.operands]
        assert primitive is not None
        if primitive.elementwise:
            return self.map(instruction, operands, abstract)
        move = _MOVES.get(primitive.name)
        if move is None:
            raise _NotScalarError
        return np.asarray(move(self, instruction, operands, abstract), dtype=np.intp)

    def map(self, instruction: Instruction, operands: list[Slots], abstract: Abstract) -> Slots:
        """An elementwise operation, entry by entry."""
        entries = [_entries(operand, abstract.shape) for operand in operands]
        if instruction.primitive is PRIMITIVES["add"]:  # NOTHING and a term make the term
            return np.array([self.total([a, b], instruction) for a, b in zip(*entries, strict=True)], dtype=np.intp)
        self.spend(abstract.size)
        for own in entries:
            if NOTHING in own:
                own[:] = [self.number(0.0) if slot == NOTHING else slot for slot in own]
        kind = Abstract((), abstract.dtype)
        operation, parameters = self.draft.operation, instruction.parameters
        primitive = instruction.primitive
        made = [operation(primitive, slots, parameters, kind, instruction) for slots in zip(*entries, strict=True)]
        return np.array(made, dtype=np.intp)

    def filled(self, slots: Slots) -> Slots:
        """Slots with a zero in the places of NOTHING."""
        return np.where(slots == NOTHING, self.number(0.0), slots) if np.any(slots == NOTHING) else slots

    def pair(self, name: str, a: int, b: int, source: Instruction) -> int:
        """An operation on two numbers."""
        self.spend(1)
        return self.draft.operation(PRIMITIVES[name], (a, b), {}, Abstract((), "float64"), source)

    def total(self, slots: list[int], source: Instruction) -> int:
        """The sum of numbers."""
        slots = [slot for slot in slots if slot != NOTHING]
        if not slots:
            return NOTHING
        if len(slots) > _ONE_BY_ONE:
            half = len(slots) // 2
            return self.pair("add", self.total(slots[:half], source), self.total(slots[half:], source), source)
        result = slots[0]
        for slot in slots[1:]:
            result = self.pair("add", result, slot, source)
        return result


def _entries(slots: Slots, shape: tuple[int, ...]) -> list[int]:
    """The slots in C order, broadcast to a shape."""
    found: list[int] = (slots if slots.shape == shape else np.broadcast_to(slots, shape)).ravel().tolist()
    return found


def _arrays_known(exploded: _Exploded, arrays: list[Slots]) -> tuple[Any, ...]:
    """Index arrays as numbers; they must be constants."""
    constants = exploded.draft.constants
    found = []
    for array in arrays:
        if any(slot not in constants for slot in array.ravel().tolist()):
            raise _NotScalarError
        found.append(np.array([constants[slot] for slot in array.ravel().tolist()]).reshape(array.shape))
    return tuple(found)


def _getitem(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    x, *arrays = operands
    return x[fill_index(source.parameters["index"], _arrays_known(exploded, arrays))]


def _index_update(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    a, b, *arrays = operands
    updated = a.copy()
    updated[fill_index(source.parameters["index"], _arrays_known(exploded, arrays))] = b
    return updated


def _scattered(exploded: _Exploded, source: Instruction, abstract: Abstract, placed: list[tuple[Slots, Slots]]) -> Any:
    """NOTHING with the entries of each piece added up at their places, numbered in C order."""
    terms: dict[int, list[int]] = {}
    for targets, piece in placed:
        entries = np.broadcast_to(piece, targets.shape).ravel().tolist()
        for target, slot in zip(targets.ravel().tolist(), entries, strict=True):
            terms.setdefault(target, []).append(slot)
    result = np.full(abstract.size, NOTHING, dtype=np.intp)
    for target, slots in terms.items():
        result[target] = exploded.total(slots, source)
    return result.reshape(abstract.shape)


def _scatter_add(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    w, *arrays = operands
    places = np.arange(abstract.size).reshape(abstract.shape)
    index = fill_index(source.parameters["index"], _arrays_known(exploded, arrays))
    return _scattered(exploded, source, abstract, [(np.asarray(places[index]), w)])


def _scatter_sum(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    places = np.arange(abstract.size).reshape(abstract.shape)
    indices = source.parameters["indices"]
    placed = [(np.asarray(places[index]), w) for index, w in zip(indices, operands, strict=True)]
    return _scattered(exploded, source, abstract, placed)


def _sum(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    (x,), axis = operands, source.parameters["axis"]
    return np.array([exploded.total(column, source) for column in _columns(x, axis)]).reshape(abstract.shape)


def _columns(x: Slots, axis: tuple[int, ...]) -> list[list[int]]:
    """The entries that each entry of a reduction is made of."""
    kept = [i for i in range(x.ndim) if i not in axis]
    rows, length = (math.prod(x.shape[i] for i in axes) for axes in (kept, axis))
    columns: list[list[int]] = np.transpose(x, (*kept, *axis)).reshape(rows, length).tolist()
    return columns


def _extreme(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    (x,), axis = map(exploded.filled, operands), source.parameters["axis"]
    assert source.primitive is not None
    name = {"max": "maximum", "min": "minimum"}[source.primitive.name]
    best = [functools.reduce(lambda a, b: exploded.pair(name, a, b, source), column) for column in _columns(x, axis)]
    return np.array(best).reshape(abstract.shape)


def _matmul(exploded: _Exploded, source: Instruction, operands: list[Slots], abstract: Abstract) -> Any:
    a, b = map(exploded.filled, operands)
    batch = abstract.shape[:-2]
    a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:]))
    result = np.empty(abstract.shape, dtype=np.intp)
    for place in itertools.product(*map(range, abstract.shape)):
        row, column = a[place[:-1]], np.moveaxis(b, -1, -2)[(*place[:-2], place[-1])]
        products = [exploded.pair("multiply", p, q, source) for p, q in zip(row.tolist(), column.tolist(), strict=True)]
        result[place] = exploded.total(products, source)
    return result


_Move = Callable[[_Exploded, Instruction, list[Slots], Abstract], Any]
_MOVES: dict[str, _Move] = {
    "getitem": _getitem,
    "index_update": _index_update,
    "scatter_add": _scatter_add,
    "scatter_sum": _scatter_sum,
    "sum": _sum,
    "max": _extreme,
    "min": _extreme,
    "matmul": _matmul,
    "reshape": lambda exploded, source, operands, abstract: operands[0].reshape(abstract.shape),
    "broadcast_to": lambda exploded, source, operands, abstract: np.broadcast_to(operands[0], abstract.shape),
    "transpose": lambda exploded, source, operands, abstract: np.transpose(operands[0], source.parameters["axes"]),
    "concatenate": lambda exploded, source, operands, abstract: np.concatenate(operands, source.parameters["axis"]),
    "stack": lambda exploded, source, operands, abstract: np.array(operands),
    "astype": lambda exploded, source, operands, abstract: operands[0],
}
"""What becomes of the slots of arrays whose entries are moved, added up or multiplied."""
