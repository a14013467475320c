"""Value and gradient by compiled kernels, beside jax.jit, torch.compile, torch and HIPS autograd in the same process.

Run: python benchmarks/regression/compiled_speed.py results/compiled_speed.csv [problem ...]

The contenders take turns in short rounds, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import tables

from adcli_benchmarks.problems.data import mixture
from adcli_benchmarks.problems.networks import pictures
from adcli_methods.function import FlatFunction, Function
from adcli_methods.kernels import compile_program
from adcli_methods.optimiser import optimise
from adcli_methods.rewriting import gradient_program
from adcli_methods.shapes import shaped

ROUNDS = 30
ROUND_SECONDS = 0.04
ROOT = 2.0**0.5
Run = Callable[[], Any]


def fused_sum(xp: Any, x: Any) -> Any:
    """Sum of exp(x**2) sin x + log(1 + x**2)."""
    return xp.sum(xp.exp(x**2) * xp.sin(x) + xp.log(1.0 + x**2))


def rosenbrock(xp: Any, x: Any) -> Any:
    """Rosenbrock's function."""
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic(xp: Any, x: Any) -> Any:
    """Twenty steps of the logistic map from each starting point, added up."""
    for _ in range(20):
        x = 3.7 * x * (1.0 - x)
    return xp.sum(x)


def log_sum_exp(xp: Any, x: Any) -> Any:
    """The logarithm of a sum of exponentials."""
    top = xp.max(x)
    return top + xp.log(xp.sum(xp.exp(x - top)))


def helmholtz(xp: Any, x: Any) -> Any:
    """The free energy of a mixture, as in the problem of that name."""
    A, b = (xp.asarray(part) for part in mixture(len(x)))
    volume = b @ x
    ideal = xp.sum(x * xp.log(x / (1.0 - volume)))
    ratio = (1.0 + (1.0 + ROOT) * volume) / (1.0 + (1.0 - ROOT) * volume)
    return ideal - (x @ A @ x) / (8.0**0.5 * volume) * xp.log(ratio)


