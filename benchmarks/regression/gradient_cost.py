"""Value and gradient of every shipped problem, prepared, beside the function, hand-written NumPy and the peers.

Run: python benchmarks/regression/gradient_cost.py results/gradient_cost.csv [problem ...]

The contenders take turns in short rounds, so that whatever else the machine does meets all of them: ours and the
hand-written ones first, then function and prepared gradient beside the peers, whose threads go on spinning between
turns. A problem with several outputs has the gradient of their sum, which takes one adjoint sweep too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tables

from adcli_benchmarks.operations import operations
from adcli_benchmarks.problem import Problem
from adcli_benchmarks.problems import PROBLEMS
from adcli_benchmarks.timing import time_interleaved
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import AdcliError
from adcli_methods.function import FlatFunction, Function
from adcli_methods.method import Prepared
from adcli_methods.methods import method_named
from adcli_methods.optimiser import optimise
from adcli_methods.prepared.version import Version, prepare_version
from adcli_methods.rewriting import shaped_gradient
from adcli_methods.shapes import shaped

SIZES = {
    "logistic-map": 16, "speelpenning": 1000, "rosenbrock": 1_000_000, "trigonometric-sum": 1_000_000,
    "logistic-map-sum": 100_000, "log-sum-exp": 1_000_000, "rosenbrock-residuals": 200, "banded": 200,
    "helmholtz": 1000, "determinant-by-minors": 7, "reaction-chain": 32, "least-squares": 256, "k-means": 64,
    "logistic-regression": 500, "gaussian-mixture": 20, "bundle-adjustment": 100, "lstm": 100, "perceptron": 699,
    "particle": 50, "saddle": 4,
}  # fmt: skip
"""Where it is not the problem's only size."""
SMALL = {
    "rosenbrock": 100, "trigonometric-sum": 1000, "log-sum-exp": 1000, "determinant-by-minors": 3,
    "helmholtz": 50, "reaction-chain": 4, "speelpenning": 100, "perceptron": 64, "gaussian-mixture": 5,
}  # fmt: skip
PEERS = ("torch", "autograd", "jax-jit", "casadi")
LEFT_OUT = {
    "jax-jit": ("lstm", "determinant-by-minors", "reaction-chain", "particle", "speelpenning"),
    "casadi": ("perceptron", "trigonometric-sum", "logistic-map-sum", "log-sum-exp", "rosenbrock"),
}
"""XLA takes minutes to compile long straight-line code, casadi to set up a million numbers: left out above SHORT."""
SHORT = 1000
SECONDS = 1.5
"""For all contenders that take turns."""
Run = Callable[[], Any]


def measure(problem: Problem, size: int) -> Iterator[dict[str, Any]]:
    """A row for each contender."""
    flat = _summed(problem, size)
    versions = {"picked": _prepared(flat), "uncompiled": _without_compiler(flat)}
    inputs = tuple(problem.point(size).values())
    runs = {"function": lambda: flat.function.call(*inputs), **_derivatives(problem, flat, size, versions)}
    peers = {name: run for name, run in runs.items() if name in PEERS}
    common = {name: runs[name] for name in ("function", "picked")}
    rows = _rows({name: run for name, run in runs.items() if name not in peers})
    rows |= {name: row for name, row in _rows({**common, **peers}).items() if name in peers}
    for name, row in rows.items():
        version = versions[name].report if name in versions else None
        yield {
            "problem": problem.name,
            "size": size,
            "contender": name,
            "backend": version.backend if version else "",
            **row,
            "operation_ratio": f"{_operation_ratio(flat):.3g}" if name == "picked" else "",
            "prepare_seconds": f"{version.prepare_seconds:.3g}" if version else "",
        }


