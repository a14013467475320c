"""What each slot of a Program is to a kernel: a number, an array in memory, an expression, a view, a library call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.execution import needed_slots
from adcli_methods.kernels import maps
from adcli_methods.kernels.c_expressions import C_TYPES, FLOATS, compute_type
from adcli_methods.kernels.maps import Map, Range
from adcli_methods.program import Instruction, Program
from adcli_methods.shapes import Abstract

MOST_PIECES = 4
"""Arrays of more pieces than this are put together by the library."""
_NUMBERS = (*FLOATS, "bool")  # Python's whole numbers have no end, so they stay with Python


class Kind(Enum):
    """What a slot is."""

    LITERAL = auto()  # a known number, or an array of one number
    GIVEN = auto()  # an input or a constant
    LIBRARY = auto()  # computed by NumPy or SciPy
    ELEMENTWISE = auto()  # an expression of its operands at the same place
    VIEW = auto()  # its operand, read elsewhere
    ALIAS = auto()  # its operand's memory under another shape
    PIECES = auto()  # operands in their places, on zeros or on another operand
    REDUCTION = auto()  # a sum, maximum or minimum over axes
    STACK = auto()  # numbers, one after another


class Piece(NamedTuple):
    """An operand in its place.

    Arguments:
        operand: its slot.
        find: from a map to the map into it and the ranges where it is.
        manner: whether it starts where the array starts ("same") or elsewhere ("shift").
    """

    operand: int
    find: Callable[[Map], tuple[Map, tuple[Range, ...]]]
    manner: str


class Node(NamedTuple):
    """A slot as a kernel sees it.

    Arguments:
        kind: what it is.
        abstract: its shape and type.
        instruction: what makes it.
        compute: the type that an ELEMENTWISE computes in.
        number: of a LITERAL.
        move: of a VIEW, from the map of the view to that of its operand.
        manner: of a VIEW: its operand is read at the same place ("same"), elsewhere ("shift") or often ("repeat").
        pieces: of PIECES.
        base: of PIECES, the operand that shows where no piece is; None for zeros.
        axes: of a REDUCTION, those that vanish.
    """

    kind: Kind
    abstract: Abstract
    instruction: Instruction
    compute: str = ""
    number: float = 0.0
    move: Callable[[Map], Map] | None = None
    manner: str = "same"
    pieces: tuple[Piece, ...] = ()
    base: int | None = None
    axes: tuple[int, ...] = ()

    @property
    def scalar(self) -> bool:
        """Whether it is a number."""
        return self.abstract.shape == ()

    @property
    def virtual(self) -> bool:
        """Whether it is an array that need not be in memory."""
        return self.kind in (Kind.ELEMENTWISE, Kind.VIEW, Kind.PIECES) and not self.scalar

    @property
    def name(self) -> str:
        """The primitive's name; empty for an input or a constant."""
        return "" if self.instruction.primitive is None else self.instruction.primitive.name


def nodes_of(program: Program, abstracts: Sequence[Abstract]) -> list[Node | None]:
    """The Node of each slot that an output needs."""
    needed = needed_slots(program)
    return [
        _node(slot, instruction, program, abstracts) if needed[slot] or slot in program.inputs else None
        for slot, instruction in enumerate(program.instructions)
    ]


def _node(slot: int, instruction: Instruction, program: Program, abstracts: Sequence[Abstract]) -> Node:
    abstract, primitive = abstracts[slot], instruction.primitive
    if primitive is None:
        number = _only_number(program.constants[slot]) if slot in program.constants else None
        if number is not None and abstract.dtype in C_TYPES:
            return Node(Kind.LITERAL, abstract, instruction, number=number)
        return Node(Kind.GIVEN, abstract, instruction)
    operands = [abstracts[operand] for operand in instruction.operands]
    known = abstract.dtype in C_TYPES and all(operand.dtype in C_TYPES for operand in operands)
    if (
        known
        and (primitive.elementwise or primitive.name == "astype")
        and (abstract.shape or abstract.dtype in _NUMBERS)
    ):
        compute = compute_type(instruction, operands, abstract)
        if compute is not None:
            return Node(Kind.ELEMENTWISE, abstract, instruction, compute=compute)
    make = _MAKERS.get(primitive.name) if known else None
    made = make(instruction, operands, abstract) if make is not None else None
    return made if made is not None else Node(Kind.LIBRARY, abstract, instruction)


def _only_number(value: Any) -> float | None:
    """The number that all entries are; None where they differ."""
    array = np.asarray(value)
    if array.size == 0 or array.dtype.kind not in "fbi":
        return None
    first = array.ravel()[:1]
    same = array.ndim == 0 or bool((array == first).all() and (first[0] != 0 or not np.signbit(array * 1.0).any()))
    return first[0].item() if same else None


