"""Writes a Program as the body of a function that Python's compiler alone reads.

That compiler takes its time by the statement and by the name, and so does what it makes. A number that is read once
stands nested where it is read, and a name whose value nothing needs any more is taken again, which also frees arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adcli_methods.primitive import Primitive
from adcli_methods.program import Guard, Instruction, Program
from adcli_methods.shapes import Shaped
from adcli_methods.targets import Target
from adcli_methods.writer import condition_to_leave, number_text, plain_outcome

LONGEST_NESTED = 100
"""Characters of an expression that still stands in another one: its text is copied, its brackets parsed in brackets."""


class StraightLine:
    """Writes one Program; `constants` gathers the slots that become c0, c1, ..., `outcomes` the arrays of guards.

    Arguments:
        given: what to write.
        target: the library that the text calls.
        reuse: for slots whose operation writes into an operand that is not needed any more, that operand.
    """

    def __init__(self, given: Shaped, target: Target, reuse: Mapping[int, int]) -> None:
        self.program, self.abstracts = given
        self.target = target
        self.reuse = reuse
        self.constants: dict[int, str] = {}
        self.outcomes: list[Any] = []
        self.lines: list[str] = []
        self.inputs = [f"x{i}" for i in range(len(self.program.inputs))]
        self._texts = dict(zip(self.program.inputs, self.inputs, strict=True))
        texts = {slot: number_text(value) for slot, value in self.program.constants.items()}
        self._numbers = {slot: text for slot, text in texts.items() if text is not None}
        self._left = _reads(self.program)
        self._variables: dict[int, list[int]] = {slot: [] for slot in self.program.inputs}
        """The slots with a name of their own that a slot's text reads."""
        self._nested: set[int] = set()
        self._free: list[str] = []
        self._names = 0
        self._patterns: dict[tuple[str, int], str | None] = {}

    def body(self) -> list[str]:
        """The lines without the return; where a guard does not hold they return None."""
        guards = {guard.slot: guard for guard in self.program.guards}
        for slot in self.program.inputs:
            if slot in guards:
                self._guard(guards[slot])
        left, kept = self._left, {*self.program.outputs, *guards}
        for slot, instruction in enumerate(self.program.instructions):
            primitive = instruction.primitive
            if primitive is None or not left[slot]:
                continue
            pattern = None if instruction.parameters else self._pattern(primitive, len(instruction.operands))
            if pattern is None or slot in self.reuse:
                self._statements(slot, instruction)
            else:
                operands, variables = self._operands(primitive, instruction.operands)
                expression = pattern.format(*operands)
                is_nested = left[slot] == 1 and slot not in kept and not self.abstracts[slot].shape
                if is_nested and primitive.elementwise and len(expression) <= LONGEST_NESTED:
                    self._texts[slot], self._variables[slot] = f"({expression})", variables
                    self._nested.add(slot)
                else:
                    self._assign(slot, expression, variables)
            if slot in guards:
                self._guard(guards[slot])
        return self.lines

    def outputs(self) -> list[str]:
        """The outputs' names, once the body is written."""
        return [self._name(slot) for slot in self.program.outputs]

    def _pattern(self, primitive: Primitive, count: int) -> str | None:
        """The text of a primitive without parameters on {0}, {1}, ...; None where it does not read each just once."""
        key = (primitive.name, count)
        if key not in self._patterns:
            marks = [f"{{{i}}}" for i in range(count)]
            text = ""
            if self.target.statements("", primitive, marks, {}) is None:
                text = self.target.expression(primitive, marks, {})
            self._patterns[key] = text if all(text.count(mark) == 1 for mark in marks) else None
        return self._patterns[key]

    def _operands(self, primitive: Primitive, slots: Sequence[int]) -> tuple[list[str], list[int]]:
        """The operands' texts, and the slots with a name of their own that these read."""
        texts, variables = [], []
        for slot in slots:
            text = self._texts.get(slot)
            if text is None:
                text = self._constant(slot, primitive, slots)
            else:
                variables += self._variables[slot]
            texts.append(text)
        return texts, variables

    def _constant(self, slot: int, primitive: Primitive, slots: Sequence[int]) -> str:
        """A constant as an operand: a number is written out where the operation takes one beside the others."""
        numbers = self._numbers
        is_written = primitive.name in self.target.takes_numbers and not all(map(numbers.__contains__, slots))
        return numbers[slot] if is_written and slot in numbers else self._name(slot)

    def _statements(self, slot: int, instruction: Instruction) -> None:
        """An operation in statements of its own, on operands that have names."""
        primitive, slots, parameters = instruction.primitive, instruction.operands, instruction.parameters
        assert primitive is not None
        for operand in slots:
            if operand in self._nested:
                self._name(operand)
        operands, variables = self._operands(primitive, slots)
        if slot in self.reuse:
            out = self._name(self.reuse[slot])
            self._assign(slot, f"np.{primitive.name}({', '.join(operands)}, out={out})", variables)
            return
        name = self._new_name(slot)
        lines = self.target.statements(name, primitive, operands, parameters)
        self.lines += lines or [f"{name} = {self.target.expression(primitive, operands, parameters)}"]
        self._read(variables)

    def _assign(self, slot: int, expression: str, variables: Sequence[int]) -> None:
        self.lines.append(f"{self._new_name(slot)} = {expression}")
        self._read(variables)

    def _new_name(self, slot: int) -> str:
        """A name for a slot, one that is free if there is one."""
        if self._free:
            name = self._free.pop()
        else:
            self._names += 1
            name = f"v{self._names}"
        self._texts[slot], self._variables[slot] = name, [slot]
        return name

    def _read(self, variables: Sequence[int]) -> None:
        """Note that a statement has read these; the names of those that no other will read are free."""
        left = self._left
        for variable in variables:
            left[variable] -= 1
            if not left[variable]:
                self._free.append(self._texts[variable])

    def _name(self, slot: int) -> str:
        """A slot's name; a number that stood nested so far gets one, and a constant too."""
        if slot in self._nested:
            self._nested.remove(slot)
            self._assign(slot, self._texts[slot], self._variables[slot])
        return self._texts.get(slot) or self.constants.setdefault(slot, f"c{len(self.constants)}")

    def _guard(self, guard: Guard) -> None:
        """The line that leaves where a decision falls otherwise than it did."""
        name, outcome = self._name(guard.slot), plain_outcome(guard.outcome)
        condition = condition_to_leave(name, outcome)
        if condition is None:
            condition = f"not np.array_equal({name}, outcomes[{len(self.outcomes)}])"
            self.outcomes.append(outcome)
        self.lines.append(f"if {condition}: return None")
        self._read(self._variables[guard.slot])


def _reads(program: Program) -> list[int]:
    """How often each slot is read by operations that are needed, by guards and as an output."""
    reads = [0] * len(program.instructions)
    for slot in (*program.outputs, *{guard.slot for guard in program.guards}):
        reads[slot] += 1
    for slot in range(len(reads) - 1, -1, -1):
        if reads[slot]:
            for operand in program.instructions[slot].operands:
                reads[operand] += 1
    return reads
