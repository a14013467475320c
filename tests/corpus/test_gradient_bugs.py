"""Wrong gradients that real projects shipped, as NumPy code: each is found, and its right counterpart passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import digamma, gammaln

import adcli


@dataclass(frozen=True)
class Bug:
    """A function with the derivative that was shipped and the right one, and where the difference shows."""

    function: Callable[..., Any]
    wrong: Callable[..., Any]
    right: Callable[..., Any]
    at: Any
    kind: str | None = None
    causes: frozenset[str] = frozenset()


def _coth(x):
    return np.cosh(x) / np.sinh(x)


def _acoth(x):
    return 0.5 * np.log((x + 1) / (x - 1))


def _cauchy_density(x):
    return 1 / (np.pi * (1 + x**2))


R = 4.685


def _biweight(z):
    u = z / R
    return z * (1 - u**2) ** 2 * (np.abs(z) <= R)


def _biweight_slope(z):
    u = z / R
    return (1 - u**2) * (1 - 5 * u**2)


COUNTS, MEANS = np.array([0.0, 3.0, 1.0, 7.0, 2.0]), np.array([1.0, 2.5, 1.5, 4.0, 2.0])


def _negative_binomial(log_alpha):
    r = 1 / np.exp(log_alpha)
    terms = gammaln(COUNTS + r) - gammaln(r) + r * np.log(r / (r + MEANS)) + COUNTS * np.log(MEANS / (r + MEANS))
    return np.sum(terms)


def _by_alpha(log_alpha):
    alpha = np.exp(log_alpha)
    r = 1 / alpha
    by_r = digamma(COUNTS + r) - digamma(r) + np.log(r / (r + MEANS)) + 1 - (r + COUNTS) / (r + MEANS)
    return -np.sum(by_r) / alpha**2


E, S2 = 1.7, 0.8


def _student(nu):
    normal = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(np.pi * nu * S2)
    return normal - (nu + 1) / 2 * np.log1p(E**2 / (S2 * nu))


def _student_normal_slope(nu):
    return 0.5 * digamma((nu + 1) / 2) - 0.5 * digamma(nu / 2) - 1 / (2 * nu)


def _student_wrong(nu):
    return _student_normal_slope(nu) + (nu + 1) * E / (2 * nu * (E**2 + S2 * nu)) - np.log(1 + E**2 / (S2 * nu))


def _student_right(nu):
    return _student_normal_slope(nu) + (nu + 1) * E**2 / (2 * nu * (E**2 + S2 * nu)) - 0.5 * np.log1p(E**2 / (S2 * nu))


D = np.array([0.5, -1.2, 0.3])
COVARIANCE = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]])


def _normal(S):
    return -0.5 * (D @ np.linalg.solve(S, D) + np.linalg.slogdet(S)[1] + len(D) * np.log(2 * np.pi))


def _normal_slope(S):
    inverse = np.linalg.inv(S)
    return 0.5 * (inverse @ np.outer(D, D) @ inverse - inverse)


def _repeat(x):
    return np.repeat(x, 3)


def _spherical(x):
    if abs(x) < 0.5:
        return x / 3 * (1 - x**2 / 10 * (1 - x**2 / 28 * (1 - x**2 / 54 * (1 - x**2 / 88 * (1 - x**2 / 130)))))
    return np.sin(x) / x**2 - np.cos(x) / x


def _spherical_slope(x):
    j0 = np.sinc(x / np.pi)
    return j0 - 2 / x * _spherical(x) if x != 0 else 0.0


TIMES = np.linspace(0.0, 1.0, 3)


def _residuals(x):
    return x[0] * np.exp(-x[1] * TIMES) + x[2] * TIMES - 1.0


def _residuals_jac(x):
    decay = np.exp(-x[1] * TIMES)
    return np.stack([decay, -x[0] * TIMES * decay, TIMES], axis=1)


INPUTS = np.array([[0.2, -0.4], [1.0, 0.5], [-0.3, 0.8]])
TARGETS = np.array([[1.0, 0.0, 2.0, -1.0], [0.0, 1.0, 0.5, 0.5], [2.0, -1.0, 0.0, 1.0]])


def _multioutput(W):
    return 0.5 * np.mean((INPUTS @ W - TARGETS) ** 2)


def _multioutput_right(W):
    return INPUTS.T @ (INPUTS @ W - TARGETS) / TARGETS.size


X2 = 0.4


def _matern(x):
    r = np.sqrt(5.0) * np.abs(x - X2)
    return (1 + r + r**2 / 3) * np.exp(-r)


def _matern_slope(x):
    r = np.sqrt(5.0) * np.abs(x - X2)
    return -5 / 3 * (x - X2) * (1 + r) * np.exp(-r)


def _ackley(p):
    x, y = p[0], p[1]
    far = -20 * np.exp(-0.2 * np.sqrt((x**2 + y**2) / 2))
    return far - np.exp((np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)) / 2) + 20 + np.e


def _ackley_slope(p, half):
    radius = np.sqrt(np.sum(p**2) * half)
    waves = np.pi * np.sin(2 * np.pi * p) * np.exp(np.sum(np.cos(2 * np.pi * p)) / 2)
    return 4 * half * p / radius * np.exp(-0.2 * radius) + waves


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _ones(count):
    return lambda x, g: np.full(len(x), np.sum(g)) if count is None else g.reshape(-1, count).sum(axis=1)


BUGS = {
    "casadi_cosh": Bug(lambda x: np.sum(np.cosh(x)), lambda x: -np.sinh(x), np.sinh, np.array([0.5, -1.0]),
                       causes=frozenset({"sign"})),
    "sympy_coth": Bug(_coth, lambda x: 1 / np.sinh(x) ** 2, lambda x: -1 / np.sinh(x) ** 2, 0.7,
                      causes=frozenset({"sign"})),
    "mathjs_acoth": Bug(_acoth, lambda x: -1 / (1 - x**2), lambda x: 1 / (1 - x**2), 1.8, causes=frozenset({"sign"})),
    "statsmodels_cdflink": Bug(lambda p: np.tan(np.pi * (p - 0.5)), lambda p: 1 / _cauchy_density(p),
                               lambda p: 1 / _cauchy_density(np.tan(np.pi * (p - 0.5))), 0.3),
    "statsmodels_tukey_psi": Bug(_biweight, _biweight_slope, lambda z: _biweight_slope(z) * (np.abs(z) <= R), 6.0),
    "statsmodels_negbin_transparams": Bug(_negative_binomial, _by_alpha, lambda a: np.exp(a) * _by_alpha(a), 0.5),
    "gpy_studentt_df": Bug(_student, _student_wrong, _student_right, 4.0),
    "autograd_mvn_cov": Bug(_normal, lambda S: -_normal_slope(S), _normal_slope, COVARIANCE,
                            causes=frozenset({"sign"})),
    "autograd_repeat": Bug(_repeat, _ones(None), _ones(3), np.array([1.0, -2.0, 0.5]), "vjp"),
    "jax_pow_int_zero": Bug(lambda x: x**0, lambda x: 1.0, lambda x: 0.0, 1.5),
    "scipy_spherical_jn": Bug(_spherical, _spherical_slope, lambda x: _spherical_slope(x) if x else 1 / 3, 0.0),
    "scipy_leastsq_T": Bug(_residuals, lambda x: _residuals_jac(x).T, _residuals_jac, np.array([1.2, 0.7, -0.4]),
                           causes=frozenset({"transposed"})),
    "sklearn_mlp_multioutput": Bug(_multioutput, lambda W: 4 * _multioutput_right(W), _multioutput_right,
                                   np.array([[0.3, -0.2, 0.8, 0.1], [1.0, 0.4, -0.6, 0.9]]),
                                   causes=frozenset({"factor", "mean instead of sum"})),
    "gpytorch_matern52": Bug(_matern, lambda x: -_matern_slope(x), _matern_slope, 1.1, causes=frozenset({"sign"})),
    "scipy_ackley": Bug(_ackley, lambda p: _ackley_slope(p, 1.0), lambda p: _ackley_slope(p, 0.5),
                        np.array([0.6, -1.3])),
    "jax_sigmoid_tail": Bug(_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
                            lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, 40.0),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_what_was_shipped_is_found(bug):
    report = adcli.check(bug.function, bug.wrong, at=bug.at, kind=bug.kind)
    assert report.verdict is adcli.Verdict.FAIL, report.reason
    if bug.causes:
        assert report.causes[0].kind in bug.causes, report.causes


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_the_right_one_passes(bug):
    report = adcli.check(bug.function, bug.right, at=bug.at, kind=bug.kind)
    assert report.verdict is adcli.Verdict.PASS, report.reason


HIDDEN = {
    "beyond the support": (BUGS["statsmodels_tukey_psi"], 20),
    "away from zero": (BUGS["casadi_cosh"], 3),
    "where alpha is not 1": (BUGS["statsmodels_negbin_transparams"], 1),
    "where the axis is longer than 1": (BUGS["autograd_repeat"], 3),
    "where the Jacobian is square": (BUGS["scipy_leastsq_T"], 3),
    "inside the unit interval": (BUGS["statsmodels_cdflink"], 1),
}


@pytest.mark.parametrize(("bug", "size"), HIDDEN.values(), ids=HIDDEN)
def test_it_is_found_without_a_point(bug, size):
    assert adcli.check(bug.function, bug.wrong, size=size, kind=bug.kind).verdict is adcli.Verdict.FAIL
    assert adcli.check(bug.function, bug.right, size=size, kind=bug.kind).verdict is adcli.Verdict.PASS


def test_the_false_alarm_is_answered_as_documented():
    """A kernel's gradient by log(length) is right as such; taken for one by the length it is wrong by that factor."""

    def kernel(length):
        return np.exp(-0.5 * (1.3 / length) ** 2)

    def by_logarithm(log_length):
        return kernel(np.exp(log_length)) * (1.3 / np.exp(log_length)) ** 2

    documented = adcli.check(lambda log_length: kernel(np.exp(log_length)), by_logarithm, at=np.log(2.5))
    assert documented.verdict is adcli.Verdict.PASS
    mistaken = adcli.check(kernel, lambda length: by_logarithm(np.log(length)), at=2.5)
    assert mistaken.verdict is adcli.Verdict.FAIL
    assert mistaken.causes[0].kind in ("factor", "chain factor")
    assert "2.5" in mistaken.causes[0].text or "length" in mistaken.causes[0].text
