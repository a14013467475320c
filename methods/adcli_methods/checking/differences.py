"""Evidence by difference quotients: extrapolated down a ladder of steps, with an error read off the ladder.

C. Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4 (1982) 75-76;
the noise of the function is what the finest steps show
(J. J. Moré and S. M. Wild, SIAM J. Sci. Comput. 33 (2011) 1292).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
TWO_STEPS = (9, 10)
THREE_STEPS = (8, 9, 10)
FULL_LEVELS = range(3, 31)
FINEST_LEVELS = range(31, 45)
SECOND_LEVELS = range(2, 21)
MOST_ORDERS = 5
SAFETY = 3.0
FINE = 2.0**-32
COARSE = 2.0**-16
"""The relative truncation error of two extrapolated steps, and of one step, at least."""
WINDOW = 6
"""How many steps in a row must tell the same of a kink."""


class Estimate(NamedTuple):
    """A directional derivative from difference quotients, for each output.

    Arguments:
        value: the extrapolated quotients.
        error: how far they may be off; infinite where the quotients do not settle.
        size: the natural size of the derivative, which a vanishing one is compared with.
        left, right: the one-sided slopes.
        kink: where these differ, or are not bounded.
        unbounded: where the quotients grow without bound.
        one_sided: whether the function has values on one side only.
    """

    value: Array
    error: Array
    size: Array
    left: Array
    right: Array
    kink: Array
    unbounded: Array
    one_sided: bool = False


class Line:
    """A function along a line, phi(t) = f(x + t v), each value computed once.

    Arguments:
        both: gives phi(h) and phi(-h).
        base: phi(0).
        eps: the unit roundoff of the values.
    """

    def __init__(self, both: Callable[[float], tuple[Array, Array]], base: Array, eps: float) -> None:
        self.both = both
        self.base = base
        self.eps = eps
        self.known: dict[int, tuple[Array, Array]] = {}

    def at(self, level: int) -> tuple[Array, Array]:
        """phi(h) and phi(-h) for h = 2^-level."""
        if level not in self.known:
            self.known[level] = self.both(2.0**-level)
        return self.known[level]

    def quick(self, levels: Sequence[int] = TWO_STEPS) -> Estimate:
        """An estimate from a few steps, two evaluations each; from three, its error is known the better."""
        return self._estimate(levels, few=True)

    def fewer(self, truncation: float) -> Estimate:
        """An estimate from two steps, whose error is known from another direction."""
        estimate = self.quick(TWO_STEPS)
        noise = 8 * self.eps * np.abs(self.base) * 2.0 ** TWO_STEPS[-1]
        return estimate._replace(error=np.maximum(truncation, FINE * estimate.size) + noise)

    def coarse(self, truncation: float) -> Estimate:
        """An estimate from one step: two evaluations; the truncation error is known from another direction."""
        level = TWO_STEPS[-1]
        ahead, behind = self.at(level)
        value = (ahead - behind) * 2.0 ** (level - 1)
        curved = np.abs(ahead + behind - 2 * self.base) * 2.0**level
        noise = 4 * self.eps * np.abs(self.base) * 2.0**level
        no = np.zeros(len(value), dtype=bool)
        size = np.maximum(np.abs(value), curved)
        return Estimate(value, np.maximum(truncation, COARSE * size) + noise, size, value, value, no, no)

    def full(self) -> Estimate:
        """The best estimate that a ladder of steps gives; a finer ladder where the first does not settle."""
        estimate = self._estimate(FULL_LEVELS)
        with np.errstate(invalid="ignore"):
            unsettled = ~(estimate.error <= 1e-3 * estimate.size) & ~estimate.kink
        if not np.any(unsettled):
            return estimate
        return self._estimate([*FULL_LEVELS, *FINEST_LEVELS])

    def _estimate(self, levels: Any, few: bool = False) -> Estimate:
        levels = list(levels)
        ahead = np.array([self.at(level)[0] for level in levels])
        behind = np.array([self.at(level)[1] for level in levels])
        h = np.exp2(-np.array(levels, dtype=float))[:, None]
        right_slopes, left_slopes = (ahead - self.base) / h, (self.base - behind) / h
        lost = [not np.isfinite(values).any() for values in (ahead[-1], behind[-1])]
        if lost[0] != lost[1] and np.isfinite(self.base).any():
            return self._one_sided(left_slopes if lost[0] else right_slopes, h)
        quotients = (ahead - behind) / (2 * h)
        peak = np.nanmax(np.abs(np.concatenate([ahead, behind, self.base[None]])), axis=0, initial=0.0)
        noise = noise_of(quotients, h, peak * self.eps, 1)
        value, error = extrapolated(quotients, h, noise, 4.0, 1)
        jumps = right_slopes - left_slopes
        kink, jump = _kinks(jumps, h, noise, 2 if few else WINDOW)
        unbounded = np.zeros(len(value), dtype=bool)
        for slopes in (quotients, jumps):
            unbounded |= _unbounded(slopes, h, peak * self.eps)
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(value), np.abs(jumps[0]))
        half = np.where(kink, jump, 0.0) / 2
        return Estimate(value, error, size, value - half, value + half, kink | unbounded, unbounded)

    def _one_sided(self, slopes: Array, h: Array) -> Estimate:
        least = np.abs(self.base) * self.eps
        value, error = extrapolated(slopes, h, noise_of(slopes, h, least, 1), 2.0, 1)
        unbounded = _unbounded(slopes, h, least)
        return Estimate(value, error, np.abs(slopes[0]), value, value, unbounded, unbounded, one_sided=True)


def noise_of(quotients: Array, h: Array, least: Array, power: int) -> Array:
    """The noise of the function's values: a rounding at least, and what the finest steps show."""
    floor = np.maximum(least, 4e-324)
    if len(h) < WINDOW:
        return 4 * floor
    moves = np.abs(np.diff(quotients[-WINDOW:], axis=0)) * h[-WINDOW + 1 :] ** power
    shown = np.max(np.where(np.isfinite(moves), moves, 0.0), axis=0)
    noise: Array = np.maximum(floor, shown)
    return noise


