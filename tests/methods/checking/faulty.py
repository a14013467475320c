"""Ten functions with their right gradients, and faults to put into them."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(11)
A = RNG.standard_normal((30, 5))
LABELS = (RNG.uniform(size=30) > 0.5) * 1.0
M = RNG.standard_normal((4, 4))
DATA = RNG.normal(1.0, 2.0, 60)


def rosen(x):
    hill = np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2)
    plain = np.sum((1 - x[:-1]) ** 2)
    return hill + plain


def rosen_gradient(x, with_plain=1.0):
    g = np.zeros_like(x)
    g[:-1] += -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * with_plain * (1 - x[:-1])
    g[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    return g


def logistic(w):
    z = A @ w
    loss = np.sum(np.log1p(np.exp(-z)) + (1 - LABELS) * z)
    penalty = 0.5 * np.sum(w**2)
    return loss + penalty


def logistic_gradient(w, penalty=1.0, mean=False):
    z = A @ w
    g = A.T @ (1 / (1 + np.exp(-z)) - LABELS) + penalty * w
    return g / len(A) if mean else g


def least_squares(w):
    return np.sum((A @ w - LABELS) ** 2) / len(A)


def least_squares_gradient(w):
    return 2.0 * A.T @ (A @ w - LABELS) / len(A)


def waves(x):
    return np.sum(np.exp(x) * np.sin(3.0 * x))


def waves_gradient(x, outer=1.0, chain=3.0):
    return outer * np.exp(x) * np.sin(3.0 * x) + chain * np.exp(x) * np.cos(3.0 * x)


def gaussian(x):
    return np.exp(-0.5 * np.sum(x**2)) + np.sum(np.log(1 + x**2))


def gaussian_gradient(x):
    return -x * np.exp(-0.5 * np.sum(x**2)) + 2 * x / (1 + x**2)


def form(x):
    return x @ M @ x + np.sum(x)


def form_gradient(x):
    return (M + M.T) @ x + 1


def scalar(x):
    return np.exp(x**2) + np.log(x)


def scalar_gradient(x):
    return 2 * x * np.exp(x**2) + 1 / x


def likelihood(theta):
    mean, log_scale = theta
    return np.sum(-0.5 * ((DATA - mean) / np.exp(log_scale)) ** 2 - log_scale)


def likelihood_gradient(theta, by_scale=False):
    mean, log_scale = theta
    r = (DATA - mean) / np.exp(log_scale)
    second = np.sum(r**2) - len(DATA)
    return np.array([np.sum(r) / np.exp(log_scale), second / np.exp(log_scale) if by_scale else second])


def matrix(x):
    return np.tanh(M @ x) * x


def matrix_jacobian(x):
    t = np.tanh(M @ x)
    return (1 - t**2)[:, None] * M * x[:, None] + np.diag(t)


def layer(w, b):
    return np.sum(np.sin(M @ (w @ np.ones(4)) + b) ** 2)


def layer_gradient(w, b, sign=1.0):
    z = M @ (w @ np.ones(4)) + b
    d = 2 * np.sin(z) * np.cos(z)
    return np.outer(M.T @ d, np.ones(4)), sign * d


def only(indices, change):
    """A fault in some entries."""

    def faulty(g):
        g = np.array(g)
        g[indices] = change(g[indices])
        return g

    return faulty
