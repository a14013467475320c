"""Passes: evaluations and sweeps of a whole derivative against the number of inputs, counted as they run."""

from __future__ import annotations

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.expected import expected, judged, spread
from adcli_benchmarks.meters import meter_for, peak_of
from adcli_benchmarks.planning import cells_of, methods_of, problems_of, sizes_of
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.some_passes import MOST_PASSES, Passes, Run, measured
from adcli_benchmarks.subject import Subject, method_of, subject_of
from adcli_methods.errors import OperatorError
from adcli_methods.methods import METHODS

PROBLEMS = ("trigonometric-sum",)
SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
TOUR_SIZES = (1, 100, 10_000, 1_000_000)
TOUR_METHODS = ("forward-difference", "central-difference", "complex-step", "forward", "reverse")
BUDGET_SECONDS = 2.0
TOUR_BUDGET_SECONDS = 0.5
MOST_SYMBOLS = 1000


def cells(request: BenchRequest) -> list[Cell]:
    """Every method at every size."""
    methods = methods_of(request, TOUR_METHODS if request.is_tour else tuple(METHODS))
    usual = TOUR_SIZES if request.is_tour else SIZES
    budget = TOUR_BUDGET_SECONDS if request.is_tour else BUDGET_SECONDS
    return [
        cell
        for problem in problems_of(request, PROBLEMS)
        for cell in cells_of(
            "passes", request, (problem,), methods,
            usual if problem in PROBLEMS and request.sizes is None else sizes_of(request, problem),
            budget_seconds=budget,
        )
    ]  # fmt: skip


def measure(cell: Cell) -> dict[str, Value]:
    """What the value and the whole first derivative take.

    Result: primal_evaluations, tangent_sweeps, adjoint_sweeps, run_seconds, is_projection, measured_passes,
        all_passes, peak_bytes, meter, norm_relative_error, worst_entry_error, reference.
    Raises: WrongError, RefusedError, OperatorError, UnavailableError.
    """
    subject = subject_of(cell)
    if cell.method == "symbolic" and subject.inputs > MOST_SYMBOLS:
        raise OperatorError(f"a formula for each of {subject.inputs:,} entries: measured up to {MOST_SYMBOLS:,} inputs")
    reference = expected(subject, cell.method)
    method_of(cell).check(subject.operator, 1)
    wanted = [reference.columns[position] for position in spread(len(reference.columns), MOST_PASSES)]
    budget = float(cell.setting("budget_seconds", BUDGET_SECONDS))
    passes = measured(lambda: method_of(cell), subject, budget, wanted)
    evaluations, tangents, adjoints = passes.counts.all()
    values: dict[str, Value] = {
        "inputs_count": subject.inputs,
        "outputs_count": subject.outputs,
        "primal_evaluations": evaluations,
        "tangent_sweeps": tangents,
        "adjoint_sweeps": adjoints,
        "run_seconds": passes.run_seconds,
        "is_projection": passes.is_projection,
        "measured_passes": passes.measured_passes,
        "all_passes": passes.all_passes,
        **_memory(cell, subject, passes),
    }
    return judged(passes.found, passes.columns, reference, cell, values)


def _memory(cell: Cell, subject: Subject, passes: Passes) -> dict[str, Value]:
    """The peak of one derivative, or of the opening and one pass where there are too many."""
    method = method_of(cell)

    def run() -> object:
        again = Run(method, subject)
        return again.column(passes.columns[0]) if passes.is_projection else again.whole()

    peak = peak_of(run, meter_for(method))
    return {"peak_bytes": peak.peak_bytes, "meter": peak.meter}
