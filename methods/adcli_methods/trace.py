"""A trace: what one run of a function on tracers did."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.errors import TraceError
from adcli_methods.primitive import Primitive, Recorded, Value, evaluate, plain
from adcli_methods.program import GIVEN, Guard, Instruction, Program
from adcli_methods.tracer import Tracer
from adcli_methods.user_code import trace_error, user_mark

_levels = itertools.count()
_NUMBERS = {float, int, bool}
LOCKED_BYTES = 1 << 20
"""Constant arrays up to this size are copied into a trace; larger ones are made read-only while it lasts."""


class Trace:
    """What one run of a function did: instructions, values, and the branches taken."""

    __slots__ = (
        "active",
        "closed",
        "guards",
        "input_count",
        "instructions",
        "level",
        "locate",
        "locked",
        "nested",
        "values",
    )

    def __init__(self, inputs: Sequence[Value], locate: bool = False) -> None:
        self.level = next(_levels)
        self.values: list[Value] = list(inputs)
        self.input_count = len(self.values)
        self.instructions: list[Instruction] = [GIVEN] * self.input_count
        self.active = [True] * self.input_count
        self.guards: list[Guard] = []
        self.nested = False
        for value in self.values:
            if isinstance(value, Recorded):
                self.nested = True
        self.closed = False
        self.locate = locate
        self.locked: list[np.ndarray[Any, Any]] = []

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Answer `a.trace()`, which reads a traced array's trace for a method."""
        raise trace_error("the method trace() of a traced array is not at hand", "write np.trace(a)")

    def tracers(self) -> list[Tracer]:
        """The inputs, to call the function with."""
        return [self.wrap(slot, self.values[slot]) for slot in range(self.input_count)]

    def wrap(self, slot: int, value: Value) -> Tracer:
        """A tracer for the value in a slot."""
        if type(value) is float or not getattr(value, "shape", ()):
            return Tracer(self, slot, value)
        return ArrayTracer(self, slot, value)

    def record(self, primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Tracer:
        """Compute a primitive, and write it down."""
        if self.closed:
            raise _stale()
        slots, values, active = [], [], False
        for operand in operands:
            if isinstance(operand, Tracer) and operand.trace is self:
                if type(operand) is not Tracer:
                    operand.settle()
                slot = operand.slot
                if self.active[slot]:
                    active = True
                values.append(operand.value)
            else:
                slot = self.constant(operand)
                values.append(self.values[slot])
            slots.append(slot)
        value = primitive(*values, **parameters) if self.nested else evaluate(primitive, values, parameters)
        mark = user_mark() if self.locate else None
        slot = len(self.values)
        self.instructions.append(Instruction(primitive, tuple(slots), parameters, mark))
        self.values.append(value)
        self.active.append(active)
        return Tracer(self, slot, value) if type(value) is float else self.wrap(slot, value)

    def constant(self, value: Value) -> int:
        """The slot of a value that does not depend on this trace's inputs."""
        if type(value) in _NUMBERS:
            pass
        elif isinstance(value, Recorded):
            self.nested = True
            if isinstance(value, Tracer) and value.trace.closed:
                raise _stale()
            if isinstance(value, ArrayTracer):
                value = value.snapshot()
        elif type(value) is np.ndarray:
            value = self._keep(value)
        elif type(value) is np.float64:
            value = float(value)
        elif type(value) in (list, tuple, Fraction, complex, np.complex128, np.complex64):
            value = _operand(value)
        self.instructions.append(GIVEN)
        self.values.append(value)
        self.active.append(False)
        return len(self.values) - 1

    def _keep(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An array that the user's code cannot change while the trace needs it."""
        if array.dtype.kind == "c":
            raise trace_error("a traced value meets complex numbers", "leave complex numbers out")
        if not array.flags.writeable:
            return array
        if array.nbytes <= LOCKED_BYTES:
            return array.copy()
        array.flags.writeable = False
        self.locked.append(array)
        return array

    def close(self) -> None:
        """The function has returned: nothing more is recorded, and the user's large arrays are as they were."""
        self.closed = True
        for array in self.locked:
            array.flags.writeable = True
        self.locked.clear()

    def guard(self, tracer: Tracer, outcome: Any) -> None:
        """Note a decision taken on a traced value."""
        self.guards.append(Guard(tracer.slot, outcome))

    def program_of(self, slots: Sequence[int]) -> Program:
        """The Program that ends in the values of these slots."""
        constants = {
            slot: self.values[slot]
            for slot in range(self.input_count, len(self.values))
            if self.instructions[slot].primitive is None
        }
        return Program(self.instructions, range(self.input_count), constants, slots, self.guards)

    def output_slot(self, output: Value) -> int:
        """The slot of an output, a tracer of this trace or a constant."""
        if type(output) is ArrayTracer:
            output.settle()  # a buffer becomes a tracer of this trace here
        if isinstance(output, Tracer) and output.trace is self:
            return output.slot
        return self.constant(output)


def _operand(value: Any) -> Value:
    """A list or fraction that stands beside a traced value, as NumPy or Python would take it."""
    if isinstance(value, (complex, np.complexfloating)):
        raise trace_error("a traced value meets a complex number", "leave complex numbers out")
    return float(value) if isinstance(value, Fraction) else np.asarray(value)


def _stale() -> TraceError:
    return trace_error(
        "a traced value of an earlier call was kept and is used again, and its derivative would be lost",
        "keep no values of the function in globals, caches or attributes from one call to the next",
    )


def new_level() -> int:
    """A number between the levels of the traces made before and after this call."""
    return next(_levels)


def seen_from(level: int, value: Value) -> Value:
    """A value without the tracers of traces made since `level` (of new_level)."""
    while isinstance(value, Tracer) and value.trace.level > level:
        value = value.value
    return value


class _NoTrace(Trace):
    """The trace of constant buffers: computes and records nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(())
        self.level = -1

    def record(self, primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Any:
        values = []
        for operand in operands:
            if type(operand) is ArrayTracer:
                operand.settle()
            values.append(operand.value if isinstance(operand, Tracer) else operand)
        return buffer(evaluate(primitive, values, parameters))

    def guard(self, tracer: Tracer, outcome: Any) -> None:
        """A decision on constants needs no note."""


NO_TRACE = _NoTrace()


def buffer(value: Value) -> Value:
    """A constant array as a traced buffer that traced values can be written into; anything else as it is."""
    value = plain(value)
    if type(value) is np.ndarray and value.dtype.kind == "f":
        return ArrayTracer(NO_TRACE, -1, value)
    return value
