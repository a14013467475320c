"""Tables whose formulas wrap at their plus signs, with lines that span them, and two of them side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

GAP = 2
LEAST_WIDTH = 10
_SIGNS = re.compile(" ([+−-]) ")


@dataclass(frozen=True)
class Column:
    """A column: its title, rich's name of a style, and how its cells are set."""

    title: str
    style: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Row:
    """A row of cells; of one text it spans the table."""

    cells: tuple[str, ...]
    style: str = ""


Block = Callable[[], list[Row]]
"""Makes the rows that stay together."""


def width_of(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """The columns of the terminal that the table takes if nothing wraps."""
    return sum(_natural(columns, rows)) + GAP * (len(columns) - 1)


def folded(blocks: Sequence[Block], most: int) -> list[Row]:
    """The first and the last blocks of rows, of as many rows as asked for, and between them how many are left out.

    Arguments:
        blocks: each makes its rows when it is called.
        most: the most rows, of which the last third is the end.
    """
    head, start = _taken(blocks, most - most // 3)
    rest = blocks[start:]
    if len(rest) <= most // 3 and len(tail := [row for block in rest for row in block()]) <= most // 3:
        return head + tail
    tail, ended = _taken(rest[::-1], most // 3, from_end=True)
    left_out = Row((f"⋮ {len(rest) - ended:,} more lines (--max-rows {most})",), "dim")
    return [*head, left_out, *tail] if len(rest) > ended else head + tail


def _taken(blocks: Sequence[Block], most: int, from_end: bool = False) -> tuple[list[Row], int]:
    """The rows of the blocks until there are as many as asked for, and how many blocks that took."""
    rows: list[Row] = []
    for count, block in enumerate(blocks):
        if len(rows) >= most:
            return rows, count
        rows = [*block(), *rows] if from_end else [*rows, *block()]
    return rows, len(blocks)


def render(columns: Sequence[Column], rows: Sequence[Row], width: int, title: str = "") -> list[Text]:
    """The table as lines of text, no wider than `width` where formulas can be wrapped to it."""
    widths = _fitted(_natural(columns, rows), columns, width)
    total = sum(widths) + GAP * (len(columns) - 1)
    lines = [Text(title, style="bold")] if title else []
    lines += _set([Column(c.title, "dim", c.is_number) for c in columns], [c.title for c in columns], widths, "")
    lines.append(Text("─" * total, style="dim"))
    for row in rows:
        if len(row.cells) == 1:
            lines += [Text(part, style=row.style) for part in wrapped(row.cells[0], width)]
        else:
            lines += _set(columns, row.cells, widths, row.style)
    return lines


def beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    """Two blocks of lines side by side, the right one from column `width` on."""
    lines = []
    for a, b in zip_longest(left, right, fillvalue=Text("")):
        line = a.copy()
        if b.plain:
            line.append(" " * (width - cell_len(a.plain)))
            line.append_text(b)
        lines.append(line)
    return lines


def _natural(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    widths = [cell_len(column.title) for column in columns]
    for row in rows:
        if len(row.cells) > 1:
            widths = [max(width, cell_len(cell)) for width, cell in zip(widths, row.cells, strict=True)]
    return widths


def _fitted(widths: list[int], columns: Sequence[Column], most: int) -> list[int]:
    """The widths, those of formulas narrowed from the widest on until the table fits."""
    widths = list(widths)
    while sum(widths) + GAP * (len(widths) - 1) > most:
        flexible = [i for i, column in enumerate(columns) if not column.is_number and widths[i] > LEAST_WIDTH]
        if not flexible:
            break
        widest = max(flexible, key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _set(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], style: str) -> list[Text]:
    """One row as the lines that its wrapped cells take; a number stands beside the end of its formula."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for i in range(1, len(parts)):
        if columns[i].is_number:
            parts[i] = [*[""] * (len(parts[i - 1]) - len(parts[i])), *parts[i]]
    lines = []
    for texts in zip_longest(*parts, fillvalue=""):
        line = Text(style=style)
        for column, text, width in zip(columns, texts, widths, strict=True):
            room = " " * (width - cell_len(text))
            line.append(room + text if column.is_number else text + room, style=column.style)
            line.append(" " * GAP)
        line.rstrip()
        lines.append(line)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` cells, broken at spaces, or within words where it must be.

    >>> wrapped("v1 + v2 + v3", 8)
    ['v1 + v2', '+ v3']
    """
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for word in _SIGNS.sub(" \\1\0", text).split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _chopped(word, width)
        lines += full
    return [part.replace("\0", " ") for part in [*lines, line]]


def _chopped(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width` cells; a combining mark stays with its letter."""
    pieces, piece = [], ""
    for character in word:
        if cell_len(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]
