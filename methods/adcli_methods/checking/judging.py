"""From evidence to findings: which entries are wrong, hidden or at a kink, with differences as the arbiter."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from adcli_methods.checking.cases import Case, Sharp
from adcli_methods.checking.differences import THREE_STEPS, TWO_STEPS, Estimate
from adcli_methods.checking.matrix_case import MatrixCase
from adcli_methods.checking.subject import Array
from adcli_methods.checking.tolerance import Compared, Limits, compared

MOST_PROBES = 6
MOST_REFINED = 8
BLIND = 1e-3
"""Differences whose error is above this share of the derivative's natural size cannot confirm it."""
DIRECTIONS = 3
COARSER = 8.0
"""The truncation error may be so many times larger along another random direction."""


@dataclass
class Kink:
    """An entry, or a direction (place None), in which the one-sided slopes differ."""

    place: int | None
    claimed: float
    left: float
    right: float
    error: float
    unbounded: bool

    @property
    def holds_claim(self) -> bool:
        """Whether the claim is one of the slopes or between them."""
        low, high = min(self.left, self.right), max(self.left, self.right)
        slack = self.error + 1e-6 * (high - low)
        return not self.unbounded and low - slack <= self.claimed <= high + slack


@dataclass
class Findings:
    """What a stage found: places of wrong and hidden entries, kinks, and notes."""

    wrong: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    """place -> (claim, reference, noise)."""
    unclear: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    kinks: list[Kink] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    distrusted: bool = False
    compared: list[Compared] = field(default_factory=list)


def judge_sharp(case: Any, limits: Limits) -> Findings:
    """Compare with differentiation; every kind of suspect is put to the differences before it is called wrong."""
    findings = Findings()
    for sharp in case.sharp():
        result = compared(case, sharp, limits)
        if sharp.places is None and np.any(result.wrong):
            result = compared(case, _refined(case, result), limits)
        if np.any(result.wrong):
            findings.compared.append(result)
        if result.sharp.places is not None:
            _collect(findings, result)
    findings.wrong = case.told_of(findings.wrong)
    if findings.wrong:
        _arbitrate(case, findings)
    return findings


def _refined(case: MatrixCase, result: Compared) -> Sharp:
    """The entries of the worst rows or columns."""
    share = np.where(result.wrong, result.error / np.maximum(result.noise, 1e-300), 0.0)
    worst = result.suspects[np.argsort(-share)]
    chosen = np.sort(worst[: min(MOST_REFINED, int(result.wrong.sum()))])
    is_rows = result.sharp.shape == (case.matrix.shape[0],)
    return case.entries_of(chosen, None) if is_rows else case.entries_of(None, chosen)


def _collect(findings: Findings, result: Compared) -> None:
    sharp = result.sharp
    assert sharp.places is not None
    for target, mask in ((findings.wrong, result.wrong), (findings.unclear, result.excused)):
        for i, noise in zip(result.suspects[mask], result.noise[mask], strict=True):
            numbers = (float(sharp.claimed[i]), float(sharp.reference[i]), float(noise))
            target[int(sharp.places[i])] = numbers


def _arbitrate(case: Any, findings: Findings) -> None:
    """Ask the differences about the worst suspects; where they side with the claim, differentiation is distrusted."""
    answers = {place: _answer(case.probe(place), *findings.wrong[place][:2]) for place in _worst(findings.wrong)}
    for place, (answer, kink, _) in answers.items():
        if answer in ("right", "kink"):
            del findings.wrong[place]
        if kink is not None:
            kink.place = place
            findings.kinks.append(kink)
    told = [answer for answer, _, _ in answers.values()]
    for place, (answer, _, estimate) in answers.items():
        claim, reference, _ = findings.wrong.get(place, (0.0, 0.0, 0.0))
        if answer == "wrong" and abs(reference - estimate.value[0]) > 3 * estimate.error[0]:
            findings.wrong[place] = (claim, float(estimate.value[0]), float(estimate.error[0]))
    if "wrong" in told:
        return
    if "right" in told:
        findings.distrusted = True
    elif "kink" in told or not _confirmed(case):
        findings.unclear |= findings.wrong
        findings.wrong = {}


def _worst(wrong: dict[int, tuple[float, float, float]]) -> list[int]:
    """Suspects by their error in units of noise, and by their error alone."""
    places = list(wrong)
    numbers = np.array([wrong[place] for place in places])
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.nan_to_num(np.abs(numbers[:, 0] - numbers[:, 1]), nan=np.inf)
        share = error / np.maximum(numbers[:, 2], 1e-300)
    half = MOST_PROBES // 2
    chosen = [*np.argsort(-error)[:half], *np.argsort(-share)[: MOST_PROBES - half]]
    return list(dict.fromkeys(places[int(i)] for i in chosen))