def perceptron(xp: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
    """Mean cross-entropy over a batch, as in the problem of that name."""
    inputs, labels = (xp.asarray(part) for part in pictures(len(W1)))
    first = xp.tanh(inputs @ W1 + b1)
    second = xp.tanh(first @ W2 + b2)
    scores = second @ W3 + b3
    top = xp.max(scores, axis=1, keepdims=True)
    totals = top + xp.log(xp.sum(xp.exp(scores - top), axis=1, keepdims=True))
    return xp.sum(labels * (totals - scores)) / len(labels)


def _layers() -> list[Any]:
    generator, n = np.random.default_rng(0), 698
    shapes = [(n, n), (n,), (n, n), (n,), (n, 10), (10,)]
    return [generator.normal(size=shape) / n**0.5 for shape in shapes]


def _uniform(count: int, low: float = 0.0, high: float = 1.0) -> list[Any]:
    return [np.random.default_rng(0).uniform(low, high, count)]


PROBLEMS: dict[str, tuple[Callable[..., Any], Callable[[], list[Any]]]] = {
    "fused sum, n=1000000": (fused_sum, lambda: _uniform(10**6)),
    "rosenbrock, n=1000000": (rosenbrock, lambda: _uniform(10**6)),
    "logistic map of 20 steps, n=100000": (logistic, lambda: _uniform(10**5, 0.1, 0.9)),
    "log-sum-exp, n=1000000": (log_sum_exp, lambda: _uniform(10**6, -3.0, 3.0)),
    "helmholtz, n=1000": (helmholtz, lambda: [_uniform(1000, 0.5, 1.0)[0] / 1000]),
    "perceptron, 985000 parameters": (perceptron, _layers),
}


def compiled(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    """This package's kernels."""
    names = tuple(f"x{i}" for i in range(len(point)))
    made = Function(function.__name__, lambda *leaves: function(np, *leaves), names)
    flat = FlatFunction(made, dict(zip(names, point, strict=True)), [(name,) for name in names])
    ready = optimise(shaped(gradient_program(flat.program, flat.leaves), flat.leaves)).shaped
    program = compile_program(ready.program, ready.abstracts)
    return lambda: program.run(point)


def jax_jit(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    """jax.jit of jax.value_and_grad."""
    import jax

    jax.config.update("jax_enable_x64", True)
    value_and_grad = jax.jit(
        jax.value_and_grad(lambda *leaves: function(jax.numpy, *leaves), argnums=tuple(range(len(point))))
    )
    leaves = [jax.numpy.asarray(leaf) for leaf in point]
    return lambda: jax.block_until_ready(value_and_grad(*leaves))


def _torch_names() -> Any:
    import torch

    names = {name: getattr(torch, name) for name in ("exp", "sin", "log", "sum", "tanh")}
    return SimpleNamespace(**names, max=torch.amax, asarray=torch.tensor)


def torch_eager(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    """torch's autograd."""
    return _torch(lambda *leaves: function(_torch_names(), *leaves), point)


def torch_compile(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    """torch.compile of the function, differentiated by torch."""
    import torch

    if function is logistic:
        raise TimeoutError("its compile time explodes: 42 s for 8 steps")
    names, constants = _torch_names(), {id(part): torch.tensor(part) for part in (*mixture(1000), *pictures(698))}
    names.asarray = lambda part: constants[id(part)]
    return _torch(torch.compile(lambda *leaves: function(names, *leaves)), point)


def _torch(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    import torch

    leaves = [torch.tensor(leaf, requires_grad=True) for leaf in point]

    def run() -> Any:
        value = function(*leaves)
        return value, torch.autograd.grad(value, leaves)

    return run


def autograd(function: Callable[..., Any], point: Sequence[Any]) -> Run:
    """HIPS autograd."""
    import autograd.numpy as xp
    from autograd import value_and_grad

    derivative = value_and_grad(lambda leaves: function(xp, *leaves))
    return lambda: derivative(tuple(point))


CONTENDERS = (compiled, jax_jit, torch_compile, torch_eager, autograd)


def measure(name: str) -> list[dict[str, Any]]:
    """A row for each contender at one problem; ratios are to the compiled kernels' time."""
    function, make = PROBLEMS[name]
    point = make()
    runs, first_seconds, results = {}, {}, {}
    for contender in CONTENDERS:
        started = time.perf_counter()
        try:
            runs[contender.__name__] = run = contender(function, point)
            results[contender.__name__] = _numbers(run())
        except (ImportError, TimeoutError) as error:
            print(f"{name}: {contender.__name__} left out: {error}", file=sys.stderr)
            continue
        first_seconds[contender.__name__] = time.perf_counter() - started
    for found in results.values():
        for ours, theirs in zip(results["compiled"], found, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)
    seconds = tables.in_turns(runs, ROUNDS, ROUND_SECONDS)
    ours = seconds["compiled"]
    return [
        {
            "problem": name,
            "contender": contender,
            "time_over_compiled_min": f"{min(found) / min(ours):.3g}",
            "time_over_compiled_median": f"{statistics.median(found) / statistics.median(ours):.3g}",
            "min_seconds": f"{min(found):.3e}",
            "median_seconds": f"{statistics.median(found):.3e}",
            "first_call_seconds": f"{first_seconds[contender]:.2f}",
            "rounds": len(found),
        }
        for contender, found in seconds.items()
    ]


def _numbers(result: Any) -> list[Any]:
    flat = []
    for part in result:
        flat += list(part) if isinstance(part, (tuple, list)) else [part]
    return [np.asarray(leaf.detach() if hasattr(leaf, "detach") else leaf) for leaf in flat]


def main(path: str, *names: str) -> None:
    """Measure and write the table; kernels are compiled anew."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        rows = [row for name in PROBLEMS if not names or name.split(",")[0] in names for row in measure(name)]
    for row in rows:
        tables.show(row)
    tables.write(rows, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
