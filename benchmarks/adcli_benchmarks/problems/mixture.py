"""The Gaussian mixture of ADBench."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_benchmarks.problems.data import kept, signed

GAMMA = 1.0
"""The Wishart prior's scale."""
DEGREES = 1
"""Of freedom of the Wishart prior, above the dimension."""


@cache
def samples(dimension: int) -> Array:
    """Samples, one a row, normally distributed: a thousand from ten dimensions on, fewer below."""
    return kept(np.random.default_rng(dimension).normal(size=(min(1000, 2 * dimension**3), dimension)))


@cache
def places(dimension: int) -> Array:
    """Where each entry of a lower triangular matrix stands in [0, diagonal ..., lower part by columns ...]."""
    table = np.zeros((dimension, dimension), dtype=np.int64)
    table[np.arange(dimension), np.arange(dimension)] = np.arange(1, dimension + 1)
    columns, rows = np.triu_indices(dimension, 1)
    table[rows, columns] = np.arange(dimension + 1, dimension + 1 + len(rows))
    return kept(table)


def _terms(alphas: Array, means: Array, factors: Array) -> tuple[Any, ...]:
    """Each component's factor matrix, the samples' distances to it, those times the factor, and the log density."""
    count, dimension = means.shape
    diagonal = np.exp(factors[:, :dimension])
    entries = np.concatenate([np.zeros((count, 1)), diagonal, factors[:, dimension:]], axis=1)
    lower = entries[:, places(dimension)]
    distances = samples(dimension).T - means[:, :, None]
    scaled = lower @ distances
    heights = alphas + np.sum(factors[:, :dimension], axis=1)
    return diagonal, lower, distances, scaled, heights[:, None] - 0.5 * np.sum(scaled**2, axis=1)


def log_sum_exp(x: Array) -> Any:
    """The logarithm of the sum of exponentials along the first axis."""
    top = np.max(x, axis=0)
    return top + np.log(np.sum(np.exp(x - top), axis=0))


def gaussian_mixture(alphas: Array, means: Array, factors: Array) -> Any:
    """The logarithm of the posterior density of a mixture's parameters, given the samples.

    Arguments:
        alphas: logarithms of the components' weights, not normalized; shape (K,).
        means: shape (K, D).
        factors: of each component's inverse covariance, the logarithms of the diagonal, then the lower triangle
            by columns; shape (K, D + D*(D - 1)/2).
    """
    count, dimension = means.shape
    diagonal, _, _, _, densities = _terms(alphas, means, factors)
    size = len(samples(dimension))
    likelihood = np.sum(log_sum_exp(densities)) - size * (log_sum_exp(alphas) + 0.5 * dimension * math.log(2 * math.pi))
    squares = np.sum(diagonal**2) + np.sum(factors[:, dimension:] ** 2)
    return (
        likelihood + DEGREES * np.sum(factors[:, :dimension]) - 0.5 * GAMMA**2 * squares - count * _constant(dimension)
    )


def _constant(dimension: int) -> float:
    """The normalizing constant of the Wishart prior, by the multivariate gamma function."""
    n = dimension + DEGREES + 1
    gammas = sum(math.lgamma(0.5 * (n - i)) for i in range(dimension))
    gammas += 0.25 * dimension * (dimension - 1) * math.log(math.pi)
    return n * dimension * math.log(GAMMA / math.sqrt(2.0)) - gammas


def gaussian_mixture_gradient(alphas: Array, means: Array, factors: Array) -> dict[str, Any]:
    """Each sample's part, weighted by the probability that it belongs to the component."""
    dimension = means.shape[1]
    diagonal, lower, distances, scaled, densities = _terms(alphas, means, factors)
    shares = np.exp(densities - log_sum_exp(densities))
    weights = np.exp(alphas - log_sum_exp(alphas))
    totals, weighted = np.sum(shares, axis=1), shares[:, None, :] * scaled
    of_lower = -weighted @ np.swapaxes(distances, 1, 2)
    of_diagonal = np.diagonal(of_lower, axis1=1, axis2=2) * diagonal - GAMMA**2 * diagonal**2
    columns, rows = np.triu_indices(dimension, 1)
    return {
        "alphas": totals - len(samples(dimension)) * weights,
        "means": np.sum(np.swapaxes(lower, 1, 2) @ weighted, axis=2),
        "factors": np.concatenate(
            [of_diagonal + totals[:, None] + DEGREES, of_lower[:, rows, columns] - GAMMA**2 * factors[:, dimension:]],
            axis=1,
        ),
    }


def _parameters(size: int, seed: int) -> Point:
    generator, count = np.random.default_rng(seed), 2 * size
    return {
        "alphas": signed(generator, 0.3, 1.2, (count,)),
        "means": signed(generator, 0.3, 1.2, (count, size)),
        "factors": signed(generator, 0.2, 0.6, (count, size * (size + 1) // 2)),
    }


PROBLEMS = [
    Problem(
        "gaussian-mixture", "log posterior of 2*n Gaussians in n dimensions, up to 1000 samples, Wishart prior",
        gaussian_mixture, gaussian_mixture_gradient, (1, 2, 5, 10, 20), _parameters,
        source="ADBench's GMM with its parameters; the prior's sign as corrected in GradBench's gmm",
        stresses="a dense gradient of thousands of parameters, stacked matrix products, log-sum-exp",
    ),
]  # fmt: skip
