"""Tracers: values that record every operation done on them, with NumPy's operators and protocols."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.primitive import Recorded, Value
from adcli_methods.primitives import elementary as e
from adcli_methods.user_code import READS, STORES, is_at, trace_error, user_mark

if TYPE_CHECKING:
    from adcli_methods.trace import Trace


_SEQUENCES = {list, tuple, str}


def dispatch() -> Any:
    """Who answers NumPy's protocols: named and not imported, since it is built on tracers; loaded at first need."""
    return import_module("adcli_methods.numpy_dispatch")


class Tracer(Recorded):
    """A traced scalar; the base of traced arrays."""

    __slots__ = ("slot", "trace", "value")
    __array_priority__ = 1000.0

    def __init__(self, trace: Trace, slot: int, value: Value) -> None:
        self.trace = trace
        self.slot = slot
        self.value = value

    def settle(self) -> None:
        """Bring slot and value up to date, which only an array's may not be."""

    def recorded(self) -> Value:
        return self.value

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
        return dispatch().elementwise.floor_divide(self, other)

    def __rfloordiv__(self, other: Value) -> Any:
        return dispatch().elementwise.floor_divide(other, self)

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
        return dispatch().elementwise.bitwise_and(self, other)

    __rand__ = __and__

    def __or__(self, other: Value) -> Any:
        return dispatch().elementwise.bitwise_or(self, other)

    __ror__ = __or__

    def __xor__(self, other: Value) -> Any:
        return dispatch().elementwise.bitwise_xor(self, other)

    __rxor__ = __xor__

    def __invert__(self) -> Any:
        return dispatch().elementwise.invert(self)

    __hash__ = object.__hash__

    def __matmul__(self, other: Value) -> Any:
        return self._front("matmul")(self, other)

    def __rmatmul__(self, other: Value) -> Any:
        return self._front("matmul")(other, self)

    def _front(self, name: str) -> Callable[..., Any]:
        front: Callable[..., Any] = dispatch().METHODS[name]
        return front

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
        decided = self if self.dtype.kind in "biu" else e.trunc(self)
        decided.trace.guard(decided, whole)
        return whole

    def __trunc__(self) -> Any:
        return dispatch().elementwise.whole(e.trunc(self))

    def __floor__(self) -> Any:
        return dispatch().elementwise.whole(e.floor(self))

    def __ceil__(self) -> Any:
        return dispatch().elementwise.whole(e.ceil(self))

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None and not self.shape:
            return dispatch().elementwise.whole(e.rint(self))
        return dispatch().elementwise.round_(self, digits or 0)

    def __float__(self) -> float:
        if self.dtype.kind in "biu":
            return float(int(self))
        if is_at(user_mark(), STORES):
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
            return np.array(dispatch().concrete(self), *args[:1])
        if is_at(user_mark(), STORES):
            raise trace_error(
                "a traced array is written into a plain array, which would lose its derivative",
                "make the array inside the function, with np.zeros or np.array",
            )
        if is_at(user_mark(), READS):
            raise trace_error("a traced number is used as an index of a plain array", "take a whole number: int(x)")
        raise trace_error(
            "NumPy would turn a traced value into plain numbers and lose its derivative",
            "build arrays with np.array, np.stack or np.concatenate from a module-level `import numpy as np`",
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Value, **keywords: Any) -> Any:
        return dispatch().call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return dispatch().call_function(function, args, keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return dispatch().attribute(self, name)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __repr__(self) -> str:
        return f"Tracer({self.value!r})"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)
