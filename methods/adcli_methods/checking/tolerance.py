"""How far a right claim may be from the reference: what rounding explains, found by making the rounding worse.

The tolerance of an entry grows in steps, each paid for only where the one before does not do: some units of rounding of
the entry; the spread of the reference when every operation in it is rounded badly (which shows cancellation and
conditioning); the spread of the claim when its inputs move by units of rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adcli_methods.checking.cases import Case, Sharp
from adcli_methods.checking.claim_noise import moves_of
from adcli_methods.checking.directions import ENOUGH, median
from adcli_methods.checking.passes import beyond
from adcli_methods.checking.subject import Array

UNITS = 2.0**10
"""So many units of rounding are any formula's right."""
BESIDE = 16.0
"""So many units of rounding of a usual entry are a smaller one's right."""
LOST = 64.0
"""An error that is so many units of rounding of the entry that matters most is next to nothing."""
MOST_SHAKES = 8
OWN_SHARE = 0.01
"""The rounding of the claim's own formula excuses errors up to this share: of 1 - tanh(x)**2 at 7, but not at 20."""
RECLAIMS = 3
INPUT_UNITS = 4.0
SHAKE_FACTOR = 3.0
RECLAIM_FACTOR = 4.0


@dataclass(frozen=True)
class Limits:
    """The user's tolerances; None for the derived ones.

    Arguments:
        rtol: an error up to this fraction of the reference passes.
        atol: an error up to this is excused: it is no FAIL, but no PASS either.
    """

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True)
class Compared:
    """Claimed numbers compared with their reference.

    Arguments:
        sharp: the numbers.
        suspects: which of them are further apart than a few roundings; all that follows is about these.
        error: |claimed - reference|; infinite where one of them is not a number.
        noise: what rounding explains, at least.
        wrong: where the error is beyond.
        excused: where the error is beyond what rounding explains, but within the user's atol or next to nothing.
    """

    sharp: Sharp
    suspects: Array
    error: Array
    noise: Array
    wrong: Array
    excused: Array


def compared(case: Case, sharp: Sharp, limits: Limits) -> Compared:
    """Compare, with a tolerance no larger than needed; all but the first test looks at the suspects alone."""
    claimed, reference, eps = sharp.claimed, sharp.reference, case.subject.eps
    tiny = float(np.finfo(np.float32 if eps > 1e-10 else np.float64).tiny) * eps * UNITS
    share = UNITS * eps if limits.rtol is None else limits.rtol
    suspects = beyond(claimed, reference, share, tiny)
    c, r = claimed[suspects], reference[suspects]
    same, gap = (c == r) | (np.isnan(c) & np.isnan(r)), np.abs(c - r)
    error = np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))
    noise = np.where(np.isfinite(r), UNITS * eps * np.abs(r) + tiny, tiny)
    if len(suspects):
        noise = np.maximum(noise, _beside_others(case, sharp, eps, suspects))
        noise = _with_rounding(case, sharp, eps, error, noise, suspects)
    wrong, excused = error > noise, np.zeros(len(suspects), dtype=bool)
    if wrong.any():
        excused[wrong] = _lost_digits(case, sharp, error[wrong], eps, suspects[wrong])
    if limits.atol is not None:
        excused |= wrong & (error <= limits.atol)
    return Compared(sharp, suspects, error, noise, wrong & ~excused, excused)


def _beside_others(case: Case, sharp: Sharp, eps: float, suspects: Array) -> Array:
    """A few units of rounding of a usual entry, for entries made smaller by cancellation, though not much."""
    if len(case.sizes) != len(sharp.reference):
        return np.zeros(len(suspects))
    some = slice(None, None, 1 + len(case.sizes) // ENOUGH)
    usual = median(np.abs(sharp.reference[some] * case.sizes[some]), 0.0)
    own = np.abs(sharp.reference[suspects])
    return np.asarray(np.minimum(BESIDE * eps * usual / case.sizes[suspects], UNITS * UNITS * eps * own))


def _lost_digits(case: Case, sharp: Sharp, error: Array, eps: float, left: Array) -> Array:
    """Entries that a rounding near 1 explains (1 - tanh(20)**2 = 0), far below what the other entries matter."""
    count = len(sharp.claimed)
    sizes = case.sizes if len(case.sizes) == count else np.ones(count)
    matters = float(np.max(np.abs(sharp.reference * sizes), initial=0.0, where=np.isfinite(sharp.reference)))
    quanta = sharp.claimed[left] * (4.0 / eps)
    return np.asarray((error * sizes[left] <= LOST * eps * matters) & (quanta == np.round(quanta)))


def _with_rounding(case: Case, sharp: Sharp, eps: float, error: Array, noise: Array, suspects: Array) -> Array:
    """The suspects' noise with what shaking shows, as long as that may still explain one."""
    hopeful = np.isfinite(error) & np.isfinite(sharp.reference[suspects])
    for _ in range(MOST_SHAKES):
        if not np.any(hopeful & (error > noise)):
            return noise
        moved = np.abs(sharp.shaken(eps, case.generator)[suspects] - sharp.reference[suspects])
        noise = np.maximum(noise, SHAKE_FACTOR * np.where(np.isnan(moved), 0.0, moved))
    x = case.subject.x
    own = hopeful & (error > noise) & (error <= OWN_SHARE * np.abs(sharp.reference[suspects]))
    if np.any(own):
        source = case.noise.source(eps, case.generator)
        moved = SHAKE_FACTOR * moves_of(source, sharp.reclaimed, sharp.claimed, MOST_SHAKES)[suspects]
        noise = np.where(own & (error <= moved), moved, noise)
    for _ in range(RECLAIMS):
        if not np.any(hopeful & (error > noise)):
            return noise
        nudged = x * (1.0 + INPUT_UNITS * eps * case.generator.standard_normal(len(x)))
        moved = np.abs(sharp.reclaimed(nudged)[suspects] - sharp.claimed[suspects])
        noise = np.maximum(noise, RECLAIM_FACTOR * np.where(np.isnan(moved), 0.0, moved))
    return noise
