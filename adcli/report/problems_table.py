"""The shipped problems, for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from adcli.report.console import TableConsole
from adcli_benchmarks.problems import PROBLEMS

COLUMNS = ("problem", "formula", "sizes", "source")


def print_problems() -> None:
    """Every shipped problem with its formula, its sizes and where it comes from."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "problem", overflow="fold", ratio=None if name == "problem" else 1)
    for problem in PROBLEMS:
        table.add_row(problem.name, problem.formula, ", ".join(f"{size:,}" for size in problem.sizes), problem.source)
    TableConsole().print(table)
