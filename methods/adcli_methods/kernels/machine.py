"""A machine in C for Programs on numbers: registers, and operations that are done one after the other.

It is compiled once for all Programs. To prepare one for it takes a microsecond an operation, where a compiler takes
hundreds; an operation then takes about a nanosecond, where Python takes 10 to 40.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.kernels.c_expressions import PRELUDE, expression, names
from adcli_methods.kernels.c_source import declarations
from adcli_methods.kernels.compiler import Compiler, find_compiler, load
from adcli_methods.kernels.report import KernelReport
from adcli_methods.program import Program
from adcli_methods.shapes import Shaped

Registers = np.ndarray[Any, np.dtype[np.float64]]
_CODES = {name: code for code, name in enumerate(names(), start=1)}
"""The number of each operation; 0 ends a run."""
_POWERS = {-1.0: "reciprocal", 0.5: "sqrt", 1.0: "positive", 2.0: "square"}
"""What NumPy does for these exponents."""
_TYPES = {"float64", "bool"}
_WORD = "I"


class NotForTheMachineError(Exception):
    """Raised for a Program with an operation or a type that the machine lacks."""


class _Machine(NamedTuple):
    """The machine's entry, from the addresses of operations and registers, and what it took to have it."""

    run: Callable[[int, int], None]
    compiler: Compiler
    cached: bool
    source: str


def _source() -> str:
    cases = [
        f"L{code}: w[p->d] = {expression(name, ('w[p->a]', 'w[p->b]', 'w[p->c]'), 'float64', None, False)}; NEXT;"
        for name, code in _CODES.items()
    ]
    body, labels = "\n".join(cases), ", ".join(f"&&L{code}" for code in range(len(_CODES) + 1))
    return "\n".join([
        PRELUDE, *declarations(body, strict=True),
        "typedef struct { uint32_t code, d, a, b, c; } Operation;",
        "#define NEXT p++; goto *labels[p->code]",
        "void machine(const Operation *p, double *w) {",
        f"static const void *const labels[] = {{ {labels} }};",
        "goto *labels[p->code];", body, "L0: return;", "}",
    ])  # fmt: skip


@cache
def _machine(compiler: Compiler) -> _Machine:
    source = _source()
    library = load(source, compiler, "-O2")
    run = library.functions.machine
    run.argtypes, run.restype = [ctypes.c_void_p, ctypes.c_void_p], None
    return _Machine(run, compiler, library.cached, source)


class MachineProgram:
    """A Program on numbers, ready to run. Two threads may run it at once.

    Arguments: given: the Program; its inputs and outputs are numbers.
    Raises: NotForTheMachineError; UnavailableError where there is no C compiler.
    """

    def __init__(self, given: Shaped) -> None:
        operations = _Encoder(given)
        started = perf_counter()
        machine = _machine(find_compiler())
        compile_seconds = perf_counter() - started
        self._run = machine.run
        self._code = operations.code
        self._code_address = operations.code.buffer_info()[0]
        self._initial = operations.registers()
        self._idle: list[tuple[Registers, int]] = []
        outputs, inputs = len(given.program.outputs), len(given.program.inputs)
        self._outputs, self._inputs = outputs, slice(outputs, outputs + inputs)
        self.report = KernelReport(
            0, len(operations.code) // 5 - 1, 0, compile_seconds,
            f"a machine for numbers by {machine.compiler.version}", machine.cached, 1, machine.source,
        )  # fmt: skip

    def run(self, entries: Registers) -> Registers:
        """The outputs, in a fresh array.

        Arguments: entries: the inputs.
        """
        try:
            registers, address = self._idle.pop()
        except IndexError:
            registers = self._initial.copy()
            address = registers.ctypes.data
        registers[self._inputs] = entries
        self._run(self._code_address, address)
        outputs = registers[: self._outputs].copy()
        self._idle.append((registers, address))
        return outputs


class _Encoder:
    """Operations on registers. The first registers hold the outputs, then come the inputs, then the constants.

    A register whose value nothing needs any more is taken again.
    """

    def __init__(self, given: Shaped) -> None:
        program, abstracts = given
        found = {abstract for slot, abstract in enumerate(abstracts) if slot not in program.constants}
        if any(abstract.dtype not in _TYPES or abstract.shape for abstract in found):
            raise NotForTheMachineError
        self.code = array(_WORD)
        self._places: dict[int, int] = {}
        for place, slot in enumerate(program.outputs):
            if program.instructions[slot].primitive is not None:
                self._places.setdefault(slot, place)
        start = len(program.outputs)
        for place, slot in enumerate([*program.inputs, *program.constants], start=start):
            self._places[slot] = place
        self._constants = [float(value) for value in program.constants.values()]
        self._first_constant = start + len(program.inputs)
        self._count = self._first_constant + len(self._constants)
        self._kept = set(self._places)
        self._encode(program)

    def registers(self) -> Registers:
        """The registers before a run, the constants in their places."""
        registers = np.zeros(self._count)
        registers[self._first_constant : self._first_constant + len(self._constants)] = self._constants
        return registers

    def _encode(self, program: Program) -> None:
        places, kept, free = self._places, self._kept, list[int]()
        last = {slot: user for user, each in enumerate(program.instructions) for slot in each.operands}
        for slot, instruction in enumerate(program.instructions):
            if instruction.primitive is None:
                continue
            operands = instruction.operands
            code = self._code_of(instruction.primitive.name, operands, program)
            given = [places[operand] for operand in operands]
            for operand in set(operands):
                if last[operand] == slot and operand not in kept:
                    free.append(places[operand])
            place = places.get(slot)
            if place is None:
                place = places[slot] = free.pop() if free else self._new()
            self.code.extend((code, place, *given, *(0,) * (3 - len(given))))
        for place, slot in enumerate(program.outputs):
            if places[slot] != place:
                self.code.extend((_CODES["positive"], place, places[slot], 0, 0))
        self.code.extend((0,) * 5)

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _code_of(self, name: str, operands: tuple[int, ...], program: Program) -> int:
        if name == "power" and operands[1] in program.constants:
            name = _POWERS.get(float(program.constants[operands[1]]), name)
        code = _CODES.get(name)
        if code is None:
            raise NotForTheMachineError
        return code
