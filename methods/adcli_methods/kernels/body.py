"""The statements inside a loop: expressions of a Program at one place of it, each written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from adcli_methods.kernels.c_expressions import C_TYPES, expression, literal
from adcli_methods.kernels.maps import Map, Range, operand_map
from adcli_methods.kernels.nodes import Kind, Node, Piece
from adcli_methods.kernels.plan import Plan

Key = tuple[int, Map]
"""A slot, read at a place."""


class Source(NamedTuple):
    """Where a value comes from: "zero", "literal", "number", "load", "operation" or "sum" (of pieces)."""

    what: str
    slot: int
    place: Map
    operands: tuple[Key, ...] = ()


Decide = Callable[[Range], bool]
"""Whether a range holds all through the region that is written."""


class Body:
    """Writes expressions of one phase.

    Arguments:
        plan: the plan.
        phase: when they are computed.
        decide: says of each range whether it holds here.
        load: the C text that reads an array in memory at a place.
        strict: as of `compile_program`.
        everywhere: follow all pieces, wherever they are, to find out what there is.
        tag: tells its names from those of another Body in the same block.
    """

    def __init__(
        self,
        plan: Plan,
        phase: int,
        decide: Decide,
        load: Callable[[int, Map], str],
        *,
        strict: bool = False,
        everywhere: bool = False,
        tag: str = "",
    ) -> None:
        self.plan, self.phase, self.strict, self.everywhere = plan, phase, strict, everywhere
        self.tag = tag
        self.decide, self.load = decide, load
        self.lines: list[str] = []
        self.operations = 0
        self.names: dict[Key, str] = {}
        self._sources: dict[Key, Source] = {}
        self._numbers_computed_here: set[int] = set()

    def value(self, slot: int, place: Map, *, here: bool = False) -> str:
        """The name (or the number) of a value; statements that compute it are added to `lines`.

        Arguments:
            slot: whose value.
            place: where it is read.
            here: compute a number that other statements refer to by its name.
        """
        if here:
            self._numbers_computed_here = {slot}
        goal = (slot, place)
        stack = [goal]
        while stack:
            key = stack[-1]
            if key in self.names:
                stack.pop()
                continue
            source = self._source(key)
            waiting = [operand for operand in source.operands if operand not in self.names]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                self.names[key] = self._name(key, source)
                stack.pop()
        return self.names[goal]

    def _source(self, key: Key) -> Source:
        if key not in self._sources:
            self._sources[key] = self._find(*key)
        return self._sources[key]

    def _find(self, slot: int, place: Map) -> Source:
        """Follow views and pieces to what is loaded or computed."""
        while True:
            node = self.plan.node(slot)
            if node.kind is Kind.LITERAL:
                return Source("literal", slot, place)
            if node.scalar and slot not in self._numbers_computed_here:
                return Source("number", slot, place)
            if not node.scalar and self.plan.in_memory(slot, self.phase):
                return Source("load", slot, place)
            if node.kind is Kind.VIEW and node.move is not None:
                slot, place = node.instruction.operands[0], node.move(place)
            elif node.kind is Kind.PIECES:
                found = self._piece(slot, node, place)
                if isinstance(found, Source):
                    return found
                slot, place = found
            else:
                operands = [
                    (o, operand_map(place, self.plan.node(o).abstract.shape)) for o in node.instruction.operands
                ]
                return Source("operation", slot, place, tuple(operands))

    def _piece(self, slot: int, node: Node, place: Map) -> Source | Key:
        if self.everywhere:
            return Source("sum", slot, place, tuple(self._all_pieces(node, place)))
        active = [(piece, inner) for piece in node.pieces if (inner := self._inside(piece, place)) is not None]
        if not active:
            return (node.base, place) if node.base is not None else Source("zero", slot, place)
        kinds = {self.plan.node(piece.operand).abstract.dtype for piece, _ in active}
        if len(active) == 1 and kinds == {node.abstract.dtype}:
            return active[0][0].operand, active[0][1]
        return Source("sum", slot, place, tuple((piece.operand, inner) for piece, inner in active))

    def _all_pieces(self, node: Node, place: Map) -> Iterator[Key]:
        for piece in node.pieces:
            inner, ranges = piece.find(place)
            for condition in ranges:
                self.decide(condition)
            yield piece.operand, inner
        if node.base is not None:
            yield node.base, place

    def _inside(self, piece: Piece, place: Map) -> Map | None:
        inner, ranges = piece.find(place)
        return inner if all(self.decide(condition) for condition in ranges) else None

    def _name(self, key: Key, source: Source) -> str:
        slot = source.slot
        node = self.plan.node(slot)
        kind = node.abstract.dtype
        if source.what == "literal":
            return literal(node.number, kind)
        if source.what == "zero":
            return literal(0, kind)
        if source.what == "number":
            return f"s{slot}"
        if (slot, source.place) != key and (slot, source.place) in self.names:
            return self.names[slot, source.place]
        text = self._text(node, source)
        number = slot in self._numbers_computed_here and source.what == "operation"
        name = f"s{slot}" if number else f"v{slot}_{self.tag}{len(self.names)}"
        self.lines.append(f"const {local_type(kind)} {name} = {text};")
        self.names[slot, source.place] = name
        return name

    def _text(self, node: Node, source: Source) -> str:
        kind = node.abstract.dtype
        if source.what == "load":
            return self.load(source.slot, source.place)
        operands = [self._operand(key, node.compute or kind) for key in source.operands]
        self.operations += 1
        if source.what == "sum":
            return " + ".join(operands)
        name = node.name
        exponent = None
        if name == "where":
            operands[0] = self.names[source.operands[0]]
        elif name == "power":
            known = self.plan.node(source.operands[1][0])
            exponent = float(known.number) if known.kind is Kind.LITERAL else None
        return expression(name, operands, node.compute, exponent, self.strict)

    def _operand(self, key: Key, kind: str) -> str:
        given = self.plan.node(key[0])
        if given.kind is Kind.LITERAL:
            return literal(given.number, kind)
        name = self.names[key]
        return name if given.abstract.dtype == kind else f"({C_TYPES[kind]}){name}"


def local_type(kind: str) -> str:
    """The C type of a local value; truth values are _Bool, which compilers turn into masks."""
    return "_Bool" if kind == "bool" else C_TYPES[kind]


def affine(place: Map, strides: Sequence[int]) -> tuple[dict[int, int], int]:
    """An address in entries: the step of each loop, and the offset."""
    steps: dict[int, int] = {}
    offset = 0
    for axis, stride in zip(place, strides, strict=True):
        offset += axis.offset * stride
        if axis.loop >= 0:
            steps[axis.loop] = steps.get(axis.loop, 0) + axis.step * stride
    return steps, offset
