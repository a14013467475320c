"""A reference for the entries by differences alone, where the function cannot be traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.checking.cases import Case
from adcli_methods.checking.differences import Estimate
from adcli_methods.checking.directions import direction
from adcli_methods.checking.judging import Findings, Kink, _answer
from adcli_methods.checking.matrix_case import MatrixCase
from adcli_methods.checking.subject import Array

ALL_COLUMNS = 1024
MOST_PAIRS = 600
MOST_FOUND = 12
MOST_BLOCKS = 600


class Measured:
    """Entries by differences: their places, what the claim says, the differences' value and error."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.claimed: list[float] = []
        self.value: list[float] = []
        self.error: list[float] = []

    def add(self, findings: Findings, place: int, claim: float, estimate: Estimate) -> None:
        """Take one entry in, and judge it."""
        answer, kink, _ = _answer(estimate, claim, np.nan)
        value, error = float(estimate.value[0]), float(estimate.error[0])
        self.places.append(place)
        self.claimed.append(claim)
        self.value.append(value)
        self.error.append(error)
        if kink is not None:
            kink.place = place
            findings.kinks.append(kink)
        slack = 2 * error + 1e-12 * abs(claim)
        if answer == "wrong" or (answer != "kink" and abs(value - claim) > slack):
            findings.wrong[place] = (claim, value, error)


def localise(case: Any) -> tuple[Findings, Measured]:
    """The entries that differences contradict: all entries where there are few, else the suspects found by halving."""
    findings, measured = Findings(), Measured()
    if isinstance(case, MatrixCase) and case.order == 1:
        for j in _columns(case):
            _measure_column(case, j, findings, measured)
        return findings, measured
    count = case.entry_count
    places = range(count) if count <= MOST_PAIRS else sorted(case.generator.choice(count, MOST_PAIRS, replace=False))
    for place in places:
        measured.add(findings, int(place), case.claimed(int(place)), case.probe(int(place)))
    return findings, measured


def _columns(case: MatrixCase) -> list[int]:
    n = case.subject.n
    return list(range(n)) if n <= ALL_COLUMNS else _halved(case)


def _measure_column(case: MatrixCase, j: int, findings: Findings, measured: Measured) -> None:
    line, claimed = case.along(case.unit(j)), case.matrix.column(j)
    estimate = line.quick()
    if not _settled(estimate, claimed * case.sizes[j]):
        estimate = line.full()
    rows = [j] if case.matrix.diagonal else range(len(claimed))
    for i in rows:
        place = j if case.matrix.diagonal else i * case.matrix.shape[1] + j
        measured.add(findings, place, float(claimed[i]), _entry(estimate, i, float(case.sizes[j])))


def _entry(estimate: Estimate, i: int, size: float) -> Estimate:
    parts = [part[i : i + 1] / size for part in estimate[:5]]
    return Estimate(parts[0], parts[1], parts[2], parts[3], parts[4], estimate.kink[i : i + 1],
                    estimate.unbounded[i : i + 1], estimate.one_sided)  # fmt: skip


def _settled(estimate: Estimate, claimed: Array) -> bool:
    with np.errstate(invalid="ignore"):
        near = np.abs(estimate.value - claimed) <= estimate.error
        sees = estimate.error <= 1e-6 * np.maximum(np.abs(claimed), estimate.size)
    return bool(np.all(near & sees & ~estimate.kink))


def _halved(case: MatrixCase) -> list[int]:
    """The columns at fault, found by directions restricted to ever smaller blocks."""
    full = direction(case.equal_sizes, case.generator)
    waiting, blocks = [np.arange(case.subject.n)], 0
    found: list[int] = []
    while waiting and len(found) < MOST_FOUND and blocks < MOST_BLOCKS:
        block = waiting.pop()
        blocks += 1
        v = np.zeros_like(full)
        v[block] = full[block]
        claimed = case.matrix.times(v)
        line = case.along(v)
        estimate = line.quick()
        if not _settled(estimate, claimed):
            estimate = line.full()
        gap = np.abs(estimate.value - claimed)
        if not np.any((gap > 2 * estimate.error) | estimate.kink):
            continue
        if len(block) == 1:
            found.append(int(block[0]))
        else:
            waiting += np.array_split(block, 2)
    return found


def find_kink(case: Case, limit: int = 64) -> list[Kink]:
    """The inputs along which the one-sided slopes differ, among the first inputs or those nearest to zero."""
    assert isinstance(case, MatrixCase)
    findings, measured = Findings(), Measured()
    columns = range(case.subject.n) if case.subject.n <= limit else np.argsort(np.abs(case.subject.x))[:limit]
    for j in columns:
        _measure_column(case, int(j), findings, measured)
    return findings.kinks
