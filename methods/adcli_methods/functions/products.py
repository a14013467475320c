"""Products of vectors, matrices and arrays."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.functions.axes import assembled, count, flattened, one_axis, refuse
from adcli_methods.functions.joining import stack
from adcli_methods.functions.shaping import moveaxis, swapaxes
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s


def matmul(x1: Any, x2: Any, /) -> Value:
    """a @ b, of vectors too."""
    a, b = assembled(x1), assembled(x2)
    left, right = shape_of(a), shape_of(b)
    if not left or not right:
        raise ValueError("matmul: an operand is a number; use * instead")
    if left[-1] != right[-2 if len(right) > 1 else -1]:
        raise ValueError(f"matmul: shapes {left} and {right} do not fit")
    if len(left) == len(right) == 1:
        return s.sum_(e.multiply(a, b), axis=(0,), keepdims=False)
    if len(left) == 1:
        product = s.matmul(s.reshape(a, shape=(1, *left)), b)
        return s.reshape(product, shape=(*right[:-2], right[-1]))
    if len(right) == 1:
        product = s.matmul(a, s.reshape(b, shape=(*right, 1)))
        return s.reshape(product, shape=left[:-1])
    return s.matmul(a, b)


def dot(a: Any, b: Any, out: Any = None) -> Value:
    """np.dot."""
    x, y = assembled(a), assembled(b)
    left, right = len(shape_of(x)), len(shape_of(y))
    if not left or not right:
        return e.multiply(x, y)
    if left <= 2 and right <= 2:
        return matmul(x, y)
    return tensordot(x, y, ((left - 1,), (max(right - 2, 0),)))


def vdot(a: Any, b: Any, /) -> Value:
    """np.vdot."""
    return dot(flattened(assembled(a)), flattened(assembled(b)))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Value:
    """np.vecdot."""
    product = e.multiply(moveaxis(x1, axis, -1), moveaxis(x2, axis, -1))
    return s.sum_(product, axis=(len(shape_of(product)) - 1,), keepdims=False)


def matvec(x1: Any, x2: Any, /) -> Value:
    """np.matvec."""
    v = assembled(x2)
    product = s.matmul(assembled(x1), s.reshape(v, shape=(*shape_of(v), 1)))
    return s.reshape(product, shape=shape_of(product)[:-1])


def vecmat(x1: Any, x2: Any, /) -> Value:
    """np.vecmat."""
    return matvec(swapaxes(x2, -1, -2), x1)


def inner(a: Any, b: Any, /) -> Value:
    """np.inner."""
    x, y = assembled(a), assembled(b)
    if not shape_of(x) or not shape_of(y):
        return e.multiply(x, y)
    return tensordot(x, y, ((len(shape_of(x)) - 1,), (len(shape_of(y)) - 1,)))


def outer(a: Any, b: Any, out: Any = None) -> Value:
    """np.outer."""
    x, y = assembled(a), assembled(b)
    column, row = (count(shape_of(x)), 1), (1, count(shape_of(y)))
    return e.multiply(s.reshape(x, shape=column), s.reshape(y, shape=row))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Value:
    """np.tensordot: both arrays as matrices, multiplied."""
    x, y = assembled(a), assembled(b)
    left, right = len(shape_of(x)), len(shape_of(y))
    if isinstance(axes, (int, np.integer)):
        axes = range(left - int(axes), left), range(int(axes))
    of_x, of_y = (tuple(one) if np.ndim(one) else (one,) for one in axes)
    of_x, of_y = tuple(one_axis(i, left) for i in of_x), tuple(one_axis(i, right) for i in of_y)
    summed = tuple(shape_of(x)[i] for i in of_x)
    if summed != tuple(shape_of(y)[i] for i in of_y):
        raise ValueError("shape-mismatch for sum")
    rows = tuple(i for i in range(left) if i not in of_x)
    columns = tuple(i for i in range(right) if i not in of_y)
    shape = (*(shape_of(x)[i] for i in rows), *(shape_of(y)[i] for i in columns))
    first = _as_matrix(x, (*rows, *of_x), count(summed), last=True)
    second = _as_matrix(y, (*of_y, *columns), count(summed), last=False)
    return s.reshape(s.matmul(first, second), shape=shape)


def _as_matrix(x: Value, order: tuple[int, ...], summed: int, last: bool) -> Value:
    size = count(shape_of(x))
    if order != tuple(range(len(order))):
        x = s.transpose(x, axes=order)
    other = size // summed if summed else 0
    return s.reshape(x, shape=(other, summed) if last else (summed, other))


def kron(a: Any, b: Any) -> Value:
    """np.kron."""
    x, y = assembled(a), assembled(b)
    n = max(len(shape_of(x)), len(shape_of(y)))
    left, right = ((1,) * (n - len(shape_of(v))) + shape_of(v) for v in (x, y))
    spread_x = s.reshape(x, shape=tuple(k for m in left for k in (m, 1)))
    spread_y = s.reshape(y, shape=tuple(k for m in right for k in (1, m)))
    return s.reshape(e.multiply(spread_x, spread_y), shape=tuple(p * q for p, q in zip(left, right, strict=True)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Value:
    """np.cross of vectors in space."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    lengths = shape_of(x)[-1:] + shape_of(y)[-1:]
    refuse(lengths != (3, 3), "np.cross of vectors that are not in space", "write x[0] * y[1] - x[1] * y[0]")
    (a0, a1, a2), (b0, b1, b2) = ([s.getitem(v, index=(Ellipsis, i)) for i in range(3)] for v in (x, y))
    parts = [e.subtract(p * q, t * u) for p, q, t, u in ((a1, b2, a2, b1), (a2, b0, a0, b2), (a0, b1, a1, b0))]
    return stack(parts, axisc)


