"""Gradients as they go wrong in practice, one for each model beside: try `adcli check examples/gradients/wrong.py`."""

import numpy as np
from bundle_adjustment import reprojection, reprojection_at, reprojection_jac
from gaussian_process import gp_loss, gp_loss_at, gp_loss_grad
from k_means import kmeans_loss, kmeans_loss_at, kmeans_loss_grad
from logistic_regression import FEATURES, LABELS, logistic_loss, logistic_loss_at
from lstm_cell import lstm_energy, lstm_energy_at, lstm_energy_grad
from softmax_layer import cross_entropy, cross_entropy_at, cross_entropy_grad


def d_logistic_loss(weights, features=FEATURES, labels=LABELS, ridge=0.1):
    """The penalty was added to the loss later, and forgotten here."""
    slopes = -labels / (1.0 + np.exp(labels * (features @ weights)))
    return features.T @ slopes / len(labels)


def d_gp_loss(theta):
    """The length scale is a logarithm by now: its derivative lacks the chain factor."""
    return gp_loss_grad(theta) * np.array([np.exp(-theta[0]), 1.0, 1.0])


def d_kmeans_loss(centres):
    """The 2 of the square is missing."""
    return 0.5 * kmeans_loss_grad(centres)


def d_cross_entropy(weights, bias):
    """The loss is a mean, this is the gradient of the sum."""
    return {name: 20.0 * part for name, part in cross_entropy_grad(weights, bias).items()}


def d_lstm_energy(weights, bias, x, hidden, cell):
    """One of five parts has its sign turned."""
    gradient = lstm_energy_grad(weights, bias, x, hidden, cell)
    return gradient | {"hidden": -gradient["hidden"]}


def d_reprojection(camera, place):
    """The two coefficients of distortion are swapped."""
    jacobian = reprojection_jac(camera, place)
    return jacobian | {"camera": jacobian["camera"][:, [0, 1, 2, 3, 4, 5, 6, 8, 7]]}


__all__ = [
    "cross_entropy",
    "cross_entropy_at",
    "gp_loss",
    "gp_loss_at",
    "kmeans_loss",
    "kmeans_loss_at",
    "logistic_loss",
    "logistic_loss_at",
    "lstm_energy",
    "lstm_energy_at",
    "reprojection",
    "reprojection_at",
]
