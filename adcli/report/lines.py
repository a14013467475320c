"""A Derivative as labelled lines: coloured and wrapped by rich on a terminal, plain text in a pipe or a file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from adcli.report.numbers import count, duration, text
from adcli_methods.derivative import Derivative
from adcli_methods.function import Function, bind
from adcli_methods.structure import is_node, leaves_of

LONGEST_FORMULA = 400
LEAST_ROOM = 20
"""So many columns a sentence has beside its label, however narrow the terminal."""


class Line(NamedTuple):
    """A label, a text of one or more lines, rich's name of a style, and whether it is words, to be wrapped."""

    label: str
    text: str
    style: str = ""
    is_prose: bool = False


def print_derivative(result: Derivative, function: Function, at: Any) -> None:
    """A Derivative: function, point, value, derivative, what it took, notes."""
    lines = list(lines_of(result, function, at))
    if sys.stdout.isatty() or os.environ.get("FORCE_COLOR"):
        _print_styled(lines)
    else:
        print(plain(lines))  # without rich, whose start would be a fifth of the whole run


def plain(lines: list[Line]) -> str:
    """The lines as text, the labels in a column of their own; numbers are never cut."""
    width = max(len(line.label) for line in lines) + 2
    room = max(shutil.get_terminal_size((80, 24)).columns - width, LEAST_ROOM)
    return "\n".join(
        f"{'' if position else line.label:<{width}}{part}".rstrip()
        for line in lines
        for position, part in enumerate(_parts(line, room))
    )


def _parts(line: Line, room: int) -> list[str]:
    if not line.is_prose or len(line.text) <= room:
        return line.text.split("\n")
    from textwrap import wrap

    return wrap(line.text, room, break_long_words=False, break_on_hyphens=False)


def _print_styled(lines: list[Line]) -> None:
    from rich.table import Table
    from rich.text import Text

    from adcli.report.console import TableConsole

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(line.label, Text(line.text, style=line.style))
    TableConsole().print(grid)


def lines_of(result: Derivative, function: Function, at: Any) -> Iterator[Line]:
    """What there is to say of a Derivative."""
    formula = result.function if len(result.function) <= LONGEST_FORMULA else result.function[:LONGEST_FORMULA] + " ..."
    yield Line("function", formula, "bold")
    for path, leaf in leaves_of(bind(function, at)):
        name = ".".join(path)
        if name in result.wrt or path[0] in result.wrt:
            yield Line(f"at {name}", text(leaf))
    for path, leaf in leaves_of(result.value):
        yield Line(".".join(("value", *path)), text(leaf))
    for label, leaf in _entries(result):
        yield Line(label, text(leaf), "bold green")
    yield Line("method", f"{result.method} ({result.dtype}, {result.device})", is_prose=True)
    yield Line("passes", passes(result), is_prose=True)
    times = f"prepare {duration(result.prepare_seconds)}, run {duration(result.run_seconds)}"
    yield Line("time", times, is_prose=True)
    for position, note in enumerate(result.notes):
        yield Line("" if position else "notes", note, "yellow", is_prose=True)


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
    if result.operator not in ("derivative", "gradient", "jacobian"):
        return [(f"{result.operator} {'.'.join(path)}", leaf) for path, leaf in leaves_of(result.derivative)]
    if len(result.wrt) == 1:
        return [(f"d({'.'.join(path)})/d{result.wrt[0]}", leaf) for path, leaf in leaves_of(result.derivative)]
    return [(f"d/d{'.'.join(path)}", leaf) for path, leaf in leaves_of(result.derivative)]


def _label(result: Derivative) -> str:
    if result.operator != "derivative":
        return result.operator
    name = result.wrt[0]
    return f"d/d{name}" if result.order == 1 else f"d^{result.order}/d{name}^{result.order}"
