"""Value and derivatives at each row of a table, beside hand-written NumPy and jax.jit(vmap(value_and_grad)).

Run: python benchmarks/regression/row_speed.py results/row_speed.csv

All contenders differentiate one formula of ten operations by two of its inputs, on the same columns, in turns in one
process. The command `adcli diff --points` runs in processes of its own, from .npz to .npz; their peaks tell whether
memory grows with the rows.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tables

from adcli_methods.formula import formula_function
from adcli_methods.row_versions import BLOCK_ROWS
from adcli_methods.rows import row_derivatives

FORMULA = "S*exp(-r*T)*sin(S) + log(1 + S**2)"
WRT = ("S", "r")
ROWS = (10**5, 10**7)
ROUNDS = {10**5: 15, 10**7: 3}
_WITH_PEAK = """
import sys
from adcli.cli import main
try:
    main(sys.argv[1:])
finally:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""The command, and then the most memory that its process had, in kB."""
Columns = dict[str, np.ndarray[Any, Any]]
Run = Callable[[], Any]


def table(rows: int) -> Columns:
    """Columns of random numbers."""
    generator = np.random.default_rng(0)
    return {"S": generator.uniform(0.5, 2.0, rows), "r": generator.random(rows), "T": generator.random(rows)}


def by_hand(S: Any, r: Any, T: Any) -> tuple[Any, ...]:
    """Value and derivatives by S and r, as one would write them."""
    discount, sine = np.exp(-r * T), np.sin(S)
    price, square = S * discount * sine, 1.0 + S * S
    by_S = discount * (sine + S * np.cos(S)) + 2.0 * S / square
    return price + np.log(square), by_S, -T * price


def numpy_by_hand(columns: Columns) -> Run:
    """Whole columns at once."""
    return lambda: by_hand(**columns)


def numpy_by_hand_in_blocks(columns: Columns) -> Run:
    """Blocks that fit the cache, into columns that are there."""
    rows = len(columns["S"])

    def run() -> Any:
        found = np.empty((3, rows))
        for start in range(0, rows, BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            for column, values in zip(found, by_hand(**{name: c[part] for name, c in columns.items()}), strict=True):
                column[part] = values
        return found

    return run


def diff_rows(columns: Columns) -> Run:
    """`adcli.diff_rows`: each call traces, differentiates and finds its kernel in the cache."""
    return _rows(columns, "auto")


def diff_rows_without_compiler(columns: Columns) -> Run:
    """The same by NumPy alone."""
    return _rows(columns, "numpy")


def _rows(columns: Columns, compile_with: str) -> Run:
    def run() -> Any:
        found = row_derivatives(formula_function(FORMULA), columns, WRT, compile=compile_with)
        return found.value, *found.derivatives.values()

    return run


def jax_jit_vmap(columns: Columns) -> Run:
    """jax.jit of jax.vmap of jax.value_and_grad."""
    import jax

    jax.config.update("jax_enable_x64", True)
    xp = jax.numpy
    one = jax.value_and_grad(lambda S, r, T: S * xp.exp(-r * T) * xp.sin(S) + xp.log(1 + S**2), argnums=(0, 1))
    every = jax.jit(jax.vmap(one))
    given = [xp.asarray(column) for column in columns.values()]

    def run() -> Any:
        value, slopes = jax.block_until_ready(every(*given))
        return value, *slopes

    return run


CONTENDERS = (diff_rows, diff_rows_without_compiler, numpy_by_hand, numpy_by_hand_in_blocks, jax_jit_vmap)


def speeds(rows: int) -> list[dict[str, Any]]:
    """A row of the result for each contender; ratios are to hand-written NumPy on whole columns."""
    columns = table(rows)
    runs, first_seconds, expected = {}, {}, by_hand(**columns)
    for contender in CONTENDERS:
        started = time.perf_counter()
        try:
            runs[contender.__name__] = run = contender(columns)
        except ImportError as error:
            print(f"{contender.__name__} left out: {error}", file=sys.stderr)
            continue
        found = run()
        first_seconds[contender.__name__] = time.perf_counter() - started
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        del found
    seconds = tables.in_turns(runs, ROUNDS[rows])
    base = seconds["numpy_by_hand"]
    return [
        {
            "rows": rows,
            "contender": name,
            "time_over_numpy_min": f"{min(found) / min(base):.3g}",
            "time_over_numpy_median": f"{statistics.median(found) / statistics.median(base):.3g}",
            "min_seconds": f"{min(found):.3e}",
            "median_seconds": f"{statistics.median(found):.3e}",
            "first_call_seconds": f"{first_seconds[name]:.2f}",
            "peak_bytes": "",
        }
        for name, found in seconds.items()
    ]


def command(rows: int, folder: Path) -> dict[str, Any]:
    """The time and the peak of `adcli diff --points` in a process of its own."""
    np.savez(folder / "rows.npz", **table(rows))  # type: ignore[arg-type]  # names are the keys
    points, out = str(folder / "rows.npz"), str(folder / "found.npz")
    call = ["diff", FORMULA, "--points", points, "--wrt", ",".join(WRT), "--out", out, "-q"]
    started = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", _WITH_PEAK, *call], check=True, capture_output=True, text=True)
    elapsed = time.perf_counter() - started
    return {
        "rows": rows,
        "contender": "command, npz to npz",
        "time_over_numpy_min": "",
        "time_over_numpy_median": "",
        "min_seconds": f"{elapsed:.3e}",
        "median_seconds": "",
        "first_call_seconds": "",
        "peak_bytes": 1024 * int(run.stdout),
    }


def main(path: str) -> None:
    """Measure and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = [command(rows, Path(folder)) for rows in ROWS]
    found = [row for rows in ROWS for row in speeds(rows)] + found
    for row in found:
        tables.show(row)
    tables.write(found, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