def second_order(stencil: Callable[[float], Array], peak: float, eps: float) -> Estimate:
    """A mixed second derivative from its four-point stencil."""
    h = np.exp2(-np.array(SECOND_LEVELS, dtype=float))[:, None]
    quotients = np.array([stencil(2.0**-level) for level in SECOND_LEVELS])
    noise = noise_of(quotients, h, np.full(quotients.shape[1], peak * eps), 2)
    value, error = extrapolated(quotients, h, noise, 4.0, 2)
    no = np.zeros(len(value), dtype=bool)
    with np.errstate(invalid="ignore"):
        size = np.fmax(np.abs(value), np.abs(quotients[0]))
    return Estimate(value, error, size, value, value, no, no)


def extrapolated(quotients: Array, h: Array, noise: Array, ratio: float, power: int) -> tuple[Array, Array]:
    """Richardson's table of quotients whose error is a series in h (ratio 2) or h^2 (ratio 4): best entry, its error.

    The error of an entry is what its neighbours in the table say, the rounding, and how far finer quotients contradict.
    """
    count, width = quotients.shape
    rounding = 2 * noise / h**power
    moved = np.abs(np.diff(quotients, axis=0, prepend=quotients[:1]))
    moved[0] = np.inf if count < 3 else moved[1]
    slack = moved + 4 * rounding
    low, high = _from_finer(quotients + slack, np.fmin, np.inf), _from_finer(quotients - slack, np.fmax, -np.inf)
    best, best_error = np.full(width, np.nan), np.full(width, np.inf)
    column = quotients
    for order in range(min(MOST_ORDERS, count)):
        if order:
            finer = column[1:]
            column = finer + (finer - column[:-1]) / (ratio**order - 1)
            truncation = np.abs(column - finer)
            if len(column) > 1:
                steps = np.abs(np.diff(column, axis=0))
                truncation[1:] = np.fmax(truncation[1:], steps)
        else:
            truncation = moved
        finest = np.arange(order, count)
        contradiction = np.fmax(np.fmax(column - low[finest], high[finest] - column), 0.0)
        error = np.fmax(truncation + rounding[finest], contradiction)
        error = np.where(np.isfinite(column) & np.isfinite(error), error, np.inf)
        row = np.argmin(error, axis=0)
        chosen = error[row, np.arange(width)]
        better = chosen < best_error
        best = np.where(better, column[row, np.arange(width)], best)
        best_error = np.where(better, chosen, best_error)
    return best, SAFETY * best_error


def _from_finer(bounds: Array, pick: Any, start: float) -> Array:
    """For each step, the tightest bound that all finer steps set."""
    result = np.full_like(bounds, start)
    for level in range(len(bounds) - 2, -1, -1):
        result[level] = pick(result[level + 1], bounds[level + 1])
    return result


def _kinks(jumps: Array, h: Array, noise: Array, window: int) -> tuple[Array, Array]:
    """Where the difference of the one-sided slopes does not shrink with the step, and what it tends to.

    From two steps only a suspicion comes.
    """
    count, width = jumps.shape
    size, found, jump = np.abs(jumps), np.zeros(width, dtype=bool), np.zeros(width)
    with np.errstate(invalid="ignore"):
        seen = size > 32 * noise / h
        settled = np.zeros(width, dtype=bool)
        for level in range(count - window, -1, -1):
            last = level + window - 1
            clear = seen[level : last + 1].all(axis=0) & ~settled
            found |= clear & (size[last] > 0.7 * size[level])
            jump = np.where(clear, jumps[last], jump)
            settled |= clear
    return found, jump


def _unbounded(slopes: Array, h: Array, least: Array) -> Array:
    """Where the slopes grow by the same factor at each of the finest steps: a jump, a cusp, an infinite slope."""
    if len(h) < WINDOW:
        return np.zeros(slopes.shape[1], dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(slopes[-WINDOW:])
        seen = (size > 64 * least / h[-WINDOW:]).all(axis=0)
        growth = size[1:] / size[:-1]
        even = growth.max(axis=0) < 1.05 * growth.min(axis=0)
        found: Array = seen & even & (growth.min(axis=0) > 1.15)
    return found