def _answer(estimate: Estimate, claim: float, reference: float) -> tuple[str, Kink | None, Estimate]:
    """Whether differences call a claim "wrong" or "right", see a "kink", or are "blind"."""
    value, error = float(estimate.value[0]), float(estimate.error[0])
    if estimate.kink[0]:
        sides = (float(estimate.left[0]), float(estimate.right[0]))
        slack = 1e-6 * max(map(abs, sides)) if not np.isfinite(error) else min(error, 1e-3 * max(map(abs, sides)))
        kink = Kink(None, claim, *sides, slack, bool(estimate.unbounded[0]))
        return ("kink" if kink.holds_claim or kink.unbounded else "wrong", kink, estimate)
    if not np.isfinite(claim):
        return "wrong", None, estimate
    if not np.isfinite(error):
        return "blind", None, estimate
    from_claim, from_reference = abs(value - claim), abs(value - reference)
    if np.isnan(from_reference):
        from_reference = np.inf
    rounding = 1e-12 * abs(claim)
    if from_claim > 2 * error + rounding and from_claim > from_reference:
        return "wrong", None, estimate
    if from_reference > 2 * error + rounding:
        return ("right" if from_claim <= error + rounding else "wrong"), None, estimate
    return "blind", None, estimate


def _confirmed(case: Case) -> bool:
    """Whether differentiation is to be believed where differences see nothing: no kink, and complex step agrees."""
    tracing = case.tracing
    assert tracing is not None
    if tracing.kinks():
        return False
    if case.order == 2:
        return True
    v = case.sizes * case.generator.uniform(0.5, 1.0, len(case.sizes))
    try:
        stepped, pushed = tracing.complex_step(v), tracing.push(v)
    except Exception:  # not every operation has a complex form
        return True
    return bool(np.all(np.abs(stepped - pushed) <= 1e-6 * np.abs(pushed) + 1e-300))


@dataclass
class Directional:
    """What differences along random directions say."""

    bad: int = 0
    blind: int = 0
    kinks: list[Kink] = field(default_factory=list)
    count: int = 0
    worst: tuple[float, float, float] | None = None
    """(claim, reference, error) of the worst contradiction."""


def judge_blunt(case: Any, limits: Limits, trusted: bool) -> Directional:
    """Compare with differences in random directions: a few evaluations each, more only where these do not settle."""
    told, truncation = Directional(), 0.0
    for number in range(DIRECTIONS):
        blunt = case.blunt(number)
        usual = BLIND if trusted else BLIND * BLIND
        stages = [(partial(blunt.line.quick, TWO_STEPS if trusted else THREE_STEPS), usual), (blunt.line.full, usual)]
        if number and case.is_long:
            short = (blunt.line.coarse, BLIND) if trusted or number > 1 else (blunt.line.fewer, usual)
            stages.insert(0, (partial(short[0], truncation), short[1]))
        for stage, blind in stages:
            estimate = stage()
            if _agrees(estimate, blunt.claimed, blunt.rounding, blind):
                break
        truncation = COARSER * float(np.max(estimate.error)) if number == 0 else truncation
        _tell(told, estimate, blunt.claimed, blunt.rounding, limits)
        told.count += 1
    return told


def _agrees(estimate: Estimate, claimed: Array, rounding: Array, blind: float) -> bool:
    with np.errstate(invalid="ignore"):
        near = np.abs(claimed - estimate.value) <= estimate.error + rounding
        sees = estimate.error <= blind * np.maximum(estimate.size, np.abs(claimed))
    return bool(np.all(near & sees & ~estimate.kink))


def _tell(told: Directional, estimate: Estimate, claimed: Array, rounding: Array, limits: Limits) -> None:
    size = np.fmax(estimate.size, np.abs(claimed))
    with np.errstate(invalid="ignore"):
        gap = np.abs(claimed - estimate.value)
        allowed = 2 * estimate.error + rounding
        if limits.rtol is not None:
            allowed = np.maximum(allowed, limits.rtol * size)
        if limits.atol is not None:
            allowed = np.maximum(allowed, limits.atol)
        bad = (gap > allowed) & ~estimate.kink
        blind = ~(estimate.error <= BLIND * size) & ~(gap <= rounding) & ~estimate.kink & ~bad
    real = estimate.kink & (np.abs(estimate.right - estimate.left) > 1e-7 * size) | estimate.unbounded
    for i in np.flatnonzero(real)[:3]:
        sides = (float(estimate.left[i]), float(estimate.right[i]))
        slack = min(float(estimate.error[i]), BLIND * max(map(abs, sides)))
        told.kinks.append(Kink(None, float(claimed[i]), *sides, slack, bool(estimate.unbounded[i])))
    told.blind += bool(np.any(blind))
    if np.any(bad):
        told.bad += 1
        i = int(np.argmax(np.where(bad, gap / np.maximum(allowed, 1e-300), 0.0)))
        told.worst = told.worst or (float(claimed[i]), float(estimate.value[i]), float(estimate.error[i]))
