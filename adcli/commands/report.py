"""`adcli report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from adcli_benchmarks.record import Record


def run(
    name: str = typer.Argument(..., help="A run of adcli bench --out, as in results/run1.", metavar="RUN"),
) -> None:
    """Make the tables, the CSV and the figures of a run again, from its records."""
    from adcli_benchmarks.run_files import ending, read_records, stem_of, write_csv
    from adcli_methods.errors import AdcliError

    stem = stem_of(name)
    records = read_records(ending(stem, ".jsonl"))
    if not records:
        raise AdcliError(f"{ending(stem, '.jsonl')} holds no finished cell: go on with adcli bench --resume {stem}")
    write_csv(records, ending(stem, ".csv"))
    show(records, stem)


def show(records: Sequence[Record], stem: Path | None) -> None:
    """Write a run's reports where it has files, then print its tables."""
    from adcli.report.bench_report import write_reports
    from adcli.report.bench_table import tables
    from adcli.report.console import TableConsole

    written = write_reports(records, stem) if stem is not None else []
    console = TableConsole()
    for table in tables(records):
        console.print(table)
    if stem is not None:
        console.print(f"written: {stem}.jsonl, .csv, {', '.join(path.name for path in written)}", style="dim")
