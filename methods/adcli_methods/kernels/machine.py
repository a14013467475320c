"""A machine in C for Programs on numbers and small arrays: registers, and operations done one after the other.

It is compiled once for all Programs. To prepare one for it takes microseconds an operation, where a compiler takes
hundreds; an operation on numbers then takes about a nanosecond, where Python takes 10 to 40, one on small arrays some
tens, where NumPy takes a thousand.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import NamedTuple

from adcli_methods.kernels.c_expressions import PRELUDE, expression
from adcli_methods.kernels.c_source import declarations
from adcli_methods.kernels.compiler import Compiler, find_compiler, load
from adcli_methods.kernels.machine_code import CODES, GATHER, VECTOR, MachineCode, Registers
from adcli_methods.kernels.report import KernelReport


class _Machine(NamedTuple):
    """The machine's entry, from the addresses of operations and registers, and what it took to have it."""

    run: Callable[[int, int], None]
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
        "void machine(const Operation *p, double *w) {",
        f"static const void *const labels[] = {{ {labels} }};",
        "goto *labels[p->code];", body, "L0: return;", "}",
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
    run.argtypes, run.restype = [ctypes.c_void_p, ctypes.c_void_p], None
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
        self._idle: list[tuple[Registers, int]] = []
        self._outputs, self._inputs = code.outputs, slice(code.outputs, code.outputs + code.inputs)
        self.report = KernelReport(
            0, code.operations, 0, compile_seconds,
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
