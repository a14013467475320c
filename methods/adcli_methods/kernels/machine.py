"""A machine in C for Programs on numbers and small arrays: registers, and operations done one after the other.

It is compiled once for all Programs. To prepare one for it takes microseconds an operation, where a compiler takes
hundreds; an operation on numbers then takes about a nanosecond, where Python takes 10 to 40, one on small arrays some
tens, where NumPy takes a thousand.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from time import perf_counter
from typing import NamedTuple

from adcli_methods.kernels.c_expressions import PRELUDE, expression
from adcli_methods.kernels.c_source import declarations
from adcli_methods.kernels.compiler import Compiler, find_compiler, load
from adcli_methods.kernels.machine_code import CODES, GATHER, VECTOR, MachineCode, Registers
from adcli_methods.kernels.report import KernelReport
from adcli_methods.primitive import Value


class _Machine(NamedTuple):
    """The machine's entry, from the addresses of operations and registers and the number of outputs.

    It answers whether one of these is not a number.
    """

    run: Callable[[int, int, int], int]
    compiler: Compiler
    cached: bool
    source: str


def _source() -> str:
    body = "\n".join([*map(_on_numbers, CODES), *map(_on_vectors, CODES), _GATHER])
    labels = ", ".join(f"&&L{code}" for code in range(GATHER + 1))
    return "\n".join([
        PRELUDE, *declarations(body, strict=True),
        "typedef struct { uint32_t code, d, a, b, c; } Operation;",
        "#define NEXT p++; goto *labels[p->code]",
        "int machine(const Operation *p, double *w, const long outputs) {",
        f"static const void *const labels[] = {{ {labels} }};",
        "goto *labels[p->code];", body, _END, "}",
    ])  # fmt: skip


def _on_numbers(name: str) -> str:
    value = expression(name, ("w[p->a]", "w[p->b]", "w[p->c]"), "float64", None, False)
    return f"L{CODES[name]}: w[p->d] = {value}; NEXT;"


def _on_vectors(name: str) -> str:
    """The second record holds the number of entries, and how far those of each operand lie apart."""
    value = expression(name, ("a[i * sa]", "b[i * sb]", "c[i * sc]"), "float64", None, False)
    return f"""L{VECTOR + CODES[name]}: {{
        double *restrict d = w + p->d;
        const double *a = w + p->a, *b = w + p->b, *c = w + p->c;
        p++;
        const long n = p->code, sa = (int32_t)p->a, sb = (int32_t)p->b, sc = (int32_t)p->c;
        for (long i = 0; i < n; i++) d[i] = {value};
        NEXT;
    }}"""


_END = "L0: { int is_nan = 0; for (long i = 0; i < outputs; i++) is_nan |= w[i] != w[i]; return is_nan; }"
_GATHER = f"""L{GATHER}: {{
    const uint32_t *from = (const uint32_t *)(p + 1);
    for (uint32_t i = 0; i < p->a; i++) w[p->d + i] = w[from[i]];
    p += (p->a + 4) / 5;
    NEXT;
}}"""


@cache
def _machine(compiler: Compiler) -> _Machine:
    source = _source()
    library = load(source, compiler, "-O2")
    run = library.functions.machine
    run.argtypes, run.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long], ctypes.c_int
    return _Machine(run, compiler, library.cached, source)


class MachineProgram:
    """A Program on numbers and small arrays, ready to run. Two threads may run it at once.

    Arguments: code: the Program's.
    Raises: UnavailableError where there is no C compiler.
    """

    def __init__(self, code: MachineCode) -> None:
        started = perf_counter()
        machine = _machine(find_compiler())
        compile_seconds = perf_counter() - started
        self._run = machine.run
        self._code = code.code
        self._code_address = code.code.buffer_info()[0]
        self._initial = code.registers()
        self._idle: list[_File] = []
        self._outputs, self._inputs = code.outputs, code.inputs
        self.report = KernelReport(
            0, code.operations, 0, compile_seconds,
            f"a machine for numbers by {machine.compiler.version}", machine.cached, 1, machine.source,
        )  # fmt: skip

    def run(self, inputs: Sequence[Value]) -> tuple[Registers, int]:
        """The entries of all outputs, in a fresh array, and whether one is not a number.

        Arguments: inputs: of the Program's shapes.
        """
        try:
            file = self._idle.pop()
        except IndexError:
            file = self._file()
        registers, address, places = file
        for place, value in zip(places, inputs, strict=True):
            place[...] = value
        has_nan = self._run(self._code_address, address, self._outputs)
        outputs = registers[: self._outputs].copy()
        self._idle.append(file)
        return outputs, has_nan

    def _file(self) -> _File:
        registers = self._initial.copy()
        places = [registers[start : start + math.prod(shape)].reshape(shape) for start, shape in self._inputs]
        return _File(registers, registers.ctypes.data, places)


class _File(NamedTuple):
    """Registers for one run at a time: where they are, and the place of each input in them."""

    registers: Registers
    address: int
    places: list[Registers]
