"""The statements inside a loop: expressions of a Program at one place of it, each written once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Protocol

from adcli_methods.kernels.maps import Map, Range
from adcli_methods.kernels.nodes import Kind, Node
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.sources import Decide, Key, Source, Sources


class Dialect(Protocol):
    """How a language writes values; `kind` is always a NumPy type's name."""

    def literal(self, value: float, kind: str) -> str:
        """A number."""

    def cast(self, name: str, kind: str) -> str:
        """A value in another type."""

    def truth(self, name: str, kind: str) -> str:
        """What decides whether a value of this type is not 0."""

    def operation(self, name: str, operands: Sequence[str], kind: str, exponent: float | None) -> str:
        """An elementwise operation in a type; a power by a known number has that as exponent."""

    def definition(self, name: str, kind: str, text: str) -> str:
        """The statement that gives an expression a name."""


def _never(condition: Range) -> str:
    raise AssertionError(f"{condition} is decided everywhere in the region")


class Body:
    """Writes expressions of one phase.

    Arguments:
        plan: the plan.
        phase: when they are computed.
        decide: says of each range whether it holds here.
        load: the text that reads an array in memory at a place.
        dialect: the language.
        test: the text that is true where a range holds; needed where `decide` leaves one open.
        tag: tells its names from those of another Body in the same block.
    """

    def __init__(
        self,
        plan: Plan,
        phase: int,
        decide: Decide,
        load: Callable[[int, Map], str],
        dialect: Dialect,
        *,
        test: Callable[[Range], str] = _never,
        tag: str = "",
    ) -> None:
        self.plan, self.dialect, self.tag = plan, dialect, tag
        self.load, self.test = load, test
        self.lines: list[str] = []
        self.names: dict[Key, str] = {}
        self._sources = Sources(plan, phase, decide)

    def number(self, slot: int) -> None:
        """Add the statements that compute a number, which others refer to by its name, to `lines`."""
        self._sources.here = {slot}
        value = self.value(slot, ())
        if value != f"s{slot}":
            self.lines.append(self.dialect.definition(f"s{slot}", self.plan.node(slot).abstract.dtype, value))

    def value(self, slot: int, place: Map) -> str:
        """The name (or the text) of a value read at a place; statements that compute it are added to `lines`."""
        for key, source in self._sources.order((slot, place), self.names):
            self.names[key] = self._name(key, source)
        return self.names[slot, place]

    def _name(self, key: Key, source: Source) -> str:
        slot = source.slot
        node = self.plan.node(slot)
        kind = node.abstract.dtype
        if source.what == "literal":
            return self.dialect.literal(node.number, kind)
        if source.what == "zero":
            return self.dialect.literal(0, kind)
        if source.what == "number":
            return f"s{slot}"
        if (slot, source.place) != key and (slot, source.place) in self.names:
            return self.names[slot, source.place]
        text = self._text(node, source)
        number = slot in self._sources.here and source.what == "operation"
        name = f"s{slot}" if number else f"v{slot}_{self.tag}{len(self.names)}"
        self.lines.append(self.dialect.definition(name, kind, text))
        self.names[slot, source.place] = name
        return name

    def _text(self, node: Node, source: Source) -> str:
        kind = node.abstract.dtype
        if source.what == "load":
            return self.load(source.slot, source.place)
        operands = [self._operand(key, node.compute or kind) for key in source.operands]
        if source.what == "sum":
            return " + ".join(operands)
        if source.what == "choice":
            return self._choice(operands, source.ranges, kind)
        name = node.name
        exponent = None
        if name == "where":
            first = source.operands[0]
            operands[0] = self.dialect.truth(self.names[first], self.plan.node(first[0]).abstract.dtype)
        elif name == "power":
            known = self.plan.node(source.operands[1][0])
            exponent = float(known.number) if known.kind is Kind.LITERAL else None
        return self.dialect.operation(name, operands, node.compute, exponent)

    def _choice(self, operands: Sequence[str], ranges: Sequence[tuple[Range, ...]], kind: str) -> str:
        """Each piece where its ranges hold: one of them, or where they overlap their sum."""
        zero = self.dialect.literal(0, kind)
        pieces, base = operands[: len(ranges)], (*operands, zero)[len(ranges)]
        if all(_apart(first, second) for first, second in combinations(ranges, 2)):
            for piece, conditions in zip(reversed(pieces), reversed(ranges), strict=True):
                base = self._where(piece, conditions, base, kind)
            return base
        return " + ".join(self._where(p, conditions, zero, kind) for p, conditions in zip(pieces, ranges, strict=True))

    def _where(self, piece: str, conditions: Sequence[Range], other: str, kind: str) -> str:
        if not conditions:
            return piece
        test = " & ".join(self.test(condition) for condition in conditions)
        return self.dialect.operation("where", [test, piece, other], kind, None)

    def _operand(self, key: Key, kind: str) -> str:
        given = self.plan.node(key[0])
        if given.kind is Kind.LITERAL:
            return self.dialect.literal(given.number, kind)
        name = self.names[key]
        return name if given.abstract.dtype == kind else self.dialect.cast(name, kind)


def _apart(first: Sequence[Range], second: Sequence[Range]) -> bool:
    """Whether two boxes do not overlap."""
    return any(a.axis == b.axis and (a.high <= b.low or b.high <= a.low) for a in first for b in second)


def affine(place: Map, strides: Sequence[int]) -> tuple[dict[int, int], int]:
    """An address in entries: the step of each loop, and the offset."""
    steps: dict[int, int] = {}
    offset = 0
    for axis, stride in zip(place, strides, strict=True):
        offset += axis.offset * stride
        if axis.loop >= 0:
            steps[axis.loop] = steps.get(axis.loop, 0) + axis.step * stride
    return steps, offset
