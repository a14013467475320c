"""A Program: a straight-line list of primitive operations (a Wengert list, an evaluation trace)."""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Sequence
from types import CodeType
from typing import Any, NamedTuple

from adcli_methods.primitive import Primitive, Value, shape_of


class Location(NamedTuple):
    """A line of the user's source."""

    filename: str
    line: int

    @property
    def text(self) -> str:
        """The line itself, without its indentation; empty where the source is not at hand."""
        return linecache.getline(self.filename, self.line).strip()

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}"


class Instruction:
    """One operation: slots in, one slot out (its own position). An input or a constant has no primitive."""

    __slots__ = ("mark", "operands", "parameters", "primitive")

    def __init__(
        self,
        primitive: Primitive | None,
        operands: tuple[int, ...] = (),
        parameters: dict[str, Any] | None = None,
        mark: tuple[CodeType, int] | None = None,
    ) -> None:
        self.primitive = primitive
        self.operands = operands
        self.parameters = {} if parameters is None else parameters
        self.mark = mark

    @property
    def location(self) -> Location | None:
        """The user's line that made this operation."""
        if self.mark is None:
            return None
        code, offset = self.mark
        for start, stop, line in code.co_lines():
            if start <= offset < stop and line is not None:
                return Location(code.co_filename, line)
        return Location(code.co_filename, code.co_firstlineno)


GIVEN = Instruction(None)
"""The instruction of every input and constant."""


class Guard(NamedTuple):
    """A decision that the user's code took on a traced value: it must come out the same for the Program to hold."""

    slot: int
    outcome: Any


class Program:
    """Instructions in order of execution; slot i holds the value of instruction i.

    Arguments:
        instructions: one per slot.
        inputs: the slots of the inputs.
        constants: the value of every slot that is neither input nor operation.
        outputs: the slots of the outputs.
        guards: the branch decisions under which the Program is the user's function.
    """

    __slots__ = ("constants", "guards", "inputs", "instructions", "outputs")

    def __init__(
        self,
        instructions: Sequence[Instruction],
        inputs: Sequence[int],
        constants: dict[int, Value],
        outputs: Sequence[int],
        guards: Sequence[Guard] = (),
    ) -> None:
        self.instructions = tuple(instructions)
        self.inputs = tuple(inputs)
        self.constants = constants
        self.outputs = tuple(outputs)
        self.guards = tuple(guards)

    def count(self) -> Counter[str]:
        """How often each primitive occurs."""
        return Counter(i.primitive.name for i in self.instructions if i.primitive is not None)

    def __str__(self) -> str:
        lines = []
        for slot, instruction in enumerate(self.instructions):
            lines.append(f"v{slot} = {self._text(slot, instruction)}")
        lines.append("return " + ", ".join(f"v{slot}" for slot in self.outputs))
        return "\n".join(lines)

    def _text(self, slot: int, instruction: Instruction) -> str:
        if instruction.primitive is None:
            if slot in self.constants:
                value = self.constants[slot]
                return f"constant of shape {shape_of(value)}" if shape_of(value) else repr(value)
            return f"input {self.inputs.index(slot)}"
        operands = [f"v{operand}" for operand in instruction.operands]
        parameters = [f"{name}={value}" for name, value in instruction.parameters.items()]
        return f"{instruction.primitive.name}({', '.join(operands + parameters)})"

    def _repr_html_(self) -> str:
        from adcli_methods.html_text import program_html

        return program_html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from adcli_methods.html_text import bundle

        return bundle(self._repr_html_(), str(self), include, exclude)
