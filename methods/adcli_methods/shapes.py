"""What is known of a Program's values before it runs again: their shapes and types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.primitive import Value, evaluate, shape_of
from adcli_methods.program import Program


class Abstract(NamedTuple):
    """A value's shape and NumPy type; a Python float is a float64 of shape ()."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)


NUMBER = Abstract((), "float64")


class Shaped(NamedTuple):
    """A Program and the Abstract of each of its slots."""

    program: Program
    abstracts: tuple[Abstract, ...]


def abstract_of(value: Value) -> Abstract:
    """The shape and type of a number or an array.

    >>> abstract_of(2.0)
    Abstract(shape=(), dtype='float64')
    """
    if type(value) is float:
        return NUMBER
    dtype = getattr(value, "dtype", None)
    kind: Any = type(value) if dtype is None else dtype
    name = _names.get(kind)
    if name is None:
        name = _names[kind] = str(np.dtype(kind).name)
    return Abstract(shape_of(value), name)


_names: dict[Any, str] = {}


def shaped(program: Program, inputs: Sequence[Value]) -> Shaped:
    """A Program with the shapes and types that its values have at these inputs; it is run once."""
    return Shaped(program, abstract_values(program, inputs))


def abstract_values(program: Program, inputs: Sequence[Value]) -> tuple[Abstract, ...]:
    """The Abstract of every slot, from one run that keeps no value longer than it is needed."""
    last_use = last_uses(program)
    values: list[Value] = [None] * len(program.instructions)
    abstracts: list[Abstract] = []
    for slot, value in zip(program.inputs, inputs, strict=True):
        values[slot] = value
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        for slot, instruction in enumerate(program.instructions):
            primitive = instruction.primitive
            if primitive is not None:
                operands = [values[operand] for operand in instruction.operands]
                values[slot] = evaluate(primitive, operands, instruction.parameters)
                for operand in instruction.operands:
                    if last_use[operand] == slot:
                        values[operand] = None
            elif slot in program.constants:
                values[slot] = program.constants[slot]
            abstracts.append(abstract_of(values[slot]))
    return tuple(abstracts)


def last_uses(program: Program) -> list[int]:
    """For each slot, the last instruction that reads it: its own slot if none does, one past the end for an output."""
    last = list(range(len(program.instructions)))
    for slot, instruction in enumerate(program.instructions):
        for operand in instruction.operands:
            last[operand] = slot
    for slot in (*program.outputs, *(guard.slot for guard in program.guards)):
        last[slot] = len(last)
    return last
