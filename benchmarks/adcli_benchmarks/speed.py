"""Speed: set-up, first call and steady state apart, beside the function itself and its hand-written derivative.

The function, the derivative by hand and the method run in turns, in one process, so that their ratios hold on a
machine whose speed wanders. Ratios over other methods are of their times over the function's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adcli_benchmarks.bandwidth import share_of_copy_rate
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.expected import expected, judged
from adcli_benchmarks.planning import Usual, cells_of, every_method, inputs_of, methods_of, problems_of, sizes_of
from adcli_benchmarks.problems import PROBLEMS
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.subject import Subject, matrix, method_of, subject_of
from adcli_benchmarks.swell import derived_program, program_operations
from adcli_benchmarks.timing import Timing, once, time_interleaved
from adcli_methods.direct import direct_function
from adcli_methods.method import Method, Prepared
from adcli_methods.methods import method_named

PASS_PER_INPUT = frozenset(
    "forward-difference central-difference complex-step symbolic forward scipy-difference numdifftools".split()
)
"""Methods that need a pass for each input: left out above MOST_INPUTS unless asked for."""
MOST_INPUTS = 1000
LARGE = {"trigonometric-sum": (100_000, 1_000_000), "rosenbrock": (10_000, 1_000_000)}
BY_NAME, OF_ALL = Usual(MOST_INPUTS, 2), Usual(100, 1)
"""The usual sizes of problems asked for by name, and where all problems are measured."""
SECONDS = 1.0
TOUR = {"rosenbrock": 100, "trigonometric-sum": 100_000}
TOUR_METHODS = ("manual", "forward-difference", "complex-step", "forward", "reverse", "torch", "jax-jit", "autograd")
TOUR_SECONDS = 0.3
AGAIN_BELOW_SECONDS = 5.0
"""A set-up this short is done twice, and the second one counts, without imports."""


def cells(request: BenchRequest) -> list[Cell]:
    """Every method at every size."""
    return list(_tour(request) if request.is_tour else _cells(request))


def _tour(request: BenchRequest) -> Iterator[Cell]:
    here = [name for name in TOUR_METHODS if method_named(name).missing() is None]
    for problem, size in TOUR.items():
        names = _affordable(methods_of(request, here), problem, size)
        yield from cells_of("speed", request, (problem,), names, (size,), seconds=TOUR_SECONDS)


def _cells(request: BenchRequest) -> Iterator[Cell]:
    methods = methods_of(request, every_method())
    usual = OF_ALL if request.problems is None else BY_NAME
    for problem in problems_of(request, [problem.name for problem in PROBLEMS]):
        large = LARGE.get(problem, ()) if request.sizes is None else ()
        for size in (*sizes_of(request, problem, usual), *large):
            names = methods if request.methods or request.sizes else _affordable(methods, problem, size)
            yield from cells_of("speed", request, (problem,), names, (size,), seconds=SECONDS)


def _affordable(methods: tuple[str, ...], problem: str, size: int) -> list[str]:
    are_few = inputs_of(problem, size) <= MOST_INPUTS
    return [name for name in methods if are_few or name not in PASS_PER_INPUT]


def measure(cell: Cell) -> dict[str, Value]:
    """What the value and the first derivative take.

    Result: prepare_seconds, first_call_seconds; run_seconds, primal_seconds, manual_seconds with their intervals and
        rounds; time_over_primal, time_over_manual, operation_ratio, copy_rate_share; the errors of `judged`.
    Raises: WrongError, RefusedError, OperatorError, UnavailableError.
    """
    subject = subject_of(cell)
    method = method_of(cell)
    method.check(subject.operator, 1)
    reference = expected(subject, cell.method)
    prepared, prepare_seconds = _set_up(cell, subject)
    first_call_seconds = once(lambda: prepared.run(prepared.leaves))
    _, blocks = prepared.run(prepared.leaves)
    values: dict[str, Value] = {
        "inputs_count": subject.inputs,
        "outputs_count": subject.outputs,
        "prepare_seconds": prepare_seconds,
        "first_call_seconds": first_call_seconds,
    }
    found = matrix(prepared.lower(blocks), subject.flat.leaves)
    values = judged(found, range(subject.inputs), reference, cell, values)
    calls = {**_beside(method, subject), "run": lambda: prepared.run(prepared.leaves)}
    timings = time_interleaved(calls, float(cell.setting("seconds", SECONDS)), method.wait)
    values |= _times(timings)
    values |= share_of_copy_rate(prepared.leaves, blocks, timings["run"].median_seconds, method.wait)
    return values | _operation_ratio(cell, subject)


def _set_up(cell: Cell, subject: Subject) -> tuple[Prepared, float]:
    """The prepared derivative, and the seconds that it took, tracing included."""
    found: list[Prepared] = []

    def prepare() -> None:
        fresh = Subject(subject.function, subject.point, subject.dtype)
        found.append(method_of(cell).prepared(fresh.flat, subject.operator))

    seconds = once(prepare)
    if seconds < AGAIN_BELOW_SECONDS:
        seconds = once(prepare)
    return found[-1], seconds


def _beside(method: Method, subject: Subject) -> dict[str, Callable[[], Any]]:
    """What the method is timed beside: the function in NumPy, and its value and derivative by hand.

    On another device it is the function as torch code there.
    """
    flat = subject.flat
    if method.settings.device != "cpu":
        native = method_named("torch")(method.settings).prepare(flat, 1)
        return {"primal": lambda: native.function(native.leaves)}
    primal = direct_function(flat)
    calls: dict[str, Callable[[], Any]] = {"primal": lambda: primal(flat.leaves)}
    if subject.function.derivative is not None:
        manual = method_named("manual")().prepared(flat, subject.operator)
        calls["manual"] = lambda: manual.run(manual.leaves)
    return calls


def _times(timings: Mapping[str, Timing]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, timing in timings.items():
        values |= {
            f"{name}_seconds": timing.median_seconds,
            f"{name}_low_seconds": timing.low_seconds,
            f"{name}_high_seconds": timing.high_seconds,
            f"{name}_round_seconds": list(timing.round_seconds),
        }
    run = timings["run"]
    values["rounds_count"] = run.rounds
    values["inner_repeats"] = run.inner_repeats
    for name in timings.keys() - {"run"}:
        values[f"time_over_{name}"] = run.median_seconds / timings[name].median_seconds
    if run.warning:
        values["warning"] = run.warning
    return values


def _operation_ratio(cell: Cell, subject: Subject) -> dict[str, Value]:
    """Operations of the derivative's Program over the function's, where the method has one."""
    if cell.method not in ("forward", "reverse") or (cell.method == "reverse" and subject.outputs > 1):
        return {}
    return program_operations(subject, derived_program(subject, cell.method, 1))
