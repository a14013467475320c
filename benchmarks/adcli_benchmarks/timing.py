"""Times callables beside each other in one process: interleaved rounds, medians with intervals, noise said aloud."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Timed = Callable[[], Any]
"""Something to time; its inputs are built already."""

LEAST_ROUNDS, MOST_ROUNDS = 5, 200
SHORTEST_ROUND_SECONDS = 2e-4
"""A round repeats its callable until it lasts this long, thousands of times the timer's resolution."""
CONFIDENCE = 0.95
NOISY_SPREAD = 0.10
"""An interval wider than this, relative to its median, is worth a warning."""


@dataclass(frozen=True)
class Timing:
    """What one call takes.

    Arguments:
        median_seconds: of the rounds.
        low_seconds, high_seconds: the interval that holds the true median with 95 % confidence, from order statistics.
        rounds: how many there were.
        inner_repeats: calls in each round.
        warning: what is noisy and what to do about it; empty where nothing is.
        round_seconds: of each round, one call; the n-th rounds of callables timed together belong together.
    """

    median_seconds: float
    low_seconds: float
    high_seconds: float
    rounds: int
    inner_repeats: int
    warning: str
    round_seconds: tuple[float, ...]


def once(call: Timed, synchronize: Timed | None = None) -> float:
    """The seconds of a single call: a set-up, or a first call.

    Arguments:
        call: what to time.
        synchronize: waits for work that a GPU still does.
    """
    with _collected():
        return _round(call, 1, synchronize)


def time_interleaved(
    calls: Mapping[str, Timed], seconds: float = 1.0, synchronize: Timed | None = None
) -> dict[str, Timing]:
    """Time callables in turns, so that what slows the machine slows them all.

    Each is called once to warm up, then calibrated: a round repeats it until it lasts 0.2 ms. Rounds go on until the
    seconds are used up, at least 5 and at most 200 of them, the order turned around at each.

    Arguments:
        calls: by name.
        seconds: for all of them together, warm-up not counted.
        synchronize: waits for work that a GPU still does.

    >>> sorted(time_interleaved({"sum": lambda: sum(range(100)), "nothing": lambda: None}, seconds=0.02))
    ['nothing', 'sum']
    """
    names = list(calls)
    with _collected():
        repeats = {name: _calibrated(call, synchronize) for name, call in calls.items()}
        found: dict[str, list[float]] = {name: [] for name in names}
        deadline, rounds = time.perf_counter() + seconds, 0
        while rounds < LEAST_ROUNDS or (rounds < MOST_ROUNDS and time.perf_counter() < deadline):
            for name in names if rounds % 2 == 0 else reversed(names):
                found[name].append(_round(calls[name], repeats[name], synchronize))
            rounds += 1
    return {name: timing_of(found[name], repeats[name]) for name in names}


def timing_of(round_seconds: Sequence[float], inner_repeats: int) -> Timing:
    """The median of rounds, its interval and its warning."""
    ordered = sorted(round_seconds)
    median = middle(ordered)
    low, high = (ordered[position] for position in interval_positions(len(ordered)))
    warning = _warning(median, low, high, ordered[0])
    return Timing(median, low, high, len(ordered), inner_repeats, warning, tuple(round_seconds))


def interval_positions(count: int, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Which ordered values enclose the true median: the binomial interval, without assuming any distribution.

    Of fewer than 6 values, the least and the greatest, which enclose it with less than 95 % confidence.

    >>> interval_positions(5), interval_positions(20)
    ((0, 4), (5, 14))
    """
    tail, below = 0.0, 0
    for position in range(count // 2):
        tail += math.comb(count, position) / 2**count
        if tail > (1 - confidence) / 2:
            break
        below = position
    return below, count - 1 - below


def middle(values: Sequence[float]) -> float:
    """The median.

    >>> middle([3.0, 1.0, 2.0, 10.0])
    2.5
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _warning(median: float, low: float, high: float, least: float) -> str:
    """What makes the median doubtful, and the way out."""
    spread = (high - low) / median if median else 0.0
    if spread > NOISY_SPREAD:
        return (
            f"noisy: the median may be anywhere within {100 * spread:.0f} % of itself: end other programs, "
            "set the CPU governor to performance, or measure again"
        )
    if median > 1.5 * least:
        return f"noisy: half of the rounds took over {median / least:.1f} times the fastest: end other programs"
    return ""


def _calibrated(call: Timed, synchronize: Timed | None) -> int:
    """How many calls make a round long enough for the timer; warms up on the way."""
    repeats, target = 1, max(SHORTEST_ROUND_SECONDS, 1000 * time.get_clock_info("perf_counter").resolution)
    _round(call, 1, synchronize)
    while (seconds := _round(call, repeats, synchronize) * repeats) < target:
        repeats = max(2 * repeats, min(10 * repeats, math.ceil(1.2 * repeats * target / max(seconds, 1e-9))))
    return repeats


def _round(call: Timed, repeats: int, synchronize: Timed | None) -> float:
    """The seconds of one call, over a round of them."""
    if synchronize is not None:
        synchronize()
    turns = range(repeats)
    start = time.perf_counter()
    for _ in turns:
        call()
    if synchronize is not None:
        synchronize()
    return (time.perf_counter() - start) / repeats


@contextmanager
def _collected() -> Iterator[None]:
    """No garbage collection inside of timings; what there was is collected before."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
