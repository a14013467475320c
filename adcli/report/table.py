"""Tables for people, 80 columns and wider."""

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
from adcli.report.lines import LONGEST_FORMULA
from adcli.report.numbers import duration, error, text, ulp
from adcli_methods.method import OPERATORS, Method
from adcli_methods.structure import is_node, leaves_of

if TYPE_CHECKING:
    from adcli.comparison import Comparison, ComparisonRow

WIDE = 100
"""From this many columns on, the absolute error has a column too."""


def _console() -> Console:
    return TableConsole()


def print_comparison(comparison: Comparison) -> None:
    """A Comparison: a row for each method, errors against the reference."""
    console = _console()
    console.print(Text(comparison.function[:LONGEST_FORMULA], style="bold"))
    if len(comparison.reference) == 1:
        console.print(Text(f"reference {comparison.reference[0]}", style="dim"))
    elif comparison.reference:
        total, compared = comparison.entries
        which = f"all {total}" if total == compared else f"{compared} of {total:,}"
        console.print(Text(f"errors over {which} entries, relative, against 50-digit values", style="dim"))
    if comparison.note:
        console.print(Text(comparison.note, style="yellow"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    is_scalar = all(_is_number(row.derivative.derivative) for row in comparison.rows if row.derivative is not None)
    if is_scalar:
        table.add_column("derivative", justify="right", no_wrap=True)
    is_wide = console.width >= WIDE
    for name in (*(["abs. error"] if is_wide else []), "error", "ulp", "evals", "sweeps", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in comparison.rows:
        table.add_row(*_cells(row, is_scalar, is_wide))
    console.print(table)
    for reason, names in _reasons(comparison.rows).items():
        console.print(Text(f"{', '.join(names)}: {reason}", style="dim"))
    if comparison.advice is not None:
        console.print(Text(f"recommended: {comparison.advice.method}", style="bold green"))
        for reason in comparison.advice.reasons:
            console.print(Text(fill(reason, console.width, initial_indent="  ", subsequent_indent="  ")))


def _is_number(derivative: Any) -> bool:
    return not is_node(derivative) and not np.shape(derivative)


def _reasons(rows: Sequence[ComparisonRow]) -> dict[str, list[str]]:
    """Why there is no result, with the methods that it holds for."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.derivative is None:
            reasons.setdefault(row.reason, []).append(row.method)
    return reasons


def _cells(row: ComparisonRow, is_scalar: bool, is_wide: bool) -> list[Any]:
    result = row.derivative
    if result is None:
        return [Text(row.method, style="dim"), *([Text(row.outcome, style="dim")] if is_scalar else [])]
    cells: list[Any] = [row.method]
    if is_scalar:
        ((_, entry),) = leaves_of(result.derivative)
        cells.append(text(entry).strip("[]"))
    seconds = result.prepare_seconds + result.run_seconds
    return [
        *cells,
        *([error(row.absolute_error)] if is_wide else []),
        error(row.relative_error),
        ulp(row.ulp_error),
        f"{result.primal_evaluations:,}",
        f"{result.tangent_sweeps + result.adjoint_sweeps:,}",
        duration(seconds),
    ]


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
