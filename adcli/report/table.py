"""Tables for people, made for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adcli.report.console import TableConsole
from adcli.report.explain_layout import Column, Row, render, width_of
from adcli.report.lines import LONGEST_FORMULA
from adcli.report.numbers import duration, error, text, ulp
from adcli_methods.method import OPERATORS, Method
from adcli_methods.structure import is_node, leaves_of

if TYPE_CHECKING:
    from adcli.comparison import Comparison, ComparisonRow

LEFT_OUT_FIRST = ("abs. error", "evals", "sweeps", "ulp", "derivative", "time")
"""The columns that a comparison goes without where they do not fit, in this order: no number is cut."""


def _console() -> Console:
    return TableConsole()


def print_comparison(comparison: Comparison) -> None:
    """A Comparison: a row for each method, errors against the reference."""
    console = _console()
    console.print(Text(comparison.function[:LONGEST_FORMULA], style="bold"))
    if len(comparison.reference) == 1:
        console.print(Text(f"reference {comparison.reference[0]}", style="dim"), soft_wrap=True)
    elif comparison.reference:
        total, compared = comparison.entries
        which = f"all {total}" if total == compared else f"{compared} of {total:,}"
        _say(console, f"errors over {which} entries, relative, against 50-digit values", "dim")
    if comparison.note:
        _say(console, comparison.note, "yellow")
    for line in _comparison_lines(comparison, console.width):
        console.print(line, soft_wrap=True)
    for reason, names in _reasons(comparison.rows).items():
        _say(console, f"{', '.join(names)}: {reason}", "dim")
    if comparison.advice is not None:
        _say(console, f"recommended: {comparison.advice.method}", "bold green")
        for reason in comparison.advice.reasons:
            _say(console, reason, "", "  ")


def _say(console: Console, sentence: str, style: str, indent: str = "") -> None:
    """A sentence in as many lines as it takes; a number or a path is not broken."""
    how: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    lines = fill(sentence, console.width, initial_indent=indent, subsequent_indent=indent, **how)
    console.print(Text(lines, style=style), soft_wrap=True)


def _comparison_lines(comparison: Comparison, width: int) -> list[Text]:
    """The table, without the columns that do not fit."""
    is_scalar = all(_is_number(row.derivative.derivative) for row in comparison.rows if row.derivative is not None)
    cells = [_cells(row, is_scalar) for row in comparison.rows]
    titles = ["method", *(["derivative"] if is_scalar else []), "abs. error", "error", "ulp", "evals", "sweeps", "time"]
    for name in (None, *LEFT_OUT_FIRST):
        titles = [title for title in titles if title != name]
        columns = [Column(title, is_number=title != "method") for title in titles]
        rows = [
            Row(tuple(own.get(title, "") for title in titles), "dim" if row.derivative is None else "")
            for own, row in zip(cells, comparison.rows, strict=True)
        ]
        if width_of(columns, rows) <= width:
            break
    return render(columns, rows, width)


def _is_number(derivative: Any) -> bool:
    return not is_node(derivative) and not np.shape(derivative)


def _reasons(rows: Sequence[ComparisonRow]) -> dict[str, list[str]]:
    """Why there is no result, with the methods that it holds for."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.derivative is None:
            reasons.setdefault(row.reason, []).append(row.method)
    return reasons


def _cells(row: ComparisonRow, is_scalar: bool) -> dict[str, str]:
    """A row's texts, by the title of their column."""
    result = row.derivative
    if result is None:
        return {"method": row.method, "derivative": row.outcome}
    shown = text(*(entry for _, entry in leaves_of(result.derivative))).strip("[]") if is_scalar else ""
    return {
        "method": row.method,
        "derivative": shown,
        "abs. error": error(row.absolute_error),
        "error": error(row.relative_error),
        "ulp": ulp(row.ulp_error),
        "evals": f"{result.primal_evaluations:,}",
        "sweeps": f"{result.tangent_sweeps + result.adjoint_sweeps:,}",
        "time": duration(result.prepare_seconds + result.run_seconds),
    }


def print_methods(methods: Sequence[type[Method]]) -> None:
    """What each method can do here."""
    console = _console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    table.add_column("short", no_wrap=True)
    table.add_column("here")
    table.add_column("order", justify="right")
    table.add_column("what it does", overflow="fold")
    for method in methods:
        here = method.missing() is None
        table.add_row(
            Text(method.name, style="bold" if here else "dim"),
            ", ".join(method.aliases),
            Text("yes" if here else "no", style="green" if here else "red"),
            "any" if method.highest_order is None else str(method.highest_order),
            method.summary,
        )
    console.print(table)
    for method in methods:
        lacking = [operator for operator in OPERATORS if operator not in method.operators]
        if lacking:
            console.print(Text(f"{method.name} gives no {', '.join(lacking)}", style="dim"))
        missing = method.missing()
        if missing is not None:
            console.print(Text(f"{method.name} is not installed: {missing}", style="yellow"))
    console.print(Text("cuda: forward, reverse and torch (--device cuda)", style="dim"))
