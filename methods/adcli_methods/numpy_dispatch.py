"""Where NumPy's protocols arrive: ufuncs, functions, methods and attributes that meet a traced value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.errors import TraceError
from adcli_methods.functions import elementwise, reductions
from adcli_methods.functions.axes import assembled, cast, has_tracer, one_axis
from adcli_methods.indexing import concrete
from adcli_methods.numpy_tables import (
    ASSOCIATIVE,
    ATTRIBUTES,
    FUNCTIONS,
    METHODS,
    REDUCTIONS,
    UFUNCS,
    VIEWS,
    Front,
)
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.trace import NO_TRACE, buffer
from adcli_methods.tracer import Tracer
from adcli_methods.user_code import trace_error

__all__ = [
    "ATTRIBUTES", "FUNCTIONS", "METHODS", "NO_TRACE", "UFUNCS", "VIEWS", "assembled", "attribute", "buffer",
    "buffered", "call_function", "call_ufunc", "concrete", "elementwise",
]  # fmt: skip

_NEW_OUT = "drop out= and bind the result: a = a + x; or make the array inside the function with np.zeros"
_IN_PLACE = ("partition", "resize", "itemset", "setfield", "byteswap", "setflags", "view", "data", "base")
_IGNORED = ("casting", "order", "subok")


class NoAttributeError(TraceError, AttributeError):
    """An attribute of arrays that a traced value lacks."""


def full_name(function: Any) -> str:
    """A function's name as a user writes it."""
    module = getattr(function, "__module__", None) or "numpy"
    if isinstance(function, np.ufunc):
        module = "numpy" if getattr(np, function.__name__, None) is function else "scipy.special"
    return f"{module}.{getattr(function, '__name__', function)}"


def call_ufunc(ufunc: Any, method: str, inputs: Sequence[Value], keywords: dict[str, Any]) -> Any:
    """Answer `__array_ufunc__`."""
    if method == "at":
        return _at(ufunc, *inputs)
    out = _single(keywords.pop("out", None))
    if method == "__call__" and len(inputs) > ufunc.nin:
        inputs, out = inputs[: ufunc.nin], _single(tuple(inputs[ufunc.nin :]))
    if out is not None and type(out) is not ArrayTracer:
        raise trace_error(f"numpy.{ufunc.__name__} writes a traced value into a plain array", _NEW_OUT)
    if _all_constant(inputs) and _all_constant(keywords.values()):
        bound = getattr(ufunc, method)
        return _into(out, buffered(bound(*map(_plain, inputs), **{k: _plain(v) for k, v in keywords.items()})))
    if method in ("reduce", "accumulate"):
        return _into(out, _folded(ufunc, method, *inputs, **keywords))
    where = keywords.pop("where", True)
    dtype = keywords.pop("dtype", None)
    for name in _IGNORED:
        keywords.pop(name, None)
    operands = [assembled(x) for x in inputs]
    front = front_of_ufunc(ufunc)
    if front is None:
        if not _is_discrete(operands) or method != "__call__":
            _refuse(full_name(ufunc))
        return _into(out, ufunc(*map(concrete, operands), **keywords), where)
    if method == "outer":
        result = front(_spread(operands[0], shape_of(operands[1])), operands[1])
    elif method == "__call__":
        result = front(*operands, **keywords)
    else:
        _refuse(f"numpy.{ufunc.__name__}.{method}")
    return _into(out, _with_dtype(result, dtype, ufunc), where)


def front_of_ufunc(ufunc: Any) -> Front | None:
    """The front of one of NumPy's or SciPy's ufuncs."""
    front = UFUNCS.get(ufunc)
    if front is None:
        from adcli_methods.scipy_tables import special_ufunc

        front = special_ufunc(ufunc)
    return front


def _is_discrete(args: Sequence[Any]) -> bool:
    """Whether traced arguments are all whole numbers or truth values, which carry no derivative."""
    return all(arg.dtype.kind in "biu" if isinstance(arg, Tracer) else not has_tracer(arg) for arg in args)


def _refuse(name: str) -> NoReturn:
    raise trace_error(
        f"{name} has no derivative here",
        "write it with functions that have one (arithmetic, np.sum, np.linalg.solve, ...) or take central differences",
    )


def _single(out: Any) -> Any:
    if isinstance(out, tuple):
        if sum(part is not None for part in out) > 1:
            raise trace_error("several arrays are given as out=", _NEW_OUT)
        return next((part for part in out if part is not None), None)
    return out


def _with_dtype(result: Value, dtype: Any, ufunc: Any) -> Value:
    if dtype is None:
        return result
    if np.dtype(dtype).kind != "f":
        raise trace_error(f"numpy.{ufunc.__name__} is asked for {np.dtype(dtype)}", "leave dtype out")
    return cast(result, dtype)


def _into(out: Any, result: Value, where: Any = True) -> Value:
    """Write a result into the array given as out=."""
    if out is None:
        if where is not True:
            raise trace_error("where= without out= leaves entries undefined", "give out=, or use np.where")
        return result
    if where is not True:
        result = e.where(assembled(where), result, out)
    if shape_of(result) != out.shape:
        if np.broadcast_shapes(shape_of(result), out.shape) != out.shape:
            raise ValueError(f"a result of shape {shape_of(result)} does not fit the out= array of {out.shape}")
        result = s.broadcast_to(result, shape=out.shape)
    out.assign(result)
    return out