def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Value:
    """np.linalg.multi_dot, from left to right."""
    product = assembled(arrays[0])
    for factor in arrays[1:]:
        product = dot(product, factor)
    return product


def einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = False, **_: Any) -> Value:
    """np.einsum with the subscripts as text: implicit results, ellipses and repeated letters too."""
    refuse(not isinstance(subscripts, str), "np.einsum without text", "write the subscripts as text: 'ij,jk->ik'")
    given = [assembled(x) for x in operands]
    terms, result = _subscripts(subscripts.replace(" ", ""), [len(shape_of(x)) for x in given])
    for position, (term, x) in enumerate(zip(terms, given, strict=True)):
        terms[position], given[position] = _without_repeats(term, x)
    if not any(terms):
        return multi_multiply(given)
    return s.einsum(*given, subscripts=",".join(terms) + "->" + result)


def multi_multiply(factors: Sequence[Value]) -> Value:
    """The elementwise product of several values."""
    product = factors[0]
    for factor in factors[1:]:
        product = e.multiply(product, factor)
    return product


def _subscripts(text: str, dimensions: Sequence[int]) -> tuple[list[str], str]:
    """One term per operand and the result's, with ellipses as letters and the result written out."""
    inputs, arrow, result = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(dimensions):
        raise ValueError(f"einsum: {len(terms)} terms for {len(dimensions)} operands")
    spare = [letter for letter in string.ascii_letters if letter not in text]
    hidden = [
        n - len(term.replace("...", "")) if "..." in term else 0 for term, n in zip(terms, dimensions, strict=True)
    ]
    dots = "".join(spare[: max(hidden, default=0)])
    terms = [term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, hidden, strict=True)]
    for term, n in zip(terms, dimensions, strict=True):
        if len(term) != n:
            raise ValueError(f"einsum: the term {term!r} does not fit an operand of {n} axes")
    if not arrow:
        letters = sorted(set("".join(terms)) - set(dots))
        return terms, dots + "".join(letter for letter in letters if "".join(terms).count(letter) == 1)
    return terms, result.replace("...", dots)


def _without_repeats(term: str, x: Value) -> tuple[str, Value]:
    """A term in which no letter stands twice, and the operand's diagonal that it names."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            one = term.index(letter)
            other = term.index(letter, one + 1)
            at = np.arange(shape_of(x)[one])
            moved = moveaxis(x, (one, other), (-2, -1))
            x = s.getitem(moved, at, at, index=(Ellipsis, s.ARRAY, s.ARRAY))
            term = term[:one] + term[one + 1 : other] + term[other + 1 :] + letter
    return term, x
