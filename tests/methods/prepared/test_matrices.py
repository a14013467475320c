"""Prepared Jacobians and Hessians: those of single sweeps, whatever the mode, the chunk and the backend."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import adcli
from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.errors import OperatorError
from adcli_methods.prepared.prepared import prepare
from adcli_methods.structure import leaves_of

W = np.random.default_rng(0).normal(size=(5, 4))
X = np.array([0.3, -1.2, 2.0, 0.7])


def layer(x):
    return np.tanh(W @ x) * np.sum(x)


def residuals(x):
    return np.concatenate([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]])


def written(x):
    y = np.zeros(5)
    for i in range(4):
        y[i] = x[i] * y[i - 1] + math.sin(x[i])
    return y


def tree(x, y):
    return {"a": x * y, "b": (np.sum(x**2) * y, y**3)}


def matrices(A, s):
    return A @ A.T * s, s * np.sum(A, axis=0), s


FUNCTIONS = {
    "matrix-vector": (layer, (X,)),
    "slices": (residuals, (X,)),
    "loop": (written, (X,)),
    "entries": (lambda x: [x[0] * x[1], np.sin(x[2])], (X,)),
    "elementwise": (lambda x: np.exp(x) / (1.0 - x**2), (X,)),
    "identity": (lambda x: x, (X,)),
    "no entries": (lambda x: x**2, (np.zeros(0),)),
    "no entries in one of two": (lambda x, y: (x**2, y * 2.0), (np.zeros(0), X)),
    "no influence": (lambda x, y: x**2, (X, X[:2])),
    "reversed and scaled": (lambda x: -x[::-1] / x + np.reshape(x, (2, 2)).ravel(), (X,)),
    "outer product": (np.outer, (X, X[:3])),
    "scalar to scalar": (lambda x: math.exp(x) * x, (0.5,)),
    "scalar to vector": (lambda t: np.array([1.0, 2.0]) * t**2, (0.5,)),
    "vector to scalar": (lambda x: np.prod(x) + x @ x, (X,)),
    "quadratic form": (lambda x: (x[:4] @ W[:4]) @ x, (X,)),
    "several inputs": (lambda x, t, A: A @ x * t, (X, 0.5, W)),
    "a tree": (tree, (X, 1.5)),
    "matrices": (matrices, (W[:2], 2.0)),
    "stack and max": (lambda x: np.stack([x, np.maximum(x, 0.5)]), (X,)),
    "solve": (lambda A, b: np.linalg.solve(A, b), (W[:4], X)),
}
SCALAR = {
    "quartic": (lambda x: np.sum(x**4) / 12.0, (X,)),
    "quadratic form": (lambda x: x @ (W[:4] + 1.0) @ x, (X,)),
    "neighbours": (lambda x: np.sum((x[1:] - x[:-1] ** 2) ** 2), (X,)),
    "log-sum-exp": (lambda x: np.log(np.sum(np.exp(x))), (X,)),
    "several inputs": (lambda x, t, A: t**2 * np.sum(np.sin(A @ x)), (X, 0.5, W)),
    "inverse": (lambda A: np.sum(np.linalg.inv(A)), (np.eye(2) + 0.1,)),
    "linear": (lambda x: 3.0 * np.sum(x), (X,)),
    "a number": (lambda x: math.exp(x) * x, (0.5,)),
    "a tree": (lambda p: {"loss": np.sum(p["a"] ** 2) * p["b"]}, ({"a": X, "b": 2.0},)),
}


def example(point):
    """The inputs as `prepare` and `diff` take them."""
    return point if len(point) > 1 else point[0]


def others(point):
    """A point near another one."""
    if isinstance(point, dict):
        return {name: others(part) for name, part in point.items()}
    return point * 1.1 + 0.05


def assert_same(found, expected):
    """The same tree with the same numbers and shapes."""
    ours, theirs = list(leaves_of(found)), list(leaves_of(expected))
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (_, left), (_, right) in zip(ours, theirs, strict=True):
        assert np.shape(left) == np.shape(right)
        assert type(left) is type(right)
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_prepared_jacobian_is_that_of_single_sweeps(name, mode, compile_with):
    function, point = FUNCTIONS[name]
    at = tuple(map(others, point))
    expected = adcli.jacobian(function)(*at)
    for chunk in (None, 3) if compile_with != "c" else (3,):
        prepared = prepare(function, example(point), operator="jacobian", mode=mode, chunk=chunk, compile=compile_with)
        value, jacobian = prepared(*at)
        assert_same(jacobian, expected)
        assert_same(value, adcli.diff(function, example(at)).value)
        assert prepared.report.fallbacks == prepared.report.new_branches == 0


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@pytest.mark.parametrize("mode", ["auto", "reverse"])
@pytest.mark.parametrize("name", SCALAR)
def test_a_prepared_hessian_is_that_of_single_sweeps(name, mode, compile_with):
    function, point = SCALAR[name]
    at = tuple(map(others, point))
    for chunk in (None, 3) if compile_with != "c" else (3,):
        prepared = prepare(function, example(point), operator="hessian", mode=mode, chunk=chunk, compile=compile_with)
        assert_same(prepared(*at)[1], adcli.hessian(function)(*at))
        assert prepared.report.fallbacks == 0


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_prepared_jacobians_of_problems_are_right_at_other_points(problem):
    point, other = problem.point(), problem.point(seed=1)
    expected = problem.derivative(*other.values())
    prepared = prepare(problem.as_function(), point, operator="jacobian")
    jacobian = prepared(*other.values())[1]
    for name, part in (expected if isinstance(expected, dict) else {"": expected}).items():
        found = jacobian[name] if name else jacobian
        np.testing.assert_allclose(found, part, rtol=1e-9, atol=1e-11 * np.max(np.abs(part)))


@pytest.mark.parametrize("operator", ["jacobian", "hessian"])
@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
def test_a_flipped_branch_is_prepared_anew(operator, compile_with):
    def branching(x):
        y = np.sin(x) if x[0] > 0 else x**3
        return np.sum(y) if operator == "hessian" else y

    prepared = prepare(branching, X, operator=operator, chunk=3, compile=compile_with)
    for _ in range(2):
        for x in (X, -X):
            assert_same(prepared(x)[1], getattr(adcli, operator)(branching)(x))
    assert (prepared.report.new_branches, prepared.report.new_forms, len(prepared.report.versions)) == (1, 0, 2)


def test_a_new_shape_is_prepared_anew():
    prepared = prepare(residuals, X, operator="jacobian", chunk=3)
    for count in (2, 4, 7):
        x = np.linspace(0.5, 1.5, count)
        assert_same(prepared(x)[1], adcli.jacobian(residuals)(x))
    assert prepared.report.new_forms == 2


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
def test_two_threads_share_a_prepared_jacobian(compile_with):
    prepared = prepare(residuals, np.ones(60), operator="jacobian", chunk=16, compile=compile_with)
    barrier = threading.Barrier(2)

    def work(seed):
        pick = np.random.default_rng(seed)
        barrier.wait()
        for _ in range(30):
            x = pick.normal(size=60)
            found = prepared(x)[1]
            np.testing.assert_allclose(found[np.arange(59), np.arange(59)], -20.0 * x[:-1], rtol=1e-13)
            assert np.count_nonzero(found) == 3 * 59
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, range(2)))


def test_results_are_the_callers_own():
    prepared = prepare(residuals, np.ones(300), operator="jacobian", compile="c")
    first = prepared(np.ones(300))[1]
    kept = first.copy()
    prepared(np.zeros(300))
    np.testing.assert_array_equal(first, kept)
    first[:] = 7.0
    np.testing.assert_array_equal(prepared(np.ones(300))[1], kept)


def test_single_precision_stays_single():
    x = X.astype(np.float32)
    for operator, function in (("jacobian", layer), ("hessian", lambda x: np.sum(x**4))):
        found = prepare(function, x, operator=operator)(x)[1]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, getattr(adcli, operator)(function)(X), rtol=1e-4, atol=1e-5)


def test_blocks_by_a_single_precision_input_are_single_too():
    x = X.astype(np.float32)
    found = prepare(lambda x, y: (X * x, x * y), (x, X), operator="jacobian")(x, X)[1]
    assert [block.dtype for block in found["x"]] == [np.float32] * 2


def test_an_infinite_slope_beside_a_zero_is_told_as_by_diff():
    def root(x):
        return np.sqrt(x) * x[::-1]

    at = np.array([0.0, 4.0])
    prepared = prepare(root, np.ones(2), operator="jacobian")
    np.testing.assert_array_equal(prepared(at)[1], adcli.jacobian(root)(at))


def test_what_cannot_be_prepared_is_said_in_one_line():
    with pytest.raises(OperatorError, match="the hessian is of a function with one scalar output"):
        prepare(residuals, X, operator="hessian")
    with pytest.raises(OperatorError, match="too many to hold"):
        prepare(lambda x: x, np.zeros(20_000), operator="jacobian")
    with pytest.raises(OperatorError, match="chunk=2: a number from 1 on, of a jacobian or hessian, not of a gradient"):
        prepare(np.sum, X, chunk=2)
    with pytest.raises(OperatorError, match="chunk=0"):
        prepare(residuals, X, operator="jacobian", chunk=0)
