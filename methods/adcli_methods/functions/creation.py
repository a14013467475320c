"""Arrays made anew: constants as buffers that traced values can be written into, and arrays of traced values."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.functions.axes import assembled, cast, count, has_tracer, refuse, view, whole_shape
from adcli_methods.primitive import Recorded, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.trace import buffer


def array(object: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **_: Any) -> Value:
    """np.array: a copy, whose parts may be traced."""
    value = assembled(object)
    if not isinstance(value, Recorded):
        return buffer(np.array(value, dtype=dtype, ndmin=ndmin))
    if type(value) is ArrayTracer:
        value = value.copy("K")
    missing = ndmin - len(shape_of(value))
    value = s.reshape(value, shape=(1,) * missing + shape_of(value)) if missing > 0 else value
    return cast(value, dtype)


def asarray(a: Any, dtype: Any = None, *_: Any, **__: Any) -> Value:
    """np.asarray: the array itself where it is one of the type asked for."""
    if isinstance(a, Recorded):
        return cast(a, dtype)
    if isinstance(a, np.ndarray) and a.dtype != object and dtype in (None, a.dtype):
        return a
    return array(a, dtype)


def atleast_1d_array(a: Any, dtype: Any = None) -> Value:
    """np.ascontiguousarray and its like: an array of at least one axis."""
    value = asarray(a, dtype)
    return value if shape_of(value) else view(value, s.reshape, shape=(1,))


def _constant(real: Callable[..., Any]) -> Callable[..., Value]:
    @functools.wraps(real)
    def make(*args: Any, **keywords: Any) -> Value:
        return buffer(real(*args, **keywords))

    return make


zeros, ones, empty = _constant(np.zeros), _constant(np.ones), _constant(np.zeros)
eye, identity, tri = _constant(np.eye), _constant(np.identity), _constant(np.tri)


def full(shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Value:
    """np.full, of a traced value too."""
    value = cast(assembled(fill_value), dtype)
    if isinstance(value, Recorded):
        return s.broadcast_to(value, shape=whole_shape(shape))
    return buffer(np.full(shape, value, dtype=dtype))


def full_like(a: Any, fill_value: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Value:
    """np.full_like."""
    like = assembled(a)
    kind = getattr(like, "dtype", np.dtype(type(like))) if dtype is None else dtype
    return full(shape_of(like) if shape is None else shape, fill_value, kind)


def zeros_like(a: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Value:
    """np.zeros_like."""
    return full_like(a, 0, dtype, shape=shape)


def ones_like(a: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Value:
    """np.ones_like."""
    return full_like(a, 1, dtype, shape=shape)


def copy(a: Any, *_: Any, **__: Any) -> Value:
    """np.copy."""
    return array(a)


def fromiter(iter: Iterable[Any], dtype: Any = None, count: int = -1, **_: Any) -> Value:
    """np.fromiter."""
    items = list(iter)
    return array(items if count < 0 else items[:count], dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, **_: Any) -> Value:
    """np.arange; between traced ends the number of entries is a decision, kept as a guard."""
    if stop is None:
        start, stop = 0, start
    if not any(isinstance(end, Recorded) for end in (start, stop, step)):
        return buffer(np.arange(start, stop, step, dtype=dtype))
    number = operator.index(e.ceil((stop - start) / step))
    return cast(start + step * np.arange(float(max(number, 0))), dtype)


def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Value:
    """np.linspace between ends that may be traced."""
    start, stop, num = assembled(start), assembled(stop), operator.index(num)
    if not isinstance(start, Recorded) and not isinstance(stop, Recorded):
        real: Any = np.linspace
        made = real(start, stop, num, endpoint, retstep, dtype, axis)
        return (buffer(made[0]), made[1]) if retstep else buffer(made)
    refuse(axis != 0, "np.linspace along another axis", "move the axis with np.moveaxis")
    spaces = num - 1 if endpoint else num
    step = e.divide(e.subtract(stop, start), float(spaces)) if spaces else e.subtract(stop, start) * np.nan
    places = np.arange(float(num)).reshape(-1, *[1] * len(shape_of(step)))
    line = e.add(e.multiply(places, step) if spaces else 0.0 * places, start)
    if endpoint and num > 1:
        line = e.where(places == num - 1, stop, line)
    line = cast(line, dtype)
    return (line, step) if retstep else line


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, **keywords: Any) -> Value:
    """np.logspace."""
    return e.power(assembled(base), linspace(start, stop, num, endpoint, **keywords))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, **keywords: Any) -> Value:
    """np.geomspace between positive ends."""
    return e.exp(linspace(e.log(assembled(start)), e.log(assembled(stop)), num, endpoint, **keywords))


def ndenumerate(arr: Any) -> Any:
    """np.ndenumerate: pairs of position and entry."""
    value = asarray(arr)
    return ((index, value[index]) for index in np.ndindex(shape_of(value)))


class Vectorized:
    """np.vectorize: calls a Python function for each entry."""

    def __init__(self, pyfunc: Callable[..., Any], *args: Any, **keywords: Any) -> None:
        self._real = np.vectorize(pyfunc, *args, **keywords)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        real: Any = self._real
        given = [assembled(arg) for arg in args]
        shape = np.broadcast_shapes(*map(shape_of, given))
        if real.signature is not None or real.excluded or keywords or not count(shape):
            refuse(has_tracer([*args, *keywords.values()]), "np.vectorize with these arguments", "write the loop")
            return real(*args, **keywords)
        spread = [s.broadcast_to(value, shape=shape) for value in given]
        outs = [real.pyfunc(*(value[index] if shape else value for value in spread)) for index in np.ndindex(shape)]
        if not isinstance(outs[0], tuple):
            return view(array(outs, real.otypes), s.reshape, shape=shape)
        return tuple(view(array(list(each)), s.reshape, shape=shape) for each in zip(*outs, strict=True))
