"""Rows of linear algebra on the last two axes. Rules after Giles (2008), Collected matrix derivative results."""

from __future__ import annotations

import numpy as np

from adcli_methods.primitive import Linear, Primitive, Tangent, Value, shape_of
from adcli_methods.primitives.elementary import where
from adcli_methods.primitives.structural import matmul, reshape, sum_, swap_last


def _trace_of_product(a: Value, b: Value) -> Value:
    """trace(a @ b) without forming the product."""
    n = len(shape_of(a))
    return sum_(a * swap_last(b), axis=(n - 2, n - 1), keepdims=False)


inv: Primitive = Primitive("inv", (Tangent(lambda t, a, y: -matmul(matmul(y, t), y)),), np.linalg.inv)
solve: Primitive = Primitive(
    "solve",
    (Tangent(lambda t, a, b, y: -solve(a, matmul(t, y))), Linear(lambda w, a, b: solve(swap_last(a), w))),
    np.linalg.solve,
)  # the right side is a matrix


def _adjugate(a: Value) -> Value:
    """The transposed cofactors, from the singular values, so that a singular matrix has them too."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.stack([np.prod(np.delete(s, i, axis=-1), axis=-1) for i in range(n)], axis=-1)
    orientation = np.linalg.det(u) * np.linalg.det(vh)
    product = (np.swapaxes(vh, -1, -2) * others[..., None, :]) @ np.swapaxes(u, -1, -2)
    return orientation[..., None, None] * product


def _push_adjugate(t: Value, a: Value, y: Value) -> Value:
    # adj(A) = det(A) A^-1
    inverse = inv(a)
    change = reshape(_trace_of_product(y, t), shape=(*shape_of(a)[:-2], 1, 1))
    return matmul(change * inverse, _identity(a)) - matmul(matmul(inverse, t), y)


def _identity(a: Value) -> Value:
    return np.eye(shape_of(a)[-1])


adjugate: Primitive = Primitive("adjugate", (Tangent(_push_adjugate),), _adjugate)
det: Primitive = Primitive("det", (Tangent(lambda t, a, y: _trace_of_product(adjugate(a), t)),), np.linalg.det)
det_sign: Primitive = Primitive("det_sign", (None,), lambda a: np.linalg.slogdet(a)[0])
logabsdet: Primitive = Primitive(
    "logabsdet", (Tangent(lambda t, a, y: _trace_of_product(inv(a), t)),), lambda a: np.linalg.slogdet(a)[1]
)


def _lower_half(x: Value) -> Value:
    """The lower triangle with half of the diagonal."""
    n = shape_of(x)[-1]
    return where(np.tri(n, dtype=bool), x * (np.tri(n) - 0.5 * np.eye(n)), 0.0)


def _push_cholesky(t: Value, a: Value, y: Value) -> Value:
    symmetric = 0.5 * (t + swap_last(t))
    inner = solve(y, swap_last(solve(y, symmetric)))
    return matmul(y, _lower_half(inner))


cholesky: Primitive = Primitive("cholesky", (Tangent(_push_cholesky),), np.linalg.cholesky)
