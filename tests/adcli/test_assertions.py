"""`adcli.check`, `adcli.assert_gradient`, the pytest fixture, and points drawn by hypothesis."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings

import adcli
from adcli.strategies import points
from adcli_methods.errors import AdcliError, OperatorError, PointError


def loss(x, scale=1.0):
    return scale * np.sum(np.sin(x) * x)


def loss_grad(x, scale=1.0):
    return scale * (np.cos(x) * x + np.sin(x))


def wrong_grad(x, scale=1.0):
    return scale * (np.cos(x) * x - np.sin(x))


def test_a_right_gradient_passes():
    report = adcli.assert_gradient(loss, loss_grad, at=np.array([0.5, 1.0, -2.0]))
    assert (report.verdict, report.passed, report.function, report.claim) == ("PASS", True, "loss", "loss_grad")


def test_a_wrong_one_raises_with_the_report_and_this_tests_command():
    with pytest.raises(AssertionError) as caught:
        adcli.assert_gradient(loss, wrong_grad, at=np.array([0.5, 1.0, -2.0]))
    text = str(caught.value)
    assert text.startswith("FAIL  wrong_grad  gradient of loss\n")
    assert "again   pytest " in text
    assert "test_assertions.py::test_a_wrong_one_raises" in text
    assert isinstance(caught.value, adcli.GradientError)
    assert caught.value.report.verdict is adcli.Verdict.FAIL


def test_without_a_point_random_ones_are_tried():
    assert len(adcli.assert_gradient(loss, loss_grad).points) == 5
    assert adcli.check(loss, wrong_grad, points=2, size=3).verdict is adcli.Verdict.FAIL


def test_further_arguments_are_passed_as_scipy_does():
    adcli.assert_gradient(loss, loss_grad, at=np.array([0.5, 1.0]), args=(2.0,))


def test_formulas_files_and_pairs_of_value_and_gradient(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("def f(x): return x @ x\ndef g(x): return 2 * x\n")
    adcli.assert_gradient("sin(x)*y", "[y*cos(x), sin(x)]", at={"x": 0.5, "y": 2.0})
    adcli.assert_gradient(f"{path}:f", f"{path}:g", at=np.ones(2))
    adcli.assert_gradient(lambda x: (loss(x), loss_grad(x)), at=np.ones(2))
    with pytest.raises(adcli.GradientError):
        adcli.assert_gradient(lambda x: (loss(x), wrong_grad(x)), at=np.ones(2))


def test_what_is_unclear_fails_where_strict():
    noisy = np.float32
    options = {"at": np.array([1e3, 2e3], dtype=noisy), "atol": 1e9}
    report = adcli.check(lambda x: np.sum(x * x), lambda x: 2.001 * x, **options)
    assert report.verdict is adcli.Verdict.UNCLEAR
    adcli.assert_gradient(lambda x: np.sum(x * x), lambda x: 2.001 * x, **options)
    with pytest.raises(adcli.GradientError, match="UNCLEAR"):
        adcli.assert_gradient(lambda x: np.sum(x * x), lambda x: 2.001 * x, strict=True, **options)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"function": loss, "kind": "hessian"}, OperatorError),
        ({"function": loss, "claim": loss_grad, "kind": "slope"}, OperatorError),
        ({"function": loss, "claim": loss_grad, "at": {"x": np.ones(2), "y": 1.0}}, PointError),
        ({"function": "sin(x)", "claim": "cos(y)", "at": 1.0}, AdcliError),
        ({"function": "no_such_file.py:f", "claim": "cos(y)"}, AdcliError),
    ],
)
def test_misuse_is_one_of_our_errors(arguments, error):
    with pytest.raises(error):
        adcli.check(**arguments)


PLUGIN_TEST = """
import numpy as np

def loss(x):
    return x @ x

def test_right(assert_gradient):
    assert_gradient(loss, lambda x: 2 * x, at=np.ones(3))

def test_wrong(assert_gradient):
    assert_gradient(loss, lambda x: 3 * x, at=np.ones(3))
"""


def test_the_pytest_fixture_fails_with_the_report(tmp_path):
    path = tmp_path / "test_model.py"
    path.write_text(PLUGIN_TEST)
    is_installed = any(point.value == "adcli.pytest_plugin" for point in entry_points(group="pytest11"))
    plugin = [] if is_installed else ["-p", "adcli.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-q", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 failed, 1 passed" in ran.stdout
    assert "GradientError: FAIL  test_wrong.<locals>.<lambda>  gradient of loss" in ran.stdout
    assert "factor: the claim is 1.5 times" in ran.stdout
    assert "run_check" not in ran.stdout  # the test's line is shown, not our own


@settings(max_examples=10, deadline=None)
@given(points("log(x)*sqrt(y)"))
def test_points_lie_in_a_formulas_domain(point):
    assert point["x"] > 0
    assert point["y"] >= 0


@settings(max_examples=10, deadline=None)
@given(points(loss, low=-2.0, high=2.0, fixed={"scale": 2.0}))
def test_a_gradient_holds_at_drawn_points(point):
    assert 1 <= len(point["x"]) <= 8
    adcli.assert_gradient(loss, loss_grad, at=point, wrt="x")
