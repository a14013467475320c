"""Forty faults of the usual kinds in ten gradients: all are found, and the cause is named."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.checking.check import check
from adcli_methods.checking.report import Verdict

from .faulty import (
    form,
    form_gradient,
    gaussian,
    gaussian_gradient,
    layer,
    layer_gradient,
    least_squares,
    least_squares_gradient,
    likelihood,
    likelihood_gradient,
    logistic,
    logistic_gradient,
    matrix,
    matrix_jacobian,
    only,
    rosen,
    rosen_gradient,
    scalar,
    scalar_gradient,
    waves,
    waves_gradient,
)

GENERATOR = np.random.default_rng(5)
X5, X4 = GENERATOR.uniform(0.3, 1.5, 5), GENERATOR.uniform(-1.0, 1.0, 4)
MANY = GENERATOR.uniform(-1.0, 1.5, 10_000)
SOME = GENERATOR.uniform(-1.0, 1.5, 300)
W, B = GENERATOR.uniform(-1.0, 1.0, (4, 4)), GENERATOR.uniform(-1.0, 1.0, 4)
THETA = np.array([0.4, 0.7])


def f4(x):
    return x.astype(np.float32)


def single(gradient):
    return lambda x: np.asarray(gradient(x.astype(np.float32)), dtype=np.float64)


FAULTS = [
    ("sign", rosen, lambda x: -rosen_gradient(x), X5),
    ("sign", scalar, lambda x: -scalar_gradient(x), 0.8),
    ("sign", waves, lambda x: -waves_gradient(x), f4(SOME)),
    ("sign", likelihood, lambda t: -likelihood_gradient(t), THETA),
    ("sign", waves, lambda x: waves_gradient(x, chain=-3.0), X5),
    ("factor", rosen, lambda x: 2 * rosen_gradient(x), MANY),
    ("factor", least_squares, lambda w: 0.5 * least_squares_gradient(w), X5),
    ("factor", scalar, lambda x: 0.5 * scalar_gradient(x), 1.2),
    ("factor", gaussian, lambda x: len(x) * gaussian_gradient(x), SOME),
    ("factor", least_squares, lambda w: 30 * least_squares_gradient(w), X5),
    ("factor", form, lambda x: 2 * form_gradient(x), f4(X4)),
    ("mean instead of sum", logistic, lambda w: logistic_gradient(w, mean=True), X5),
    ("mean instead of sum", waves, lambda x: waves_gradient(x) / len(x), SOME),
    ("mean instead of sum", likelihood, lambda t: likelihood_gradient(t) / 60, THETA),
    ("transposed", matrix, lambda x: matrix_jacobian(x).T, X4),
    ("transposed", layer, lambda w, b: (layer_gradient(w, b)[0].T, layer_gradient(w, b)[1]), (W, B)),
    ("shifted", waves, lambda x: np.roll(waves_gradient(x), 1), MANY),
    ("shifted", gaussian, lambda x: np.append(gaussian_gradient(x)[1:], 0.0), X5),
    ("shifted", rosen, lambda x: np.roll(rosen_gradient(x), -1), f4(SOME)),
    ("permuted", rosen, lambda x: rosen_gradient(x)[::-1], SOME),
    ("permuted", logistic, lambda w: logistic_gradient(w)[[0, 2, 1, 3, 4]], X5),
    ("missing term", logistic, lambda w: logistic_gradient(w, penalty=0.0), X5),
    ("missing term", rosen, lambda x: rosen_gradient(x, with_plain=0.0), MANY),
    ("missing term", scalar, lambda x: 2 * x * np.exp(x**2), 0.8),
    ("missing term", waves, lambda x: waves_gradient(x, outer=0.0), X5),
    ("missing term", form, lambda x: form_gradient(x) - 1, X4),
    ("missing term", gaussian, lambda x: 2 * x / (1 + x**2), f4(X5)),
    ("doubled term", logistic, lambda w: logistic_gradient(w, penalty=2.0), X5),
    ("doubled term", rosen, lambda x: rosen_gradient(x, with_plain=2.0), X5),
    ("doubled term", form, lambda x: form_gradient(x) + 1, X4),
    ("block", rosen, lambda x: only(slice(7, 12), lambda g: 1.1 * g)(rosen_gradient(x)), SOME),
    ("block", waves, lambda x: only(4321, lambda g: 1.001 * g)(waves_gradient(x)), MANY),
    ("block", layer, lambda w, b: layer_gradient(w, b, sign=-1.0), (W, B)),
    ("block", matrix, lambda x: only(2, lambda g: 0 * g)(matrix_jacobian(x)), X4),
    ("block", gaussian, lambda x: only(0, lambda g: g + 0.01)(gaussian_gradient(x)), X5),
    ("float32", rosen, single(rosen_gradient), X5),
    ("float32", logistic, single(logistic_gradient), X5),
    ("float32", waves, lambda x: waves_gradient(x).astype(np.float32), MANY),
    ("chain factor", waves, lambda x: waves_gradient(x, chain=1.0), X5),
    ("chain factor", scalar, lambda x: np.exp(x**2) + 1 / x, 0.8),
    ("chain factor", likelihood, lambda t: likelihood_gradient(t, by_scale=True), THETA),
    ("nan", gaussian, lambda x: only(3, lambda g: g * np.nan)(gaussian_gradient(x)), X5),
]
SAME = {("chain factor", "factor"), ("sign", "block")}
"""Two names of one thing: a constant inner derivative is a factor of its term."""


@pytest.fixture(scope="module")
def reports():
    return [check(function, claim, at) for _, function, claim, at in FAULTS]


def test_every_fault_is_found(reports):
    missed = [
        (row[0], row[1].__name__) for row, r in zip(FAULTS, reports, strict=True) if r.verdict is not Verdict.FAIL
    ]
    assert missed == []
    assert len(FAULTS) >= 40


def test_the_cause_is_named_right_for_at_least_nine_in_ten(reports):
    wrong = []
    for row, report in zip(FAULTS, reports, strict=True):
        kind = report.causes[0].kind
        if kind != row[0]:
            wrong.append((row[0], row[1].__name__, [(c.kind, c.text) for c in report.causes]))
    assert len(wrong) <= len(FAULTS) - 38, wrong


def test_the_line_of_a_missing_term_is_named():
    report = check(logistic, lambda w: logistic_gradient(w, penalty=0.0), X5)
    assert "penalty" in report.causes[0].location.text
    assert report.causes[0].location.filename.endswith("faulty.py")


def test_the_entry_of_a_single_fault_is_named():
    report = check(waves, lambda x: only(4321, lambda g: 1.001 * g)(waves_gradient(x)), MANY)
    assert [entry.path for entry in report.entries] == ["x[4321]"]
    entry = report.entries[0]
    assert entry.index == (4321,)
    assert entry.error == pytest.approx(abs(entry.claim - entry.reference))
    assert entry.noise_floor < 1e-3 * entry.error
