"""The tables of a benchmark run for a terminal, 80 columns and wider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from adcli.report.bench_grids import grids

if TYPE_CHECKING:
    from adcli.report.bench_grid import Grid
    from adcli_benchmarks.record import Record


def tables(records: Sequence[Record]) -> list[Table | Text | str]:
    """What to print, in order: titles, tables, notes."""
    return [part for grid in grids(records, is_short=True) for part in _printed(grid)]


def _printed(grid: Grid) -> Iterator[Table | Text | str]:
    yield Text(grid.title, style="bold")
    if grid.rows:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
        for position, name in enumerate(grid.columns):
            table.add_column(name, justify="right" if position else "left", overflow="fold")
        for row in grid.rows:
            table.add_row(*(Text(cell) for cell in row))
        yield table
    for note in grid.notes:
        yield Text(note, style="dim" if grid.rows else "")
    yield ""
