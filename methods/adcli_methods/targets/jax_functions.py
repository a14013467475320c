"""Operations on JAX arrays that take more than one call; emitted source carries copies of those it uses."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.scipy import special

ARRAY = "array"


def gaussian(x: Array) -> Array:
    """exp(-x**2)."""
    return jnp.exp(-x * x)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return jnp.logaddexp(x, 0.0)


def arccot(x: Array) -> Array:
    """The arctangent of 1 / x, and pi / 2 at 0."""
    return jnp.where(x == 0, jnp.pi / 2, jnp.arctan(1 / jnp.where(x == 0, 1.0, x)))


def bessel_i(x: Array, order: float) -> Array:
    """The modified Bessel function of order 0 or 1."""
    return special.i1(x) if abs(order) == 1 else special.i0(x)


def sinc(x: Array, order: int) -> Array:
    """sin(pi x) / (pi x)."""
    return jnp.sinc(x)


def fill(index: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    """The index with its index arrays put in."""
    given = iter(arrays)
    return tuple(next(given) if isinstance(item, str) and item == ARRAY else item for item in index)


def getitem(x: Array, *arrays: Array, index: tuple[Any, ...]) -> Array:
    """x[index]."""
    return x[fill(index, arrays)]


def scatter_add(x: Array, *arrays: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Zeros of a shape with x added up at an index."""
    return jnp.zeros(shape, x.dtype).at[fill(index, arrays)].add(x)


def scatter_sum(*pieces: Array, indices: tuple[tuple[Any, ...], ...], shape: tuple[int, ...]) -> Array:
    """Zeros of a shape with each piece added up at its index."""
    total = jnp.zeros(shape, jnp.result_type(*pieces))
    for piece, index in zip(pieces, indices, strict=True):
        total = total.at[index].add(piece)
    return total


def index_update(a: Array, b: Array, *arrays: Array, index: tuple[Any, ...]) -> Array:
    """a with b written at an index."""
    return jnp.asarray(a, jnp.result_type(a, b)).at[fill(index, arrays)].set(b)


def concatenate(*parts: Array, axis: int) -> Array:
    """The parts joined along an axis."""
    return jnp.concatenate(parts, axis=axis)


def stack(*rows: Array) -> Array:
    """The rows along a new first axis."""
    return jnp.stack(rows)


def einsum(*operands: Array, subscripts: str) -> Array:
    """Einstein's summation."""
    return jnp.einsum(subscripts, *operands)


def adjugate(a: Array) -> Array:
    """The transposed cofactors, for singular matrices too."""
    n = a.shape[-1]
    kept = jnp.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int)
    if n > 12:
        u, s, vh = jnp.linalg.svd(a)
        others = jnp.prod(s[..., kept], axis=-1)
        turn = jnp.linalg.det(u) * jnp.linalg.det(vh)
        return turn[..., None, None] * ((vh.mT * others[..., None, :]) @ u.mT)
    # the transposed cofactors: row and column left out, for every entry at once
    minors = a[..., kept[:, None, :, None], kept[None, :, None, :]]
    place = jnp.arange(n)
    signs = 1 - 2 * ((place[:, None] + place[None, :]) % 2)
    return (signs * jnp.linalg.det(minors)).mT
