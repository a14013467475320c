"""What the scripts of this folder share: contenders timed in turns, rows printed and written as CSV."""

from __future__ import annotations

import csv
import gc
import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adcli_methods.whole_file import write_whole


def in_turns(
    runs: Mapping[str, Callable[[], Any]], most_rounds: int, round_seconds: float = 0.0, seconds: float = math.inf
) -> dict[str, list[float]]:
    """Seconds a call, one number for each round: the least of the calls of a turn.

    Arguments:
        runs: the contenders, by name.
        most_rounds: how many rounds there are, unless the time runs out.
        round_seconds: a turn calls again until so long has passed.
        seconds: no third or later round begins after so long.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    for number in range(most_rounds):
        if number > 1 and time.perf_counter() > end:
            break
        for name, run in runs.items():
            gc.collect()
            calls, turn_ends = list[float](), time.perf_counter() + round_seconds
            while not calls or time.perf_counter() < turn_ends:
                started = time.perf_counter()
                run()
                calls.append(time.perf_counter() - started)
            found[name].append(min(calls))
    return found


def show(row: dict[str, Any]) -> None:
    """Print a row's values."""
    print("  ".join(map(str, row.values())), flush=True)


def write(rows: Sequence[dict[str, Any]], path: Path | str) -> None:
    """Write rows with the same names as CSV, whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(Path(path), text.getvalue().encode())
