"""Problems of fitting: least squares, clusters, classification, a small network."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem, vector
from adcli_benchmarks.problems.data import cloud, labelled, square_wave

INPUTS = np.array([1.0, 2.0])
TARGET = 0.5


def least_squares(x: Array) -> Any:
    """Half the squared error of a polynomial with coefficients x against a square wave."""
    powers, signs = square_wave(len(x))
    residual = signs - powers @ x
    return 0.5 * np.sum(residual**2)


def least_squares_gradient(x: Array) -> Any:
    """The residual, projected on the powers."""
    powers, signs = square_wave(len(x))
    return -powers.T @ (signs - powers @ x)


def k_means(centers: Array) -> Any:
    """The squared distances of points of the plane, 20 for each center, to their nearest centers."""
    points = cloud(len(centers))
    distances = np.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2)
    return np.sum(np.min(distances, axis=1))


def k_means_gradient(centers: Array) -> Any:
    """Twice the way from each of its points to a center."""
    points = cloud(len(centers))
    nearest = np.argmin(np.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2), axis=1)
    members = nearest[:, None] == np.arange(len(centers))
    return 2.0 * (members.sum(axis=0)[:, None] * centers - members.T @ points)


def _centers(size: int, seed: int) -> Point:
    return {"centers": np.random.default_rng(seed).uniform(-4.0, 4.0, (size, 2))}


def logistic_regression(w: Array, b: float) -> Any:
    """The mean logistic loss of labelled samples, five for each feature."""
    features, labels = labelled(len(w))
    return np.mean(np.logaddexp(0.0, -labels * (features @ w + b)))


def logistic_regression_gradient(w: Array, b: float) -> dict[str, Any]:
    """The samples, weighted by the probability of being wrong."""
    features, labels = labelled(len(w))
    wrong = -labels / (1.0 + np.exp(labels * (features @ w + b))) / len(labels)
    return {"w": features.T @ wrong, "b": np.sum(wrong)}


def _weights(size: int, seed: int) -> Point:
    generator = np.random.default_rng(seed)
    return {"w": generator.normal(size=size) / np.sqrt(size), "b": float(generator.uniform(-1.0, 1.0))}


def tanh_network(W1: Array, b1: Array, W2: Array, b2: Array) -> Any:
    """The squared error of a network with two inputs, three tanh units and one output."""
    output = W2 @ np.tanh(W1 @ INPUTS + b1) + b2
    return np.mean((output - TARGET) ** 2)


def tanh_network_gradient(W1: Array, b1: Array, W2: Array, b2: Array) -> dict[str, Any]:
    """Backpropagation, written out."""
    hidden = np.tanh(W1 @ INPUTS + b1)
    error = 2.0 * (W2 @ hidden + b2 - TARGET)
    inner = (error @ W2) * (1.0 - hidden**2)
    return {"W1": np.outer(inner, INPUTS), "b1": inner, "W2": np.outer(error, hidden), "b2": error}


def _network(size: int, seed: int) -> Point:
    generator = np.random.default_rng(seed)
    shapes = {"W1": (3, 2), "b1": (3,), "W2": (1, 3), "b2": (1,)}
    return {name: generator.uniform(-0.6, 0.6, shape) for name, shape in shapes.items()}


PROBLEMS = [
    Problem(
        "least-squares", "0.5 * sum (sign(t) - sum x[j]*t**j)**2 over 128 t in [-1, 1]", least_squares,
        least_squares_gradient, (1, 9, 64, 256), vector(-1.0, 1.0), source="cmpad's and GradBench's llsq",
        stresses="matrix products",
    ),
    Problem(
        "k-means", "sum over points p of min over centers c of |p - c|**2", k_means, k_means_gradient,
        (1, 4, 16, 64), _centers, source="GradBench's kmeans", stresses="minima, broadcasting, a diagonal Hessian",
    ),
    Problem(
        "logistic-regression", "mean log(1 + exp(-label*(features@w + b)))", logistic_regression,
        logistic_regression_gradient, (1, 10, 100, 500), _weights, source="standard classification loss",
        stresses="a stable loss, an array and a number as inputs",
    ),
    Problem(
        "tanh-network", "mean((W2 @ tanh(W1 @ [1, 2] + b1) + b2 - 0.5)**2)", tanh_network, tanh_network_gradient,
        (1,), _network, source="textbook network of 2-3-1 units", stresses="named parameters of several shapes",
    ),
]  # fmt: skip
