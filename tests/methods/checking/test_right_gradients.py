"""Right derivatives never fail, however small, large, stiff, oscillating or rough in their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.checking.check import check
from adcli_methods.checking.report import Verdict

HIDDEN = {Verdict.PASS, Verdict.UNCLEAR}


def _rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _rosen_gradient(x):
    g = np.zeros_like(x)
    g[:-1] += -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1 - x[:-1])
    g[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    return g


def _logsumexp(x):
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def _softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def _gaussian_likelihood(x):
    return -0.5 * np.sum(np.log(2 * np.pi * x[1] ** 2) + (DATA - x[0]) ** 2 / x[1] ** 2)


def _gaussian_likelihood_gradient(x):
    r = DATA - x[0]
    return np.array([np.sum(r) / x[1] ** 2, -len(DATA) / x[1] + np.sum(r**2) / x[1] ** 3])


DATA = np.random.default_rng(3).normal(1.0, 2.0, 200)
FUNCTIONS = {
    "sum of squares": (lambda x: np.sum(x**2), lambda x: 2 * x),
    "rosen": (_rosen, _rosen_gradient),
    "quartic": (lambda x: np.sum(x**4) - np.sum(x), lambda x: 4 * x**3 - 1),
    "logsumexp": (_logsumexp, _softmax),
    "norm": (lambda x: np.sqrt(np.sum(x**2)), lambda x: x / np.sqrt(x @ x)),
    "products": (lambda x: np.sum(x[1:] * x[:-1]), lambda x: np.append(x[1:], 0.0) + np.append(0.0, x[:-1])),
    "sigmoid": (lambda x: np.sum(_sigmoid(x)), lambda x: _sigmoid(x) * _sigmoid(-x)),
    "softplus": (lambda x: np.sum(np.log1p(np.exp(x))), lambda x: 1 / (1 + np.exp(-x))),
    "oscillating": (lambda x: np.sum(np.sin(40.0 * x)), lambda x: 40.0 * np.cos(40.0 * x)),
    "rational": (lambda x: np.sum(x / (1 + x**2)), lambda x: (1 - x**2) / (1 + x**2) ** 2),
    "tanh": (lambda x: np.sum(np.tanh(x)), lambda x: 1 / np.cosh(x) ** 2),
    "polynomial near its root": (lambda x: np.sum((x - 1) ** 3), lambda x: 3 * x**2 - 6 * x + 3),
}
SCALES = (1e-3, 0.1, 1.0, 3.0)
CASES_EACH = [(scale, size, dtype) for scale in SCALES for size in (2, 3, 5, 40) for dtype in ("f8", "f8", "f4")]
"""Times twelve functions: 576 right gradients."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_at_many_points_never_fail(name):
    function, gradient = FUNCTIONS[name]
    generator = np.random.default_rng(len(name))
    for scale, size, dtype in CASES_EACH:
        x = (scale * generator.standard_normal(size)).astype(dtype)
        report = check(function, gradient, x, seed=size)
        assert report.verdict in HIDDEN, (scale, size, dtype, report.reason)


EXTREMES = {
    "quadratic": (lambda x: np.sum(x * x), lambda x: 2 * x, (1e-150, 1e-100, 1e-20, 1e20, 1e100, 1e150)),
    "linear": (lambda x: np.sum(3.0 * x), lambda x: np.full_like(x, 3.0), (1e-150, 1e-20, 1e20, 1e150)),
    "logarithm": (lambda x: np.sum(np.log(np.abs(x))), lambda x: 1 / x, (1e-150, 1e-20, 1e20, 1e150)),
    "root": (lambda x: np.sqrt(np.sum(x * x)), lambda x: x / np.sqrt(x @ x), (1e-140, 1e-20, 1e20, 1e140)),
    "tiny": (lambda x: 1e-20 * np.sum(np.sin(x)), lambda x: 1e-20 * np.cos(x), (0.1, 1.0)),
    "huge": (lambda x: 1e150 * np.sum(np.sin(x)), lambda x: 1e150 * np.cos(x), (0.1, 1.0)),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_right_gradients_of_extreme_scale_pass(name):
    function, gradient, scales = EXTREMES[name]
    generator = np.random.default_rng(7)
    for scale in scales:
        x = scale * generator.uniform(0.5, 2.0, 6) * generator.choice([-1.0, 1.0], 6)
        report = check(function, gradient, x)
        assert report.verdict is Verdict.PASS, (scale, report.reason)


def _mixed(x):
    return 1e6 * x[0] ** 2 + 1e-4 * x[1] ** 2 + x[0] * x[1]


def _mixed_gradient(x):
    return np.array([2e6 * x[0] + x[1], 2e-4 * x[1] + x[0]])


def test_variables_of_scale_one_thousandth_beside_one_hundred_pass():
    assert check(_mixed, _mixed_gradient, np.array([1e-3, 1e2])).verdict is Verdict.PASS
    assert check(_mixed, lambda x: 1.001 * _mixed_gradient(x), np.array([1e-3, 1e2])).verdict is Verdict.FAIL


def test_a_small_gradient_beside_a_large_value_passes():
    def likelihood(x):
        return -1e8 + np.sum(np.log(_sigmoid(x)))

    assert check(likelihood, lambda x: _sigmoid(-x), np.array([0.3, -1.2, 2.0])).verdict is Verdict.PASS
    assert check(_gaussian_likelihood, _gaussian_likelihood_gradient, np.array([0.9, 2.1])).verdict is Verdict.PASS


def test_a_vanishing_gradient_at_the_minimum_passes():
    x = np.array([np.mean(DATA), np.std(DATA)])
    assert check(_gaussian_likelihood, _gaussian_likelihood_gradient, x).verdict is Verdict.PASS
    assert check(_rosen, _rosen_gradient, np.ones(5)).verdict is Verdict.PASS


STIFF = {
    "decay": (lambda x: np.sum(np.exp(-1e4 * x)), lambda x: -1e4 * np.exp(-1e4 * x), np.array([1e-4, 1e-3, 1e-2])),
    "fast sine": (lambda x: np.sum(np.sin(1e6 * x)), lambda x: 1e6 * np.cos(1e6 * x), np.array([0.3, 1.0, 2.0])),
    "wall": (lambda x: np.sum(np.exp(50 * (x - 1))), lambda x: 50 * np.exp(50 * (x - 1)), np.array([0.5, 1.0, 1.5])),
    "barrier": (lambda x: -np.sum(np.log(1 - x)), lambda x: 1 / (1 - x), np.array([0.5, 0.999999, 0.0])),
}


@pytest.mark.parametrize("name", STIFF)
def test_stiff_and_oscillating_functions_pass(name):
    function, gradient, x = STIFF[name]
    assert check(function, gradient, x).verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["decay", "wall", "barrier"])
def test_right_gradients_of_black_boxes_do_not_fail(name):
    function, gradient, x = STIFF[name]
    report = check(lambda x: float(str(function(np.asarray(list(x))))), gradient, x)
    assert report.verdict in HIDDEN, report.reason
    assert "reverse" not in report.points[0].methods
