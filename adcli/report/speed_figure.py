"""The figure of speed: each method's time over the function's, a dot for each problem."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from adcli.report.bench_grid import known, methods_in, subject
from adcli.report.bench_numbers import ratio
from adcli.report.figure_style import BLACK, GREY, PALE, colour, styled
from adcli_benchmarks.record import Record

CHEAP_GRADIENT = 5.0
"""Operations of a gradient over the function's, at most (Griewank and Walther, Evaluating Derivatives, chapter 4)."""
ROW_INCHES = 0.34


def speed_figures(records: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """One figure of all problems."""
    good = [record for record in records if record.is_ok]
    if not good:
        return
    ratios = {method: [known(r, "time_over_primal") for r in good if r.cell.method == method]
              for method in methods_in(good)}  # fmt: skip
    ordered = sorted(ratios, key=lambda method: statistics.median(ratios[method]), reverse=True)
    problems = sorted({subject(record) for record in good})
    title = "Time of value and derivative over the function itself"
    with styled(title, height=1.7 + ROW_INCHES * len(ordered)) as (figure, (axes,)):
        axes.set_title(title, pad=24)
        for row, method in enumerate(ordered):
            _row(axes, row, method, ratios[method])
        axes.set(xscale="log", xlabel=f"times the function in NumPy  (a dot for each of {len(problems)} problems, "
                 "a bar at their median)", ylim=(-0.7, len(ordered) - 0.3))  # fmt: skip
        axes.set_yticks(range(len(ordered)), ordered)
        axes.grid(False, axis="y")
        axes.margins(x=0.1)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: ratio(value))
        for value, name, side in (
            (1.0, "the function", "right"),
            (CHEAP_GRADIENT, "5 ×, the bound on operations", "left"),
        ):
            axes.axvline(value, color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
            axes.annotate(name, (value, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 1), fontsize=8.5,
                          textcoords="offset points", color=GREY, va="bottom", ha=side)  # fmt: skip
        figure.tight_layout()
    yield "over-function", figure


def _row(axes: Any, row: int, method: str, ratios: Sequence[float]) -> None:
    median = statistics.median(ratios)
    axes.plot([min(ratios), max(ratios)], [row, row], color=PALE, linewidth=4, solid_capstyle="round", zorder=2)
    axes.plot(ratios, [row] * len(ratios), "o", color=colour(method), alpha=0.65, markeredgewidth=0, zorder=3)
    axes.plot([median], [row], "|", color=colour(method), markersize=15, markeredgewidth=2.4, zorder=4)
    axes.annotate(ratio(median), (max(ratios), row), xytext=(9, 0), textcoords="offset points", va="center",
                  fontsize=9, color=BLACK, zorder=2,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
