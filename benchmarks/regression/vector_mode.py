"""Forward-mode Jacobians of 1,000 inputs: one tangent at a time, in vector mode, prepared, and by jax and torch.

Run: python benchmarks/regression/vector_mode.py results/vector_mode.csv [function ...]

The contenders take turns, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tables
from compiled_speed import fused_sum, helmholtz

import adcli
from adcli_methods.function import Function

INPUTS = 1000
FUNCTION_SECONDS = 3.0
"""Rounds begin until a function has taken so long; each contender has two at least."""
MOST_ROUNDS = 20
ROUND_SECONDS = 0.05
Run = Callable[[], Any]


def speelpenning(xp: Any, x: Any) -> Any:
    """The product of all entries, one factor at a time."""
    product = 1.0
    for i in range(len(x)):
        product = product * x[i]
    return product


def rosenbrock_residuals(xp: Any, x: Any) -> Any:
    """The residuals whose squares add up to Rosenbrock's function."""
    return xp.concatenate([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]])


def _uniform(low: float, high: float) -> Any:
    return np.random.default_rng(0).uniform(low, high, INPUTS)


FUNCTIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "speelpenning": (speelpenning, _uniform(0.9, 1.1)),
    "helmholtz": (helmholtz, _uniform(0.5, 1.0) / INPUTS),
    "trigonometric-sum": (fused_sum, _uniform(-1.0, 1.0)),
    "rosenbrock-residuals": (rosenbrock_residuals, _uniform(-2.0, 2.0)),
}


def _ours(function: Callable[..., Any]) -> Function:
    return Function(function.__name__, lambda x: function(np, x), ("x",))


def _columns(function: Callable[..., Any], x: Any, chunk: int) -> Run:
    """The Jacobian as a user asks for it, traced anew at each call, with notes on the point."""
    ours = _ours(function)
    return lambda: adcli.diff(ours, x, operator="jacobian", mode="forward", chunk=chunk).derivative


def one_at_a_time(function: Callable[..., Any], x: Any) -> Run:
    """A tangent sweep for each input."""
    return _columns(function, x, 1)


def vector_mode(function: Callable[..., Any], x: Any) -> Run:
    """One tangent sweep for all inputs."""
    return _columns(function, x, INPUTS)


def prepared(function: Callable[..., Any], x: Any) -> Run:
    """The same sweeps as fused native kernels, prepared once."""
    jacobian = adcli.prepare(_ours(function), x, operator="jacobian", mode="forward", compile="c")
    return lambda: jacobian(x)[1]


def jax_jacfwd(function: Callable[..., Any], x: Any) -> Run:
    """jax.jit of jax.jacfwd."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jacobian = jax.jit(jax.jacfwd(lambda x: function(jax.numpy, x)))
    given = jax.numpy.asarray(x)
    return lambda: jax.block_until_ready(jacobian(given))


def torch_jacfwd(function: Callable[..., Any], x: Any) -> Run:
    """torch.func.jacfwd."""
    import torch

    names = {name: getattr(torch, name) for name in ("exp", "sin", "log", "sum", "concatenate")}
    jacobian = torch.func.jacfwd(lambda x: function(SimpleNamespace(**names, asarray=torch.tensor), x))
    given = torch.tensor(x)
    return lambda: jacobian(given)


CONTENDERS = (one_at_a_time, vector_mode, prepared, jax_jacfwd, torch_jacfwd)


def measure(name: str) -> list[dict[str, Any]]:
    """A row for each contender on one function; ratios are of the time of one tangent at a time."""
    function, x = FUNCTIONS[name]
    runs: dict[str, Run] = {}
    first_seconds, results = {}, {}
    for contender in CONTENDERS:
        started = time.perf_counter()
        try:
            runs[contender.__name__] = run = contender(function, x)
        except ImportError as error:
            print(f"{name}: {contender.__name__} left out: {error}", file=sys.stderr)
            continue
        results[contender.__name__] = np.asarray(run())
        first_seconds[contender.__name__] = time.perf_counter() - started
    for found in results.values():
        np.testing.assert_allclose(found, results["one_at_a_time"], rtol=1e-9, atol=1e-12)
    seconds = tables.in_turns(runs, MOST_ROUNDS, ROUND_SECONDS, FUNCTION_SECONDS)
    alone = seconds["one_at_a_time"]
    return [
        {
            "function": name,
            "contender": contender,
            "times_faster_min": f"{min(alone) / min(found):.3g}",
            "times_faster_median": f"{statistics.median(alone) / statistics.median(found):.3g}",
            "min_seconds": f"{min(found):.3e}",
            "median_seconds": f"{statistics.median(found):.3e}",
            "first_call_seconds": f"{first_seconds[contender]:.2f}",
            "rounds": len(found),
        }
        for contender, found in seconds.items()
    ]


def main(path: str, *names: str) -> None:
    """Measure and write the table."""
    rows = [row for name in FUNCTIONS if not names or name in names for row in measure(name)]
    for row in rows:
        tables.show(row)
    tables.write(rows, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
