"""Memory: peak bytes of one derivative above what the process held before, and bytes kept for the reverse sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.expected import expected, judged
from adcli_benchmarks.meters import meter_for, peak_of
from adcli_benchmarks.planning import cells_of, every_method, methods_of, problems_of, sizes_of
from adcli_benchmarks.problem import Array
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.some_passes import Run
from adcli_benchmarks.subject import Subject, matrix, method_of, subject_of
from adcli_methods.function import FlatFunction
from adcli_methods.inhouse import InHouse
from adcli_methods.method import Method, Prepared

SIZES = {
    "trigonometric-sum": (100, 1000, 10_000, 100_000, 1_000_000),
    "rosenbrock": (100, 1000, 10_000, 100_000, 1_000_000),
    "reaction-chain": (4, 16, 32),
    "speelpenning": (10, 100, 1000),
}
TOUR = {"trigonometric-sum": (10_000, 1_000_000)}
TOUR_METHODS = ("forward-difference", "forward", "reverse", "torch")
MOST_COLUMNS = 1000
"""Methods that need more passes are measured at one of them; every pass holds the same."""


def cells(request: BenchRequest) -> list[Cell]:
    """Every method at every size."""
    return list(_cells(request))


def _cells(request: BenchRequest) -> Iterator[Cell]:
    methods = methods_of(request, TOUR_METHODS if request.is_tour else every_method())
    usual = TOUR if request.is_tour else SIZES
    for problem in problems_of(request, tuple(usual)):
        own = usual.get(problem) if request.sizes is None else None
        for size in own or sizes_of(request, problem):
            names = [name for name in methods if name != "symbolic" or size <= MOST_COLUMNS]
            yield from cells_of("memory", request, (problem,), names, (size,))


def measure(cell: Cell) -> dict[str, Value]:
    """The peaks of setting up and of running a derivative, each after a run that is not measured.

    Result: peak_bytes, prepare_peak_bytes, meter, measured_passes, all_passes; kept_bytes of methods that keep values
        for a reverse sweep; norm_relative_error, worst_entry_error, reference.
    Raises: WrongError, RefusedError, OperatorError, UnavailableError.
    """
    subject = subject_of(cell)
    method = method_of(cell)
    method.check(subject.operator, 1)
    reference = expected(subject, cell.method)
    values: dict[str, Value] = {"inputs_count": subject.inputs, "outputs_count": subject.outputs}
    columns: Sequence[int] = range(subject.inputs)
    if _takes_too_many_passes(cell, subject):
        columns = [subject.inputs - 1]
        found = _of_one_pass(method, subject, values)
    else:
        found = _of_all(cell, subject, values)
    if cell.method in KEPT:
        values["kept_bytes"] = KEPT[cell.method](subject)
    return judged(found, columns, reference, cell, values)


def _takes_too_many_passes(cell: Cell, subject: Subject) -> bool:
    return subject.inputs > MOST_COLUMNS and not Run(method_of(cell), subject).is_by_rows


def _of_one_pass(method: Method, subject: Subject, values: dict[str, Value]) -> Array:
    """Of the last column."""
    run = Run(method, subject)
    run.column(0)
    del run
    peak = peak_of(lambda: Run(method, subject).column(subject.inputs - 1), meter_for(method))
    values |= {"peak_bytes": peak.peak_bytes, "meter": peak.meter, "measured_passes": 1, "all_passes": subject.inputs}
    column: Array = peak.result.reshape(-1, 1)
    return column


def _of_all(cell: Cell, subject: Subject, values: dict[str, Value]) -> Array:
    flat, operator, meter = subject.flat, subject.operator, meter_for(method_of(cell))
    warm = _prepared(cell, flat, operator)
    warm.run(warm.leaves)
    del warm
    set_up = peak_of(lambda: _prepared(cell, flat, operator), meter)
    prepared = set_up.result
    prepared.run(prepared.leaves)
    peak = peak_of(lambda: prepared.run(prepared.leaves), meter)
    values |= {"peak_bytes": peak.peak_bytes, "prepare_peak_bytes": set_up.peak_bytes, "meter": peak.meter}
    _, blocks = peak.result
    return matrix(prepared.lower(blocks), flat.leaves)


def _prepared(cell: Cell, flat: FlatFunction, operator: str) -> Prepared:
    """What runs a derivative again and again; in-house the sweeps themselves, whose memory every run takes and frees.

    Compiled kernels recycle the buffers of earlier runs, which no meter of one run sees.
    """
    method = method_of(cell)
    return Method.prepared(method, flat, operator) if isinstance(method, InHouse) else method.prepared(flat, operator)


def _kept_in_house(subject: Subject) -> int:
    from adcli_methods.liveness import kept_bytes

    return kept_bytes(subject.flat.program, subject.flat.leaves)


def _kept_by_torch(subject: Subject) -> int:
    """The bytes that torch's graph saves, each buffer once, as its own hooks tell."""
    from torch.autograd.graph import saved_tensors_hooks

    from adcli_methods.methods import method_named

    buffers: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        buffers[storage.data_ptr()] = storage.nbytes()
        return tensor

    method = method_named("torch")()
    native = method.prepare(subject.flat, 1)
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        method.linearize(native.function, native.leaves, 1)
    return sum(buffers.values())


KEPT: dict[str, Callable[[Subject], int]] = {"reverse": _kept_in_house, "torch": _kept_by_torch}
"""Who counts the bytes that a method keeps for its reverse sweep."""
