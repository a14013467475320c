"""Directions for products and differences: each input moves in units of its own size, by exact binary fractions."""

from __future__ import annotations

import numpy as np

from adcli_methods.checking.subject import Array, Subject

LARGEST_WEIGHT = 20
"""An equalised direction slows no input by more than this power of two."""


def scales(subject: Subject) -> Array:
    """The size of each input entry, a power of two; an entry of zero has the median size of its array, or 1."""
    result = np.ones(subject.n)
    for start, stop in zip(subject.bounds[:-1], subject.bounds[1:], strict=True):
        part = np.abs(subject.x[start:stop])
        found = part[(part > 0) & np.isfinite(part)]
        usual = float(np.median(found)) if len(found) else 1.0
        sizes = np.where((part > 0) & np.isfinite(part), part, usual)
        result[start:stop] = np.exp2(np.floor(np.log2(np.maximum(sizes, 1e-290))))
    return result


def direction(sizes: Array, generator: np.random.Generator, shares: Array | None = None) -> Array:
    """A random direction, every entry plus or minus 9/16 to 16/16 of its size.

    Arguments:
        sizes: of the entries, powers of two, so that x + h v is exact for h a power of two.
        generator: of random numbers.
        shares: where given, how much each entry contributes to a product; entries that contribute much are slowed
            by powers of two, so that the faults of the others are seen beside them.
    """
    signs = generator.choice(np.array([-1.0, 1.0]), len(sizes))
    v: Array = signs * sizes * generator.integers(9, 17, len(sizes)) / 16.0
    if shares is None or not np.any(shares > 0):
        return v
    positive = shares[(shares > 0) & np.isfinite(shares)]
    usual = float(np.median(positive)) if len(positive) else 0.0
    if usual == 0.0:
        return v
    weights = np.floor(np.log2(np.clip(shares / usual, 1.0, 2.0**LARGEST_WEIGHT)))
    return v * np.exp2(-weights)


def cotangent(row_scales: Array, generator: np.random.Generator) -> Array:
    """Random weights of the outputs, in inverse proportion to their size."""
    usual = float(np.max(row_scales[np.isfinite(row_scales)], initial=0.0)) or 1.0
    sizes = np.where((row_scales > usual * 1e-250) & np.isfinite(row_scales), row_scales, usual)
    signs = generator.choice(np.array([-1.0, 1.0]), len(sizes))
    u: Array = signs * generator.uniform(0.5, 1.0, len(sizes)) / np.exp2(np.floor(np.log2(sizes)))
    return u
