"""Tables for people, 80 columns and wider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adcli.report.numbers import count, duration, error, text, ulp
from adcli_methods.derivative import Derivative
from adcli_methods.function import Function, bind
from adcli_methods.method import OPERATORS, Method
from adcli_methods.structure import is_node, leaves_of

if TYPE_CHECKING:
    from adcli.comparison import Comparison, ComparisonRow

LONGEST_FORMULA = 400


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def print_derivative(result: Derivative, function: Function, at: Any) -> None:
    """A Derivative: function, point, value, derivative, what it took, notes."""
    grid = _grid()
    formula = result.function if len(result.function) <= LONGEST_FORMULA else result.function[:LONGEST_FORMULA] + " ..."
    grid.add_row("function", Text(formula, style="bold"))
    for path, leaf in leaves_of(bind(function, at)):
        name = ".".join(path)
        if name in result.wrt or path[0] in result.wrt:
            grid.add_row(f"at {name}", Text(text(leaf)))
    for path, leaf in leaves_of(result.value):
        grid.add_row(".".join(("value", *path)), Text(text(leaf)))
    for label, leaf in _entries(result):
        grid.add_row(label, Text(text(leaf), style="bold green"))
    grid.add_row("method", Text(f"{result.method} ({result.dtype}, {result.device})"))
    grid.add_row("passes", Text(passes(result)))
    grid.add_row("time", Text(f"prepare {duration(result.prepare_seconds)}, run {duration(result.run_seconds)}"))
    for position, note in enumerate(result.notes):
        grid.add_row("" if position else "notes", Text(note, style="yellow"))
    _console().print(grid)


def passes(result: Derivative) -> str:
    """What was counted, zero counts left out."""
    counts = (
        (result.primal_evaluations, "primal evaluation"),
        (result.tangent_sweeps, "tangent sweep"),
        (result.adjoint_sweeps, "adjoint sweep"),
    )
    return ", ".join(count(number, noun) for number, noun in counts if number)


def _entries(result: Derivative) -> list[tuple[str, Any]]:
    """The derivative's parts, each with its name."""
    if not is_node(result.derivative):
        return [(_label(result), result.derivative)]
    prefix = {"derivative": "d/d", "gradient": "d/d", "jacobian": "d/d"}.get(result.operator, result.operator + " ")
    return [(prefix + ".".join(path), leaf) for path, leaf in leaves_of(result.derivative)]


def _label(result: Derivative) -> str:
    if result.operator != "derivative":
        return result.operator
    name = result.wrt[0]
    return f"d/d{name}" if result.order == 1 else f"d^{result.order}/d{name}^{result.order}"


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
    is_scalar = comparison.entries[0] == 1
    if is_scalar:
        table.add_column("derivative", justify="right", no_wrap=True)
    for name in ("error", "ulp", "evals", "sweeps", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in comparison.rows:
        table.add_row(*_cells(row, is_scalar))
    console.print(table)
    for row in comparison.rows:
        if row.derivative is None:
            console.print(Text(f"{row.method}: {row.reason}", style="dim"))


def _cells(row: ComparisonRow, is_scalar: bool) -> list[Any]:
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
