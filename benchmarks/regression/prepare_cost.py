"""What it costs to prepare value and gradient of long straight-line functions, beside jax.jit and casadi.

Run: python benchmarks/regression/prepare_cost.py results/prepare_cost.csv [function ...]

Each cell runs in a process of its own with a time limit, imports before the clock starts. What met the limit is a row
without a time; so is what would meet it if a contender's time grew in proportion, which is not tried.
"""

from __future__ import annotations

import gc
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tables

from adcli_benchmarks.problems import problem_named
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.optimiser import operation_count

OPERATIONS = (1_000, 10_000, 100_000)
LIMIT_SECONDS = 15.0
MOST_REPEATS, REPEAT_SECONDS = 5, 1.0
"""A cell is prepared so often, or until so much time has gone; the least time counts."""
Cell = tuple[str, int, str]
Told = tuple[str, int | None, float]
"""What runs the derivative, in how many operations if that is known, and the seconds of a C compiler."""


def logistic(xp: Any, x: Any, operations: int) -> Any:
    """The logistic map, three operations a step."""
    for _ in range(operations // 3):
        x = 3.7 * x * (1.0 - x)
    return x


def waves(xp: Any, x: Any, operations: int) -> Any:
    """Sines and exponentials, six operations a step."""
    y = x
    for _ in range(operations // 6):
        y = xp.sin(y) * xp.exp(-y) + 0.5 * x
    return y


def array_loop(xp: Any, x: Any, operations: int) -> Any:
    """A loop that reads an array entry by entry, three operations a step."""
    y = 1.0
    for i in range(operations // 3):
        y = y * x[i] + 0.3
    return y


def array_steps(xp: Any, x: Any, operations: int) -> Any:
    """Steps on whole arrays, four operations each."""
    y = x
    for _ in range(operations // 4):
        y = xp.sin(y) * 0.9 + 0.1 * x
    return (xp.sum1 if hasattr(xp, "sum1") else xp.sum)(y)


LOOPS: dict[str, tuple[Callable[..., Any], Callable[[int], Any]]] = {
    "logistic": (logistic, lambda operations: 0.3),
    "waves": (waves, lambda operations: 0.7),
    "array loop": (array_loop, lambda operations: np.random.default_rng(0).uniform(0.1, 0.9, operations // 3)),
    "array steps": (array_steps, lambda operations: np.random.default_rng(0).uniform(0.1, 0.9, 100)),
}
"""Functions of any number of operations, each with its point."""
PROBLEMS = {"speelpenning": 1000, "determinant-by-minors": 7, "reaction-chain": 32}
"""Problems that are Python loops, and the sizes they are prepared at."""


def subject(name: str, operations: int) -> tuple[Callable[[Any, Any], Any], Any]:
    """A function of a library and a point, and the point."""
    if name in PROBLEMS:
        problem = problem_named(name)
        (point,) = problem.point(PROBLEMS[name]).values()
        return lambda xp, x: problem.function(x), point
    function, make = LOOPS[name]
    return lambda xp, x: function(xp, x, operations), make(operations)


def adcli_prepare(function: Callable[[Any, Any], Any], point: Any) -> Callable[[], Told]:
    """adcli.prepare as it comes."""
    import adcli

    def run() -> Told:
        version = adcli.prepare(lambda x: function(np, x), point).report.versions[0]
        seconds = version.kernels.compile_seconds if version.kernels is not None else 0.0
        return version.backend, version.operations, seconds

    return run


def jax_jit(function: Callable[[Any, Any], Any], point: Any) -> Callable[[], Told]:
    """jax.jit of jax.value_and_grad, lowered and compiled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    at = jax.numpy.asarray(point)

    def run() -> Told:
        jax.jit(jax.value_and_grad(lambda x: function(jax.numpy, x))).lower(at).compile()
        return "xla", None, 0.0

    return run


def casadi_function(function: Callable[[Any, Any], Any], point: Any) -> Callable[[], Told]:
    """A casadi Function of scalar expressions (SX), the gradient by casadi.gradient."""
    import casadi

    def run() -> Told:
        x = casadi.SX.sym("x", *np.shape(point))
        y = function(casadi, x)
        made = casadi.Function("f", [x], [y, casadi.gradient(y, x)])
        return "sx", made.n_instructions(), 0.0

    return run


CONTENDERS = {"adcli": adcli_prepare, "jax.jit": jax_jit, "casadi": casadi_function}
COLUMNS = ("function", "operations", "contender", "runs_by", "derivative_operations", "prepare_seconds",
           "microseconds_per_operation", "compiler_seconds", "reason")  # fmt: skip
PEERS_OF_PROBLEMS = ("adcli",)
"""The problems are written in NumPy alone."""


def cells(names: tuple[str, ...]) -> Iterator[Cell]:
    """Every function, number of operations and contender that was asked for; 0 stands for a problem's own number."""
    for name in names or (*LOOPS, *PROBLEMS):
        for operations in (0,) if name in PROBLEMS else OPERATIONS:
            for contender in PEERS_OF_PROBLEMS if name in PROBLEMS else CONTENDERS:
                yield name, operations, contender


def measured(cell: Cell) -> dict[str, Any]:
    """One cell, in this process."""
    name, operations, contender = cell
    function, point = subject(name, operations)
    flat = FlatFunction(function_of(lambda x: function(np, x)), {"x": point}, [("x",)])
    prepare = CONTENDERS[contender](function, point)
    seconds, told = list[float](), list[Any]()
    while len(seconds) < MOST_REPEATS and sum(seconds) < REPEAT_SECONDS:
        gc.collect()
        started = time.perf_counter()
        told.append(prepare())
        seconds.append(time.perf_counter() - started - told[-1][2])
    return {
        "operations": operation_count(flat.program),
        "runs_by": told[0][0],
        "derivative_operations": told[0][1],
        "seconds": min(seconds),
        "compiler_seconds": told[0][2],
    }


def in_a_process(cell: Cell) -> dict[str, Any] | str:
    """One cell in a process of its own; in words why there is no result."""
    command = [sys.executable, __file__, "--cell", json.dumps(cell)]
    with tempfile.TemporaryDirectory() as kernels:  # none compiled before
        environment = {**os.environ, "XDG_CACHE_HOME": kernels}
        try:
            done = subprocess.run(
                command, timeout=LIMIT_SECONDS, check=False, capture_output=True, text=True, env=environment
            )
        except subprocess.TimeoutExpired:
            return f"more than {LIMIT_SECONDS:g} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def row(cell: Cell, found: dict[str, Any] | str) -> dict[str, Any]:
    """A row of the table."""
    name, operations, contender = cell
    if isinstance(found, str):
        empty = dict.fromkeys(COLUMNS, "")
        return empty | {"function": name, "operations": operations, "contender": contender, "reason": found}
    seconds, count = found["seconds"], found["operations"]
    values = (name, count, contender, found["runs_by"], found["derivative_operations"], f"{seconds:.4f}",
              f"{seconds / count * 1e6:.1f}", f"{found['compiler_seconds']:.2f}", "")  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def main(path: str, *names: str) -> None:
    """Measure and write the table."""
    rows: list[dict[str, Any]] = []
    latest: dict[tuple[str, str], float] = {}  # seconds an operation
    for cell in cells(names):
        name, operations, contender = cell
        promised = latest.get((name, contender), 0.0) * operations
        if promised > LIMIT_SECONDS:
            reason = (
                f"{promised:.0f} s in proportion" if math.isfinite(promised) else "over the limit at fewer operations"
            )
            found: dict[str, Any] | str = f"not tried: {reason}"
        else:
            found = in_a_process(cell)
            cost = math.inf if isinstance(found, str) else found["seconds"] / found["operations"]
            latest[name, contender] = cost
        rows.append(row(cell, found))
        tables.show(rows[-1])
    tables.write(rows, path)


if __name__ == "__main__":
    if sys.argv[1] == "--cell":
        sys.setrecursionlimit(20_000)
        name, operations, contender = json.loads(sys.argv[2])
        print(json.dumps(measured((name, operations, contender))))
    else:
        main(*sys.argv[1:])
