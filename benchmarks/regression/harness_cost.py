"""What the harness costs, by a function that works for 100 ms at each call and writes down how long it did.

inside    the time of a call as the record tells it, over what the function says: what the harness adds to its results
outside   the rest of the measuring, over the time in the function: loading packages, the reference, meters, the answer
start     of the process, once for each cell, in no result

Run: python benchmarks/regression/harness_cost.py [--seconds 0.1]
Exit code: 1 where the harness adds more than 5 % to a result.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.runner import run

MOST_SHARE = 0.05
MODEL = """
import time
import numpy as np


def slow(x):
    begin = time.perf_counter()
    y = np.sum(np.sin(x) * x)
    while time.perf_counter() - begin < {seconds}:
        pass
    with open({log!r}, "a") as file:
        file.write(f"{{time.perf_counter() - begin}}\\n")
    return y
"""
CELLS = (("speed", "forward-difference"), ("passes", "central-difference"))


def costs(folder: Path, seconds: float) -> Iterator[tuple[Record, list[float]]]:
    """Each cell's record, and the seconds that each call of the function took."""
    log, model = folder / "calls", folder / "model.py"
    model.write_text(MODEL.format(seconds=seconds, log=str(log)), encoding="utf-8")
    for measure, method in CELLS:
        log.unlink(missing_ok=True)
        (record,) = run([Cell(measure, f"{model}:slow", method, 8)], BenchRequest((measure,)), {})
        yield record, [float(line) for line in log.read_text(encoding="utf-8").split()]


def told(record: Record) -> float:
    """The seconds of one call as the record tells them."""
    values: Mapping[str, Any] = record.values
    if "primal_seconds" in values:
        return float(values["primal_seconds"])
    return float(values["run_seconds"]) / int(values["primal_evaluations"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.1, help="of one call of the function")
    given = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for record, calls in costs(Path(folder), given.seconds):
            if not record.is_ok:
                raise SystemExit(f"{record.cell.key}: {record.outcome}: {record.reason}")
            inside = told(record) / statistics.median(calls) - 1.0
            outside = record.worker_seconds / sum(calls) - 1.0
            worst = max(worst, inside)
            print(
                f"{record.cell.measure}: inside {100 * inside:.2f} %; outside {100 * outside:.1f} % of the "
                f"{sum(calls):.1f} s in the function; start {record.start_seconds:.2f} s"
            )
    print(f"inside at most {100 * MOST_SHARE:g} %; load {os.getloadavg()[0]:.1f}")
    return int(worst > MOST_SHARE)


if __name__ == "__main__":
    sys.exit(main())
