"""A benchmark run's reports: Markdown, an HTML page, figures; pure functions of its records."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from adcli.report.bench_markdown import markdown
from adcli.report.bench_page import page
from adcli_benchmarks.record import Record
from adcli_benchmarks.run_files import ending, write_result

FORMATS = ("svg", "png")


def write_reports(records: Sequence[Record], stem: Path) -> list[Path]:
    """Write run.md, run.html, and the figures into the folder run-figures; each file whole or not at all.

    Without matplotlib (the extra `figures`) there are no figures, and the reports are as good without them.

    Arguments:
        records: of one run, at least one.
        stem: the run's path without an ending.
    Result: what was written: files, and the folder.
    Raises: AdcliError if something cannot be written.
    """
    figures = _drawn(records)
    folder = ending(stem, "-figures")
    if figures:
        folder.mkdir(parents=True, exist_ok=True)
    for name, formats in figures.items():
        for suffix, content in formats.items():
            write_result(folder / f"{name}.{suffix}", content)
    shown = [f"{folder.name}/{name}.png" for name in figures]
    document, whole_page = ending(stem, ".md"), ending(stem, ".html")
    write_result(document, markdown(records, stem.name, shown).encode())
    vectors = {name: formats["svg"] for name, formats in figures.items()}
    write_result(whole_page, page(records, stem.name, vectors).encode())
    return [document, whole_page, *([folder] if figures else [])]


def _drawn(records: Sequence[Record]) -> dict[str, dict[str, bytes]]:
    """Each figure in each format, by name."""
    if find_spec("matplotlib") is None:
        return {}
    from adcli.report.bench_figures import pictures

    return {
        picture.name: {suffix: _saved(picture.figure, suffix) for suffix in FORMATS} for picture in pictures(records)
    }


def _saved(figure: Any, suffix: str) -> bytes:
    """The figure's bytes, the same for the same records."""
    from matplotlib import rc_context

    from adcli.report.figure_style import SETTINGS

    buffer = BytesIO()
    with rc_context(SETTINGS):
        figure.savefig(buffer, format=suffix, metadata={"Date": None} if suffix == "svg" else {"Software": None})
    return buffer.getvalue()
