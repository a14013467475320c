"""Directions for products and differences: each input moves in units of its own size, by exact binary fractions."""

from __future__ import annotations

import numpy as np

from adcli_methods.checking.passes import blocks_of
from adcli_methods.checking.subject import Array, Subject

SMALLEST = 1e-290
ENOUGH = 10_001
_STEPS = np.array([sign * k / 16.0 for sign in (-1, 1) for k in range(9, 17)])
_EXPONENT = np.int64(0x7FF0000000000000)
_PERIOD = 8191
"""The random steps repeat after so many entries."""
LARGEST_WEIGHT = 20
"""An equalised direction slows no input by more than this power of two."""


def scales(subject: Subject) -> Array:
    """The size of each input entry, a power of two; an entry of zero has the median size of its array, or 1."""
    result = np.empty(subject.n)
    for start, stop in zip(subject.bounds[:-1], subject.bounds[1:], strict=True):
        part, sizes = subject.x[start:stop], result[start:stop]
        power_of_two(part, sizes)
        if np.min(sizes, initial=np.inf) > SMALLEST and np.max(sizes, initial=0.0) < np.inf:
            continue
        usable = (np.abs(part) > SMALLEST) & np.isfinite(part)
        power_of_two(np.where(usable, part, median(np.abs(part[usable]), 1.0)), sizes)
    return result


def power_of_two(x: Array, out: Array | None = None) -> Array:
    """The largest power of two that is no larger than each entry's size."""
    room = np.empty(len(x)) if out is None else out
    np.bitwise_and(x.view(np.int64), _EXPONENT, out=room.view(np.int64))
    return room


def median(x: Array, otherwise: float) -> float:
    """The median of some of the entries, for its size alone matters."""
    return float(np.median(x[:: 1 + len(x) // ENOUGH])) if len(x) else otherwise


def direction(sizes: Array, generator: np.random.Generator) -> Array:
    """A random direction, every entry plus or minus 9/16 to 16/16 of its size.

    Arguments:
        sizes: of the entries, powers of two, so that x + h v is exact for h a power of two.
        generator: of random numbers.
    """
    steps = _STEPS[generator.integers(0, len(_STEPS), min(_PERIOD, len(sizes)))]
    v, period = np.empty(len(sizes)), len(steps)
    whole = len(v) // period * period
    np.multiply(sizes[:whole].reshape(-1, period), steps, out=v[:whole].reshape(-1, period))
    np.multiply(sizes[whole:], steps[: len(v) - whole], out=v[whole:])
    return v


def equalised(sizes: Array, shares: Array) -> Array:
    """The sizes for a direction in which the faults of all entries are seen.

    Arguments:
        sizes: of the entries, powers of two.
        shares: how much each entry contributes to a product; those that contribute much are slowed by powers of two.
    """
    usual = _usual(shares)
    if not 0 < usual < np.inf or float(np.max(shares)) < 2 * usual:
        return sizes
    result = np.empty(len(sizes))
    for block in blocks_of(len(sizes)):
        weights = power_of_two(shares[block] / usual)
        np.minimum(np.maximum(weights, 1.0, out=weights), 2.0**LARGEST_WEIGHT, out=weights)
        np.divide(sizes[block], weights, out=result[block])
    return result


def _usual(shares: Array) -> float:
    """The median of the shares that are not zero."""
    some = shares[:: 1 + len(shares) // ENOUGH]
    seen = some[some > 0]
    return median(seen if len(seen) else shares[shares > 0], 0.0)


def cotangent(row_scales: Array, generator: np.random.Generator) -> Array:
    """Random weights of the outputs, in inverse proportion to their size."""
    usual = float(np.max(row_scales[np.isfinite(row_scales)], initial=0.0)) or 1.0
    sizes = np.where((row_scales > usual * 1e-250) & np.isfinite(row_scales), row_scales, usual)
    signs = generator.choice(np.array([-1.0, 1.0]), len(sizes))
    u: Array = signs * generator.uniform(0.5, 1.0, len(sizes)) / np.exp2(np.floor(np.log2(sizes)))
    return u
