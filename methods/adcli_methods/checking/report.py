"""What a check finds: verdicts, entries, causes; one report for each point and one for all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adcli_methods.program import Location


class Verdict(StrEnum):
    """What a check says of a claim at a point. Written from the best to the worst, which is the order of severity."""

    PASS = "PASS"
    UNCLEAR = "UNCLEAR"
    NOT_DIFFERENTIABLE = "NOT DIFFERENTIABLE"
    NOT_TRACED = "NOT TRACED"
    NON_DETERMINISTIC = "NON-DETERMINISTIC"
    MUTATES = "MUTATES"
    ERROR = "ERROR"
    FAIL = "FAIL"

    @property
    def severity(self) -> int:
        """0 for PASS; the largest for FAIL."""
        return list(Verdict).index(self)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The most severe of them.

    >>> worst([Verdict.PASS, Verdict.FAIL, Verdict.UNCLEAR])
    <Verdict.FAIL: 'FAIL'>
    """
    return max(verdicts, key=lambda verdict: verdict.severity)


@dataclass(frozen=True)
class Entry:
    """One entry of a derivative, claimed and checked.

    Arguments:
        index: its place in the claim's array.
        path: its name, "x[3]", "theta.w[0,2]", "dy[1]/dx[3]".
        claim: what the claim says.
        reference: what the evidence says.
        error: |claim - reference|.
        noise_floor: the error that rounding and truncation explain.
        verdict: on this entry.
    """

    index: tuple[int, ...]
    path: str
    claim: float
    reference: float
    error: float
    noise_floor: float
    verdict: Verdict


@dataclass(frozen=True)
class Cause:
    """A likely cause of a fault, which a test has confirmed.

    Arguments:
        kind: "sign", "factor", "transposed", "permuted", "shifted", "missing term", "doubled term", "block", "float32",
            "mean instead of sum", "chain factor", "kink convention", "shape", "nan", "value", "unknown".
        text: one plain sentence with numbers.
        location: the user's line, where one is known.
        share: the fraction of the residual's norm that it explains, 0 to 1.
    """

    kind: str
    text: str
    location: Location | None = None
    share: float = 1.0


@dataclass(frozen=True)
class PointReport:
    """The findings at one point.

    Arguments:
        point: the inputs by name, or the only input.
        verdict: on the claim at this point.
        entries: the worst entries first, at most ten.
        entry_count: how many entries the derivative has.
        wrong_count: how many are wrong, where all were compared.
        causes: the likeliest first.
        methods: the evidence used, "reverse", "forward", "complex-step", "central-difference".
        directions: how many random directions were tried.
        notes: what a reader must know beside the numbers.
        reason: why it is not a PASS, in one sentence; empty for a PASS.
    """

    point: Any
    verdict: Verdict
    entries: tuple[Entry, ...] = ()
    entry_count: int = 0
    wrong_count: int = 0
    causes: tuple[Cause, ...] = ()
    methods: tuple[str, ...] = ()
    directions: int = 0
    notes: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class CheckReport:
    """The findings at all points; verdict, entries and causes are those of the worst point.

    Arguments:
        verdict: the most severe of the points' verdicts.
        function: the function's name or formula.
        claim: the claim's name.
        operator: "derivative", "gradient", "jacobian", "hessian", "hvp", "jvp", "vjp" or "value_and_gradient".
        points: one report for each point, in the order of the check.
        causes: the likeliest first.
        entries: the worst first.
        notes: of all points, each once.
        evaluations: how often the function was run.
        claim_evaluations: how often the claim was run.
        seconds: wall time.
        reproduce: a command or call that shows the finding again, where the caller knows one.
    """

    verdict: Verdict
    function: str
    claim: str
    operator: str
    points: tuple[PointReport, ...]
    causes: tuple[Cause, ...]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    evaluations: int
    claim_evaluations: int
    seconds: float
    reproduce: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every point passes."""
        return self.verdict is Verdict.PASS

    @property
    def reason(self) -> str:
        """The worst point's reason; empty for a PASS."""
        return max(self.points, key=lambda point: point.verdict.severity).reason if self.points else ""
