"""A Program made ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adcli_methods.primitive import Value, evaluate
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract


@dataclass(frozen=True)
class KernelReport:
    """What was fused and compiled.

    Arguments:
        kernels: how many loops there are.
        fused_operations: how many operations run in them.
        library_operations: how many run as calls of NumPy and SciPy.
        compile_seconds: how long planning and compiling took.
        compiler: the compiler and its version; empty where nothing was compiled.
        cached: whether the machine code came from the cache on disk.
        threads: how many threads a large kernel uses.
        source: the C text.
    """

    kernels: int
    fused_operations: int
    library_operations: int
    compile_seconds: float
    compiler: str
    cached: bool
    threads: int
    source: str


class CompiledProgram:
    """A Program for inputs of fixed shapes and types; two threads may run it at once."""

    def __init__(self, program: Program, abstracts: Sequence[Abstract]) -> None:
        self._program = program
        count = sum(instruction.primitive is not None for instruction in program.instructions)
        self.report = KernelReport(0, 0, count, 0.0, "", False, 1, "")

    def run(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs, fresh values each time."""
        program = self._program
        values: list[Value] = [program.constants.get(slot) for slot in range(len(program.instructions))]
        for slot, value in zip(program.inputs, inputs, strict=True):
            values[slot] = value
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            for slot, instruction in enumerate(program.instructions):
                if instruction.primitive is not None:
                    operands = [values[operand] for operand in instruction.operands]
                    values[slot] = evaluate(instruction.primitive, operands, instruction.parameters)
        return [
            np.array(value) if isinstance(value, np.ndarray) else value
            for value in map(values.__getitem__, program.outputs)
        ]
