"""NumPy's and SciPy's linear algebra."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.functions.axes import assembled, axes_of, cast, one_axis, refuse
from adcli_methods.functions.elementwise import safe_root, safe_sqrt
from adcli_methods.functions.reductions import count_nonzero, kept, max_, merged, min_, sum_
from adcli_methods.functions.shaping import diagonal, matrix_transpose, tril, triu
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import linear_algebra as la
from adcli_methods.primitives import structural as s

_SVD = "use the Frobenius norm, or ord 1 or inf"


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its size."""

    sign: Value
    logabsdet: Value


def _square(a: Any) -> Value:
    x = assembled(a)
    if len(shape_of(x)) < 2 or shape_of(x)[-1] != shape_of(x)[-2]:
        raise np.linalg.LinAlgError(f"a square matrix is needed, not an array of shape {shape_of(x)}")
    return x


def inv(a: Any) -> Value:
    """The inverse."""
    return la.inv(_square(a))


def det(a: Any) -> Value:
    """The determinant."""
    return la.det(_square(a))


def slogdet(a: Any) -> SlogdetResult:
    """Sign and logarithm of the determinant."""
    x = _square(a)
    return SlogdetResult(la.det_sign(x), la.logabsdet(x))


def solve(a: Any, b: Any) -> Value:
    """The solution of a @ x = b."""
    matrix, right = _square(a), assembled(b)
    if len(shape_of(right)) != 1:
        return la.solve(matrix, right)
    column = s.reshape(right, shape=(*shape_of(right), 1))
    solution = la.solve(matrix, column)
    return s.reshape(solution, shape=shape_of(solution)[:-1])


def cholesky(a: Any, /, *, upper: bool = False) -> Value:
    """The Cholesky factor."""
    factor = la.cholesky(_square(a))
    return matrix_transpose(factor) if upper else factor


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Value:
    """np.trace."""
    return sum_(cast(diagonal(a, offset, axis1, axis2), dtype), -1)


def matrix_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Value:
    """np.linalg.trace, of the last two axes."""
    return trace(x, offset, -2, -1, dtype)


def last_diagonal(x: Any, /, *, offset: int = 0) -> Value:
    """np.linalg.diagonal, of the last two axes."""
    return diagonal(x, offset, -2, -1)


def matrix_power(a: Any, n: Any) -> Value:
    """A whole power of a matrix, by squaring."""
    base, power = _square(a), operator.index(n)
    if power < 0:
        base, power = inv(base), -power
    result: Value = None
    while power:
        if power & 1:
            result = base if result is None else s.matmul(result, base)
        power >>= 1
        base = s.matmul(base, base) if power else base
    return e.add(e.multiply(base, 0.0), np.eye(shape_of(base)[-1])) if result is None else result


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    """np.linalg.norm; the derivative of a norm of a sum of powers is 0 at 0."""
    value = assembled(x)
    n = len(shape_of(value))
    if ord is None or (axis is None and n == 1 and ord == 2) or ord == "fro":
        axes = axes_of(axis, n)
        return safe_sqrt(sum_(e.square(value), axes, keepdims=keepdims)) if axes else e.absolute(value)
    given = tuple(range(n)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(given) == 1:
        return _vector_norm(value, ord, one_axis(given[0], n), keepdims)
    if len(given) == 2:
        return _matrix_norm(value, ord, (one_axis(given[0], n), one_axis(given[1], n)), keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _vector_norm(x: Value, power: Any, axis: int, keepdims: bool) -> Value:
    size = e.absolute(x)
    if power in (np.inf, -np.inf):
        return (max_ if power > 0 else min_)(size, axis, keepdims=keepdims)
    if power == 0:
        return e.multiply(count_nonzero(x, axis, keepdims=keepdims), 1.0)
    if power == 1:
        return sum_(size, axis, keepdims=keepdims)
    terms = e.square(x) if power == 2 else e.power(size, power)
    return safe_root(sum_(terms, axis, keepdims=keepdims), power)


def _matrix_norm(x: Value, ord: Any, axes: tuple[int, int], keepdims: bool) -> Value:
    refuse(ord in (2, -2, "nuc"), f"a matrix norm of ord={ord!r}, by singular values,", _SVD)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    summed, over = axes if abs(ord) == 1 else axes[::-1]
    sums = sum_(e.absolute(x), summed, keepdims=True)
    best = (max_ if ord > 0 else min_)(sums, over, keepdims=True)
    return best if keepdims else s.reshape(best, shape=tuple(m for i, m in enumerate(shape_of(x)) if i not in axes))


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Value:
    """np.linalg.vector_norm."""
    value = assembled(x)
    axes = axes_of(axis, len(shape_of(value)))
    flat = merged(value, axes)
    return kept(_vector_norm(flat, ord, len(shape_of(flat)) - 1, False), value, axes, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Value:
    """np.linalg.matrix_norm."""
    return norm(x, ord, (-2, -1), keepdims)


def scipy_solve(
    a: Any, b: Any, lower: bool = False, *_: Any, assume_a: Any = None, transposed: bool = False, **__: Any
) -> Value:
    """scipy.linalg.solve of a whole matrix."""
    kinds = (None, "gen", "general", "sym", "symmetric", "pos", "positive definite", "her", "hermitian")
    refuse(assume_a not in kinds, f"scipy.linalg.solve with assume_a={assume_a!r}", "leave assume_a out")
    return solve(matrix_transpose(a) if transposed else a, b)


def scipy_inv(a: Any, *_: Any, **__: Any) -> Value:
    """scipy.linalg.inv."""
    return inv(a)


def scipy_det(a: Any, *_: Any, **__: Any) -> Value:
    """scipy.linalg.det."""
    return det(a)


def scipy_cholesky(a: Any, lower: bool = False, *_: Any, **__: Any) -> Value:
    """scipy.linalg.cholesky, which reads the upper triangle unless told otherwise."""
    return cholesky(a, upper=not lower)


def cho_factor(a: Any, lower: bool = False, *_: Any, **__: Any) -> tuple[Value, bool]:
    """scipy.linalg.cho_factor."""
    return scipy_cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, *_: Any, **__: Any) -> Value:
    """scipy.linalg.cho_solve."""
    factor, lower = c_and_lower
    first = tril(factor) if lower else matrix_transpose(triu(factor))
    return solve(matrix_transpose(first), solve(first, b))


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, *_: Any, **__: Any
) -> Value:
    """scipy.linalg.solve_triangular."""
    matrix = (tril if lower else triu)(_square(a))
    if unit_diagonal:
        unit = np.eye(shape_of(matrix)[-1])
        matrix = e.add(e.multiply(matrix, 1.0 - unit), unit)
    return solve(matrix if trans in (0, "N") else matrix_transpose(matrix), b)
