"""An explanation on the terminal: the function, its traces, the derivative, and what each way of getting it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from adcli.report import explain_tables as tables
from adcli.report.console import TableConsole
from adcli.report.explain_layout import Column, Row, beside, folded, render, width_of, wrapped
from adcli.report.explain_text import ascii_text
from adcli.report.lines import LONGEST_FORMULA
from adcli.report.numbers import text as in_full
from adcli_methods.explanation import Explanation

BETWEEN = 4
"""Columns between two tables side by side."""
_VIEWS = {
    "forward": (tables.forward,),
    "reverse": (tables.primal, tables.reverse),
    "dual": (tables.dual,),
    "both": (tables.forward, tables.reverse),
}
MODES = tuple(_VIEWS)


def print_explanation(explanation: Explanation, mode: str, max_rows: int) -> None:
    """The traces of a mode, side by side where the terminal is wide enough.

    Arguments:
        explanation: what to show.
        mode: one of MODES.
        max_rows: the most rows of each table.
    """
    console = TableConsole()
    spelled = ascii_text if console.options.ascii_only else str
    shown = []
    for title, columns, blocks in (view(explanation) for view in _VIEWS[mode]):
        rows = [replace(row, cells=tuple(map(spelled, row.cells))) for row in folded(blocks, max_rows)]
        shown.append((spelled(title), [replace(column, title=spelled(column.title)) for column in columns], rows))
    lines = [*heading(explanation, console.width), Text(), *_tables(shown, console.width)]
    lines += [Text(), *closing(explanation, console.width)]
    show(console, lines)


def show(console: Console, lines: Sequence[Text]) -> None:
    """Lines on the console; where it knows ASCII alone, in ASCII."""
    for line in lines:
        if console.options.ascii_only:
            console.print(Text(ascii_text(line.plain), style=line.style), soft_wrap=True)
        else:
            console.print(line, soft_wrap=True)


def _tables(shown: Sequence[tuple[str, list[Column], list[Row]]], width: int) -> list[Text]:
    widths = [max(width_of(columns, rows), cell_len(title)) for title, columns, rows in shown]
    if len(shown) == 2 and sum(widths) + BETWEEN <= width:
        left, right = (
            render(columns, rows, own, title) for own, (title, columns, rows) in zip(widths, shown, strict=True)
        )
        return beside(left, right, widths[0] + BETWEEN)
    lines: list[Text] = []
    for title, columns, rows in shown:
        lines += [*([Text()] if lines else []), *render(columns, rows, width, title)]
    return lines


def heading(explanation: Explanation, width: int) -> list[Text]:
    """The function and the point."""
    point = ", ".join(f"{name} = {_brief(value)}" for name, value in explanation.point.items())
    function, symbol = explanation.function, explanation.output_names[0].split(".")[0]
    shown = function if len(function) <= LONGEST_FORMULA else function[:LONGEST_FORMULA] + " ..."
    lines = [Text(part, style="bold") for part in wrapped(f"{symbol} = {shown}", width)] if explanation.formula else []
    if not lines:
        lines = [Text(f"{symbol} = {shown}({', '.join(explanation.inputs)})", style="bold")]
    return [*lines, *[Text(part) for part in wrapped(f"at {point}", width)]]


def _brief(value: Any) -> str:
    return repr(value) if np.ndim(value) == 0 and isinstance(value, float) else in_full(value).replace("\n", " ")


def closing(explanation: Explanation, width: int) -> list[Text]:
    """The value, the derivative, the passes and the memory of both ways, and the notes."""
    symbol = explanation.output_names[0].split(".")[0]
    lines = [(symbol, _value_text(explanation), "bold")]
    for name, adjoint in explanation.derivative.items():
        lines.append((tables.derivative_name(explanation, name), in_full(adjoint), "bold green"))
    lines.append(("passes", passes_text(explanation), ""))
    lines.append(("memory", memory_text(explanation), ""))
    lines += [("" if position else "notes", note, "yellow") for position, note in enumerate(explanation.notes)]
    label_width = max(cell_len(label) for label, _, _ in lines) + 2
    shown: list[Text] = []
    for label, text, style in lines:
        parts = [part for row in text.split("\n") for part in wrapped(row, max(width - label_width, 20))]
        for position, part in enumerate(parts):
            head = label if not position else ""
            line = Text(head + " " * (label_width - cell_len(head)), style="dim")
            shown.append(Text.assemble(line, (part, style)))
    return shown


def _value_text(explanation: Explanation) -> str:
    values = [explanation.lines[index].value for index in explanation.outputs]
    if len(values) == 1:
        return in_full(values[0])
    named = zip(explanation.output_names, values, strict=True)
    return "\n".join(f"{name} = {in_full(value)}" for name, value in named)


def passes_text(explanation: Explanation) -> str:
    """How many sweeps all derivatives take, each way."""
    count = explanation.passes
    n, m = _many(count.inputs, "input"), _many(count.outputs, "output")
    forward = f"forward needs {_many(count.forward, 'pass')} here"
    return f"{forward}, reverse {count.reverse:,} ({n}, {m})"


def memory_text(explanation: Explanation) -> str:
    """What each way holds."""
    kept = f"reverse keeps {_many(explanation.kept_values, 'value')} ({_bytes(explanation.kept_bytes)})"
    held = f"{_many(explanation.held_values, 'value')} and tangents ({_bytes(explanation.held_forward_bytes)})"
    return f"{kept} for its way back, a forward pass holds at most {held} at a time"


def _many(number: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def _bytes(number: int) -> str:
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{number} bytes"
