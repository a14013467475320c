"""The Python mirror of `adcli check`, and the same as an assertion for tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

from adcli.checking.finding import Finding, is_fault
from adcli.checking.order import GIVEN_POINTS, RANDOM_POINTS
from adcli.checking.targets import claim_from, function_from, random_size
from adcli.report.check_text import report_text
from adcli.target import Target
from adcli_methods.checking.check import check as run_check
from adcli_methods.checking.claims import Claim
from adcli_methods.checking.report import CheckReport, Verdict
from adcli_methods.errors import OperatorError


class GradientError(AssertionError):
    """A derivative that is not right; the message is the report.

    Arguments: the report, also as `.report`, and the text.
    """

    def __init__(self, report: CheckReport, text: str) -> None:
        super().__init__(text)
        self.report = report


def check(
    function: Target,
    claim: Target | Claim | None = None,
    at: Any = None,
    *,
    kind: str | None = None,
    wrt: str | Sequence[str] | None = None,
    points: int | None = None,
    size: int | None = None,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    args: Sequence[Any] = (),
) -> CheckReport:
    """Check a hand-written derivative at a point, or at random points.

    Arguments:
        function: a callable, a formula or "file.py:name".
        claim: its derivative, likewise; None where the function returns its value and its gradient.
        at: a number, an array, a dict of inputs by name, or a tuple of them; None for random points.
        kind: gradient, jacobian, hessian, hvp, jvp, vjp or value_and_gradient; None: told by names and shapes.
        wrt: the inputs that the claim is about; None: all floating-point inputs given.
        points: how many; None: the one given, or five random ones.
        size: entries of random inputs, whose shapes vary; None: 4, of a formula 1.
        seed: of all that is random.
        rtol, atol: tolerances in place of the derived ones; atol excuses errors below it.
        args: further inputs of both, as scipy.optimize passes them.
    Result: a CheckReport, with `.verdict`, `.reason`, `.causes` and `.entries`.
    Raises: AdcliError where there is nothing that could be checked.

    >>> check("exp(x**2)", "2*x*exp(x**2)", at=2.0).verdict
    <Verdict.PASS: 'PASS'>
    """
    if claim is None and kind not in (None, "value_and_gradient"):
        raise OperatorError(f"no claim: give the function that returns the {kind}")
    subject = function_from(function, at)
    given = function if claim is None else claim
    chosen = claim_from(given, at, subject, "value_and_gradient" if claim is None else kind)
    count = points or (RANDOM_POINTS if at is None else GIVEN_POINTS)
    entries = size or (random_size(subject) if at is None else None)
    return run_check(
        subject,
        chosen,
        at,
        kind=chosen.kind,
        wrt=wrt,
        points=count,
        size=entries,
        seed=seed,
        rtol=rtol,
        atol=atol,
        args=args,
    )


def assert_gradient(
    function: Target, claim: Target | Claim | None = None, at: Any = None, *, strict: bool = False, **options: Any
) -> CheckReport:
    """Raise an AssertionError, with the report as its text, unless a hand-written derivative is right.

    Arguments: as of `check`, and `strict`: whether an UNCLEAR verdict fails too.
    Result: the CheckReport.
    Raises: GradientError, an AssertionError with the report as `.report`; AdcliError as `check`.

    >>> assert_gradient(lambda x: x**3, lambda x: 3 * x**2, at=2.0).passed
    True
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    report = check(function, claim, at, **options)
    report = replace(report, reproduce=_this_test() or report.reproduce)
    finding = Finding(report.function, report.claim, report)
    if is_fault(finding, strict) or report.verdict is Verdict.NOT_TRACED:
        raise GradientError(report, report_text(finding))
    return report


def _this_test() -> str | None:
    """The command that runs the pytest test that is running, alone."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    return f"pytest {quote(test)}" if test else None
