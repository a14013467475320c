"""Axes, shapes and element types as the primitives want them: canonical."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from adcli_methods.array_tracer import ArrayTracer
from adcli_methods.primitive import Primitive, Recorded, Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.user_code import trace_error


def has_tracer(value: Any) -> bool:
    """Whether a value, or an item of a nested list or tuple, is traced."""
    if isinstance(value, Recorded):
        return True
    if isinstance(value, (list, tuple)):
        return any(has_tracer(part) for part in value)
    return type(value) is np.ndarray and value.dtype == object and has_tracer(value.tolist())


def assembled(value: Any) -> Value:
    """A number, array or nested list as an array; traced values in it stay traced."""
    if isinstance(value, (Recorded, float, int)) or (type(value) is np.ndarray and value.dtype != object):
        return value
    if not has_tracer(value):
        return np.asarray(value)
    rows = [assembled(part) for part in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if len({shape_of(row) for row in rows}) > 1:
        raise ValueError("setting an array element with a sequence: the parts have different shapes")
    return s.pile(rows)


def one_axis(axis: Any, ndim: int) -> int:
    """An axis counted from 0."""
    position = operator.index(axis)
    if not -ndim <= position < ndim:
        raise np.exceptions.AxisError(position, ndim)
    return position % ndim


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """NumPy's axis argument (None, a number or several) as axes counted from 0, in order."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(one_axis(one, ndim) for one in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(axes)) < len(axes):
        raise ValueError("duplicate value in 'axis'")
    return tuple(sorted(axes))


def whole_shape(shape: Any) -> tuple[int, ...]:
    """A shape given as a number or several, as a tuple."""
    return tuple(operator.index(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))


def count(shape: tuple[int, ...]) -> int:
    """The number of entries of an array of a shape."""
    return int(np.prod(shape, dtype=np.int64))


def flattened(x: Value) -> Value:
    """The entries in one row."""
    return s.reshape(x, shape=(count(shape_of(x)),))


def view(x: Value, primitive: Primitive, **parameters: Any) -> Value:
    """A structural primitive that shares the entries of a traced array, as NumPy's views do."""
    return x.take_view(primitive, (), parameters) if type(x) is ArrayTracer else primitive(x, **parameters)


def along(axis: int, ndim: int, item: Any) -> tuple[Any, ...]:
    """The index that applies an item to one axis."""
    return (*[slice(None)] * axis, item, *[slice(None)] * (ndim - axis - 1))


def part(x: Value, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Value:
    """A slice along one axis."""
    return s.getitem(x, index=along(axis, len(shape_of(x)), slice(start, stop, step)))


def kind_of(x: Value) -> str:
    """NumPy's letter for the kind of element: f, i, b, ..."""
    return str(getattr(x, "dtype", np.dtype(type(x))).kind)


def cast(x: Value, dtype: Any) -> Value:
    """The entries as another type; None leaves them. Whole numbers and truth values carry no derivative."""
    if dtype is None:
        return x
    wanted = np.dtype(dtype)
    given = getattr(x, "dtype", np.dtype(type(x)))
    if wanted == given:
        return x
    if not isinstance(x, Recorded):
        return np.asarray(x).astype(wanted)
    if wanted.kind == "f":
        return s.astype(x, dtype=wanted.name)
    if wanted.kind in "iu":
        return s.to_integer(x, dtype=wanted.name)
    if wanted.kind == "b":
        return e.not_equal(x, 0)
    raise trace_error(f"a traced value is turned into {wanted}", "keep it a floating-point number")


def refuse(given: bool, what: str, way_out: str) -> None:
    """Raise an error that names the user's line where an argument asks for what is not supported."""
    if given:
        raise trace_error(f"{what} is not supported on traced values", way_out)
