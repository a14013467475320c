"""Logistic regression: the mean logistic loss with a ridge penalty, and its gradient."""

import numpy as np

_random = np.random.default_rng(0)
FEATURES = _random.normal(size=(40, 6))
LABELS = np.where(FEATURES @ _random.normal(size=6) > 0, 1.0, -1.0)


def logistic_loss(weights, features=FEATURES, labels=LABELS, ridge=0.1):
    margins = labels * (features @ weights)
    return np.mean(np.logaddexp(0.0, -margins)) + 0.5 * ridge * np.sum(weights**2)


def logistic_loss_grad(weights, features=FEATURES, labels=LABELS, ridge=0.1):
    margins = labels * (features @ weights)
    slopes = -labels / (1.0 + np.exp(margins))
    return features.T @ slopes / len(labels) + ridge * weights


def logistic_loss_hess(weights, features=FEATURES, labels=LABELS, ridge=0.1):
    margins = labels * (features @ weights)
    curvature = 1.0 / (2.0 + np.exp(margins) + np.exp(-margins))
    return features.T @ (features * curvature[:, None]) / len(labels) + ridge * np.eye(len(weights))


logistic_loss_at = _random.normal(size=6)
