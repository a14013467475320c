"""The method to take for a function: from its inputs and outputs, the passes that were counted, and the times."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from adcli.report.numbers import count, duration, error
from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import AdcliError
from adcli_methods.function import Function, bind
from adcli_methods.prepared.prepared import prepare
from adcli_methods.structure import leaves_of
from adcli_methods.time_limit import TimeLimitError, within

_SWEEPERS = ("forward", "reverse")
_EXACT = (*_SWEEPERS, "symbolic", "torch", "complex-step", "manual", "central-difference", "forward-difference")
"""The methods from the one to take first; what is not here is taken last."""
_PREPARED = {
    ("derivative", 1): "gradient",
    ("gradient", 1): "gradient",
    ("jacobian", 1): "jacobian",
    ("derivative", 2): "hessian",
    ("hessian", 2): "hessian",
}
"""What adcli.prepare calls a derivative of an operator and an order."""
ALIKE = 1.5
"""Times that differ by less say little: a run beside other work takes as much longer."""
_MOST_ULP = 100.0
_TIMED_CALLS = 5
_MOST_TIMED_SECONDS = 1.0
_MOST_CALLS = 1_000_000


class Row(Protocol):
    """What advice needs of one method's result."""

    @property
    def method(self) -> str:
        """The method's name."""

    @property
    def derivative(self) -> Derivative | None:
        """The result, if there is one."""

    @property
    def relative_error(self) -> float | None:
        """Of the worst entry."""

    @property
    def ulp_error(self) -> float | None:
        """Of the worst entry."""


@dataclass(frozen=True)
class Reuse:
    """What a derivative prepared once (adcli.prepare) takes, next to differentiating anew at each call.

    Arguments:
        backend: what runs it: "python", "numpy", "machine" or "c".
        prepare_seconds: once.
        run_seconds: each call, the least of a few.
        once_seconds: each call of the recommended method without preparing.
        pays_after_calls: from how many calls on preparing takes less time in all; None: never.
    """

    backend: str
    prepare_seconds: float
    run_seconds: float
    once_seconds: float
    pays_after_calls: int | None


@dataclass(frozen=True)
class Advice:
    """The method to take: of forward and reverse that with fewer sweeps, of equally many the much faster one.

    Arguments:
        method: its name.
        inputs: how many numbers the function is differentiated by.
        outputs: how many numbers it returns.
        reasons: in numbers, one sentence each.
        reuse: for many calls; None where the derivative cannot be prepared, or that takes too long.
    """

    method: str
    inputs: int
    outputs: int
    reasons: tuple[str, ...]
    reuse: Reuse | None


def advise(
    function: Function, at: Any, request: Request, rows: Sequence[Row], timeout_seconds: float | None = None
) -> Advice | None:
    """The method to take for what was compared; None if no method gave a result.

    Arguments:
        function, at, request: what was compared.
        rows: the methods' results.
        timeout_seconds: for preparing; None: no limit.
    """
    results = {row.method: row.derivative for row in rows if row.derivative is not None}
    if not results:
        return None
    inputs, outputs = _sizes(function, at, request, next(iter(results.values())))
    sweepers = [name for name in _SWEEPERS if name in results]
    if sweepers:
        method = _preferred({name: results[name] for name in sweepers})
        reasons = _by_sweeps(method, results, inputs, outputs)
    else:
        method = _most_exact(rows)
        reasons = _without_sweeps(method, rows, results)
    chosen = results[method]
    reuse = _reuse(function, at, request, chosen, timeout_seconds) if method in _SWEEPERS else None
    if reuse is not None:
        reasons.append(_of_reuse(reuse))
    reasons += [f"at this point {note}" for note in chosen.notes]
    return Advice(method, inputs, outputs, tuple(reasons), reuse)


def _sizes(function: Function, at: Any, request: Request, result: Derivative) -> tuple[int, int]:
    inputs = sum(int(np.size(leaf)) for leaf in flat_problem(function, at, request).leaves)
    return inputs, sum(int(np.size(leaf)) for _, leaf in leaves_of(result.value))


def _sweeps(result: Derivative) -> int:
    return result.tangent_sweeps + result.adjoint_sweeps


def _preferred(results: dict[str, Derivative]) -> str:
    """Of forward and reverse the one with fewer sweeps, else much less time, else forward, which keeps no trace."""
    fewest = min(map(_sweeps, results.values()))
    able = [name for name in results if _sweeps(results[name]) == fewest]
    least = min(seconds_of(results[name]) for name in able)
    return next(name for name in able if seconds_of(results[name]) <= ALIKE * least)


