"""The check at one point: run the function and the claim, gather evidence, judge, and look for the cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adcli_methods.checking.black_box import Measured, find_kink, localise
from adcli_methods.checking.claims import PRODUCTS, Claim, ShapeError, kind_by_name, kind_by_shape
from adcli_methods.checking.diagnosis import diagnose, kink_cause
from adcli_methods.checking.judging import Directional, Findings, Kink, judge_blunt, judge_sharp
from adcli_methods.checking.matrix_case import MatrixCase
from adcli_methods.checking.passes import LONG
from adcli_methods.checking.product_case import ProductCase
from adcli_methods.checking.report import Cause, Entry, PointReport, Verdict
from adcli_methods.checking.subject import Array, NotRepeatableError, Subject, UserError
from adcli_methods.checking.tolerance import Limits
from adcli_methods.checking.tracing import trace_of
from adcli_methods.operators import require_scalar

MOST_ENTRIES = 10
LONGEST_REASON = 160
MOST_INPUTS_TWICE = 10**5
"""Up to this many inputs forward and reverse mode are compared with one another."""


@dataclass(frozen=True)
class Checked:
    """A point's report, and what it took."""

    report: PointReport
    kind: str
    evaluations: int
    claim_evaluations: int


class PointCheck:
    """The check of a claim at a point.

    Arguments:
        subject: the function at the point.
        claim: what is claimed.
        generator: of random numbers.
        limits: the user's tolerances.
    """

    def __init__(self, subject: Subject, claim: Claim, generator: np.random.Generator, limits: Limits) -> None:
        self.subject, self.claim, self.generator, self.limits = subject, claim, generator, limits
        self.case: Any = None
        self.notes: list[str] = []
        self.methods: list[str] = []
        self.claim_mutates = False
        self.directional = Directional()

    def run(self) -> Checked:
        """Everything, ending in a report whatever the user's code does."""
        report = self._guarded()
        if report.verdict in (Verdict.PASS, Verdict.UNCLEAR, Verdict.NOT_DIFFERENTIABLE):
            report = self._with_mutation(report)
        runs = self.case.evaluations if self.case is not None else 1
        return Checked(report, str(self.claim.kind), self.subject.evaluations, runs)

    def _guarded(self) -> PointReport:
        try:
            self.subject.start()
            if self.subject.n <= LONG:
                self.subject.repeat()
            self._set_up()
            if self.subject.n > LONG and not self._is_repeated():
                self.subject.repeat()
        except NotRepeatableError as error:
            return self._report(Verdict.NON_DETERMINISTIC, str(error))
        except UserError as error:
            return self._report(Verdict.ERROR, str(error))
        except ShapeError as error:
            return self._report(Verdict.FAIL, str(error), causes=(Cause(error.kind, str(error)),))
        if not np.isfinite(self.subject.y).all():
            return self._report(Verdict.ERROR, self._not_finite())
        return self._judged()

    def _not_finite(self) -> str:
        y, name = self.subject.y, self.subject.name
        bad = np.flatnonzero(~np.isfinite(y))
        where = "" if y.size == 1 else f" in {len(bad)} of {y.size} entries"
        return f"{name} is {y[bad[0]]}{where} here: there is no derivative to check; give a point in its domain"

    def _set_up(self) -> None:
        """Find out the kind of the claim, run it twice, trace the function."""
        subject, claim, first = self.subject, self.claim, None
        kind = kind_by_name(claim, len(subject.problem.inputs))
        if kind is None:
            first, _ = subject.call(claim.call, subject.x, claim.name)
            kind = kind_by_shape(first, subject)
        self.claim = claim = replace(claim, kind=kind)
        if kind in ("gradient", "hessian", "hvp", "value_and_gradient") and subject.m != 1:
            require_scalar([subject.y], kind)
        form = ProductCase if kind in PRODUCTS else MatrixCase
        self.case = form(subject, claim, None, self.generator, int(first is not None))
        self.claim_mutates = self.case.begin()
        repeated = self.case.repeated(first)
        if repeated:
            raise NotRepeatableError(repeated)
        subject.widen()
        if claim.black_box is not None:
            self.notes.append(claim.black_box)
            return
        self.case.tracing, reason = trace_of(subject, self.case.order)
        if reason:
            first = reason.split("; ")[0]
            self.notes.append(f"not traced, so checked by differences as a black box: {first[:LONGEST_REASON]}")

    def _is_repeated(self) -> bool:
        """Whether a traced run was a second run, with the same value, so that a long function need not run again."""
        tracing = self.case.tracing
        return tracing is not None and self.case.order == 1 and self.subject.is_again(tracing.y)

    def _judged(self) -> PointReport:
        findings = Findings()
        if self.case.tracing is not None:
            self.methods += ["reverse" if self.case.order == 1 else "forward over reverse"]
            findings = judge_sharp(self.case, self.limits)
            self._compare_modes()
        if findings.distrusted:
            self.notes.append("in-house differentiation disagrees with differences here, which side with the claim")
            self.case.tracing, findings = None, Findings()
        self.methods.append("central-difference")
        if not findings.wrong:
            self.directional = judge_blunt(self.case, self.limits, self.case.tracing is not None)
            findings = self._with_directions(findings)
        return self._concluded(findings)

    def _compare_modes(self) -> None:
        """u^T (J v) against (u^T J) v, and complex step against both where it is cheap."""
        case, tracing = self.case, self.case.tracing
        if len(case.sizes) > MOST_INPUTS_TWICE:
            return
        v = case.sizes * self.generator.uniform(0.5, 1.0, len(case.sizes))
        u = self.generator.uniform(0.5, 1.0, len(tracing.y))
        pushed, pulled = tracing.push(v), tracing.pull(u)
        self.methods.insert(0, "forward")
        apart, mass = abs(u @ pushed - pulled @ v), np.abs(u) @ np.abs(pushed) + np.abs(pulled) @ np.abs(v)
        if np.isfinite(apart) and apart > 1e-9 * mass:
            self.notes.append(f"forward and reverse mode differ by {apart / mass:.1e} of their size here")
        if case.order == 1 and len(v) <= 10**4:
            self._step_in_the_imaginary(v, pushed)

    def _step_in_the_imaginary(self, v: Array, pushed: Array) -> None:
        try:
            stepped = self.case.tracing.complex_step(v)
        except Exception:  # not every operation has a complex form
            return
        if np.isfinite(stepped).all():
            self.methods.append("complex-step")
            apart, mass = float(np.max(np.abs(stepped - pushed))), float(np.max(np.abs(pushed)))
            if apart > 1e-6 * mass:
                self.notes.append(f"complex step differs from forward mode by {apart / max(mass, 1e-300):.1e} here")

    def _with_directions(self, findings: Findings) -> Findings:
        """The findings with what the directions say; only where they contradict are entries measured."""
        told = self.directional
        bad_kinks = [kink for kink in told.kinks if not kink.holds_claim and not kink.unbounded]
        if told.bad or bad_kinks:
            local, self.measured = localise(self.case)
            findings.wrong |= local.wrong
            findings.kinks += local.kinks
            if local.wrong and self.case.tracing is not None:
                self.notes.append("in-house differentiation agrees with the claim, and differences contradict both")
                self.case.tracing = None
            if not findings.wrong and not findings.kinks and self.case.tracing is None and told.worst is not None:
                findings.notes.append("along a random direction the claim is {:.6g}, differences say {:.6g} "
                                      "with an error of {:.1e}".format(*told.worst))  # fmt: skip
                findings.distrusted = True
        elif told.kinks:
            local_kinks = find_kink(self.case) if isinstance(self.case, MatrixCase) and self.case.order == 1 else []
            findings.kinks += local_kinks or told.kinks
        return findings

    measured: Measured | None = None

    def _concluded(self, findings: Findings) -> PointReport:
        entries = self._entries(findings)
        wrong = findings.wrong
        bad_kinks = [k for k in findings.kinks if not k.holds_claim and not k.unbounded and k.place is not None]
        if self.case.wrong_value():
            return self._report(
                Verdict.FAIL, self.case.wrong_value(), causes=(Cause("value", self.case.wrong_value()),)
            )
        if wrong or findings.distrusted:
            causes = diagnose(self.case, findings, self.measured)
            return self._report(Verdict.FAIL, self._wrong_words(findings), entries, len(wrong), tuple(causes))
        if findings.kinks and not bad_kinks:
            return self._kinked(findings.kinks, entries)
        if findings.unclear:
            reason = "the noise hides it, or only atol excuses it: "
            reason += self._wrong_words(Findings(wrong=findings.unclear))
            return self._report(Verdict.UNCLEAR, reason + "; try another point, float64, or a larger --rtol", entries)
        if self.case.tracing is None and self.directional.blind:
            reason = (f"the noise of {self.subject.name} hides the derivative in {self.directional.blind} of "
                      f"{self.directional.count} directions; try a point where it varies more, or float64")  # fmt: skip
            return self._report(Verdict.UNCLEAR, reason)
        if self.directional.blind:
            self.notes.append("differences are too noisy here to confirm what differentiation says")
        if self.directional.bad:
            self.notes.append("differences along random directions disagree here, but no entry by itself does")
            return self._report(Verdict.UNCLEAR, self.notes[-1])
        return self._report(Verdict.PASS, "")

    def _wrong_words(self, findings: Findings) -> str:
        if not findings.wrong:
            return findings.notes[0]
        place = max(findings.wrong, key=lambda p: _relative(*findings.wrong[p][:2]))
        claim, reference, _ = findings.wrong[place]
        count = len(findings.wrong)
        first = f"{count} of {self.case.entry_count} entries differ" if self.case.entry_count > 1 else "it differs"
        return f"{first}: {self.case.place_name(place)[1]} is claimed {claim:.6g}, and is {reference:.6g}"

    def _kinked(self, kinks: list[Kink], entries: tuple[Entry, ...]) -> PointReport:
        kink = kinks[0]
        where = self.case.place_name(kink.place)[1] if kink.place is not None else "a random direction"
        if kink.unbounded:
            reason = f"the slope along {where} is not bounded"
        else:
            reason = f"the slopes along {where} differ: {kink.left:.6g} on the left, {kink.right:.6g} on the right"
        at = self.case.tracing.kinks() if self.case.tracing is not None else []
        self.notes += at
        causes = tuple(dict.fromkeys(kink_cause(kink, self.case) for kink in kinks[:3] if kink.holds_claim))
        return self._report(Verdict.NOT_DIFFERENTIABLE, reason, entries, causes=causes)

    def _entries(self, findings: Findings) -> tuple[Entry, ...]:
        rows = [(place, numbers, Verdict.FAIL) for place, numbers in findings.wrong.items()]
        rows += [(place, numbers, Verdict.UNCLEAR) for place, numbers in findings.unclear.items()]
        for kink in findings.kinks:
            if kink.place is not None and kink.place not in findings.wrong:
                numbers = (kink.claimed, (kink.left + kink.right) / 2, abs(kink.right - kink.left) / 2)
                rows.append((kink.place, numbers, Verdict.NOT_DIFFERENTIABLE))
        rows.sort(key=lambda row: (-row[2].severity, -_weight(row[1])))
        return tuple(self._entry(*row) for row in rows[:MOST_ENTRIES])

    def _entry(self, place: int, numbers: tuple[float, float, float], verdict: Verdict) -> Entry:
        claim, reference, noise = numbers
        index, path = self.case.place_name(place)
        return Entry(index, path, claim, reference, abs(claim - reference), noise, verdict)

    def _report(
        self,
        verdict: Verdict,
        reason: str,
        entries: tuple[Entry, ...] = (),
        wrong: int = 0,
        causes: tuple[Cause, ...] = (),
    ) -> PointReport:
        return PointReport(
            point=self.subject.problem.inputs if len(self.subject.problem.inputs) > 1 else self._only_input(),
            verdict=verdict,
            entries=entries,
            entry_count=self.case.entry_count if hasattr(self.case, "matrix") or hasattr(self.case, "products") else 0,
            wrong_count=wrong,
            causes=causes,
            methods=tuple(self.methods),
            directions=self.directional.count,
            notes=tuple(dict.fromkeys(self.notes)),
            reason=reason,
        )

    def _only_input(self) -> Any:
        return next(iter(self.subject.problem.inputs.values()))

    def _with_mutation(self, report: PointReport) -> PointReport:
        if not (self.subject.mutates or self.claim_mutates):
            return report
        name = self.subject.name if self.subject.mutates else self.claim.name
        reason = f"{name} changes its input: every later use of it is at another point; let it work on a copy"
        notes = (*report.notes, f"on fresh copies of its input the claim is {report.verdict}")
        return replace(report, verdict=Verdict.MUTATES, reason=reason, notes=notes)


def _relative(claim: float, reference: float) -> float:
    error = abs(claim - reference)
    return error if np.isfinite(error) else np.inf


def _weight(numbers: tuple[float, float, float]) -> float:
    error = abs(numbers[0] - numbers[1])
    return error if np.isfinite(error) else np.inf
