"""What `adcli diff --points` tells on stderr: progress, how many rows are bad, and why the first of them are."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli.row_files import CsvRows, NpzRows, RowBlock
from adcli_methods.row_function import RowDerivatives, RowFunction

FIRST_BAD_ROWS = 5
"""Bad rows that are told one by one."""
_MOST_NAMES = 10
_PROGRESS_SECONDS = 0.2


class Account:
    """How many rows were done and how many are bad: those whose value is NaN.

    Arguments:
        source: where the rows come from.
        wanted: the columns that are used.
        quiet: no progress and no notes.
    """

    def __init__(self, source: CsvRows | NpzRows, wanted: Sequence[str], quiet: bool) -> None:
        self.rows = self.bad = 0
        self._source = source
        self._unused = [] if quiet else [name for name in source.names if name not in wanted]
        self._first: list[str] = []
        self._shows = sys.stderr.isatty() and not quiet
        self._start = self._shown = time.monotonic()

    def differentiate(self, prepared: RowFunction, block: RowBlock) -> RowDerivatives:
        """The value and the derivatives of a block; NaN where a row is bad."""
        from adcli.commands.common import user_code

        if prepared.expected_rows is None:
            done = self._source.done()
            prepared.expected_rows = None if done is None else int(block.rows / max(done, 1e-9))
        with user_code():
            found = _of_readable_rows(prepared, block)
            self._note(prepared, block, found)
        self._tell_unused()
        self.rows += block.rows
        self._show()
        return found

    def _note(self, prepared: RowFunction, block: RowBlock, found: RowDerivatives) -> None:
        """Count the bad rows; a reason is looked for only where it is told."""
        bad = np.flatnonzero(np.isnan(found.value))
        self.bad += bad.size
        for row in bad[: FIRST_BAD_ROWS - len(self._first)].tolist():
            self._first.append(f"row {self.rows + row + 1:,}: {_reason(prepared, block, found, row)}")

    def _tell_unused(self) -> None:
        """Tell of columns without use, when the first block is done: an error in it is told alone."""
        if self._unused:
            more = " ..." if len(self._unused) > _MOST_NAMES else ""
            _say(f"columns not used: {', '.join(self._unused[:_MOST_NAMES])}{more}")
        self._unused = []

    def _show(self) -> None:
        now = time.monotonic()
        if not self._shows or now - self._shown < _PROGRESS_SECONDS:
            return
        self._shown = now
        speed = self.rows / (now - self._start)
        done = self._source.done()
        left = f"   {_seconds((now - self._start) * (1 - done) / done)} left" if done else ""
        print(f"\r\033[K{self.rows:,} rows   {speed:,.0f} rows/s{left}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the progress, and tell of the bad rows."""
        if self._shows:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        for line in self._first:
            _say(line)
        if self.bad:
            _say(f"{self.bad:,} of {self.rows:,} rows are bad: their value and derivatives are nan")


def _of_readable_rows(prepared: RowFunction, block: RowBlock) -> RowDerivatives:
    """The value and the derivatives of a block; NaN where a row could not be read."""
    if not block.bad:
        return prepared(block.columns)
    readable = np.setdiff1d(np.arange(block.rows), list(block.bad))
    found = prepared({name: column[readable] for name, column in block.columns.items()})
    return RowDerivatives(
        _spread(found.value, readable, block.rows),
        {name: _spread(slope, readable, block.rows) for name, slope in found.derivatives.items()},
        {reason: readable[rows] for reason, rows in found.failures.items()},
    )


def _spread(numbers: Any, places: Any, rows: int) -> Any:
    """Numbers in their places among NaN."""
    whole = np.full(rows, np.nan)
    whole[places] = numbers
    return whole


def _reason(prepared: RowFunction, block: RowBlock, found: RowDerivatives, row: int) -> str:
    """Why a row is bad: it could not be read, the function raised, or the value is not a number."""
    if row in block.bad:
        return block.bad[row]
    raised = next((reason for reason, rows in found.failures.items() if row in rows), None)
    return raised or prepared.why_nan({name: float(column[row]) for name, column in block.columns.items()})


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _say(message: str) -> None:
    print(f"adcli: {message}", file=sys.stderr)
