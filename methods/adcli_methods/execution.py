"""Running a Program on the numbers of a target, instruction by instruction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.targets import Target


def execute(program: Program, inputs: Sequence[Value], target: Target) -> list[Value]:
    """The outputs of a Program on these inputs; its constants are converted by the target, once.

    Arguments:
        program: what to run.
        inputs: one value per input, numbers of the target or plain ones.
        target: whose numbers to compute with.
    """
    context = target.context(inputs)
    values: list[Value] = [None] * len(program.instructions)
    for slot, value in zip(program.inputs, inputs, strict=True):
        values[slot] = target.convert(value, context)
    needed = needed_slots(program)
    for slot, value in program.constants.items():
        if needed[slot]:
            values[slot] = target.convert(value, context)
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        for slot, instruction in enumerate(program.instructions):
            primitive = instruction.primitive
            if primitive is not None and needed[slot]:
                operands = [values[operand] for operand in instruction.operands]
                values[slot] = target.call(primitive)(*operands, **instruction.parameters)
    return [values[slot] for slot in program.outputs]


def needed_slots(program: Program, others: Sequence[int] = ()) -> list[bool]:
    """For each slot, whether an output, or one of these other slots, depends on it."""
    needed = [False] * len(program.instructions)
    for slot in (*program.outputs, *others):
        needed[slot] = True
    for slot in range(len(needed) - 1, -1, -1):
        if needed[slot]:
            for operand in program.instructions[slot].operands:
                needed[operand] = True
    return needed
