"""Operations on HIPS autograd's boxes that take more than one call; emitted source carries copies of those it uses."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np

ARRAY = "array"
Array = Any


def gaussian(x: Array) -> Array:
    """exp(-x**2)."""
    return np.exp(-x * x)


def arccot(x: Array) -> Array:
    """The arctangent of 1 / x, and pi / 2 at 0."""
    return np.where(x == 0, np.pi / 2, np.arctan(1 / np.where(x == 0, 1.0, x)))


def cbrt(x: Array) -> Array:
    """The real cube root."""
    return np.sign(x) * np.abs(x) ** (1 / 3)


def sinc(x: Array, order: int) -> Array:
    """sin(pi x) / (pi x)."""
    return np.sinc(x)


def prod(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """The product along axes."""
    for i in sorted(axis, reverse=True):
        x = np.prod(x, axis=i, keepdims=keepdims)
    return x


def fill(index: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    """The index with its index arrays put in."""
    given = iter(arrays)
    return tuple(next(given) if isinstance(item, str) and item == ARRAY else item for item in index)


def getitem(x: Array, *arrays: Array, index: tuple[Any, ...]) -> Array:
    """x[index]."""
    return x[fill(index, arrays)]


def concatenate(*parts: Array, axis: int) -> Array:
    """The parts joined along an axis."""
    return np.concatenate(parts, axis=axis)


def stack(*rows: Array) -> Array:
    """The rows along a new first axis."""
    return np.stack(rows)


def einsum(*operands: Array, subscripts: str) -> Array:
    """Einstein's summation."""
    return np.einsum(subscripts, *operands)
