"""The walk that the passes share: a Program written anew, each operation kept, changed or done without."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.program import GIVEN, Guard, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped, abstract_of

_LARGEST_KEY_BYTES = 1 << 12


class Draft:
    """A Program being written, and what is known of its slots.

    Arguments:
        sharing: whether an operation with the operands of an earlier one takes that one's slot, and equal constants
            one slot.
    """

    def __init__(self, sharing: bool = False) -> None:
        self.instructions: list[Instruction] = []
        self.abstracts: list[Abstract] = []
        self.constants: dict[int, Value] = {}
        self.shared = 0
        self._known: dict[Any, int] | None = {} if sharing else None

    def input(self, abstract: Abstract) -> int:
        """A new input's slot."""
        self.instructions.append(GIVEN)
        self.abstracts.append(abstract)
        return len(self.instructions) - 1

    def constant(self, value: Value) -> int:
        """A constant's slot."""
        known = self._known
        if known is None:
            return self._new_constant(value)
        key = _constant_key(value)
        slot = known.get(key)
        if slot is None:
            slot = known[key] = self._new_constant(value)
        return slot

    def _new_constant(self, value: Value) -> int:
        slot = self.input(abstract_of(value))
        self.constants[slot] = value
        return slot

    def operation(
        self,
        primitive: Primitive | None,
        operands: tuple[int, ...],
        parameters: dict[str, Any],
        abstract: Abstract,
        source: Instruction,
    ) -> int:
        """An operation's slot; it bears the user's line of `source`."""
        instructions, known = self.instructions, self._known
        slot = len(instructions)
        if known is not None:
            key = (primitive, operands, repr(parameters) if parameters else None)
            earlier = known.setdefault(key, slot)
            if earlier != slot:
                self.shared += 1
                return earlier
        instructions.append(Instruction(primitive, operands, parameters, source.mark))
        self.abstracts.append(abstract)
        return slot

    def made_by(self, slot: int, name: str) -> Instruction | None:
        """The instruction of a slot if it is this primitive."""
        instruction = self.instructions[slot]
        return instruction if instruction.primitive is not None and instruction.primitive.name == name else None

    def number(self, slot: int) -> float | None:
        """The value of a slot that holds one constant number; an array of one repeated number counts."""
        value = self.constants.get(slot)
        if type(value) is float:
            return value
        if value is None:
            spread = self.made_by(slot, "broadcast_to") if self.abstracts[slot].shape else None
            return self.number(spread.operands[0]) if spread is not None else None
        if isinstance(value, (int, np.number)) and not isinstance(value, bool):
            return float(value)
        return None


def _constant_key(value: Value) -> Any:
    """The same for constants of one type and the same bits (0.0 and -0.0 differ)."""
    if type(value) is float:
        return value if value else (float, math.copysign(1.0, value))
    if isinstance(value, (int, bool)):
        return (type(value), value)
    array = np.asarray(value)
    if array.nbytes > _LARGEST_KEY_BYTES:
        return ("array", id(value))
    return (type(value), array.dtype.str, array.shape, array.tobytes())


Rule = Callable[[Draft, Instruction, tuple[int, ...], Abstract], int | None]
"""From an instruction, the Draft's slots of its operands, and its Abstract, to the slot that holds its value already
or by another operation; None where the rule has nothing to say."""


def rewrite(given: Shaped, rules: Sequence[Rule], sharing: bool) -> tuple[Shaped, list[int]]:
    """The Program with each operation by the first rule that answers it; and how often each rule did.

    Inputs, constants, outputs and guards are kept.
    """
    program, draft = given.program, Draft(sharing)
    answered = [0] * len(rules)
    numbered = list(enumerate(rules))
    place: list[int] = []
    constants, abstracts, operation = program.constants, given.abstracts, draft.operation
    for slot, instruction in enumerate(program.instructions):
        primitive = instruction.primitive
        if primitive is None:
            place.append(draft.constant(constants[slot]) if slot in constants else draft.input(abstracts[slot]))
            continue
        operands = tuple([place[operand] for operand in instruction.operands])
        for number, rule in numbered:
            found = rule(draft, instruction, operands, abstracts[slot])
            if found is not None:
                answered[number] += 1
                place.append(found)
                break
        else:
            place.append(operation(primitive, operands, instruction.parameters, abstracts[slot], instruction))
    outputs = [place[slot] for slot in program.outputs]
    guards = [Guard(place[guard.slot], guard.outcome) for guard in program.guards]
    made = Program(draft.instructions, program.inputs, draft.constants, outputs, guards)
    return Shaped(made, tuple(draft.abstracts)), [*answered, draft.shared]


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
    if all(needed):
        return given
    kept = [slot for slot, is_needed in enumerate(needed) if is_needed]
    place = {slot: position for position, slot in enumerate(kept)}
    made = Program(
        [_renumbered(program.instructions[slot], place) for slot in kept],
        [place[slot] for slot in program.inputs],
        {place[slot]: value for slot, value in program.constants.items() if needed[slot]},
        [place[slot] for slot in program.outputs],
        [Guard(place[guard.slot], guard.outcome) for guard in program.guards],
    )
    return Shaped(made, tuple(given.abstracts[slot] for slot in kept))


def _renumbered(instruction: Instruction, place: dict[int, int]) -> Instruction:
    if instruction.primitive is None:
        return instruction
    operands = tuple([place[operand] for operand in instruction.operands])
    return Instruction(instruction.primitive, operands, instruction.parameters, instruction.mark)
