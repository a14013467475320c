"""A benchmark run as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adcli.report.bench_facts import facts
from adcli.report.bench_grid import Grid
from adcli.report.bench_grids import grids
from adcli_benchmarks.record import Record


def markdown(records: Sequence[Record], title: str, figures: Sequence[str]) -> str:
    """The run: where it was measured, every table, every figure.

    Arguments:
        records: of one run.
        title: its name.
        figures: the paths of pictures, as seen from the file.
    """
    parts = [f"# {title}", *(f"- {name}: {text}" for name, text in facts(records)), ""]
    for measure_grids in (_grid(grid) for grid in grids(records, is_short=False)):
        parts += [*measure_grids, ""]
    if figures:
        parts += ["## Figures", ""]
        parts += [f"![{path.rpartition('/')[2].rpartition('.')[0].replace('-', ' ')}]({path})\n" for path in figures]
    return "\n".join(parts).rstrip() + "\n"


def _grid(grid: Grid) -> Iterator[str]:
    yield f"## {_safe(grid.title)}"
    yield ""
    if grid.rows:
        yield _row(grid.columns)
        yield "| " + " | ".join(["---", *["---:"] * (len(grid.columns) - 1)]) + " |"
        yield from (_row(row) for row in grid.rows)
        yield ""
    yield from (f"{_safe(note)}\n" if grid.rows else f"- {_safe(note)}" for note in grid.notes)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_safe(cell.strip()) for cell in cells) + " |"


def _safe(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for character in ("\\", "|", "*", "_", "<", "`"):
        text = text.replace(character, f"\\{character}")
    return text.replace("~", "\\~")
