"""Kills a sweep at random instants, resumes it, and looks at what is left each time.

Run: python tests/benchmarks/kill_and_resume.py --kills 200 [--cells instant|real]
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adcli import benchmarking
from adcli.report.bench_progress import Progress
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.run_files import CSV_COLUMNS, ending, read_records

CELLS = [Cell("swell", "p", "m", size) for size in range(200)]
LARGE = [0.1] * 500
"""So that much of the time goes into writing, and kills hit it."""
REAL = ["swell", "--problems", "logistic-map,speelpenning,rosenbrock,helmholtz,log-sum-exp", "--sizes", "2,3,4,5,6,7,8"]
LONGEST_SECONDS = {"instant": 3.0, "real": 4.0}


def _instant(cells: list[Cell], request: Any, environment: Any, started: Any) -> Iterator[Record]:
    """Records without processes: the sweep does nothing but write."""
    for cell in cells:
        started(cell)
        yield Record(cell, "ok", "", {"curve_errors": LARGE}, environment, "2025-01-01", 0.0, 0.0)


def sweep(stem: Path) -> None:
    """Begin a sweep of instant cells, or go on with it."""
    benchmarking.planned = lambda request: CELLS  # type: ignore[attr-defined]
    benchmarking.run = _instant  # type: ignore[attr-defined]
    if ending(stem, ".jsonl").exists():
        benchmarking.resume(str(stem), Progress())
    else:
        benchmarking.benchmark(BenchRequest(("swell",)), str(stem), Progress())


def _command(stem: Path, cells: str) -> list[str]:
    if cells == "instant":
        return [sys.executable, __file__, "--sweep", str(stem)]
    if ending(stem, ".jsonl").exists():
        return [sys.executable, "-m", "adcli", "bench", "--resume", str(stem)]
    return [sys.executable, "-m", "adcli", "bench", *REAL, "--out", str(stem)]


def check(stem: Path, before: list[str]) -> list[str]:
    """The finished cells, after assertions that none was lost or repeated and that the CSV is whole."""
    path = ending(stem, ".jsonl")
    after = [record.cell.key for record in read_records(path)] if path.exists() else []
    assert after[: len(before)] == before, "a finished cell was lost"
    assert not [key for key, count in Counter(after).items() if count > 1], "a finished cell was repeated"
    if ending(stem, ".csv").exists():
        with open(ending(stem, ".csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert tuple(rows[0]) == CSV_COLUMNS
        assert all(len(row) == len(CSV_COLUMNS) for row in rows), "a row of the CSV is torn"
    return after


def kill_and_resume(folder: Path, kills: int, cells: str = "instant", seed: int = 0) -> int:
    """Kill and resume that often, then let the last sweep end.

    Result: how many kills found a torn line or a part of a CSV.
    """
    generator, killed, run, torn, total = random.Random(seed), 0, 0, 0, 0
    while killed < kills:
        run, finished = run + 1, []
        stem = folder / f"run{run}"
        while True:
            process = subprocess.Popen(_command(stem, cells), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            begin, instant = time.monotonic(), generator.uniform(0.05, LONGEST_SECONDS[cells])
            try:
                _, errors = process.communicate(timeout=None if killed >= kills else instant)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
            else:
                assert b"Traceback" not in errors, errors.decode()
                assert time.monotonic() - begin < 600
                break
            path = ending(stem, ".jsonl")
            torn += path.exists() and not path.read_bytes().endswith(b"\n")
            torn += any(folder.glob(f".{stem.name}.csv.*.partial"))
            finished = check(stem, finished)
        finished = check(stem, finished)
        assert cells == "real" or len(finished) == len(CELLS)
        total += len(finished)
    print(
        f"{killed} kills, {run} sweeps resumed to their end, {total} cells: none lost or repeated, each CSV whole; "
        f"{torn} kills left a torn line or a part of a CSV"
    )
    return torn


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sweep", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cells", choices=("instant", "real"), default="instant")
    given = parser.parse_args()
    if given.sweep:
        sweep(given.sweep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            kill_and_resume(Path(folder), given.kills, given.cells)
