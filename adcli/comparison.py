"""Every method beside the others, with errors against a 50-digit reference."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adcli.advice import Advice, advise, seconds_of
from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, check_device, differentiate, flat_problem
from adcli_methods.errors import AdcliError, OperatorError, TraceError, UnavailableError
from adcli_methods.function import FlatFunction, Function
from adcli_methods.method import Method
from adcli_methods.methods import installed_methods
from adcli_methods.structure import leaves_of
from adcli_methods.time_limit import TimeLimitError, within

MOST_REFERENCE_ENTRIES = 40
"""Larger derivatives are compared at this many entries, spread evenly."""
DIGITS = 50
MOST_RUNS, MOST_REPEAT_SECONDS = 3, 0.05
"""A method is run so often, or until its runs have taken that time."""


@dataclass(frozen=True)
class ComparisonRow:
    """One method's result.

    Arguments:
        method: its name.
        outcome: "ok", "unavailable", "unsupported" (the method cannot do it), "timeout" or "failed" (with an error).
        reason: why there is no result.
        derivative: the result; None without one.
        absolute_error, relative_error: of the worst entry; relative to the largest entry's size.
        ulp_error: of the worst entry, in units in the last place of the exact entry.
    """

    method: str
    outcome: str
    reason: str = ""
    derivative: Derivative | None = None
    absolute_error: float | None = None
    relative_error: float | None = None
    ulp_error: float | None = None


@dataclass(frozen=True)
class Comparison:
    """All methods at one point.

    Arguments:
        function: the function's name or formula.
        reference: the exact derivative's entries that were compared, as decimal strings of 50 digits.
        entries: how many entries the derivative has, and how many were compared.
        rows: one for each method.
        note: why there is no reference, if there is none.
        advice: the method to take, and why; None if none gave a result.
    """

    function: str
    reference: tuple[str, ...]
    entries: tuple[int, int]
    rows: tuple[ComparisonRow, ...]
    note: str = ""
    advice: Advice | None = None


def compare_methods(function: Function, at: Any, request: Request, timeout_seconds: float | None = None) -> Comparison:
    """Differentiate by every method, and measure each against the reference.

    Arguments:
        function: what to differentiate.
        at: the point.
        request: how; its mode is left aside.
        timeout_seconds: for each method, for the reference and for preparing; None: no limit.
    Raises: what the function itself raises at the point, so that no method could give a result; AdcliError if the
        point is at fault, or the device is not here.
    """
    check_device(request.device)
    problem = flat_problem(function, at, request)
    reference, note = _reference(problem, request, timeout_seconds)
    rows = [_row(kind, function, at, request, reference, timeout_seconds) for kind in installed_methods()]
    if all(row.derivative is None for row in rows):
        _require_value(problem, timeout_seconds)
    names = reference.texts if reference else ()
    entries = (reference.total, len(reference.positions)) if reference else (0, 0)
    advice = advise(function, at, request, rows, timeout_seconds)
    return Comparison(function.formula or function.name, names, entries, tuple(rows), note, advice)


@dataclass(frozen=True)
class _Reference:
    """Exact entries at some positions of the flattened derivative."""

    positions: tuple[int, ...]
    exact: tuple[Any, ...]
    texts: tuple[str, ...]
    total: int


def _require_value(problem: FlatFunction, timeout_seconds: float | None) -> None:
    """Raise what the function itself raises at the point: then it is no method's fault."""
    try:
        with within(timeout_seconds), np.errstate(all="ignore"):
            problem(problem.leaves)
    except TimeLimitError:
        return


def _reference(problem: FlatFunction, request: Request, timeout_seconds: float | None) -> tuple[_Reference | None, str]:
    try:
        with within(timeout_seconds):
            return _exact(problem, request.order), ""
    except TimeLimitError:
        return None, f"no reference: it takes more than {timeout_seconds:g} s (--timeout)"
    except UnavailableError:
        raise
    except AdcliError as error:
        if problem.function.formula is not None:
            raise
        return None, f"no reference: {error}"


