"""The stand-ins themselves: functions and modules that know tracers, and are the real ones on plain values."""

from __future__ import annotations

import builtins
import functools
import math
import threading
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from adcli_methods.functions.axes import has_tracer
from adcli_methods.tracer import Tracer

MODULES = {"numpy", "numpy.linalg", "math", "scipy", "scipy.special", "scipy.linalg"}
"""The modules that have stand-ins."""


class _Depth(threading.local):
    def __init__(self) -> None:
        self.value = 0
        self.watching: list[Any] = []


DEPTH = _Depth()
"""How many traces this thread is in (outside of one, new arrays are NumPy's own), and those that watch imports."""


class StandIn:
    """A function that knows tracers; `real` is the one that it stands in for."""

    real: Any

    def __init__(self, real: Any) -> None:
        functools.update_wrapper(self, real, updated=())
        self.real = real

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if has_tracer(args) or (keywords and has_tracer(list(keywords.values()))):
            return self.traced(args, keywords)
        return self.plain(args, keywords)

    def traced(self, args: Any, keywords: Any) -> Any:
        """The answer where an argument is traced, or holds a traced value."""
        raise NotImplementedError  # every stand-in defines it

    def plain(self, args: Any, keywords: Any) -> Any:
        """The answer on plain values."""
        return self.real(*args, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "__dict__")["real"], name)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.real

    def __hash__(self) -> int:
        return hash(self.real)

    def __repr__(self) -> str:
        return repr(self.real)


class NumpyStandIn(StandIn):
    """A function of NumPy or SciPy: takes lists that hold traced values too, and gives arrays to write into."""

    def __init__(self, real: Any) -> None:
        from adcli_methods import numpy_dispatch

        super().__init__(real)
        self._dispatch = numpy_dispatch
        self._is_ufunc = isinstance(real, np.ufunc)
        self._front = numpy_dispatch.UFUNCS.get(real) if self._is_ufunc and real.nin == 1 else None
        self._is_view = not self._is_ufunc and real in numpy_dispatch.VIEWS

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if self._front is not None and not keywords and len(args) == 1 and type(args[0]) is Tracer:
            return self._front(args[0])
        return super().__call__(*args, **keywords)

    def traced(self, args: Any, keywords: Any) -> Any:
        if self._is_ufunc:
            return self._dispatch.call_ufunc(self.real, "__call__", args, keywords)
        return self._dispatch.call_function(self.real, args, keywords)

    def __getattr__(self, name: str) -> Any:
        if name in ("reduce", "accumulate", "outer", "at"):
            return functools.partial(self._method, name)
        return super().__getattr__(name)

    def _method(self, name: str, *args: Any, **keywords: Any) -> Any:
        if has_tracer(args):
            return self._dispatch.call_ufunc(self.real, name, args, keywords)
        return getattr(self.real, name)(*args, **keywords)

    def plain(self, args: Any, keywords: Any) -> Any:
        result = self.real(*args, **keywords)
        return self._dispatch.buffered(result) if DEPTH.value and not self._is_view else result


class Creation(StandIn):
    """A function that makes an array: within a trace, one that traced values can be written into."""

    def __init__(self, real: Any, front: Callable[..., Any]) -> None:
        super().__init__(real)
        self._front = front

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if DEPTH.value:
            return self._front(*args, **keywords)
        return super().__call__(*args, **keywords)

    def traced(self, args: Any, keywords: Any) -> Any:
        return self._front(*args, **keywords)


class MathStandIn(StandIn):
    """A function of math: its front on traced numbers, with the real one's exceptions."""

    def __init__(self, real: Any) -> None:
        from adcli_methods.functions import scalars

        super().__init__(real)
        self._scalars = scalars
        self._front = scalars.FRONTS[real.__name__]
        self._takes_sequences = real.__name__ in scalars.SEQUENCES

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if len(args) == 1 and type(args[0]) is Tracer:
            result = self._front(args[0])
            value = getattr(result, "value", None)
            return result if type(value) is float and value - value == 0 else self._checked(result, args)
        if self._takes_sequences:
            args = tuple(list(arg) if hasattr(arg, "__next__") else arg for arg in args)
        return super().__call__(*args, **keywords)

    def traced(self, args: Any, keywords: Any) -> Any:
        if not self._takes_sequences:
            args = tuple(self._scalars.number(arg, self.real.__name__) for arg in args)
        return self._checked(self._front(*args, **keywords), args)

    def _checked(self, result: Any, args: Any) -> Any:
        if not self._takes_sequences and self._scalars.is_strange(result):
            self.real(*map(self._scalars.plain_number, args))
        return result


