"""What one value and gradient cost once they are prepared, on functions of few numbers, beside the peers.

Run: python -m pytest benchmarks/regression/test_prepared_cost.py --benchmark-only --benchmark-group-by=group
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adcli
from adcli_benchmarks.problems import problem_named

SLOPE = pytest.approx(218.39260013257694)
LOOPS = {"determinant-by-minors": 7, "reaction-chain": 16, "speelpenning": 1000}
"""Problems that are Python loops over numbers, and the sizes they are measured at."""
one_point = pytest.mark.benchmark(group="exp(x**2), value and gradient at one point")


@one_point
def test_prepared(benchmark: Any) -> None:
    prepared = adcli.prepare(lambda x: np.exp(x**2), 2.0)
    assert benchmark(prepared, 2.0)[1] == SLOPE


@one_point
def test_jax_jit(benchmark: Any) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.value_and_grad(lambda x: jax.numpy.exp(x**2)))
    assert float(benchmark(lambda x: jax.block_until_ready(compiled(x)), 2.0)[1]) == SLOPE


@one_point
def test_casadi(benchmark: Any) -> None:
    casadi = pytest.importorskip("casadi")
    x = casadi.SX.sym("x")
    y = casadi.exp(x**2)
    assert float(benchmark(casadi.Function("f", [x], [y, casadi.gradient(y, x)]), 2.0)[1]) == SLOPE


@one_point
def test_torch(benchmark: Any) -> None:
    torch = pytest.importorskip("torch")

    def both(at: float) -> Any:
        x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        y = torch.exp(x**2)
        y.backward()
        return y, x.grad

    assert float(benchmark(both, 2.0)[1]) == SLOPE


@one_point
def test_hips_autograd(benchmark: Any) -> None:
    autograd = pytest.importorskip("autograd")
    both = autograd.value_and_grad(lambda x: autograd.numpy.exp(x**2))
    assert benchmark(both, 2.0)[1] == SLOPE


def at_point(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    problem = problem_named(name)
    return problem.function, problem.point(LOOPS[name])


@pytest.mark.parametrize("name", LOOPS)
def test_plain_python(benchmark: Any, name: str) -> None:
    benchmark.group = f"{name}, n = {LOOPS[name]}"
    function, point = at_point(name)
    benchmark(function, *point.values())


@pytest.mark.parametrize("name", LOOPS)
def test_prepared_value_and_gradient(benchmark: Any, name: str) -> None:
    benchmark.group = f"{name}, n = {LOOPS[name]}"
    function, point = at_point(name)
    value, gradient = benchmark(adcli.prepare(function, point), *point.values())
    np.testing.assert_allclose(value, function(**point), rtol=1e-10)
    np.testing.assert_allclose(gradient, problem_named(name).derivative(**point), rtol=1e-7)
