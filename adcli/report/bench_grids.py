"""The tables of a benchmark run: those of each measure; those of speed are in `speed_grids`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from adcli.report.bench_grid import (
    Grid,
    by_method,
    complaints,
    grouped,
    is_curve,
    known,
    methods_in,
    order_of,
    outcome,
    passes_of,
    subject,
    value,
    where,
)
from adcli.report.bench_numbers import memory, power, relative, span, whole
from adcli.report.speed_grids import speed_grids
from adcli_benchmarks.record import Record

MOST_SUBJECTS = 4
"""More problems are summed up in one table, method by method."""
MOST_SIZES = 5
"""Tables have the largest sizes; the CSV has all."""
MakeGrids = Callable[[Sequence[Record], bool], list[Grid]]


def grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """Every table of a run, in the order of measures.

    Arguments:
        records: of one run.
        is_short: whether many problems are summed up only, as on a terminal.
    """
    found: list[Grid] = []
    for measure, those in grouped(records, lambda record: record.cell.measure).items():
        found += GRIDS[measure](those, is_short)
        said = complaints(those)
        if said:
            found.append(Grid(f"{measure}: cells without a result", (), (), tuple(said)))
    return found


def accuracy_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """First derivatives, orders, steps."""
    curves = [record for record in records if is_curve(record)]
    flat = [record for record in records if not is_curve(record)]
    first = [record for record in flat if order_of(record) == 1]
    higher = [record for record in flat if order_of(record) > 1]
    by_subject = grouped(first, subject)
    found = []
    if first and len(by_subject) > MOST_SUBJECTS:
        found.append(_summed_up(first))
    if first and (len(by_subject) <= MOST_SUBJECTS or not is_short):
        names = list(by_subject)
        found += [
            _errors({name: by_subject[name] for name in names[start : start + MOST_SUBJECTS]})
            for start in range(0, len(names), MOST_SUBJECTS)
        ]
    found += [_orders(name, those) for name, those in grouped(higher, subject).items()]
    return found + ([_steps(curves)] if curves else [])


def _errors(by_subject: dict[str, list[Record]]) -> Grid:
    each = {name: by_method(those) for name, those in by_subject.items()}
    records = [record for those in by_subject.values() for record in those]
    rows = [
        (method, *(outcome(found.get(method), relative(value(found.get(method), "norm_relative_error")))
                   for found in each.values()))
        for method in methods_in(records)
    ]  # fmt: skip
    note = "the norm of the error over the norm of the derivative"
    return Grid("accuracy: relative error against 50 digits", ("method", *each), tuple(rows), (note,))


def _summed_up(records: Sequence[Record]) -> Grid:
    rows = []
    for method, those in grouped(records, lambda record: record.cell.method).items():
        good = [record for record in those if record.is_ok]
        worst = max(good, key=lambda record: known(record, "norm_relative_error"), default=None)
        digits = [known(record, "correct_digits") for record in good]
        rows.append((
            method, f"{len(good)} of {len(those)}", str(statistics.median_low(digits)) if digits else "",
            relative(value(worst, "norm_relative_error")), subject(worst) if worst else "",
        ))  # fmt: skip
    columns = ("method", "right", "digits", "worst error", "at")
    order = methods_in(records)
    rows.sort(key=lambda row: order.index(row[0]))
    note = "digits: the median of correct decimal digits; errors are relative to the derivative's norm"
    return Grid("accuracy: first derivatives against 50 digits", columns, tuple(rows), (note,))


def _orders(name: str, records: Sequence[Record]) -> Grid:
    orders = sorted({order_of(record) for record in records})
    cells = {(record.cell.method, order_of(record)): record for record in records}
    rows = [
        (method, *(outcome(r := cells.get((method, k)), relative(value(r, "norm_relative_error"))) for k in orders))
        for method in methods_in(records)
    ]
    return Grid(f"accuracy: relative error by order, {name}", ("method", *map(str, orders)), tuple(rows))


def _steps(records: Sequence[Record]) -> Grid:
    rows = []
    for record in records:
        curve = value(record, "curve_errors")
        error_at = dict(zip(value(record, "curve_steps") or (), curve or (), strict=True))
        tiny = min(error_at, default=None)
        rows.append((
            f"{record.cell.method}, {subject(record)}", relative(value(record, "best_step")),
            outcome(record, relative(value(record, "norm_relative_error"))),
            relative(error_at[tiny]) if tiny is not None else "",
        ))  # fmt: skip
    columns = ("method", "best step", "its error", "error at 1e-16")
    return Grid("accuracy: relative error over step sizes from 1 to 1e-16", columns, tuple(rows))


def swell_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """By n for each problem, then by order."""
    found = []
    for name, those in grouped((r for r in records if r.cell.setting("order", 1) == 1), where).items():
        by_n = {power(n): by_method(part) for n, part in grouped(those, lambda r: r.cell.size).items()}
        found.append(_operations(f"swell: operations, {name}", "n", by_n))
        if not is_short:
            found.append(_deriving(f"swell: time to derive, {name}", "n", by_n))
    several = [part for part in grouped(records, subject).values() if len({order_of(r) for r in part}) > 1]
    for part in several:
        by_order = {str(k): by_method(those) for k, those in grouped(part, order_of).items()}
        found.append(_operations(f"swell: operations by order, {subject(part[0])}", "order", by_order))
    return found


def _operations(title: str, dimension: str, by_size: dict[str, dict[str, Record]]) -> Grid:
    rows = []
    for size, cells in by_size.items():
        formula, forward, reverse = (cells.get(name) for name in ("symbolic", "forward", "reverse"))
        simple = whole(value(formula, "simplified_operations")) or (
            "stopped" if value(formula, "simplify_outcome") else ""
        )
        rows.append((
            size, whole(value(formula, "function_operations")),
            outcome(formula, whole(value(formula, "derivative_operations"))),
            whole(value(formula, "cse_operations")), simple,
            whole(value(forward or reverse, "function_operations")),
            outcome(forward, whole(value(forward, "optimised_operations"))),
            outcome(reverse, whole(value(reverse, "optimised_operations"))),
        ))  # fmt: skip
    columns = (dimension, "formula", "derivative", "after CSE", "simplified", "Program", "forward", "reverse")
    notes = ("SymPy's formula and its derivative; the function's Program, one forward sweep, the whole gradient",)
    return Grid(title, columns, tuple(rows), notes)


def _deriving(title: str, dimension: str, by_size: dict[str, dict[str, Record]]) -> Grid:
    rows = []
    others = sorted({method for cells in by_size.values() for method in cells} - {"symbolic", "forward", "reverse"})
    for size, cells in by_size.items():
        formula, *derived = (cells.get(name) for name in ("symbolic", "forward", "reverse", *others))
        simple = span(value(formula, "simplify_seconds")) or (value(formula, "simplify_outcome") or "")
        rows.append((
            size, span(value(formula, "derive_seconds")), span(value(formula, "cse_seconds")), simple,
            *(outcome(record, span(value(record, "derive_seconds"))) for record in derived),
        ))  # fmt: skip
    return Grid(title, (dimension, "diff", "CSE", "simplify", "forward", "reverse", *others), tuple(rows))


def memory_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """Peaks by method and size for each problem."""
    found = []
    for name, those in grouped(records, where).items():
        sizes = sorted({record.cell.size or 0 for record in those})[-MOST_SIZES:]
        cells = {(record.cell.method, record.cell.size or 0): record for record in those}
        rows = []
        for method in methods_in(those):
            row = [cells.get((method, size)) for size in sizes]
            meter = next((value(r, "meter") for r in row if value(r, "meter")), "")
            rows.append((method, *(outcome(r, memory(value(r, "peak_bytes"))) for r in row), meter))
            if any(value(r, "kept_bytes") is not None for r in row):
                rows.append(("  kept to sweep back", *(memory(value(r, "kept_bytes")) for r in row), "count"))
        notes = tuple(_at_one_pass(those))
        title = f"memory: peak above the baseline, {name}"
        found.append(Grid(title, ("method", *(f"n = {power(size)}" for size in sizes), "meter"), tuple(rows), notes))
    return found


def _at_one_pass(records: Sequence[Record]) -> list[str]:
    names = methods_in(r for r in records if (value(r, "all_passes") or 0) > (value(r, "measured_passes") or 0))
    return [f"measured at one pass where there are more than 1,000: {', '.join(names)}"] if names else []


def passes_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """Passes against n, then everything at the largest n."""
    found = []
    for name, those in grouped(records, where).items():
        by_size = grouped(those, lambda record: record.cell.size)
        sizes = sorted(by_size, key=lambda size: size or 0)
        if len(sizes) > 1:
            found.append(_against_n(name, those, sizes[-MOST_SIZES:]))
        found += [_at_n(by_size[size]) for size in (sizes[-1:] if is_short else sizes)]
    return found


def _against_n(name: str, records: Sequence[Record], sizes: Sequence[int | None]) -> Grid:
    cells = {(record.cell.method, record.cell.size): record for record in records}
    rows = [
        (method, *(outcome(r := cells.get((method, size)), whole(passes_of(r))) for size in sizes))
        for method in methods_in(records)
    ]
    columns = ("method", *(f"n = {power(size)}" for size in sizes))
    note = "evaluations of the function, sweeps of tangents or adjoints added"
    return Grid(f"passes: evaluations and sweeps, {name}", columns, tuple(rows), (note,))


def _at_n(records: Sequence[Record]) -> Grid:
    rows = []
    projected = []
    for method, record in sorted(by_method(records).items(), key=lambda item: methods_in(records).index(item[0])):
        if value(record, "is_projection"):
            projected.append(f"{method} {value(record, 'measured_passes')}")
        seconds = span(value(record, "run_seconds"))
        rows.append((
            method, outcome(record, whole(value(record, "primal_evaluations"))),
            whole(value(record, "tangent_sweeps")), whole(value(record, "adjoint_sweeps")),
            f"~{seconds}" if value(record, "is_projection") else seconds,
            memory(value(record, "peak_bytes")), relative(value(record, "norm_relative_error")),
        ))  # fmt: skip
    columns = ("method", "evaluations", "tangents", "adjoints", "time", "peak", "error")
    notes = (f"~ projected from measured passes: {', '.join(projected)}",) if projected else ()
    return Grid(f"passes: the whole derivative, {subject(records[0])}", columns, tuple(rows), notes)


def imports_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """The packages that each command brings in."""
    rows = [
        (record.cell.problem, record.cell.method, outcome(record, whole(value(record, "imported_packages"))),
         str(value(record, "packages") or ""))
        for record in records
    ]  # fmt: skip
    return [Grid("imports: packages", ("command", "method", "count", "names"), tuple(rows))]


GRIDS: dict[str, MakeGrids] = {
    "accuracy": accuracy_grids,
    "swell": swell_grids,
    "memory": memory_grids,
    "passes": passes_grids,
    "speed": speed_grids,
    "imports": imports_grids,
}
"""Who makes a measure's tables. A measure more is one row here."""
