"""The figures of a benchmark run: steps, orders, swell, memory, passes; that of speed is in `speed_figure`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from adcli.report.bench_grid import grouped, is_curve, known, methods_in, order_of, passes_of, subject, value, where
from adcli.report.bench_numbers import memory, power, span
from adcli.report.figure_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    OWN_DASHES,
    PEER_DASHES,
    PINK,
    RED,
    Series,
    colour,
    dashes,
    finish,
    lines,
    logarithmic,
    styled,
)
from adcli.report.speed_figure import speed_figures
from adcli_benchmarks.record import Record

FLOOR = 1e-17
"""Where errors of zero are drawn."""
LEAST_POINTS = 3
STEPLESS = ("forward", "reverse", "torch")
"""Methods shown as flat lines beside the curves over steps."""
TICKS = (1e-6, 1e-4, 1e-2, 1.0, 60.0, 3600.0, 86400.0, 30 * 86400.0)
"""Seconds that a reader knows."""
SWELL_LINES = (
    ("symbolic", "derivative_operations", "raw derivative", BLACK, OWN_DASHES),
    ("symbolic", "cse_operations", "after CSE", PINK, OWN_DASHES),
    ("symbolic", "simplified_operations", "after simplify", GREEN, OWN_DASHES),
    ("symbolic", "function_operations", "the formula itself", GREY, PEER_DASHES),
    ("forward", "optimised_operations", "forward Program", RED, OWN_DASHES),
    ("reverse", "optimised_operations", "reverse Program", BLUE, OWN_DASHES),
)


class Picture(NamedTuple):
    """A figure and the last part of its file's name."""

    name: str
    figure: Any


def pictures(records: Sequence[Record]) -> Iterator[Picture]:
    """Every figure that the records are enough for."""
    for measure, those in grouped(records, lambda record: record.cell.measure).items():
        for name, figure in FIGURES[measure](those) if measure in FIGURES else ():
            yield Picture(f"{measure}-{_as_file(name)}", figure)


def _as_file(name: str) -> str:
    kept = "".join(character if character.isalnum() else "-" for character in name.lower())
    return "-".join(part for part in kept.split("-") if part)


