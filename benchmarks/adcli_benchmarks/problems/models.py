"""Problems from physics and linear algebra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_benchmarks.problems.data import mixture

ROOT = math.sqrt(2.0)
STEP = 0.5
"""Of the reaction chain, in its own unit of time."""


def helmholtz(x: Array) -> Any:
    """The free energy of a mixture with amounts x, by the Peng-Robinson equation, R = T = 1."""
    A, b = mixture(len(x))
    volume = b @ x
    ideal = np.sum(x * np.log(x / (1.0 - volume)))
    ratio = (1.0 + (1.0 + ROOT) * volume) / (1.0 + (1.0 - ROOT) * volume)
    return ideal - (x @ A @ x) / (math.sqrt(8.0) * volume) * np.log(ratio)


def helmholtz_gradient(x: Array) -> Any:
    """The ideal part, then the three factors of the attraction."""
    A, b = mixture(len(x))
    volume, attraction = b @ x, x @ A @ x
    above, below = 1.0 + ROOT, 1.0 - ROOT
    logarithm = np.log((1.0 + above * volume) / (1.0 + below * volume))
    slope = above / (1.0 + above * volume) - below / (1.0 + below * volume)
    ideal = np.log(x / (1.0 - volume)) + 1.0 + b * np.sum(x) / (1.0 - volume)
    pull = (A + A.T) @ x * logarithm - b * attraction * logarithm / volume + b * attraction * slope
    return ideal - pull / (math.sqrt(8.0) * volume)


def _mixture_point(size: int, seed: int) -> Point:
    return {"x": np.random.default_rng(seed).uniform(0.5, 1.0, size) / size}


def determinant(A: Array) -> Any:
    """A determinant by expansion along the first row, again and again."""

    def minor(row: int, columns: list[int]) -> Any:
        if not columns:
            return 1.0
        total = 0.0
        for position, column in enumerate(columns):
            rest = columns[:position] + columns[position + 1 :]
            total = total + (-1.0) ** position * A[row, column] * minor(row + 1, rest)
        return total

    return minor(0, list(range(len(A))))


def cofactors(A: Array) -> Any:
    """The gradient of the determinant; A must not be singular."""
    return np.linalg.det(A) * np.linalg.inv(A).T


def _matrix_point(size: int, seed: int) -> Point:
    return {"A": np.random.default_rng(seed).uniform(-1.0, 1.0, (size, size)) + np.eye(size)}


def reaction_chain(x: Array) -> Any:
    """The last substance of a chain y0' = x0, y1' = x1*y0, ... by Runge and Kutta's fourth-order method."""

    def speed(y: Array) -> Any:
        return x * np.concatenate([np.ones(1), y[:-1]])

    y = np.zeros(len(x))
    for _ in range(len(x)):
        k1 = speed(y)
        k2 = speed(y + 0.5 * STEP * k1)
        k3 = speed(y + 0.5 * STEP * k2)
        k4 = speed(y + STEP * k3)
        y = y + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return y[-1]


def reaction_chain_gradient(x: Array) -> Any:
    """The method's exact result is a constant times the product of all rates.

    A step multiplies the state by p(N), p(z) = 1 + z + z²/2 + z³/6 + z⁴/24, where N shifts the chain by one;
    so the constant is the coefficient of z^n in p(STEP*z)^n.
    """
    n = len(x)
    taylor = [STEP**k / math.factorial(k) for k in range(5)]
    power = np.ones(1)
    for _ in range(n):
        power = np.convolve(power, taylor)[: n + 1]
    return power[n] * np.prod(x) / x


def _chain_point(size: int, seed: int) -> Point:
    return {"x": np.random.default_rng(seed).uniform(0.5, 1.5, size)}


PROBLEMS = [
    Problem(
        "helmholtz", "sum x*log(x/(1 - b@x)) - x@A@x/(sqrt(8)*b@x) * log((1+(1+sqrt(2))*b@x)/(1+(1-sqrt(2))*b@x))",
        helmholtz, helmholtz_gradient, (1, 8, 50, 500, 1000), _mixture_point,
        source="DiffSharp's benchmark script (its text omits the factor x before the first logarithm); "
        "amounts are divided by n here, since otherwise 1 - b@x is negative from about n = 400",
        stresses="a scalar of many inputs: passes against n",
    ),
    Problem(
        "determinant-by-minors", "det(A) by expansion along rows", determinant, cofactors, (2, 3, 4, 5, 6, 7),
        _matrix_point, source="CppAD's and GradBench's det_by_minor",
        stresses="recursion, n! scalar operations",
    ),
    Problem(
        "reaction-chain", "y[n-1] after n Runge-Kutta steps of 1/2 of y[i]' = x[i]*y[i-1], y[-1] = 1",
        reaction_chain, reaction_chain_gradient, (1, 4, 16, 32), _chain_point,
        source="CppAD's and GradBench's ode, with enough steps for the last entry to depend on all inputs",
        stresses="a long sequential loop, memory of the trace",
    ),
]  # fmt: skip
