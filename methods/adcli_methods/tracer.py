"""Tracers: values that record every operation done on them, with NumPy's operators and protocols."""

from __future__ import annotations

import itertools
import linecache
import opcode
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from adcli_methods.errors import TraceError
from adcli_methods.primitive import Primitive, Recorded, Value, evaluate, plain, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.program import GIVEN, Guard, Instruction, Location, Program

_OWN_FOLDERS = (str(Path(__file__).parent), str(Path(np.__file__).parent))
_STANDARD_LIBRARY = str(Path(linecache.__file__).parent)
_own_files: dict[str, bool] = {}
ENTRIES: set[CodeType] = set()
"""The code that calls users' functions: no frame beyond it is theirs."""
_levels = itertools.count()
LOCKED_BYTES = 1 << 20
"""Constant arrays up to this size are copied into a trace; larger ones are made read-only while it lasts."""


def _is_own(filename: str) -> bool:
    known = _own_files.get(filename)
    if known is None:
        known = _own_files[filename] = filename.startswith(_OWN_FOLDERS) or filename.startswith("<__array_function__")
    return known


def _is_library(filename: str) -> bool:
    return "site-packages" in filename or "dist-packages" in filename or filename.startswith(_STANDARD_LIBRARY)


def user_mark() -> tuple[CodeType, int] | None:
    """The code and instruction offset of the innermost frame that is the user's."""
    frame, innermost = sys._getframe(1), None
    while frame is not None and frame.f_code not in ENTRIES:
        filename = frame.f_code.co_filename
        if not _is_own(filename):
            if not _is_library(filename):
                return frame.f_code, frame.f_lasti
            innermost = innermost or (frame.f_code, frame.f_lasti)
        frame = frame.f_back  # type: ignore[assignment]  # ends with None
    return innermost


def user_location() -> Location | None:
    """The innermost line of the user's code that is being run."""
    return Instruction(None, mark=user_mark()).location


_SEQUENCES = {list, tuple, str}
_STORES, _READS = ("STORE_SUBSCR", "STORE_SLICE"), ("BINARY_SUBSCR", "BINARY_SLICE")


def _is_at(mark: tuple[CodeType, int] | None, operations: Sequence[str]) -> bool:
    """Whether the user's frame is at `a[i] = x`, or at `a[i]`."""
    return mark is not None and opcode.opname[mark[0].co_code[mark[1]]] in operations


def trace_error(what: str, way_out: str) -> TraceError:
    """An error that names the user's line, the reason and the way out."""
    location = user_location()
    where = f"{location}: " if location else ""
    text = f" in `{location.text}`" if location and location.text else ""
    return TraceError(f"{where}{what}{text}; {way_out}")


def _operand(value: Any) -> Value:
    """A list or fraction that stands beside a traced value, as NumPy or Python would take it."""
    if isinstance(value, (complex, np.complexfloating)):
        raise trace_error("a traced value meets a complex number", "leave complex numbers out")
    return float(value) if isinstance(value, Fraction) else np.asarray(value)


class Trace:
    """What one run of a function did: instructions, values, and the branches taken."""

    __slots__ = ("active", "guards", "input_count", "instructions", "level", "locate", "locked", "nested", "values")

    def __init__(self, inputs: Sequence[Value], locate: bool = False) -> None:
        self.level = next(_levels)
        self.values: list[Value] = list(inputs)
        self.input_count = len(self.values)
        self.instructions: list[Instruction] = [GIVEN] * self.input_count
        self.active = [True] * self.input_count
        self.guards: list[Guard] = []
        self.nested = any(isinstance(value, Recorded) for value in self.values)
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
        self.instructions.append(Instruction(primitive, tuple(slots), parameters, mark))
        self.values.append(value)
        self.active.append(active)
        return self.wrap(len(self.values) - 1, value)

    def constant(self, value: Value) -> int:
        """The slot of a value that does not depend on this trace's inputs."""
        if isinstance(value, Recorded):
            self.nested = True
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

    def unlock(self) -> None:
        """Give the user's large arrays back as they were."""
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