def _by_sweeps(method: str, results: dict[str, Derivative], inputs: int, outputs: int) -> list[str]:
    """Why one mode and not the other, and what differences would take."""
    chosen = results[method]
    shape = f"{count(inputs, 'input')} and {count(outputs, 'output')}"
    reason = f"{_passes(chosen)} for {shape}, in {duration(seconds_of(chosen))}"
    other = next((results[name] for name in _SWEEPERS if name != method and name in results), None)
    if other is not None:
        reason += f"; {other.method} takes {_passes(other)}, in {duration(seconds_of(other))}{_why(chosen, other)}"
    reasons = [reason]
    differences = results.get("central-difference")
    if differences is not None:
        reasons.append(f"differences take {count(differences.primal_evaluations, 'evaluation')}, and are not exact")
    return reasons


def _why(chosen: Derivative, other: Derivative) -> str:
    """What decided, where fewer sweeps and less time do not go together."""
    if _sweeps(chosen) == _sweeps(other) and seconds_of(other) <= ALIKE * seconds_of(chosen):
        return ": as many sweeps, about the time, and forward mode keeps no trace"
    if _sweeps(chosen) == _sweeps(other):
        return ": as many sweeps, and much more time"
    if seconds_of(chosen) > seconds_of(other):
        return ": less here, but fewer sweeps win as the function grows"
    return ""


def _passes(result: Derivative) -> str:
    parts = ((result.tangent_sweeps, "tangent sweep"), (result.adjoint_sweeps, "adjoint sweep"))
    return " and ".join(count(number, noun) for number, noun in parts if number) or "no sweep"


def seconds_of(result: Derivative) -> float:
    """What a derivative took in all."""
    return result.prepare_seconds + result.run_seconds


def _most_exact(rows: Sequence[Row]) -> str:
    """The first of the methods that is exact to rounding, else the one with the least error."""
    there = [row for row in rows if row.derivative is not None]
    rank = {name: position for position, name in enumerate(_EXACT)}
    there.sort(key=lambda row: rank.get(row.method, len(rank)))
    exact = [row for row in there if row.ulp_error is None or row.ulp_error <= _MOST_ULP]
    return (exact or sorted(there, key=lambda row: _unknown_last(row.relative_error)))[0].method


def _unknown_last(relative_error: float | None) -> float:
    return math.inf if relative_error is None or math.isnan(relative_error) else relative_error


def _without_sweeps(method: str, rows: Sequence[Row], results: dict[str, Derivative]) -> list[str]:
    """Why a method that does not sweep."""
    chosen, row = results[method], next(row for row in rows if row.method == method)
    told = f"{count(chosen.primal_evaluations, 'evaluation')}, in {duration(seconds_of(chosen))}"
    if row.relative_error is not None:
        told += f", with an error of {error(row.relative_error)}"
    return [told, "forward and reverse cannot differentiate this function"]


def _reuse(
    function: Function, at: Any, request: Request, chosen: Derivative, timeout_seconds: float | None
) -> Reuse | None:
    """What a prepared derivative takes; None where there is none for the request, or not in time."""
    operator = _PREPARED.get((chosen.operator, chosen.order))
    if operator is None or request.device != "cpu" or request.dtype not in (None, "float64"):
        return None
    try:
        with within(timeout_seconds):
            begin = time.perf_counter()
            prepared = prepare(function, at, operator=operator, wrt=request.wrt, mode=chosen.method)
            prepare_seconds = time.perf_counter() - begin
            arguments = _arguments(function, at, request)
            seconds = _least_seconds(lambda: prepared(*arguments))
    except (AdcliError, TimeLimitError):
        return None
    once = seconds_of(chosen)
    calls = math.floor(prepare_seconds / (once - seconds)) + 1 if once > seconds else None
    backend = prepared.report.versions[-1].backend
    return Reuse(backend, prepare_seconds, seconds, once, calls if calls and calls <= _MOST_CALLS else None)


def _arguments(function: Function, at: Any, request: Request) -> list[Any]:
    """The inputs as a caller that repeats the call would have them, numbers as floats."""
    inputs = bind(function, at)
    problem = flat_problem(function, at, request)
    known = {path[0]: leaf for path, leaf in zip(problem.paths, problem.leaves, strict=True) if len(path) == 1}
    return [known.get(name, value) for name, value in inputs.items()]


def _least_seconds(call: Any) -> float:
    """The least of a few runs, the first one left out."""
    begin = time.perf_counter()
    call()
    least, calls = time.perf_counter() - begin, 0
    while calls < _TIMED_CALLS and time.perf_counter() - begin < _MOST_TIMED_SECONDS:
        start = time.perf_counter()
        call()
        least, calls = min(least, time.perf_counter() - start), calls + 1
    return least


def _of_reuse(reuse: Reuse) -> str:
    each = f"{duration(reuse.run_seconds)} a call ({reuse.backend})"
    if reuse.pays_after_calls is None:
        return f"for one call or many: prepared once, it takes {each}, no less than {duration(reuse.once_seconds)}"
    first = f"from {count(reuse.pays_after_calls, 'call')} on" if reuse.pays_after_calls > 1 else "at once"
    return (
        f"adcli.prepare pays {first}: {duration(reuse.prepare_seconds)} once and {each}, "
        f"against {duration(reuse.once_seconds)} each time"
    )
