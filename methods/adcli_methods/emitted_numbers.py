"""A derivative taken apart into single numbers, with the names of the user's variables and arrays' entries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adcli_methods.derived import Derived
from adcli_methods.optimiser.scalarise import scalarise
from adcli_methods.primitive import Primitive
from adcli_methods.primitives.structural import getitem, to_integer
from adcli_methods.program import Guard, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped
from adcli_methods.variables import Names, optimised, with_outputs

_TO_INTEGER = Primitive(to_integer.name, (None,), to_integer.numpy, scalar=lambda x, dtype: int(x))
"""The conversion as an elementwise operation, which is done entry by entry."""


class Numbers(NamedTuple):
    """A Program on numbers.

    Arguments:
        shaped: the Program, optimised; its inputs and outputs are the entries of what it was made from.
        inputs: the shape and type of each array or number that comes in.
        outputs: of each that goes out.
        variables: the names of slots: those of numbers, and of entries such as a_0; they may repeat.
    """

    shaped: Shaped
    inputs: tuple[Abstract, ...]
    outputs: tuple[Abstract, ...]
    variables: Names

    def answers(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """The outputs' names, with the slots of those that are numbers, and -1 for arrays."""
        ends = itertools.accumulate(abstract.size for abstract in self.outputs)
        found = zip(self.outputs, ends, names, strict=True)
        return [(-1 if each.shape else self.shaped.program.outputs[end - 1], own) for each, end, own in found]


def on_numbers(made: Derived, most_operations: int) -> Numbers | None:
    """The derivative on numbers; None where it needs arrays whole, or would have more operations than that."""
    outputs, slots = list(made.shaped.program.outputs), sorted(made.variables)
    if sum(np.size(guard.outcome) for guard in made.shaped.program.guards) > most_operations:
        return None
    # variables are outputs more, so that their entries are found again
    scalars = scalarise(_by_entries(with_outputs(made.shaped, [*outputs, *slots])), most_operations)
    if scalars is None:
        return None
    answers = scalars.outputs[: len(outputs)]
    count = sum(abstract.size for abstract in answers)
    entries = list(scalars.shaped.program.outputs)
    found, names = iter(entries[count:]), Names()
    for slot, abstract in zip(slots, scalars.outputs[len(outputs) :], strict=True):
        own = made.variables[slot]
        for position in range(abstract.size):
            names.setdefault(next(found), f"{own}_{position}" if abstract.shape else own)
    small, variables = optimised(with_outputs(scalars.shaped, entries[:count]), names)
    return Numbers(small, scalars.inputs, answers, variables)


def _by_entries(given: Shaped) -> Shaped:
    """The same, each decision on an array and each conversion to whole numbers as those of its entries."""
    program = given.program
    instructions, abstracts, guards = [*map(_elementwise, program.instructions)], [*given.abstracts], list[Guard]()
    for guard in program.guards:
        if not given.abstracts[guard.slot].shape:
            guards.append(guard)
            continue
        for index, outcome in np.ndenumerate(guard.outcome):
            guards.append(Guard(len(instructions), outcome.item()))
            instructions.append(Instruction(getitem, (guard.slot,), {"index": index}))
            abstracts.append(Abstract((), given.abstracts[guard.slot].dtype))
    made = Program(instructions, program.inputs, program.constants, program.outputs, guards)
    return Shaped(made, tuple(abstracts))


def _elementwise(instruction: Instruction) -> Instruction:
    """The same operation, elementwise where that is all there is to it."""
    if instruction.primitive is not to_integer:
        return instruction
    return Instruction(_TO_INTEGER, instruction.operands, instruction.parameters, instruction.mark)
