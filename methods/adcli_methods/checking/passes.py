"""Passes over long vectors, block by block, so that what is computed on the way stays in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BLOCK = 1 << 14
LONG = 1 << 16
_KEPT_BYTES = (32 << 20) - (1 << 16)


def blocks_of(count: int) -> Iterator[slice]:
    """The blocks of a vector.

    >>> list(blocks_of(20_000))
    [slice(0, 16384, None), slice(16384, 20000, None)]
    """
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def keep_freed_memory() -> None:
    """Have freed arrays used again where they would be given back to the system, and their pages made anew, each time.

    glibc keeps twice the size of the largest block that was ever freed, up to 64 MiB (mallopt(3), M_MMAP_THRESHOLD);
    this block is never touched and so costs nothing. Elsewhere it has no effect.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def one_of(parts: list[Array]) -> Array:
    """Vectors as one, a single one as it is."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def around(x: Array, v: Array, h: float) -> tuple[Array, Array]:
    """x + h v and x - h v."""
    ahead, behind, room = np.empty(len(x)), np.empty(len(x)), np.empty(min(BLOCK, len(x)))
    for block in blocks_of(len(x)):
        move = np.multiply(v[block], h, out=room[: block.stop - block.start])
        np.add(x[block], move, out=ahead[block])
        np.subtract(x[block], move, out=behind[block])
    return ahead, behind


def total_size(x: Array, y: Array) -> float:
    """The sum of |x_i y_i|."""
    room, total = np.empty(min(BLOCK, len(x))), 0.0
    for block in blocks_of(len(x)):
        part = room[: block.stop - block.start]
        np.multiply(x[block], y[block], out=part)
        total += float(np.sum(np.abs(part, out=part)))
    return total


def largest_gap(x: Array, y: Array) -> tuple[float, float]:
    """The largest |x_i - y_i|, and the largest |x_i|; NaN where there is one."""
    room, found = np.empty(min(BLOCK, len(x))), [(0.0, 0.0)]
    for block in blocks_of(len(x)):
        part = room[: block.stop - block.start]
        gap = np.max(np.abs(np.subtract(x[block], y[block], out=part), out=part))
        found.append((float(gap), float(np.max(np.abs(x[block], out=part)))))
    gap, size = np.max(found, axis=0)
    return float(gap), float(size)


def beyond(claimed: Array, reference: Array, share: float, least: float) -> Array:
    """Where |claimed - reference| is not at most share |reference| + least: the indices."""
    size, found = min(BLOCK, len(claimed)), [np.zeros(0, dtype=np.intp)]
    errors, limits = np.empty(size), np.empty(size)
    for block in blocks_of(len(claimed)):
        error, limit = errors[: block.stop - block.start], limits[: block.stop - block.start]
        np.abs(np.subtract(claimed[block], reference[block], out=error), out=error)
        np.multiply(np.abs(reference[block], out=limit), share, out=limit)
        limit += least
        near = error <= limit
        if not near.all():
            found.append(np.flatnonzero(~near) + block.start)
    return np.concatenate(found)
