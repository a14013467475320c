"""Where the values inside a loop come from: expressions, followed to what is loaded or computed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from adcli_methods.kernels.maps import Map, Range, operand_map
from adcli_methods.kernels.nodes import Kind, Node
from adcli_methods.kernels.plan import Plan

Key = tuple[int, Map]
"""A slot, read at a place."""


class Source(NamedTuple):
    """Where a value comes from.

    Arguments:
        what: "zero", "literal", "number", "load", "operation", "sum" (of pieces), or "choice": pieces, each where its
            ranges hold, and elsewhere the operand after them, or zero.
        slot: what is loaded or computed.
        place: where.
        operands: what an operation, a sum or a choice takes.
        ranges: of a choice, those of each piece.
    """

    what: str
    slot: int
    place: Map
    operands: tuple[Key, ...] = ()
    ranges: tuple[tuple[Range, ...], ...] = ()


Decide = Callable[[Range], bool | None]
"""Whether a range holds all through the region that is written (True), nowhere (False), or in parts of it (None)."""


class Sources:
    """The sources of the expressions of one phase.

    Arguments:
        plan: the plan.
        phase: when they are computed.
        decide: says of each range whether it holds here.

    `here` has the numbers that are computed here; all other ones are known.
    """

    def __init__(self, plan: Plan, phase: int, decide: Decide) -> None:
        self.plan, self.phase, self.decide = plan, phase, decide
        self.here: set[int] = set()
        self._found: dict[Key, Source] = {}

    def order(self, goal: Key, known: Container[Key]) -> Iterator[tuple[Key, Source]]:
        """What a value needs and is not yet known, operands first; each must be known when the next is asked for."""
        stack = [goal]
        while stack:
            key = stack[-1]
            if key in known:
                stack.pop()
                continue
            source = self._source(key)
            waiting = [operand for operand in source.operands if operand not in known]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                stack.pop()
                yield key, source

    def _source(self, key: Key) -> Source:
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(self, slot: int, place: Map) -> Source:
        """Follow views and pieces to what is loaded or computed."""
        while True:
            node = self.plan.node(slot)
            if node.kind is Kind.LITERAL:
                return Source("literal", slot, place)
            if node.scalar and slot not in self.here:
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
        """The only piece that is here, or the choice among those that are in a part of the region."""
        base = None if node.base is None else (node.base, place)
        active = list(self._active(node, place))
        operands = tuple(key for key, _ in active)
        if any(ranges for _, ranges in active):
            given = operands if base is None else (*operands, base)
            return Source("choice", slot, place, given, tuple(ranges for _, ranges in active))
        if not active:
            return base or Source("zero", slot, place)
        if len(active) == 1 and self.plan.node(operands[0][0]).abstract.dtype == node.abstract.dtype:
            return operands[0]
        return Source("sum", slot, place, operands)

    def _active(self, node: Node, place: Map) -> Iterator[tuple[Key, tuple[Range, ...]]]:
        """The pieces that are here or in a part of the region, with the ranges that are not decided."""
        for piece in node.pieces:
            inner, ranges = piece.find(place)
            decided = [self.decide(condition) for condition in ranges]
            if False not in decided:
                open_ranges = [r for r, holds in zip(ranges, decided, strict=True) if holds is None]
                yield (piece.operand, inner), tuple(open_ranges)
