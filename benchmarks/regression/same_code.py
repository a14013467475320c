"""Compares the same code with itself, as CI compares two trees: how often is it called faster or slower?

Each comparison is of one cell of `adcli bench speed`, measured in pairs of runs that take turns, base first in one pair
and head first in the next. Its first pair alone is compared too, as two single runs of a user's are.

Run: python benchmarks/regression/same_code.py [--comparisons 40] [--pairs 5]
Exit code: 1 where more than one comparison in 40 has a false verdict.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.comparison import FASTER, SLOWER, USUAL_FAIL_ABOVE, compare
from adcli_benchmarks.environment import here
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.runner import run

SECONDS = 0.3
CELLS = [
    Cell("speed", problem, method, size, settings=(("seconds", SECONDS),))
    for problem, method, size in (
        ("exp-square", "forward", 1), ("rosenbrock", "reverse", 100), ("log-sum-exp", "reverse", 1000),
        ("logistic-map", "reverse", 16), ("rosenbrock", "forward", 100), ("helmholtz", "reverse", 50),
        ("gaussian-mixture", "reverse", 2), ("trigonometric-sum", "complex-step", 10),
    )
]  # fmt: skip
"""Times from some hundred nanoseconds to some milliseconds, Python, NumPy and C kernels."""


def measured(cell: Cell, pairs: int) -> tuple[list[Record], list[Record]]:
    """The records of both sides."""
    request, environment = BenchRequest(("speed",)), here(cell.seed)
    sides: tuple[list[Record], list[Record]] = ([], [])
    for pair in range(pairs):
        for side in sides if pair % 2 == 0 else reversed(sides):
            side.extend(run([cell], request, environment))
    return sides


def verdicts(base: Sequence[Record], head: Sequence[Record]) -> list[str]:
    """What is said about each time of the cell."""
    return [change.verdict for change in compare(base, head, USUAL_FAIL_ABOVE).changes if change.ratio is not None]


def main() -> int:
    """Compare, count, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--comparisons", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    counts = {name: Counter[str]() for name in (f"{given.pairs} pairs", "1 pair")}
    false = dict.fromkeys(counts, 0)
    for cell in islice(cycle(CELLS), given.comparisons):
        base, head = measured(cell, given.pairs)
        for name, found in zip(counts, (verdicts(base, head), verdicts(base[:1], head[:1])), strict=True):
            wrong = [verdict for verdict in found if verdict in (FASTER, SLOWER)]
            if wrong or not found:
                print(f"{cell.key}, {name}: {', '.join(wrong) or base[0].reason or head[0].reason}")
            counts[name].update(found)
            false[name] += bool(wrong) or not found
    for name, said in counts.items():
        times = ", ".join(f"{number} {verdict}" for verdict, number in said.most_common())
        print(f"{given.comparisons} comparisons of {name}: {false[name]} false; of {said.total()} times {times}")
    return int(any(number > given.comparisons / 40 for number in false.values()))


if __name__ == "__main__":
    sys.exit(main())