def accuracy_figures(records: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """The V-curve of each problem with curves, and errors by order."""
    good = [record for record in records if record.is_ok]
    first = {(subject(r), r.cell.method): r for r in good if not is_curve(r) and order_of(r) == 1}
    for name, those in grouped((r for r in good if is_curve(r)), subject).items():
        yield f"steps-{name}", _curve(name, those, [first[key] for key in first if key[0] == name])
    higher = [r for r in good if not is_curve(r) and (order_of(r) > 1 or subject(r) in _with_orders(good))]
    for name, those in grouped(higher, subject).items():
        if len({order_of(r) for r in those}) >= LEAST_POINTS:
            yield f"orders-{name}", _orders(name, those)


def _with_orders(records: Sequence[Record]) -> set[str]:
    return {subject(record) for record in records if order_of(record) > 1}


def _curve(name: str, curves: Sequence[Record], flat: Sequence[Record]) -> Any:
    series = [
        Series(r.cell.method, known(r, "curve_steps"), [max(e, FLOOR) for e in known(r, "curve_errors")],
               colour(r.cell.method))
        for r in curves
    ]  # fmt: skip
    steps = known(curves[0], "curve_steps")
    levels = grouped((r for r in flat if r.cell.method in STEPLESS), lambda r: known(r, "norm_relative_error"))
    for level, those in levels.items():
        names = ", ".join(methods_in(those))
        series.append(Series(names, (steps[0], steps[-1]), (max(level, FLOOR),) * 2, colour(those[0].cell.method),
                             PEER_DASHES, is_marked=False))  # fmt: skip
    with styled(f"Error of the derivative by step size: {name}") as (figure, (axes,)):
        lines(axes, series)
        logarithmic(axes, "x", "y")
        axes.set(
            xlabel="step h, smaller to the right",
            ylabel="relative error",
            ylim=(FLOOR / 3, 30.0),
        )
        axes.invert_xaxis()
        finish(figure, axes, series)
    return figure


def _orders(name: str, records: Sequence[Record]) -> Any:
    series = [
        _line(method, those, order_of, lambda r: max(known(r, "norm_relative_error"), FLOOR))
        for method, those in grouped(records, lambda record: record.cell.method).items()
    ]
    with styled(f"Error of higher derivatives: {name}") as (figure, (axes,)):
        lines(axes, series)
        logarithmic(axes, "y")
        axes.set(xlabel="order of the derivative", ylabel="relative error", ylim=(FLOOR / 3, 3.0))
        axes.set_xticks(sorted({order_of(record) for record in records}))
        finish(figure, axes, series)
    return figure


def _line(method: str, records: Sequence[Record], x: Callable[[Record], float], y: Callable[[Record], float]) -> Series:
    ordered = sorted(records, key=x)
    return Series(
        method, [x(record) for record in ordered], [y(record) for record in ordered], colour(method),
        dashes(method),
        [bool(value(record, "is_projection")) for record in ordered],
    )  # fmt: skip


def swell_figures(records: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """Operations against n for each problem, and against the order."""
    good = [record for record in records if record.is_ok]
    first = [record for record in good if record.cell.setting("order", 1) == 1]
    for name, those in grouped(first, where).items():
        if len({record.cell.size for record in those}) >= LEAST_POINTS:
            yield (
                f"size-{name}",
                _swell(f"Operations of the derivative: {name}", "size n", those, lambda r: r.cell.size or 1),
            )
    for name, those in grouped(good, subject).items():
        if len({order_of(record) for record in those}) >= LEAST_POINTS:
            yield f"order-{name}", _swell(f"Operations by order: {name}", "order of the derivative", those, order_of)


def _swell(title: str, dimension: str, records: Sequence[Record], x: Callable[[Record], float]) -> Any:
    series = []
    for method, name, label, hue, style in SWELL_LINES:
        those = sorted((r for r in records if r.cell.method == method and value(r, name) is not None), key=x)
        if those:
            series.append(Series(label, [x(r) for r in those], [max(known(r, name), 1) for r in those], hue, style))
    sizes = sorted({x(record) for record in records})
    with styled(title) as (figure, (axes,)):
        lines(axes, series)
        logarithmic(axes, "y")
        axes.set(xlabel=dimension, ylabel="operations")
        if sizes[-1] > 4 * len(sizes):
            logarithmic(axes, "x")
        axes.set_xticks(sizes, [power(int(size)) for size in sizes])
        finish(figure, axes, series)
    return figure


def memory_figures(records: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """Peaks against n for each problem."""
    for name, those in grouped((record for record in records if record.is_ok), where).items():
        if len({record.cell.size for record in those}) < LEAST_POINTS:
            continue
        series = [
            _line(method, [r for r in those if r.cell.method == method and known(r, "peak_bytes") > 0], _inputs,
                  lambda r: known(r, "peak_bytes"))
            for method in methods_in(those)
        ]  # fmt: skip
        with styled(f"Peak memory of one derivative: {name}") as (figure, (axes,)):
            lines(axes, series)
            logarithmic(axes, "x", "y")
            axes.set(xlabel="inputs n", ylabel="peak above the baseline")
            axes.yaxis.set_major_formatter(lambda size, _: memory(round(size)))
            finish(figure, axes, series)
        yield name, figure


def _inputs(record: Record) -> float:
    return float(known(record, "inputs_count"))


def passes_figures(records: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """Passes, and their time, against n for each problem."""
    for name, those in grouped((record for record in records if record.is_ok), where).items():
        if len({record.cell.size for record in those}) < LEAST_POINTS:
            continue
        yield f"count-{name}", _against_inputs(
            f"Passes for the whole derivative: {name}", "evaluations and sweeps", those,
            lambda r: passes_of(r) or 0,
        )  # fmt: skip
        times = _against_inputs(f"Time for the whole derivative: {name}", "time", those, _run_seconds, is_time=True)
        yield f"time-{name}", times


def _run_seconds(record: Record) -> float:
    return float(known(record, "run_seconds"))


def _against_inputs(
    title: str, unit: str, records: Sequence[Record], height: Callable[[Record], float], is_time: bool = False
) -> Any:
    series = [_line(m, [r for r in records if r.cell.method == m], _inputs, height) for m in methods_in(records)]
    has_projections = any(any(one.hollow) for one in series)
    with styled(title) as (figure, (axes,)):
        lines(axes, series)
        label = "inputs n   (hollow: projected from some passes)" if has_projections else "inputs n"
        logarithmic(axes, "x", "y")
        axes.set(xlabel=label, ylabel=unit)
        if is_time:
            low, high = axes.get_ylim()
            ticks = [tick for tick in TICKS if low <= tick <= high]
            axes.set_yticks(ticks, [span(tick) for tick in ticks])
        finish(figure, axes, series)
    return figure


FIGURES: dict[str, Callable[[Sequence[Record]], Iterator[tuple[str, Any]]]] = {
    "accuracy": accuracy_figures,
    "swell": swell_figures,
    "memory": memory_figures,
    "passes": passes_figures,
    "speed": speed_figures,
}
"""Who draws a measure's figures, if it has any."""