def _spread(x: Value, other: tuple[int, ...]) -> Value:
    return s.reshape(x, shape=(*shape_of(x), *[1] * len(other))) if other else x


def _folded(ufunc: Any, method: str, array: Any, axis: Any = 0, dtype: Any = None, **keywords: Any) -> Value:
    """ufunc.reduce and ufunc.accumulate."""
    x = cast(assembled(array), dtype)
    if method == "reduce" and ufunc in REDUCTIONS:
        return REDUCTIONS[ufunc](x, axis, **{k: v for k, v in keywords.items() if v is not np._NoValue})
    if ufunc not in ASSOCIATIVE or keywords.pop("keepdims", False) or keywords or axis is None or np.ndim(axis):
        _refuse(f"numpy.{ufunc.__name__}.{method}")
    at = one_axis(axis, len(shape_of(x)))
    if ufunc is np.add:
        return reductions.cumsum(x, at)
    running = reductions.scan_by(UFUNCS[ufunc], x, at)
    return running if method == "accumulate" else s.getitem(running, index=(*[slice(None)] * at, -1))


def _at(ufunc: Any, array: Any, index: Any, values: Any = None) -> None:
    """ufunc.at on an array made inside the function."""
    if type(array) is not ArrayTracer:
        raise trace_error(f"numpy.{ufunc.__name__}.at writes a traced value into a plain array", _NEW_OUT)
    if ufunc not in (np.add, np.subtract):
        _refuse(f"numpy.{ufunc.__name__}.at")
    places = np.arange(np.prod(array.shape, dtype=int)).reshape(array.shape)[_plain_index(index)]
    given = s.broadcast_to(assembled(values), shape=places.shape)
    line = s.scatter_add(s.reshape(given, shape=(places.size,)), places.ravel(), index=(s.ARRAY,), shape=(array.size,))
    change = s.reshape(line, shape=array.shape)
    array.assign(array + change if ufunc is np.add else array - change)


def _plain_index(index: Any) -> Any:
    return tuple(map(_plain_index, index)) if isinstance(index, tuple) else concrete(index)


def call_function(function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Answer `__array_function__`."""
    if function not in VIEWS and _all_constant(args) and _all_constant(keywords.values()):
        return _on_constants(function, args, keywords)
    front = FUNCTIONS.get(function)
    if front is None:
        from adcli_methods.scipy_tables import front_of_function

        front = front_of_function(function)
    if front is None:
        if not _is_discrete([*args, *keywords.values()]):
            _refuse(full_name(function))
        return function(*map(concrete, args), **{name: concrete(value) for name, value in keywords.items()})
    return call_front(front, full_name(function), args, keywords)


def call_front(front: Front, name: str, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Call a front; out= is written into, and an argument that it does not know is an error of the user's line."""
    args, keywords = list(args), dict(keywords)
    out = _single(keywords.pop("out", None))
    position = _out_position(front)
    if position is not None and len(args) > position:
        out, args[position] = args[position], None
    if out is not None and type(out) is not ArrayTracer:
        raise trace_error(f"{name} writes a traced value into a plain array", _NEW_OUT)
    given = {key: value for key, value in keywords.items() if value is not np._NoValue}
    try:
        result = front(*args, **given)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        raise trace_error(
            f"{name} is called in a way that is not supported ({error})", "leave that argument out"
        ) from error
    return result if out is None else _into(out, result)


@functools.cache
def _out_position(front: Callable[..., Any]) -> int | None:
    code = getattr(front, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return names.index("out") if "out" in names else None


def _on_constants(function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Call the real function where only constant buffers are involved."""
    out = _single(keywords.pop("out", None))
    result = buffered(function(*map(_plain, args), **{name: _plain(value) for name, value in keywords.items()}))
    return result if out is None else _into(out, result)


def _all_constant(values: Any) -> bool:
    for value in values:
        if isinstance(value, Tracer):
            if type(value) is ArrayTracer:
                value.settle()
            if value.trace.level >= 0:
                return False
        elif isinstance(value, (list, tuple)):
            if not _all_constant(value):
                return False
        elif has_tracer(value):  # an array of objects
            return False
    return True


def _plain(value: Any) -> Any:
    if type(value) is ArrayTracer:
        return value.snapshot()
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(map(_plain, value))
    return value


def buffered(result: Any) -> Any:
    """Arrays of floats in a result as buffers that traced values can be written into."""
    if isinstance(result, (list, tuple)):
        parts = [buffered(part) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return buffer(result)


def attribute(tracer: Tracer, name: str) -> Any:
    """A method or attribute of arrays on a traced value."""
    front = METHODS.get(name)
    if front is not None:
        return functools.partial(_call_method, front, name, tracer)
    if name in ATTRIBUTES:
        return ATTRIBUTES[name](tracer)
    if tracer.trace.level < 0 and type(tracer) is ArrayTracer and name not in _IN_PLACE:
        return getattr(tracer.snapshot(), name)
    if name == "is_integer" and not shape_of(tracer):
        return lambda: e.equal(tracer, e.floor(tracer))
    error = trace_error(f"a traced value has no attribute {name!r}", "use a function of NumPy in its place")
    raise NoAttributeError(str(error))


def _call_method(front: Front, name: str, tracer: Tracer, *args: Any, **keywords: Any) -> Any:
    return call_front(front, f"numpy.ndarray.{name}", (tracer, *args), keywords)
