"""Problems of one vector, of any length."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem, vector

MOST_STEPS = 20
GROWTH = 3.0
"""Of the logistic map, where it does not lose digits at every step as at 4."""


def speelpenning(x: Array) -> Any:
    """The product of all entries, one factor at a time."""
    product = 1.0
    for i in range(len(x)):
        product = product * x[i]
    return product


def speelpenning_gradient(x: Array) -> Any:
    """The product without one factor; no entry may be zero."""
    return np.prod(x) / x


def rosenbrock(x: Array) -> Any:
    """Rosenbrock's valley."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_gradient(x: Array) -> Any:
    """Each term's part for its own entry and for the next."""
    bend = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400.0 * x[:-1] * bend - 2.0 * (1.0 - x[:-1])
    gradient[1:] += 200.0 * bend
    return gradient


def trigonometric_sum(x: Array) -> Any:
    """A sum of like terms."""
    return np.sum(np.exp(x**2) * np.sin(x) + np.log(1.0 + x**2))


def trigonometric_sum_gradient(x: Array) -> Any:
    """Entry by entry."""
    return np.exp(x**2) * (2.0 * x * np.sin(x) + np.cos(x)) + 2.0 * x / (1.0 + x**2)


def logistic_map_sum(x: Array, steps: int) -> Any:
    """The sum of all entries after some steps of a logistic map."""
    for _ in range(steps):
        x = GROWTH * x * (1.0 - x)
    return np.sum(x)


def logistic_map_sum_gradient(x: Array, steps: int) -> Any:
    """The product of the steps' slopes, entry by entry."""
    slope = np.ones_like(x)
    for _ in range(steps):
        slope = slope * (GROWTH * (1.0 - 2.0 * x))
        x = GROWTH * x * (1.0 - x)
    return slope


def _logistic_points(size: int, seed: int) -> Point:
    return {**vector(0.15, 0.4)(size, seed), "steps": np.int64(min(size + 2, MOST_STEPS))}


def log_sum_exp(x: Array) -> Any:
    """The logarithm of a sum of exponentials, shifted against overflow."""
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def softmax(x: Array) -> Any:
    """The gradient of log_sum_exp."""
    weights = np.exp(x - np.max(x))
    return weights / np.sum(weights)


def rosenbrock_residuals(x: Array) -> Any:
    """The residuals whose squares add up to Rosenbrock's function."""
    return np.concatenate([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]])


def rosenbrock_residuals_jacobian(x: Array) -> Any:
    """Two bands above a negative unit matrix."""
    count = len(x) - 1
    rows = np.arange(count)
    jacobian = np.zeros((2 * count, len(x)))
    jacobian[rows, rows] = -20.0 * x[:-1]
    jacobian[rows, rows + 1] = 10.0
    jacobian[rows + count, rows] = -1.0
    return jacobian


def squared_differences(x: Array) -> Any:
    """The squares of the steps from entry to entry."""
    return (x[1:] - x[:-1]) ** 2


def squared_differences_jacobian(x: Array) -> Any:
    """A bidiagonal matrix."""
    rows = np.arange(len(x) - 1)
    jacobian = np.zeros((len(x) - 1, len(x)))
    jacobian[rows, rows + 1] = 2.0 * (x[1:] - x[:-1])
    jacobian[rows, rows] = -2.0 * (x[1:] - x[:-1])
    return jacobian


PROBLEMS = [
    Problem(
        "speelpenning", "x[0] * x[1] * ... * x[n-1]", speelpenning, speelpenning_gradient, (2, 10, 100, 1000),
        vector(0.9, 1.1),
        source="Speelpenning, thesis (1980); Griewank and Walther, Evaluating Derivatives, section 3.3",
        stresses="the cheap gradient, a long chain of scalars",
    ),
    Problem(
        "rosenbrock", "sum 100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2", rosenbrock, rosenbrock_gradient,
        (2, 10, 100, 1000, 10_000, 100_000, 1_000_000), vector(-2.0, 2.0),
        source="Rosenbrock (1960); size 10 000 from ForwardDiff's documentation",
        stresses="slices, cancellation, a banded Hessian",
    ),
    Problem(
        "trigonometric-sum", "sum exp(x**2)*sin(x) + log(1 + x**2)", trigonometric_sum, trigonometric_sum_gradient,
        (1, 10, 1000, 100_000, 1_000_000), vector(-1.0, 1.0),
        source="elementwise work as in every array code", stresses="throughput on long vectors",
    ),
    Problem(
        "logistic-map-sum", "sum of 20 times x <- 3*x*(1 - x), n + 2 times for n < 18", logistic_map_sum,
        logistic_map_sum_gradient, (1, 10, 1000, 100_000, 1_000_000), _logistic_points,
        source="the logistic map on every entry; 3 instead of 4 keeps its digits over 20 steps",
        stresses="long chains of cheap operations on vectors, shared subexpressions",
    ),
    Problem(
        "log-sum-exp", "log(sum exp(x))", log_sum_exp, softmax, (2, 10, 100, 1000, 100_000, 1_000_000),
        vector(-3.0, 3.0),
        source="GradBench's lse, at sizes where its gradient is not negligible",
        stresses="stability, a maximum that cancels out",
    ),
    Problem(
        "rosenbrock-residuals", "[10*(x[i+1] - x[i]**2) ..., 1 - x[i] ...]", rosenbrock_residuals,
        rosenbrock_residuals_jacobian, (2, 10, 50, 200), vector(-2.0, 2.0),
        source="More, Garbow, Hillstrom, ACM TOMS 7 (1981), problem 1 extended",
        stresses="a tall sparse Jacobian, inverse problems",
    ),
    Problem(
        "banded", "(x[i+1] - x[i])**2", squared_differences, squared_differences_jacobian, (2, 10, 50, 200),
        vector(-1.0, 1.0), source="the example of Jacobian colouring in asdex, size 50",
        stresses="a bidiagonal Jacobian",
    ),
]  # fmt: skip
