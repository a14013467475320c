"""Prepared derivatives: what they compute, and what may change between their calls."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import adcli
from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.errors import OperatorError, PointError, UnavailableError
from adcli_methods.prepared.prepared import prepare
from adcli_methods.prepared.way import COMPILE

BACKENDS = [way for way in COMPILE if way != "python"]


def branching(x):
    return np.sum(np.sin(x)) if x[0] > 0 else np.sum(x**3)


def halvings(x):
    steps = 0
    while x > 1.0:
        x = x * 0.5 * math.cos(x)
        x, steps = abs(x) + 0.1, steps + 1
    return x * steps + x * x


def regression(w, X, y):
    return np.sum((X @ w - y) ** 2) / len(y)


@pytest.mark.parametrize("compile_with", BACKENDS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_prepared_gradients_of_problems_are_right_at_other_points(problem, compile_with):
    point = problem.point()
    outputs = problem.function(*point.values())
    if np.shape(outputs) or isinstance(outputs, (tuple, list)):
        pytest.skip("not a scalar function")
    prepared = prepare(problem.as_function(), point, compile=compile_with)
    for seed in (1, 2):
        point = problem.point(seed=seed)
        value, gradient = prepared(*point.values())
        expected = problem.derivative(*point.values())
        np.testing.assert_allclose(value, problem.function(*point.values()), rtol=1e-12)
        named = expected if isinstance(expected, dict) else {"": expected}
        found = gradient if isinstance(gradient, dict) else {"": gradient}
        for name, part in named.items():
            np.testing.assert_allclose(found[name], part, rtol=1e-10, atol=1e-12 * np.max(np.abs(part)))


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
def test_a_flipped_branch_is_prepared_anew_and_known_ones_are_reused(compile_with):
    prepared = prepare(branching, np.array([1.0, 2.0]), compile=compile_with)
    for _ in range(3):
        assert prepared(np.array([-2.0, 3.0]))[1].tolist() == [12.0, 27.0]
        np.testing.assert_allclose(prepared(np.array([2.0, 3.0]))[1], np.cos([2.0, 3.0]))
    assert (prepared.report.new_branches, len(prepared.report.versions)) == (1, 2)
    assert prepared.report.fallbacks == prepared.report.new_forms == 0


def test_loops_whose_length_depends_on_the_data_are_prepared_for_each_length():
    prepared = prepare(halvings, 0.5)
    points = np.random.default_rng(0).uniform(0.1, 60.0, 200).tolist()
    for x in points:
        value, slope = prepared(x)
        assert value == halvings(x)
        assert slope == pytest.approx(adcli.gradient(halvings)(x), rel=1e-13)
    again = prepared.report.new_branches
    for x in points:
        prepared(x)
    assert prepared.report.new_branches == again > 2


def test_a_number_cut_to_a_whole_one_decides_by_that():
    prepared = prepare(lambda x: x * int(x * 3), 1.2)
    assert [prepared(x)[1] for x in (1.2, 1.25, 1.3)] == [3.0] * 3
    assert prepared(1.4)[1] == 4.0
    report = prepared.report
    assert (report.fallbacks, report.new_branches, len(report.versions)) == (0, 1, 2)


def test_new_shapes_types_and_static_values_are_prepared_anew():
    def powers(x, k):
        return np.sum(x**k)

    prepared = prepare(powers, (np.ones(3), 2), wrt="x")
    assert prepared(np.array([1.0, 2.0]), 3)[1].tolist() == [3.0, 12.0]
    single = prepared(np.array([1.0, 2.0], dtype=np.float32), 2)
    assert single[1].dtype == np.float32
    assert prepared(np.array([1.0, 2.0, 3.0]), 2)[1].tolist() == [2.0, 4.0, 6.0]
    assert (prepared.report.new_forms, prepared.report.new_branches) == (2, 0)


def test_inputs_of_any_form_are_not_traced_again():
    calls = []

    def powers(x, k, data=None):
        calls.append(1)
        return np.sum(x["a"] ** k)

    prepared = prepare(powers, ({"a": np.ones(3)}, 2), wrt="x")
    before = len(calls)
    for value in (2.0, 3.0):
        assert prepared({"a": np.full(3, value)}, 2)[1]["a"].tolist() == [2 * value] * 3
    assert len(calls) == before


def test_data_beside_the_differentiated_inputs_may_change():
    pick = np.random.default_rng(0)
    w, X, y = pick.normal(size=3), pick.normal(size=(8, 3)), pick.normal(size=8)
    prepared = prepare(regression, (w, X, y), wrt="w")
    for _ in range(3):
        w, X, y = pick.normal(size=3), pick.normal(size=(8, 3)), pick.normal(size=8)
        value, gradient = prepared(w, X, y)
        assert value == pytest.approx(regression(w, X, y))
        np.testing.assert_allclose(gradient, 2 * X.T @ (X @ w - y) / 8, rtol=1e-12)
    assert len(prepared.report.versions) == 1
    both = prepare(regression, (w, X, y), wrt=["y", "w"])(w, X, y)[1]
    assert set(both) == {"y", "w"}
    np.testing.assert_allclose(both["y"], -2 * (X @ w - y) / 8, rtol=1e-12)


@pytest.mark.parametrize("operator", ["jvp", "vjp", "hvp"])
def test_products_are_prepared_too(operator):
    def f(x):
        return np.sum(np.sin(x) * x**2) if operator == "hvp" else np.sin(x) * x[::-1]

    prepared = prepare(f, np.ones(4), operator=operator)
    x, v = np.array([0.3, -1.0, 2.0, 0.5]), np.array([1.0, 2.0, -1.0, 0.0])
    value, product = prepared(x, v)
    np.testing.assert_allclose(value, f(x), rtol=1e-14)
    np.testing.assert_allclose(product, getattr(adcli, operator)(f)(x, v), rtol=1e-12)


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@pytest.mark.parametrize("name", ["rosenbrock", "helmholtz", "tanh-network", "logistic-regression", "speelpenning"])
def test_forward_mode_prepares_the_same_gradient(name, compile_with):
    problem = next(problem for problem in PROBLEMS if problem.name == name)
    forward, reverse = (
        prepare(problem.as_function(), problem.point(), mode=mode, compile=compile_with)
        for mode in ("forward", "reverse")
    )
    at = problem.point(seed=3).values()
    for ours, theirs in zip(flat(forward(*at)), flat(reverse(*at)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def flat(result):
    value, gradient = result
    return [value, *(gradient.values() if isinstance(gradient, dict) else [gradient])]


def test_trees_come_and_go_in_their_own_form():
    def f(parameters, scale=2.0):
        return {"loss": scale * np.sum(parameters["a"] ** 2) + parameters["b"]}

    prepared = prepare(f, {"parameters": {"a": np.ones(2), "b": 1.0}})
    value, gradient = prepared({"a": np.array([1.0, 2.0]), "b": 3.0})
    assert value == {"loss": 13.0}
    assert gradient["a"].tolist() == [4.0, 8.0]
    assert gradient["b"] == 1.0


def test_outside_of_a_functions_domain_the_answer_is_that_of_diff():
    prepared = prepare(lambda x: np.log(x) * x, 2.0)
    for x in (-1.0, 0.0, 1e308 * 10):
        expected = adcli.diff(lambda x: np.log(x) * x, x)
        found = prepared(x)
        np.testing.assert_equal(found, (expected.value, expected.derivative))
    assert prepared.report.fallbacks == 3


def test_a_zero_beside_an_infinite_slope_is_zero_as_everywhere():
    prepared = prepare(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0.0)), np.array([1.0, 4.0]))
    assert prepared(np.array([0.0, 4.0]))[1].tolist() == [0.0, 0.25]


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
def test_threads_share_a_prepared_derivative(compile_with):
    prepared = prepare(branching, np.ones(500), compile=compile_with)
    barrier = threading.Barrier(4)

    def work(seed):
        pick = np.random.default_rng(seed)
        barrier.wait()
        for _ in range(60):
            x = pick.normal(size=500)
            expected = np.cos(x) if x[0] > 0 else 3 * x**2
            np.testing.assert_allclose(prepared(x)[1], expected, rtol=1e-12)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert len(prepared.report.versions) == 2


def test_results_are_the_callers_own():
    prepared = prepare(lambda x: np.sum(np.sin(x)), np.ones(300), compile="c")
    first = prepared(np.zeros(300))[1]
    prepared(np.full(300, 2.0))
    assert first.tolist() == [1.0] * 300
    first[:] = 7.0
    assert prepared(np.zeros(300))[1].tolist() == [1.0] * 300


def test_what_cannot_be_prepared_is_said_in_one_line():
    with pytest.raises(OperatorError, match="one of gradient, jvp"):
        prepare(np.sin, 1.0, operator="curl")
    with pytest.raises(OperatorError, match="one of reverse, forward, auto"):
        prepare(np.sin, 1.0, mode="symbolic")
    with pytest.raises(OperatorError, match="compile='fortran'"):
        prepare(np.sin, 1.0, compile="fortran")
    with pytest.raises(OperatorError, match="scalar"):
        prepare(np.sin, np.ones(2))
    prepared = prepare(halvings, 1.0)
    with pytest.raises(PointError, match="halvings takes 1 input, got 2"):
        prepared(1.0, 2.0)
    with pytest.raises(PointError, match="halvings has no input 'y': its inputs are x"):
        prepared(y=1.0)
    with pytest.raises(PointError, match="no value for x: halvings takes x"):
        prepared()


def zigzag(x):
    for k in range(1, 13):
        x = x * 1.1 if int(np.floor(x * 2**k)) % 2 else x + 0.01
    return x


def test_with_some_ways_at_hand_a_new_one_is_prepared_when_it_is_taken_again():
    prepared = prepare(zigzag, 0.5)
    points = np.random.default_rng(0).uniform(0.0, 1.0, 60).tolist()
    for x in points:
        value, slope = prepared(x)
        assert value == zigzag(x)
        assert slope == pytest.approx(adcli.gradient(zigzag)(x), rel=1e-13)
    report = prepared.report
    assert len(report.versions) < 15
    assert report.fallbacks > 40
    prepared(points[-1])
    assert len(prepared.report.versions) == len(report.versions) + 1
    prepared(points[-1])
    assert prepared.report.fallbacks == report.fallbacks


def test_the_report_reads_as_a_table():
    prepared = prepare(branching, np.array([1.0, 2.0]))
    prepared(np.array([-2.0, 3.0]))
    first, *lines = str(prepared.report).splitlines()
    assert first == "gradient of branching: 2 versions, new forms 0, new branches 1, fallbacks 0"
    assert lines[0].startswith("python: ")
    assert "1 guard, prepared in" in lines[0]
    assert lines[1].startswith("  optimiser: ")
    assert repr(prepared) == f"<prepared {first}>"
    compiled = prepare(lambda x: np.sum(np.sin(x) * x), np.ones(100), compile="c")
    assert "  kernels: " in str(compiled.report)
    assert "in 1 fused kernel, 0 by NumPy" in str(compiled.report)


def test_the_report_says_why_nothing_was_compiled(monkeypatch):
    def missing(*_, **__):
        raise UnavailableError("no C compiler here")

    monkeypatch.setattr("adcli_methods.kernels.find_compiler", missing)
    report = prepare(lambda x: np.linalg.solve(np.eye(3) + np.outer(x, x), x * 2.0) @ np.sin(x), np.ones(3)).report
    assert "not compiled, NumPy instead: no C compiler here" in str(report)
    assert report.versions[0].note == "not compiled, NumPy instead: no C compiler here"