def _rows(runs: dict[str, Run]) -> dict[str, dict[str, str]]:
    """The times of contenders that take turns, and their ratios."""
    timings = time_interleaved(runs, SECONDS)
    least = {name: min(timing.round_seconds) for name, timing in timings.items()}
    return {
        name: {
            "time_over_function": f"{least[name] / least['function']:.3g}",
            "time_over_picked": f"{least[name] / least['picked']:.3g}",
            "min_seconds": f"{least[name]:.3e}",
            "median_seconds": f"{timings[name].median_seconds:.3e}",
        }
        for name in runs
    }


def _operation_ratio(flat: FlatFunction) -> float:
    """Operations of the optimised gradient, the value included, over those of the optimised function."""
    primal = optimise(shaped(flat.program, flat.leaves)).shaped
    derived = optimise(shaped_gradient(primal.program, flat.leaves)).shaped
    return operations(derived) / max(1, operations(primal))


def _summed(problem: Problem, size: int) -> FlatFunction:
    """The problem, its outputs added up where it has several."""
    given, point = problem.as_function(), problem.point(size)
    result = problem.function(**point)
    if isinstance(result, (tuple, list)) or np.shape(result):
        given = Function(given.name, lambda *inputs: _total(problem.function(*inputs)), given.parameters)
    return flat_problem(given, point, Request())


def _total(result: Any) -> Any:
    return sum(result) if isinstance(result, (tuple, list)) else np.sum(result)


def _derivatives(problem: Problem, flat: FlatFunction, size: int, versions: dict[str, Version]) -> dict[str, Run]:
    """What gives the value and the gradient; each is held to the first."""
    runs: dict[str, Run] = {}
    for name, version in versions.items():
        runs[name] = partial(version.runner.run, flat.leaves)
    expected = _numbers(runs["picked"]())

    def add(name: str, run: Run, lower: Callable[[Any], Any]) -> None:
        np.testing.assert_allclose(_numbers(lower(run())), expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())
        runs[name] = run

    add("uncompiled", runs["uncompiled"], list)
    if flat.function.derivative is not None:
        point = problem.point(size)
        inputs, names = tuple(point.values()), [path[0] for path in flat.paths]
        value, derivative = problem.function, flat.function.derivative
        add("by hand", lambda: (value(*inputs), derivative(*inputs)), lambda r: _parts(r, names))
    for peer in PEERS:
        if problem.name in LEFT_OUT.get(peer, ()) and (size > SHORT or len(flat.program.instructions) > SHORT):
            continue
        try:
            ready = method_named(peer)().prepared(flat, "gradient")
            add(peer, partial(ready.run, ready.leaves), partial(_lowered, ready))
        except AdcliError as error:
            print(f"{problem.name}: {peer} left out: {error}", file=sys.stderr)
    return runs


def _prepared(flat: FlatFunction) -> Version:
    return prepare_version(flat, len(flat.leaves), "gradient", ())


def _without_compiler(flat: FlatFunction) -> Version:
    """As it is picked on a machine without a C compiler."""
    path, chosen = os.environ.pop("PATH"), os.environ.pop("CC", None)
    os.environ["PATH"] = ""
    try:
        return _prepared(flat)
    finally:
        os.environ["PATH"] = path
        if chosen is not None:
            os.environ["CC"] = chosen


def _lowered(ready: Prepared, result: Any) -> list[Any]:
    """A peer's values and derivatives as NumPy's."""
    return ready.lower([*result[0], *result[1]])


def _parts(result: Any, names: list[str]) -> list[Any]:
    value, derivative = result
    return [value, *(derivative[name] for name in names)] if isinstance(derivative, dict) else [value, derivative]


def _numbers(parts: list[Any]) -> Any:
    """All entries of a value and a gradient."""
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


def main(path: str, *names: str) -> None:
    """Measure and write the table; kernels are compiled anew."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        for problem in PROBLEMS:
            sizes = dict.fromkeys((SMALL.get(problem.name), SIZES.get(problem.name, problem.sizes[0])))
            for size in sizes if not names or problem.name in names else ():
                rows += [] if size is None else list(measure(problem, size))
    for row in rows:
        tables.show(row)
    tables.write(rows, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
