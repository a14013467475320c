"""Runs cells, each in a process of its own, and gives a record for each, whatever becomes of it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.environment import one_thread
from adcli_benchmarks.measures import MEASURES
from adcli_benchmarks.outcomes import FAILED, OK
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_methods.errors import AdcliError
from adcli_methods.isolation import Outcome, run_isolated
from adcli_methods.loading import names_python

ENTRY = "adcli_benchmarks.worker:run_cell"
LOAD = "adcli_benchmarks.worker:load_function"
COMPILED_BY_TORCH = "TORCHINDUCTOR_CACHE_DIR"
"""A folder for each cell: one that is killed while torch compiles leaves half a file, which another would load."""
MOST_SIDE_BY_SIDE = 2
"""Cells that count run side by side; cells that are timed run alone."""


def run(
    cells: Sequence[Cell],
    request: BenchRequest,
    environment: Mapping[str, Any],
    started: Callable[[Cell], None] = lambda cell: None,
    entry: str = ENTRY,
) -> Iterator[Record]:
    """Measure every cell: those that count first, side by side, then those that are timed, one by one.

    Arguments:
        cells: what to measure.
        request: its limits.
        environment: for the records.
        started: told of each cell as it begins.
        entry: what the process of a cell runs.
    Result: the records, as the cells finish. Closing the iterator, or an interrupt, ends what is running.
    """
    cancelled = threading.Event()
    try:
        for is_timed in (False, True):
            chosen = [cell for cell in cells if MEASURES[cell.measure].is_timed is is_timed]
            lanes = 1 if is_timed or request.device != "cpu" else min(MOST_SIDE_BY_SIDE, os.cpu_count() or 1)

            def measure(cell: Cell) -> Record:
                return _measured(cell, request, environment, entry, cancelled)

            yield from _side_by_side(chosen, lanes, measure, started)
    finally:
        cancelled.set()


def require_functions(request: BenchRequest) -> None:
    """Load the user's functions, each in a process of its own, before anything is measured.

    Raises: AdcliError for one that cannot be loaded. One that hangs or crashes is let through: its cells say so.
    """
    for name in filter(names_python, request.problems or ()):
        ended = run_isolated(LOAD, name, timeout_seconds=request.timeout_seconds, memory_bytes=request.memory_bytes)
        if ended.status == "error" and ended.result["exit_code"] is not None:
            raise AdcliError(ended.detail)


def _side_by_side(
    cells: Sequence[Cell], lanes: int, measure: Callable[[Cell], Record], started: Callable[[Cell], None]
) -> Iterator[Record]:
    waiting, finished, running = deque(cells), SimpleQueue[Record](), 0
    while waiting or running:
        while waiting and running < lanes:
            cell = waiting.popleft()
            started(cell)
            threading.Thread(target=lambda cell=cell: finished.put(measure(cell)), daemon=True).start()
            running += 1
        record = finished.get()
        running -= 1
        yield record


def _measured(
    cell: Cell, request: BenchRequest, environment: Mapping[str, Any], entry: str, cancelled: threading.Event
) -> Record:
    """One cell's record; nothing raises."""
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    load = {"load_average": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {}
    variables = one_thread()
    try:
        with TemporaryDirectory(prefix="adcli-cell-", ignore_cleanup_errors=True) as folder:
            ended = run_isolated(
                entry,
                cell.to_json(),
                timeout_seconds=request.timeout_seconds,
                memory_bytes=request.memory_bytes,
                environment={**variables, COMPILED_BY_TORCH: folder},
                cancelled=cancelled,
            )
    except Exception as error:  # no process could be started
        ended = Outcome("error", None, f"its process could not be started: {error}", 0.0, 0.0, None)
    outcome, reason, values = _told(ended)
    start_seconds = ended.start_seconds or 0.0
    return Record.from_json(
        {
            "cell": cell.to_json(),
            "outcome": outcome,
            "reason": reason,
            "values": values,
            "environment": {**environment, **load, "threads": variables},
            "started_at": started_at,
            "worker_seconds": ended.seconds - start_seconds,
            "start_seconds": start_seconds,
        }
    )


def _told(ended: Outcome) -> tuple[str, str, Mapping[str, Any]]:
    """The outcome, the reason and the values that the end of a process tells."""
    if ended.status == OK:
        return ended.result["outcome"], ended.result["reason"], ended.result["values"]
    return FAILED if ended.status == "error" else ended.status, ended.detail, {}