def _exact(problem: FlatFunction, order: int) -> _Reference:
    import mpmath

    from adcli_methods.reference import directional_derivative

    program, sizes = problem.program, [int(np.size(leaf)) for leaf in problem.leaves]
    inputs = sum(sizes)
    if order > 1 and inputs > 1:
        raise _too_much("orders above 1 are compared for functions of one input")
    columns = sorted({round(i) for i in np.linspace(0, inputs - 1, min(inputs, MOST_REFERENCE_ENTRIES))})
    outputs = 0
    found: dict[int, Any] = {}
    for column in columns:
        derivative = directional_derivative(program, problem.leaves, _seeds(problem, column), order, DIGITS)
        entries = [entry for part in derivative for entry in np.ravel(np.asarray(part, dtype=object))]
        outputs = len(entries)
        for row, entry in enumerate(entries):
            found[row * inputs + column] = entry
    positions = tuple(sorted(found))
    exact = tuple(found[position] for position in positions)
    with mpmath.workdps(DIGITS):
        texts = tuple(mpmath.nstr(value, DIGITS) for value in exact)
    return _Reference(positions, exact, texts, outputs * inputs)


def _too_much(reason: str) -> AdcliError:
    return AdcliError(reason)


def _seeds(problem: FlatFunction, column: int) -> list[Any]:
    """The direction that moves one input entry."""
    seeds: list[Any] = []
    for leaf in problem.leaves:
        size = int(np.size(leaf))
        flat = np.zeros(size)
        if 0 <= column < size:
            flat[column] = 1.0
        seeds.append(flat.reshape(np.shape(leaf)) if np.shape(leaf) else float(flat[0]))
        column -= size
    return seeds


def _row(
    kind: type[Method],
    function: Function,
    at: Any,
    request: Request,
    reference: _Reference | None,
    timeout_seconds: float | None,
) -> ComparisonRow:
    missing = kind.missing()
    if missing is not None:
        return ComparisonRow(kind.name, "unavailable", f"install it: {missing}")
    try:
        with within(timeout_seconds):
            result = _fastest(function, at, replace(request, mode=kind.name))
    except TimeLimitError:
        return ComparisonRow(kind.name, "timeout", f"no result after {timeout_seconds:g} s (--timeout)")
    except UnavailableError as error:
        return ComparisonRow(kind.name, "unavailable", str(error))
    except (OperatorError, TraceError) as error:
        return ComparisonRow(kind.name, "unsupported", str(error))
    except AdcliError as error:
        return ComparisonRow(kind.name, "failed", str(error))
    except Exception as error:
        return ComparisonRow(kind.name, "failed", f"{type(error).__name__}: {error}")
    if reference is None:
        return ComparisonRow(kind.name, "ok", derivative=result)
    return ComparisonRow(kind.name, "ok", "", result, *errors(result, reference))


def _fastest(function: Function, at: Any, request: Request) -> Derivative:
    """The fastest of a few runs, if they are short: the first one holds what is loaded and set up for it."""
    runs = [differentiate(function, at, request)]
    with contextlib.suppress(TimeLimitError):  # one result is at hand
        while len(runs) < MOST_RUNS and sum(map(seconds_of, runs)) < MOST_REPEAT_SECONDS:
            runs.append(differentiate(function, at, request))
    return min(runs, key=seconds_of)


def flat_entries(result: Derivative) -> np.ndarray[Any, Any]:
    """A first derivative's entries, outputs first, then inputs."""
    parts = [np.asarray(leaf, dtype=float) for _, leaf in leaves_of(result.derivative)]
    outputs = [np.asarray(leaf) for _, leaf in leaves_of(result.value)]
    if len(outputs) == 1 and outputs[0].ndim:
        rows = outputs[0].size
        return np.concatenate([part.reshape(rows, -1) for part in parts], axis=1).ravel()
    return np.concatenate([part.ravel() for part in parts])


def errors(result: Derivative, reference: _Reference) -> tuple[float, float, float]:
    """The largest absolute error, that relative to the largest exact entry, the largest error in the dtype's ulp."""
    from adcli_methods.reference import absolute_error, ulp_error

    entries = flat_entries(result)
    given = [float(entries[position]) for position in reference.positions]
    absolute = [absolute_error(value, exact) for value, exact in zip(given, reference.exact, strict=True)]
    ulps = [ulp_error(value, exact) for value, exact in zip(given, reference.exact, strict=True)]
    worst = _worst(absolute)
    size = max((abs(float(exact)) for exact in reference.exact), default=0.0)
    per_ulp = float(np.finfo(np.float64).eps / np.finfo(result.dtype).eps)
    return worst, worst / size if size else worst, _worst(ulps) * per_ulp


def _worst(values: Sequence[float]) -> float:
    return float("nan") if any(value != value for value in values) else max(values, default=0.0)
