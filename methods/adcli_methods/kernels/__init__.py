"""Native kernels for Programs: fused groups of operations, compiled for this machine."""

from __future__ import annotations

from collections.abc import Sequence

from adcli_methods.kernels.blocked import BlockedProgram
from adcli_methods.kernels.compiled import CompiledProgram
from adcli_methods.kernels.compiler import find_compiler
from adcli_methods.kernels.machine import MachineProgram
from adcli_methods.kernels.machine_code import MachineCode, NotForTheMachineError
from adcli_methods.kernels.report import KernelReport
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract

__all__ = [
    "BlockedProgram",
    "CompiledProgram",
    "KernelReport",
    "MachineCode",
    "MachineProgram",
    "NotForTheMachineError",
    "compile_program",
    "find_compiler",
]


def compile_program(
    program: Program, abstracts: Sequence[Abstract], *, strict: bool = False, threads: int | None = None
) -> CompiledProgram:
    """A Program made ready to run on inputs of these shapes and types.

    Arguments:
        program: what to compile.
        abstracts: the shape and type of each slot.
        strict: use the C library's scalar functions, at most 1 unit in the last place off, in place of vector ones.
        threads: how many threads a large kernel may use; None is one for each processor that this process may use.
    Raises: UnavailableError where there is no C compiler; BlockedProgram runs without one.
    """
    return CompiledProgram(program, abstracts, strict, threads)