class Tracer(Recorded):
    """A traced scalar; the base of traced arrays."""

    __slots__ = ("slot", "trace", "value")
    __array_priority__ = 1000.0

    def __init__(self, trace: Trace, slot: int, value: Value) -> None:
        self.trace = trace
        self.slot = slot
        self.value = value

    def highest(self, other: Any) -> Any:
        return self.trace if other is None or self.trace.level > other.level else other

    shape: Any = ()
    ndim: Any = 0
    size: Any = 1

    @property
    def dtype(self) -> Any:
        """NumPy's type of the value."""
        kind = type(self.value)
        return np.dtype(kind) if kind in (float, bool, int) else self.value.dtype

    def __add__(self, other: Value) -> Any:
        return e.add(self, other)

    def __radd__(self, other: Value) -> Any:
        return e.add(other, self)

    def __sub__(self, other: Value) -> Any:
        return e.subtract(self, other)

    def __rsub__(self, other: Value) -> Any:
        return e.subtract(other, self)

    def __mul__(self, other: Value) -> Any:
        return e.multiply(self, other) if type(other) not in _SEQUENCES else self._repeat(other)

    def __rmul__(self, other: Value) -> Any:
        return e.multiply(other, self) if type(other) not in _SEQUENCES else self._repeat(other)

    def _repeat(self, other: Any) -> Any:
        """A sequence times a whole number is longer, times anything else it is an array."""
        return other * self.__index__() if self.dtype.kind == "i" and not self.shape else e.multiply(other, self)

    def __truediv__(self, other: Value) -> Any:
        return e.divide(self, other)

    def __rtruediv__(self, other: Value) -> Any:
        return e.divide(other, self)

    def __pow__(self, other: Value) -> Any:
        return e.power(self, other)

    def __rpow__(self, other: Value) -> Any:
        return e.power(other, self)

    def __mod__(self, other: Value) -> Any:
        return e.mod(self, other)

    def __rmod__(self, other: Value) -> Any:
        return e.mod(other, self)

    def __floordiv__(self, other: Value) -> Any:
        return _elementwise().floor_divide(self, other)

    def __rfloordiv__(self, other: Value) -> Any:
        return _elementwise().floor_divide(other, self)

    def __divmod__(self, other: Value) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Value) -> Any:
        return other // self, other % self

    def __neg__(self) -> Any:
        return e.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return e.absolute(self)

    def __lt__(self, other: Value) -> Any:
        return e.less(self, other)

    def __le__(self, other: Value) -> Any:
        return e.less_equal(self, other)

    def __gt__(self, other: Value) -> Any:
        return e.greater(self, other)

    def __ge__(self, other: Value) -> Any:
        return e.greater_equal(self, other)

    def __eq__(self, other: Value) -> Any:
        return False if other is None or type(other) is str else e.equal(self, other)

    def __ne__(self, other: Value) -> Any:
        return True if other is None or type(other) is str else e.not_equal(self, other)

    def __and__(self, other: Value) -> Any:
        return _elementwise().bitwise_and(self, other)

    __rand__ = __and__

    def __or__(self, other: Value) -> Any:
        return _elementwise().bitwise_or(self, other)

    __ror__ = __or__

    def __xor__(self, other: Value) -> Any:
        return _elementwise().bitwise_xor(self, other)

    __rxor__ = __xor__

    def __invert__(self) -> Any:
        return _elementwise().invert(self)

    __hash__ = object.__hash__

    def __matmul__(self, other: Value) -> Any:
        return self._front("matmul")(self, other)

    def __rmatmul__(self, other: Value) -> Any:
        return self._front("matmul")(other, self)

    def _front(self, name: str) -> Callable[..., Any]:
        from adcli_methods.numpy_dispatch import METHODS

        return METHODS[name]

    def __bool__(self) -> bool:
        outcome = bool(self.value)
        self.trace.guard(self, outcome)
        return outcome

    def __index__(self) -> int:
        value = self.value
        if not isinstance(value, Tracer) and float(value) != int(value):
            raise trace_error(f"{float(value)} is used as an index", "an index must be a whole number")
        index = int(value)
        self.trace.guard(self, index)
        return index

    def __int__(self) -> int:
        whole = int(self.value)
        self.trace.guard(self, whole)
        return whole

    def __trunc__(self) -> Any:
        return _elementwise().whole(e.trunc(self))

    def __floor__(self) -> Any:
        return _elementwise().whole(e.floor(self))

    def __ceil__(self) -> Any:
        return _elementwise().whole(e.ceil(self))

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None and not self.shape:
            return _elementwise().whole(e.rint(self))
        return _elementwise().round_(self, digits or 0)

    def __float__(self) -> float:
        if self.dtype.kind in "biu":
            return float(int(self))
        if _is_at(user_mark(), _STORES):
            raise trace_error(
                "a traced value is written into a plain array, which would lose its derivative",
                "make the array inside the function, with np.zeros or np.array",
            )
        raise trace_error(
            "float() of a traced value would lose its derivative",
            "leave float() out, or use numpy functions in place of the one that asks for a float",
        )

    def __complex__(self) -> complex:
        raise trace_error("a traced value is real", "leave complex numbers out")

    def __array__(self, *args: Any, **keywords: Any) -> Any:
        if self.dtype.kind in "biu":
            from adcli_methods.array_tracer import concrete

            return np.array(concrete(self), *args[:1])
        if _is_at(user_mark(), _STORES):
            raise trace_error(
                "a traced array is written into a plain array, which would lose its derivative",
                "make the array inside the function, with np.zeros or np.array",
            )
        if _is_at(user_mark(), _READS):
            raise trace_error("a traced number is used as an index of a plain array", "take a whole number: int(x)")
        raise trace_error(
            "NumPy would turn a traced value into plain numbers and lose its derivative",
            "build arrays with np.array, np.stack or np.concatenate from a module-level `import numpy as np`",
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Value, **keywords: Any) -> Any:
        from adcli_methods.numpy_dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        from adcli_methods.numpy_dispatch import call_function

        return call_function(function, args, keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from adcli_methods.numpy_dispatch import attribute

        return attribute(self, name)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __repr__(self) -> str:
        return f"Tracer({self.value!r})"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)


def _elementwise() -> Any:
    from adcli_methods.functions import elementwise

    return elementwise


def buffer(value: Value) -> Value:
    """A constant array as a traced buffer that traced values can be written into; anything else as it is."""
    value = plain(value)
    if type(value) is np.ndarray and value.dtype.kind == "f":
        return ArrayTracer(NO_TRACE, -1, value)
    return value


from adcli_methods.array_tracer import ArrayTracer  # noqa: E402  # a subclass, in a file of its own

NO_TRACE = _NoTrace()
