"""A first derivative by a method's own passes: all of them, or some where all would take too long.

What is counted is what ran: the method's tally, after the real code of the method at the real size. Counts and
seconds of a derivative that was measured for some of its passes only are projections, and say so.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from adcli_benchmarks.expected import unit
from adcli_benchmarks.problem import Array
from adcli_benchmarks.subject import Subject, matrix
from adcli_methods.method import Linearization, Method, Native
from adcli_methods.operators import blocks_of, by_rows

PROBES = 2
MOST_PASSES = 20
MOST_REPEATS = 7
MakeMethod = Callable[[], Method]


@dataclass(frozen=True)
class Counts:
    """What a derivative took."""

    primal_evaluations: int = 0
    tangent_sweeps: int = 0
    adjoint_sweeps: int = 0

    def minus(self, other: Counts) -> Counts:
        """What was added since."""
        return Counts(*(a - b for a, b in zip(self.all(), other.all(), strict=True)))

    def plus(self, other: Counts, times: int) -> Counts:
        """With so many times the other's."""
        return Counts(*(a + times * b for a, b in zip(self.all(), other.all(), strict=True)))

    def all(self) -> tuple[int, int, int]:
        """The three counts."""
        return self.primal_evaluations, self.tangent_sweeps, self.adjoint_sweeps


@dataclass(frozen=True)
class Passes:
    """A derivative, or some columns of it.

    Arguments:
        counts: evaluations and sweeps of the whole derivative.
        run_seconds: of the whole derivative, set-up left out.
        found: the columns that were computed, a row for each output entry.
        columns: the input entries that they belong to.
        measured_passes: how many passes ran, of `all_passes`.
    """

    counts: Counts
    run_seconds: float
    found: Array
    columns: Sequence[int]
    measured_passes: int
    all_passes: int

    @property
    def is_projection(self) -> bool:
        """Whether counts and seconds are those of some passes times the number of passes."""
        return self.measured_passes < self.all_passes


class Run:
    """A method at a subject's point, ready for one pass after the other."""

    def __init__(self, method: Method, subject: Subject) -> None:
        self.method = method
        self.subject = subject
        self.native: Native = method.prepare(subject.flat, 1)
        self.linear: Linearization = self._linearized()
        self.is_by_rows = by_rows(self.linear, self.native.leaves, method.sweeps_per_push)

    def _linearized(self) -> Linearization:
        start = time.perf_counter()
        linear = self.method.linearize(self.native.function, self.native.leaves, 1)
        self.method.wait()
        self.opening_seconds = time.perf_counter() - start
        self.opening_counts = self.counted()
        return linear

    @property
    def passes(self) -> int:
        """Rows or columns to compute."""
        return self.subject.outputs if self.is_by_rows else self.subject.inputs

    def counted(self) -> Counts:
        """What the method has counted so far."""
        tally = self.method.tally
        return Counts(tally.primal_evaluations, tally.tangent_sweeps, tally.adjoint_sweeps)

    def column(self, position: int) -> Array:
        """One pass of a method that makes columns: the derivative by one input entry."""
        assert self.linear.push is not None
        moved = self.linear.push(unit(self.subject.flat.leaves, position))
        self.method.wait()
        return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in self.native.lower(moved)])

    def whole(self) -> Array:
        """All passes."""
        blocks = blocks_of(self.method, self.linear, self.native.leaves)
        self.method.wait()
        return matrix(self.native.lower(blocks), self.subject.flat.leaves)


def measured(make: MakeMethod, subject: Subject, budget_seconds: float, columns: Sequence[int]) -> Passes:
    """A derivative by all passes where they fit the budget, else by some, projected to all.

    Arguments:
        make: gives the method, new each time.
        subject: the function at a point.
        budget_seconds: for all passes together.
        columns: input entries whose columns are worth having, for a comparison.
    """
    probe = Run(make(), subject)
    if probe.is_by_rows or probe.passes <= PROBES:
        return _all(make, subject, budget_seconds)
    each = [_timed(partial(probe.column, position)) for position in columns[:PROBES]]
    if probe.opening_seconds + probe.passes * min(each) <= budget_seconds:
        return _all(make, subject, budget_seconds)
    return _some(make, subject, budget_seconds, columns)


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _all(make: MakeMethod, subject: Subject, budget_seconds: float) -> Passes:
    """Every pass, more than once where that is quick; the median of the seconds."""
    seconds: list[float] = []
    while not seconds or (len(seconds) < MOST_REPEATS and sum(seconds) < budget_seconds / 2):
        run = Run(make(), subject)
        start = time.perf_counter()
        found = run.whole()
        seconds.append(run.opening_seconds + time.perf_counter() - start)
    return Passes(run.counted(), statistics.median(seconds), found, range(subject.inputs), run.passes, run.passes)


def _some(make: MakeMethod, subject: Subject, budget_seconds: float, columns: Sequence[int]) -> Passes:
    run = Run(make(), subject)
    found, seconds, used = [], [], []
    for position in columns[:MOST_PASSES]:
        start = time.perf_counter()
        found.append(run.column(position))
        seconds.append(time.perf_counter() - start)
        used.append(position)
        if sum(seconds) > budget_seconds:
            break
    done = run.counted().minus(run.opening_counts)
    each = Counts(*(count // len(used) for count in done.all()))
    if each.plus(each, len(used) - 1) != done:
        raise ArithmeticError(f"{run.method.name}'s passes differ, so that some do not tell of all: {done}")
    counts = run.opening_counts.plus(each, run.passes)
    total = run.opening_seconds + run.passes * statistics.median(seconds)
    return Passes(counts, total, np.stack(found, axis=1), used, len(used), run.passes)
