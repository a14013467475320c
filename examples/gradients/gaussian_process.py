"""A Gaussian process: the negative log marginal likelihood by the logarithms of its hyperparameters."""

import numpy as np

_random = np.random.default_rng(1)
PLACES = np.sort(_random.uniform(0.0, 5.0, 12))
VALUES = np.sin(PLACES) + 0.1 * _random.normal(size=12)


def _kernel(log_length, log_signal, places):
    gaps = (places[:, None] - places[None, :]) / np.exp(log_length)
    return np.exp(2.0 * log_signal) * np.exp(-0.5 * gaps**2), gaps


def gp_loss(theta, places=PLACES, values=VALUES):
    """theta: the logarithms of length scale, signal and noise."""
    signal, _ = _kernel(theta[0], theta[1], places)
    covariance = signal + np.exp(2.0 * theta[2]) * np.eye(len(places))
    _, log_determinant = np.linalg.slogdet(covariance)
    fit = values @ np.linalg.solve(covariance, values)
    return 0.5 * (fit + log_determinant + len(values) * np.log(2.0 * np.pi))


def gp_loss_grad(theta, places=PLACES, values=VALUES):
    signal, gaps = _kernel(theta[0], theta[1], places)
    noise = np.exp(2.0 * theta[2]) * np.eye(len(places))
    inverse = np.linalg.inv(signal + noise)
    weights = inverse @ values
    inner = inverse - np.outer(weights, weights)
    return 0.5 * np.array([np.sum(inner * part) for part in (signal * gaps**2, 2.0 * signal, 2.0 * noise)])


gp_loss_at = np.array([0.3, -0.2, -1.5])