def _getitem(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    parts = maps.parts_of(instruction.parameters["index"], operands[0].shape) if len(operands) == 1 else None
    if parts is None:
        return None
    whole = all(part.length == n and part.start == 0 for part, n in zip(parts, operands[0].shape, strict=True))
    manner = "same" if whole else "shift"
    return Node(Kind.VIEW, abstract, instruction, move=lambda place: maps.slice_map(place, parts), manner=manner)


def _transpose(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node:
    axes = instruction.parameters["axes"]
    back = [axes.index(axis) for axis in range(len(axes))]
    return Node(
        Kind.VIEW, abstract, instruction, move=lambda place: tuple(place[axis] for axis in back), manner="shift"
    )


def _broadcast_to(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node:
    shape = operands[0].shape
    manner = "same" if operands[0].size == abstract.size else "repeat"
    return Node(Kind.VIEW, abstract, instruction, move=lambda p: maps.operand_map(p, shape), manner=manner)


def _reshape(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    shape = operands[0].shape
    if maps.same_entries(shape, abstract.shape):
        return Node(Kind.VIEW, abstract, instruction, move=lambda place: maps.regrouped_map(place, shape))
    return Node(Kind.ALIAS, abstract, instruction) if abstract.size else None


def _piece(operand: int, index: tuple[Any, ...], shape: maps.Shape, piece: Abstract) -> Piece | None:
    parts = maps.parts_of(index, shape)
    if parts is None or any(abs(part.step) != 1 for part in parts):
        return None
    of_slice = _shape_of_slice(parts, index)

    def find(place: Map) -> tuple[Map, tuple[Range, ...]]:
        inner, ranges = maps.piece_map(place, parts, of_slice)
        return maps.operand_map(inner, piece.shape), ranges

    manner = "same" if all(part.start == 0 and part.step == 1 for part in parts) else "shift"
    return Piece(operand, find, manner) if len(of_slice) >= len(piece.shape) else None


def _shape_of_slice(parts: Sequence[maps.Part], index: tuple[Any, ...]) -> maps.Shape:
    axes = {part.target: part.length for part in parts if part.target is not None}
    count = len(axes) + sum(item is None for item in index)
    return tuple(axes.get(target, 1) for target in range(count))


def _pieces(
    instruction: Instruction, abstract: Abstract, given: Sequence[Piece | None], base: int | None = None
) -> Node | None:
    pieces = [piece for piece in given if piece is not None]
    if len(pieces) < len(given) or len(pieces) > MOST_PIECES or not abstract.shape:
        return None
    return Node(Kind.PIECES, abstract, instruction, pieces=tuple(pieces), base=base)


def _scatter_add(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    if len(operands) > 1:
        return None
    piece = _piece(instruction.operands[0], instruction.parameters["index"], abstract.shape, operands[0])
    return _pieces(instruction, abstract, [piece])


def _scatter_sum(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    indices = instruction.parameters["indices"]
    if len(indices) > MOST_PIECES:
        return None
    given = zip(instruction.operands, indices, operands, strict=True)
    return _pieces(instruction, abstract, [_piece(slot, index, abstract.shape, piece) for slot, index, piece in given])


def _index_update(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    if len(operands) > 2 or operands[0].dtype != abstract.dtype or operands[0].shape != abstract.shape:
        return None
    base, slot = instruction.operands
    piece = _piece(slot, instruction.parameters["index"], abstract.shape, operands[1])
    return _pieces(instruction, abstract, [piece], base)


def _concatenate(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    axis, start, given = instruction.parameters["axis"], 0, []
    if len(operands) > MOST_PIECES:
        return None
    for slot, operand in zip(instruction.operands, operands, strict=True):
        stop = start + operand.shape[axis]
        index = (slice(None),) * axis + (slice(start, stop),)
        if stop > start:
            given.append(_piece(slot, index, abstract.shape, operand))
        start = stop
    return _pieces(instruction, abstract, given)


def _stack(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    if not operands[0].shape:
        return Node(Kind.STACK, abstract, instruction)
    if len(operands) > MOST_PIECES:
        return None
    given = zip(instruction.operands, operands, strict=True)
    return _pieces(instruction, abstract, [_piece(s, (i,), abstract.shape, o) for i, (s, o) in enumerate(given)])


def _reduction(instruction: Instruction, operands: Sequence[Abstract], abstract: Abstract) -> Node | None:
    name, x = instruction.primitive.name if instruction.primitive else "", operands[0]
    if x.dtype not in FLOATS or x.dtype != abstract.dtype or (name != "sum" and not x.size) or not x.shape:
        return None
    axes = instruction.parameters["axis"]
    if not axes or any(axis < 0 for axis in axes):
        return None
    return Node(Kind.REDUCTION, abstract, instruction, axes=tuple(axes))


_MAKERS: dict[str, Callable[[Instruction, Sequence[Abstract], Abstract], Node | None]] = {
    "getitem": _getitem,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "reshape": _reshape,
    "scatter_add": _scatter_add,
    "scatter_sum": _scatter_sum,
    "index_update": _index_update,
    "concatenate": _concatenate,
    "stack": _stack,
    "sum": _reduction,
    "max": _reduction,
    "min": _reduction,
}
