"""The paths by which a derivative comes down through a Program: its additive terms, and the factors of its products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods.checking.subject import Array
from adcli_methods.checking.tracing import Tracing, joined
from adcli_methods.pieces import Pieces, added
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.structural import sum_to
from adcli_methods.program import Instruction, Location
from adcli_methods.sweeps import contributions, pull, seeded

MOST_WORK = 3_000_000
MOST_TERMS = 400
_ADDITIVE = ("add", "subtract", "sum", "concatenate", "stack", "negative", "reshape")

Key = tuple[Any, ...]


@dataclass
class Term:
    """What one operand of an operation of the user's contributes, in all runs of its line together.

    Arguments:
        instruction: the operation.
        position: of the operand.
        operands: the operand's slots.
        parts: the adjoint that comes down to each of them here.
        plain: the same with this operation's own derivative left out (taken as 1).
    """

    instruction: Instruction
    position: int
    operands: list[int]
    parts: list[Value]
    plain: list[Value]

    @property
    def is_additive(self) -> bool:
        """Whether the operation only adds up its operands."""
        return self.instruction.primitive is not None and self.instruction.primitive.name in _ADDITIVE

    @property
    def location(self) -> Location | None:
        """The user's line."""
        return self.instruction.location


class _Kept(list[Any]):
    """Adjoints that are remembered when the sweep drops them."""

    def __init__(self, adjoints: list[Any]) -> None:
        super().__init__(adjoints)
        self.dropped: dict[int, Value] = {}

    def __setitem__(self, index: Any, value: Any) -> None:
        if value is None:
            self.dropped[index] = self[index]
        super().__setitem__(index, value)


def terms_of(tracing: Tracing, u: Array) -> dict[Key, Term]:
    """Every operand's contribution to u^T J, nearest to the output first; contributions of one line are one term."""
    trace = tracing.trace
    adjoints = _Kept(seeded(trace, tracing.slots, tracing.cotangents(u)))
    terms: dict[Key, Term] = {}
    counts: dict[int, int] = {}
    for slot, operand, part in contributions(trace, trace.values, adjoints):
        adjoints[operand] = added(adjoints[operand], part)
        if type(part) is Pieces:
            continue  # a read of an array is no term
        instruction = trace.instructions[slot]
        position = counts[slot] = counts.get(slot, -1) + 1
        assert instruction.primitive is not None
        key = (instruction.mark or slot, instruction.primitive.name, position)
        plain = adjoints.dropped.get(slot) if instruction.primitive.elementwise else None
        plain = plain.total(trace.values[slot]) if type(plain) is Pieces else plain
        term = terms.setdefault(key, Term(instruction, position, [], [], []))
        term.operands.append(operand)
        term.parts.append(part)
        term.plain.append(_shaped(plain, trace.values[operand]))
    return terms


def _shaped(cotangent: Value, value: Value) -> Value:
    try:
        return sum_to(cotangent, shape_of(value)) if shape_of(cotangent) != shape_of(value) else cotangent
    except Exception:  # an operation that changes the shape has no such reading
        return None


def term_candidates(tracing: Tracing, terms: dict[Key, Term]) -> Iterator[Key]:
    """The terms worth a sweep each: additive ones first, and no more than time allows."""
    most = min(MOST_TERMS, max(10, MOST_WORK // max(1, len(tracing.trace.values))))
    keys = sorted(terms, key=lambda key: not terms[key].is_additive)  # stable: nearest to the output first
    yield from keys[:most]


def contribution(tracing: Tracing, term: Term, plain: bool = False) -> Array | None:
    """A term's part of u^T J, with or without its operation's own derivative; None where it has no such reading."""
    parts = term.plain if plain else term.parts
    if any(part is None for part in parts):
        return None
    try:
        with np.errstate(all="ignore"):
            return joined(pull(tracing.trace, term.operands, parts))
    except Exception:  # a cotangent of another shape
        return None
