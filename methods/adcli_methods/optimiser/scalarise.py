"""A pass for Programs on small arrays: every entry becomes a number of its own, and what moves entries disappears."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adcli_methods.entrywise import Entrywise, NotEntrywiseError, Slots
from adcli_methods.optimiser.rewrite import Draft
from adcli_methods.primitive import Primitive, Value
from adcli_methods.program import Guard, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped

_NUMBERS = {"float64", "bool", "int64"}


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
    if any(abstracts[guard.slot].shape for guard in program.guards):
        return None
    numbers = _Numbers(most_operations)
    try:
        numbers.take_apart(given)
    except NotEntrywiseError:
        return None
    draft, places = numbers.draft, numbers.places
    outputs = [slot for output in program.outputs for slot in numbers.filled(np.ravel(places[output])).tolist()]
    guards = [Guard(int(numbers.filled(np.asarray(places[slot]))), outcome) for slot, outcome in program.guards]
    made = Program(draft.instructions, numbers.inputs, draft.constants, outputs, guards)
    return Scalars(Shaped(made, tuple(draft.abstracts)), ins, outs)


class _Numbers(Entrywise):
    """The Draft of single entries."""

    def __init__(self, most_operations: int) -> None:
        super().__init__(most_operations)
        self.draft = Draft()
        self.inputs: list[int] = []
        self._constants: dict[Any, int] = {}

    def input(self, abstract: Abstract) -> Slots:
        kind = Abstract((), abstract.dtype)
        slots = [self.draft.input(kind) for _ in range(abstract.size)]
        self.inputs += slots
        return np.array(slots, dtype=np.intp)

    def constant(self, value: Value) -> Slots:
        return np.array([self._constant(entry) for entry in np.ravel(value).tolist()], dtype=np.intp)

    def _constant(self, value: Any) -> int:
        key = (type(value), repr(value))
        if key not in self._constants:
            self._constants[key] = self.draft.constant(value)
        return self._constants[key]

    def number(self, slot: int, instruction: Instruction, operands: list[int], abstract: Abstract) -> int:
        return self.draft.operation(
            instruction.primitive, tuple(operands), instruction.parameters, abstract, instruction
        )

    def apply(self, primitive: Primitive, operands: list[Slots], source: Instruction) -> Slots:
        operation, kind = self.draft.operation, Abstract((), self.dtype)
        parameters = source.parameters if source.primitive is primitive else {}
        entries = zip(*[slots.tolist() for slots in operands], strict=True)
        return np.array([operation(primitive, slots, parameters, kind, source) for slots in entries], dtype=np.intp)

    def known(self, slot: int) -> Any:
        return self.draft.constants.get(slot)

    def done(self, slot: int, instruction: Instruction) -> None:
        """Numbers are never taken again."""
