"""Directions for products and differences: each input moves in units of its own size, by exact binary fractions."""

from __future__ import annotations

import numpy as np

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
        part = np.abs(subject.x[start:stop])
        usable = (part > SMALLEST) & np.isfinite(part)
        if not usable.all():
            part = np.where(usable, part, median(part[usable], 1.0))
        result[start:stop] = power_of_two(part)
    return result


def power_of_two(x: Array) -> Array:
    """The largest power of two that is no larger than each entry."""
    return (np.asarray(x, dtype=np.float64).view(np.int64) & _EXPONENT).view(np.float64)


def median(x: Array, otherwise: float) -> float:
    """The median of some of the entries, for its size alone matters."""
    return float(np.median(x[:: 1 + len(x) // ENOUGH])) if len(x) else otherwise


def direction(sizes: Array, generator: np.random.Generator, shares: Array | None = None) -> Array:
    """A random direction, every entry plus or minus 9/16 to 16/16 of its size.

    Arguments:
        sizes: of the entries, powers of two, so that x + h v is exact for h a power of two.
        generator: of random numbers.
        shares: where given, how much each entry contributes to a product; entries that contribute much are slowed
            by powers of two, so that the faults of the others are seen beside them.
    """
    steps = _STEPS[generator.integers(0, len(_STEPS), min(_PERIOD, len(sizes)))]
    v: Array = sizes.copy()
    whole = len(v) // len(steps) * len(steps)
    v[:whole].reshape(-1, len(steps))[...] *= steps
    v[whole:] *= steps[: len(v) - whole]
    usual = median(shares[shares > 0], 0.0) if shares is not None else 0.0
    if shares is None or not 0 < usual < np.inf or float(np.max(shares)) < 2 * usual:
        return v
    slowed: Array = v / np.clip(power_of_two(shares / usual), 1.0, 2.0**LARGEST_WEIGHT)
    return slowed


def cotangent(row_scales: Array, generator: np.random.Generator) -> Array:
    """Random weights of the outputs, in inverse proportion to their size."""
    usual = float(np.max(row_scales[np.isfinite(row_scales)], initial=0.0)) or 1.0
    sizes = np.where((row_scales > usual * 1e-250) & np.isfinite(row_scales), row_scales, usual)
    signs = generator.choice(np.array([-1.0, 1.0]), len(sizes))
    u: Array = signs * generator.uniform(0.5, 1.0, len(sizes)) / np.exp2(np.floor(np.log2(sizes)))
    return u
