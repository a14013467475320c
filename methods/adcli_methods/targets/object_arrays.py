"""Arrays of numbers of any type, as NumPy object arrays: their structure, and small linear algebra."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives.structural import fill_index
from adcli_methods.targets import Entry, Target

Matrix = Any


class ObjectTarget(Target):
    """Numbers of another library: scalars as they are, arrays as object arrays.

    Arguments:
        name: the target's name.
        table: scalar functions for elementwise primitives, functions of arrays for the others.
        lift: a float as a number of the library.
        decides: whether comparisons of these numbers come out as true or false.
    """

    def __init__(self, name: str, table: Mapping[str, Entry], lift: Callable[[float], Value], decides: bool) -> None:
        super().__init__(name, {**STRUCTURE, **table})
        self._lift = lift
        self._decides = decides

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        if primitive.elementwise:
            function = elementwise(function, primitive, self._decides)

        def call(*operands: Value, **parameters: Any) -> Value:
            return function(*[self.convert(operand, None) for operand in operands], **parameters)

        return call

    def convert(self, value: Value, context: Any) -> Value:
        """Floats are lifted, exactly; whole numbers, booleans and the library's own stay."""
        if isinstance(value, float):
            return self._lift(float(value))
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, np.integer):
            return int(value)
        if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f":
            lifted = _map(lambda x: self._lift(float(x)), np.asarray(value))
            return lifted if value.shape else lifted[()]
        return value


def _map(function: Callable[[Any], Any], array: Any) -> Any:
    result = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        result[place] = function(array[place])
    return result


def elementwise(function: Callable[..., Value], primitive: Primitive, decides: bool) -> Callable[..., Value]:
    """A scalar function over broadcast arrays; tests that decide give arrays of booleans."""
    tests = decides and all(primitive.rule(i, _count(primitive)) is None for i in range(_count(primitive)))

    def call(*operands: Value, **parameters: Any) -> Value:
        scalar = functools.partial(function, **parameters) if parameters else function
        if not any(isinstance(operand, np.ndarray) for operand in operands):
            return scalar(*operands)
        result = np.frompyfunc(scalar, len(operands), 1)(*operands)
        return result.astype(bool) if tests and isinstance(result, np.ndarray) else result

    return call


def _count(primitive: Primitive) -> int:
    return 1 if callable(primitive.rules) else len(primitive.rules)


def fold(function: Callable[..., Value]) -> Callable[..., Value]:
    """A reduction along axes by a function of two numbers."""
    pairwise = np.frompyfunc(function, 2, 1)

    def call(x: Value, axis: tuple[int, ...], keepdims: bool) -> Value:
        for i in axis:
            x = pairwise.reduce(x, axis=i, keepdims=True)
        return x if keepdims or not axis else _scalar(np.squeeze(x, axis=axis))

    return call


def _scalar(x: Value) -> Value:
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def _objects(x: Value) -> Any:
    return np.asarray(x, dtype=object)


def _scatter_add(w: Value, *arrays: Value, index: tuple[Any, ...], shape: tuple[int, ...]) -> Value:
    total = np.zeros(shape, dtype=object)
    np.add.at(total, fill_index(index, arrays), w)
    return total


def _scatter_sum(*pieces: Value, indices: tuple[tuple[Any, ...], ...], shape: tuple[int, ...]) -> Value:
    total = np.zeros(shape, dtype=object)
    for piece, index in zip(pieces, indices, strict=True):
        total[index] += piece
    return total


def _index_update(a: Value, b: Value, *arrays: Value, index: tuple[Any, ...]) -> Value:
    updated = np.array(a, dtype=object)
    updated[fill_index(index, arrays)] = b
    return updated


STRUCTURE: dict[str, Entry] = {
    "sum": lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    "prod": lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    "cumsum": lambda x, axis: np.cumsum(x, axis=axis),
    "reshape": lambda x, shape: _scalar(np.reshape(_objects(x), shape)),
    "transpose": lambda x, axes: np.transpose(x, axes),
    "broadcast_to": lambda x, shape: _scalar(np.broadcast_to(_objects(x), shape)),
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis=axis),
    "getitem": lambda x, *arrays, index: x[fill_index(index, arrays)],
    "scatter_add": _scatter_add,
    "scatter_sum": _scatter_sum,
    "index_update": _index_update,
    "matmul": lambda a, b: np.matmul(_objects(a), _objects(b)),
    "einsum": lambda *xs, subscripts: _scalar(np.einsum(subscripts, *map(_objects, xs))),
    "stack": lambda *rows: np.array(rows, dtype=object),
    "astype": lambda x, dtype: x,
}
"""Operations that NumPy does on arrays of any objects."""


def over_matrices(function: Callable[..., Value]) -> Callable[..., Value]:
    """A function of matrices, over stacks of them (the leading axes, broadcast)."""

    def call(*stacks: Value) -> Value:
        lead = np.broadcast_shapes(*[stack.shape[:-2] for stack in stacks])
        spread = [np.broadcast_to(stack, lead + stack.shape[-2:]) for stack in stacks]
        results = [function(*[stack[place] for stack in spread]) for place in np.ndindex(lead)]
        if not lead:
            return results[0]
        shape = getattr(results[0], "shape", ())
        return np.array(results, dtype=object).reshape(lead + shape)

    return call


def solved(a: Matrix, b: Matrix, size: Callable[[Value], Any]) -> tuple[Matrix, Value]:
    """The solution of a x = b and the determinant of a, by elimination with pivots of the largest `size`."""
    n = a.shape[-1]
    a, b, determinant = np.array(a, dtype=object), np.array(b, dtype=object), 1
    for k in range(n):
        pivot = max((size(a[i, k]), -i, i) for i in range(k, n))[2]
        if size(a[pivot, k]) == 0:
            return b, 0 * a[pivot, k]
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], determinant = a[[pivot, k]], b[[pivot, k]], -determinant
        determinant = determinant * a[k, k]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] = a[i, k:] - factor * a[k, k:]
            b[i] = b[i] - factor * b[k]
    for k in range(n - 1, -1, -1):
        b[k] = (b[k] - a[k, k + 1 :] @ b[k + 1 :]) / a[k, k] if k + 1 < n else b[k] / a[k, k]
    return b, determinant


def adjugate(a: Matrix, determinant: Callable[[Matrix], Value]) -> Matrix:
    """The transposed cofactors, each the determinant of a minor."""
    n = a.shape[-1]
    result = np.empty((n, n), dtype=object)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(a, i, axis=0), j, axis=1)
        result[j, i] = (-1) ** (i + j) * determinant(minor)
    return result


def cholesky(a: Matrix, sqrt: Callable[[Value], Value]) -> Matrix:
    """The lower triangular factor of the symmetric part of a."""
    n = a.shape[-1]
    a, factor = (a + a.T) / 2, np.zeros((n, n), dtype=a.dtype)
    for j in range(n):
        for i in range(j, n):
            rest = a[i, j] - sum(factor[i, k] * factor[j, k] for k in range(j))
            factor[i, j] = sqrt(rest) if i == j else rest / factor[j, j]
    return factor