class ModuleStandIn(ModuleType):
    """A module whose functions know tracers; everything else in it is the real one's."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__, real.__doc__)
        vars(self).update(_real=real, __file__=getattr(real, "__file__", None), __spec__=real.__spec__)

    def __getattr__(self, name: str) -> Any:
        value = getattr(vars(self)["_real"], name)
        known = standin_of(value)
        vars(self)[name] = value if known is None else known
        return vars(self)[name]

    def __dir__(self) -> list[str]:
        return dir(vars(self)["_real"])


class _Float64Type(type):
    """The class of the stand-in for np.float64: a call on a traced value gives it back."""

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        if has_tracer(args):
            from adcli_methods.functions.creation import asarray

            return asarray(args[0], np.float64)
        return np.float64(*args, **keywords)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, np.float64)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, np.float64)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is np.float64

    def __hash__(cls) -> int:
        return hash(np.float64)


class Float64(np.float64, metaclass=_Float64Type):
    """Stands in for np.float64."""


Float64.__name__ = Float64.__qualname__ = "float64"
Float64.__module__ = "numpy"


def is_instance(value: Any, kinds: Any, /) -> bool:
    """isinstance, by which a traced number is a float and a traced array a NumPy array."""
    if builtins.isinstance(value, Tracer):
        return builtins.isinstance(value, kinds) or any(issubclass(kind, kinds) for kind in _kinds_of(value))
    return builtins.isinstance(value, kinds)


def _kinds_of(value: Tracer) -> tuple[type, ...]:
    if value.shape:
        return (np.ndarray,)
    return {"f": (np.float64,), "b": (bool, np.bool_)}.get(value.dtype.kind, (int, np.int64))


def _is_scalar(element: Any) -> bool:
    return bool(np.isscalar(element)) or (builtins.isinstance(element, Tracer) and not element.shape)


@functools.cache
def _numpy_makers() -> dict[Any, Any]:
    """What stands in for the functions and classes that NumPy's protocols do not reach."""
    from adcli_methods.functions import creation
    from adcli_methods.functions.joining import Columns, Rows

    as_array = {"asarray": creation.asarray, "asanyarray": creation.asarray, "require": creation.asarray}
    contiguous = ("ascontiguousarray", "asfortranarray", "asarray_chkfinite")
    same = (
        "array zeros ones empty eye identity tri full arange linspace logspace geomspace fromiter zeros_like ones_like "
        "full_like copy"
    )
    fronts = {
        **{name: vars(creation)[name] for name in same.split()},
        **as_array,
        **dict.fromkeys(contiguous, creation.atleast_1d_array),
        "empty_like": creation.zeros_like,
    }
    made: dict[Any, Any] = {getattr(np, name): Creation(getattr(np, name), front) for name, front in fronts.items()}
    made[np.float64], made[np.vectorize], made[np.ndenumerate] = (
        Float64,
        creation.Vectorized,
        creation.ndenumerate,
    )
    made[np.isscalar] = _is_scalar
    made[np.r_], made[np.c_] = Rows(), Columns()
    return made


_known: dict[int, Any] = {}
_kept: list[Any] = []
_FUNCTION_TYPES = (FunctionType, BuiltinFunctionType, np.ufunc, type(np.sum))
_OTHER_TYPES = (np.vectorize, type(np.r_), type(np.c_))


def standin_of(value: Any) -> Any:
    """What stands in for a module, function or class while a function is traced; None for anything else."""
    if not builtins.isinstance(value, (ModuleType, type, *_FUNCTION_TYPES, *_OTHER_TYPES)):
        return None
    found = _known.get(id(value))
    if found is None:
        found = _made(value)
        if found is not None:
            _known[id(value)] = found
            _kept.append(value)  # so that its id stays its own
    return found


def _made(value: Any) -> Any:
    if builtins.isinstance(value, ModuleType):
        return ModuleStandIn(value) if type(value) is not ModuleStandIn and value.__name__ in MODULES else None
    if builtins.isinstance(value, np.vectorize):
        return _numpy_makers()[np.vectorize](value.pyfunc, otypes=value.otypes, excluded=value.excluded)
    if builtins.isinstance(value, type) and value not in (np.float64, np.vectorize, np.ndenumerate):
        return None
    module = getattr(value, "__module__", None) or ""
    if module == "math":
        from adcli_methods.functions.scalars import FRONTS

        return MathStandIn(value) if FRONTS.get(value.__name__) and getattr(math, value.__name__) is value else None
    if builtins.isinstance(value, np.ufunc) or module.partition(".")[0] in ("numpy", "scipy"):
        return _of_numpy(value)
    return None


def _of_numpy(value: Any) -> Any:
    from adcli_methods.numpy_dispatch import FUNCTIONS, UFUNCS
    from adcli_methods.scipy_tables import front_of_function, special_ufunc

    made = _numpy_makers().get(value)
    if made is not None:
        return made
    known = value in UFUNCS or special_ufunc(value) if builtins.isinstance(value, np.ufunc) else value in FUNCTIONS
    return NumpyStandIn(value) if known or front_of_function(value) else None
