"""Checking a claimed derivative against evidence that is not the claim."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import update_wrapper
from typing import Any

import numpy as np

from adcli_methods.checking.claims import Claim, claim_of
from adcli_methods.checking.passes import LONG, keep_freed_memory
from adcli_methods.checking.point import Checked, PointCheck
from adcli_methods.checking.points import random_points
from adcli_methods.checking.report import CheckReport, PointReport
from adcli_methods.checking.subject import Subject
from adcli_methods.checking.tolerance import Limits
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.function import Function, function_of

USUAL_SIZE = 5


def check(
    function: Function | Callable[..., Any],
    claim: Claim | Callable[..., Any],
    at: Any = None,
    *,
    kind: str | None = None,
    wrt: str | Sequence[str] | None = None,
    points: int = 1,
    size: int | None = None,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    args: Sequence[Any] = (),
) -> CheckReport:
    """Check a claimed derivative at a point, and at random points around it.

    Arguments:
        function: a Function or any Python callable of numbers, arrays, or tuples, lists and dicts of them. One that
            returns (value, gradient) stands for its value.
        claim: a callable of the same inputs that returns the derivative; of a hvp, jvp or vjp the vector comes last.
        at: the point, as `differentiate` takes it; None, with `size`, for points of many scales and strides.
        kind: "derivative", "gradient", "jacobian", "hessian", "hvp", "jvp", "vjp" or "value_and_gradient"; None to find
            out from the claim's name and the shape of its result.
        wrt: the inputs that the claim differentiates by; None for all floating-point ones.
        points: how many points, the given one first.
        size: how many entries each input has where no point is given; None for a few.
        seed: of all random choices.
        rtol: a relative error that passes, in place of the derived tolerance.
        atol: an absolute error that is excused: no FAIL, but no PASS.
        args: constant arguments after the inputs, as scipy.optimize passes them.

    Result: the findings. Whatever the user's code does ends in a verdict.
    Raises: OperatorError, PointError for a request that makes no sense.

    >>> check(lambda x: x**3, lambda x: 3 * x**2, at=2.0).verdict
    <Verdict.PASS: 'PASS'>
    >>> report = check(lambda x: x**3, lambda x: -3 * x**2, at=2.0)
    >>> report.verdict, report.causes[0].kind
    (<Verdict.FAIL: 'FAIL'>, 'sign')
    """
    start = time.perf_counter()
    made, own = claim_of(claim, kind), function if isinstance(function, Function) else function_of(function)
    own, made = with_arguments(own, args), replace(made, call=_with_arguments(made.call, args))
    if points < 1:
        raise OperatorError(f"{points} points: give at least 1")
    run = _Run(own, made, wrt, seed, Limits(rtol, atol))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checked, notes = run.over(at, points, size)
    return _report(own, made, checked, notes, time.perf_counter() - start)


class _Run:
    """One claim, checked at point after point."""

    def __init__(self, function: Function, claim: Claim, wrt: Any, seed: int, limits: Limits) -> None:
        self.function, self.claim, self.wrt, self.limits = function, claim, wrt, limits
        self.generator = np.random.default_rng(seed)

    def over(self, at: Any, points: int, size: int | None) -> tuple[list[Checked], list[str]]:
        """The checks at the given point and around it, or at points of varied scale and shape."""
        if at is None:
            return random_points(self.function, self.at, points, USUAL_SIZE if size is None else size, self.generator)
        first = self.subject(at)
        if first.n > LONG:
            keep_freed_memory()
        checked = [self.checked(first)]
        checked += [self.checked(first.moved(self._around(first))) for _ in range(points - 1)]
        return checked, []

    def at(self, at: Any) -> Checked:
        """The check at one point."""
        return self.checked(self.subject(at))

    def subject(self, at: Any) -> Subject:
        """The function of what is differentiated by, at a point."""
        problem = flat_problem(self.function, at, Request(wrt=self.wrt))
        both = self.claim.kind == "value_and_gradient" or self.claim.call is self.function.call
        return Subject(problem, _first_of_pair if both else None)

    def checked(self, subject: Subject) -> Checked:
        """The check of a subject."""
        return PointCheck(subject, self.claim, self.generator, self.limits).run()

    def _around(self, subject: Subject) -> Any:
        from adcli_methods.checking.directions import direction, scales

        spread = self.generator.choice([0.01, 0.1, 0.5])
        return subject.x + spread * direction(scales(subject), self.generator)


def _first_of_pair(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def with_arguments(function: Function, args: Sequence[Any]) -> Function:
    """A function with constant arguments after its inputs."""
    if not args:
        return function
    names = function.parameters[: max(1, len(function.parameters) - len(args))]
    return replace(function, call=_with_arguments(function.call, args), parameters=names, defaults={})


def _with_arguments(call: Callable[..., Any], args: Sequence[Any]) -> Callable[..., Any]:
    if not args:
        return call

    def applied(*inputs: Any) -> Any:
        return call(*inputs, *args)

    return update_wrapper(applied, call, assigned=(), updated=())  # stand-ins look for the user's module there


def _report(function: Function, claim: Claim, checked: list[Checked], notes: list[str], seconds: float) -> CheckReport:
    points: tuple[PointReport, ...] = tuple(one.report for one in checked)
    worst = max(points, key=lambda point: point.verdict.severity)
    every = [*notes, *(note for point in points for note in point.notes)]
    return CheckReport(
        verdict=worst.verdict,
        function=function.formula or function.name,
        claim=claim.name,
        operator=next((one.kind for one in checked if one.kind != "None"), "gradient"),
        points=points,
        causes=worst.causes,
        entries=worst.entries,
        notes=tuple(dict.fromkeys(every)),
        evaluations=sum(one.evaluations for one in checked),
        claim_evaluations=sum(one.claim_evaluations for one in checked),
        seconds=seconds,
    )
