"""What a benchmark is doing: a live display on a terminal, plain lines where it is piped. All of it on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adcli.report.numbers import duration
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.outcomes import FAILURES
from adcli_benchmarks.record import Record

if TYPE_CHECKING:
    from rich.console import RenderableType

NOT_REDRAWN = ("dumb", "unknown")
"""Terminals that only add lines."""


class Progress:
    """What is running, done and failed, and how long the rest may take."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = self.measured = 0
        self.running: dict[str, Cell] = {}
        self._begin = 0.0

    @contextmanager
    def shown(self, total: int, records: Sequence[Record]) -> Iterator[None]:
        """Show the progress of a run while it goes on.

        Arguments:
            total: cells in all.
            records: of the cells that are finished already.
        """
        self.total, self.done = total, len(records)
        self.failed = sum(record.outcome in FAILURES for record in records)
        self._begin = time.monotonic()
        with self.display():
            yield

    @contextmanager
    def display(self) -> Iterator[None]:
        """What surrounds the run; lines need nothing."""
        yield

    def started(self, cell: Cell) -> None:
        """A cell has begun."""
        self.running[cell.key] = cell
        self.update()

    def finished(self, record: Record) -> None:
        """A cell has ended."""
        self.running.pop(record.cell.key, None)
        self.done += 1
        self.measured += 1
        self.failed += record.outcome in FAILURES
        self.update(record)

    def update(self, record: Record | None = None) -> None:
        """Show the new state; one line for each finished cell."""
        if record is not None:
            width = len(str(self.total))
            took = duration(record.worker_seconds + record.start_seconds)
            reason = f": {record.reason}" if record.reason else ""
            left = f", {self.left()} left" if self.done < self.total else ""
            _say(f"[{self.done:{width}}/{self.total}] {named(record.cell)}  {record.outcome}{reason}  {took}{left}")

    def left(self) -> str:
        """How long the rest may take, as what was measured so far did."""
        if not self.measured:
            return "?"
        seconds = (time.monotonic() - self._begin) / self.measured * (self.total - self.done)
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

    def summary(self) -> str:
        """Done, failed and left in one line."""
        failed = f", {self.failed} failed" if self.failed else ""
        left = f", about {self.left()} left" if self.measured else ""
        return f"{self.done} of {self.total} cells{failed}{left}"


class LiveProgress(Progress):
    """A bar and what is running, redrawn in place."""

    @contextmanager
    def display(self) -> Iterator[None]:
        """The live display."""
        from rich.console import Console
        from rich.live import Live

        with Live(self, console=Console(stderr=True), transient=True, refresh_per_second=4):
            yield

    def update(self, record: Record | None = None) -> None:
        """Failures stay on the screen above the display."""
        if record is not None and record.outcome in FAILURES:
            _say(f"{named(record.cell)}  {record.outcome}: {record.reason}")

    def __rich__(self) -> RenderableType:
        """The display as of now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 1, 0, 0))
        head.add_row(ProgressBar(self.total, self.done, width=30), Text(self.summary()))
        rows = [Text(f"  {named(cell)}", "dim", overflow="ellipsis", no_wrap=True) for cell in [*self.running.values()]]
        return Group(head, *rows)


def progress() -> Progress:
    """The display that fits standard error: lines where it cannot be redrawn."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return LiveProgress() if is_terminal and os.environ.get("TERM") not in NOT_REDRAWN else Progress()


def named(cell: Cell) -> str:
    """A cell for people, without its limits.

    >>> named(Cell("accuracy", "rosenbrock", "reverse", 10, settings=(("order", 2),)))
    'accuracy rosenbrock reverse n=10 order=2'
    """
    parts = [cell.measure, cell.problem, cell.method]
    parts += [] if cell.size is None else [f"n={cell.size}"]
    parts += [] if cell.dtype == "float64" else [cell.dtype]
    parts += [] if cell.device == "cpu" else [cell.device]
    parts += [f"{name}={value}" for name, value in cell.settings if not name.endswith("seconds")]
    return " ".join(parts)


def _say(line: str) -> None:
    """A line on stderr; a reader that has gone is no reason to stop measuring."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        sys.stderr = None  # as Python has it where there is none
