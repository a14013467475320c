"""What one derivative costs when nothing is prepared: trace, sweep, result. HIPS autograd is measured beside.

Run: python -m pytest benchmarks/regression --benchmark-only --benchmark-group-by=group
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adcli


def square_exponential(x: Any) -> Any:
    return np.exp(x**2)


def steps(count: int) -> Callable[[Any], Any]:
    """A scalar loop of `count` steps."""

    def loop(x: Any) -> Any:
        y = x
        for _ in range(count):
            y = y * 0.999 + 0.001 * x
        return y

    return loop


def hips(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """HIPS autograd's gradient of a function that uses its own numpy."""
    autograd = pytest.importorskip("autograd")
    gradient: Callable[[Any], Any] = autograd.grad(function)
    return gradient


@pytest.mark.benchmark(group="exp(x**2) at one point")
def test_in_house_reverse(benchmark: Any) -> None:
    derivative = adcli.gradient(square_exponential)
    assert benchmark(derivative, 2.0) == pytest.approx(218.39260013257694)


@pytest.mark.benchmark(group="exp(x**2) at one point")
def test_in_house_forward(benchmark: Any) -> None:
    derivative = adcli.gradient(square_exponential, mode="forward")
    assert benchmark(derivative, 2.0) == pytest.approx(218.39260013257694)


@pytest.mark.benchmark(group="exp(x**2) at one point")
def test_hips_autograd(benchmark: Any) -> None:
    anp = pytest.importorskip("autograd.numpy")
    assert benchmark(hips(lambda x: anp.exp(x**2)), 2.0) == pytest.approx(218.39260013257694)


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_in_house_scalar_loop(benchmark: Any, count: int) -> None:
    benchmark.group = f"scalar loop of {count} steps"
    assert 0 < benchmark(adcli.gradient(steps(count)), 2.0) <= 1.0 + 1e-12


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_hips_autograd_scalar_loop(benchmark: Any, count: int) -> None:
    benchmark.group = f"scalar loop of {count} steps"
    assert 0 < benchmark(hips(steps(count)), 2.0) <= 1.0 + 1e-12
