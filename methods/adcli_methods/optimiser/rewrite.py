"""The walk that every pass shares: a Program written anew, each instruction kept, changed or done without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.program import GIVEN, Guard, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped, abstract_of


class Draft:
    """A Program being written, and what is known of its slots."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.abstracts: list[Abstract] = []
        self.constants: dict[int, Value] = {}

    def input(self, abstract: Abstract) -> int:
        """A new input's slot."""
        self.instructions.append(GIVEN)
        self.abstracts.append(abstract)
        return len(self.instructions) - 1

    def constant(self, value: Value) -> int:
        """A new constant's slot."""
        slot = self.input(abstract_of(value))
        self.constants[slot] = value
        return slot

    def append(self, instruction: Instruction, operands: Sequence[int], abstract: Abstract) -> int:
        """An instruction taken over, on the Draft's own slots."""
        return self.operation(instruction.primitive, operands, instruction.parameters, abstract, instruction)

    def operation(
        self,
        primitive: Primitive | None,
        operands: Sequence[int],
        parameters: dict[str, Any],
        abstract: Abstract,
        source: Instruction,
    ) -> int:
        """A new operation's slot; it bears the user's line of `source`."""
        self.instructions.append(Instruction(primitive, tuple(operands), parameters, source.mark))
        self.abstracts.append(abstract)
        return len(self.instructions) - 1

    def made_by(self, slot: int, name: str) -> Instruction | None:
        """The instruction of a slot if it is this primitive."""
        instruction = self.instructions[slot]
        return instruction if instruction.primitive is not None and instruction.primitive.name == name else None

    def number(self, slot: int) -> float | None:
        """The value of a slot that holds one constant number; an array of one repeated number counts."""
        value = self.constants.get(slot)
        if value is None:
            spread = self.made_by(slot, "broadcast_to")
            return self.number(spread.operands[0]) if spread is not None else None
        if isinstance(value, (float, int, np.number)) and not isinstance(value, bool):
            return float(value)
        return None


Visit = Callable[[Draft, Instruction, tuple[int, ...], Abstract], int]
"""From an instruction, the Draft's slots of its operands, and its Abstract, to the slot of its value."""


def rewrite(given: Shaped, visit: Visit) -> Shaped:
    """The Program with each operation as `visit` answers it; inputs, constants, outputs and guards are kept."""
    program, draft = given.program, Draft()
    place: list[int] = []
    for slot, instruction in enumerate(program.instructions):
        if instruction.primitive is not None:
            operands = tuple(place[operand] for operand in instruction.operands)
            place.append(visit(draft, instruction, operands, given.abstracts[slot]))
        elif slot in program.constants:
            place.append(draft.constant(program.constants[slot]))
        else:
            place.append(draft.input(given.abstracts[slot]))
    outputs = [place[slot] for slot in program.outputs]
    guards = [Guard(place[guard.slot], guard.outcome) for guard in program.guards]
    made = Program(draft.instructions, program.inputs, draft.constants, outputs, guards)
    return Shaped(made, tuple(draft.abstracts))


def drop_dead(given: Shaped) -> Shaped:
    """Without the operations and constants that no output and no guard needs."""
    program = given.program
    needed = [False] * len(program.instructions)
    for slot in (*program.outputs, *program.inputs, *(guard.slot for guard in program.guards)):
        needed[slot] = True
    for slot in range(len(needed) - 1, -1, -1):
        if needed[slot]:
            for operand in program.instructions[slot].operands:
                needed[operand] = True
    kept = [slot for slot, is_needed in enumerate(needed) if is_needed]
    place = {slot: position for position, slot in enumerate(kept)}
    instructions = [_renumbered(program.instructions[slot], place) for slot in kept]
    made = Program(
        instructions,
        [place[slot] for slot in program.inputs],
        {place[slot]: value for slot, value in program.constants.items() if needed[slot]},
        [place[slot] for slot in program.outputs],
        [Guard(place[guard.slot], guard.outcome) for guard in program.guards],
    )
    return Shaped(made, tuple(given.abstracts[slot] for slot in kept))


def _renumbered(instruction: Instruction, place: dict[int, int]) -> Instruction:
    if instruction.primitive is None:
        return instruction
    operands = tuple(place[operand] for operand in instruction.operands)
    return Instruction(instruction.primitive, operands, instruction.parameters, instruction.mark)
