"""A benchmark run as one HTML page that needs nothing else: no script, no network, pictures inside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from adcli.report.bench_facts import facts
from adcli.report.bench_grid import Grid
from adcli.report.bench_grids import grids
from adcli_benchmarks.record import Record

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --quiet: #6a6a6a; --rule: #dcdcdc; --band: #f6f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #16181c; --quiet: #9a9da3; --rule: #363a42; --band: #1e2127 } }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums }
h1 { font-size: 1.5rem; margin: 0 0 1rem } h2 { font-size: 1.05rem; margin: 2.2rem 0 .5rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 }
dt, .note { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere } .note { margin: .4rem 0; font-size: .9rem }
.scroll { overflow-x: auto } table { border-collapse: collapse } nav a { margin-right: 1rem }
th, td { padding: .28rem .8rem .28rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule) }
th:first-child, td:first-child { text-align: left } th { font-weight: 600; color: var(--quiet) }
tbody tr:hover { background: var(--band) } figure { margin: 1.5rem 0 }
img { width: 100%; max-width: 52rem; height: auto; background: #fff; border-radius: .5rem }
"""


def page(records: Sequence[Record], title: str, figures: Mapping[str, bytes]) -> str:
    """The page.

    Arguments:
        records: of one run.
        title: its name.
        figures: SVG by name, in order.
    """
    given = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(records))
    tables = "".join(part for grid in grids(records, is_short=False) for part in _grid(grid))
    pictures = "".join(_picture(name, svg) for name, svg in figures.items())
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style></head>\n'
        f'<body><h1>{escape(title)}</h1><dl>{given}</dl>\n<section id="figures">{pictures}</section>\n'
        f'<section id="tables">{tables}</section></body></html>\n'
    )


def _grid(grid: Grid) -> Iterator[str]:
    yield f"<h2>{escape(grid.title)}</h2>\n"
    if grid.rows:
        head = "".join(f"<th>{escape(name)}</th>" for name in grid.columns)
        rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in grid.rows)
        yield f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'
    yield from (f'<p class="note">{escape(note)}</p>\n' for note in grid.notes)


def _picture(name: str, svg: bytes) -> str:
    alternative = escape(name.replace("-", " "), quote=True)
    return f'<figure><img alt="{alternative}" src="data:image/svg+xml;base64,{b64encode(svg).decode()}"></figure>\n'
