"""Emitted derivatives: they compute the derivative, without this package, in every language."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.formula import formula_function
from adcli_methods.function import FlatFunction

from .emitted_code import LIBRARIES, flat, problem_of, run_c, run_python

LONG_ON_FLOATS = ("hand-tracking", "hand-tracking-surface")
"""Products of many small matrices: too many lines of numbers."""
WITHOUT_US = "import sys; sys.modules['adcli'] = sys.modules['adcli_methods'] = None\n"


def hand_gradient(problem, inputs):
    """The hand-written derivative by each leaf, summed over the outputs' entries."""
    hand, outputs = problem.derivative(*problem.point(seed=1).values()), inputs(inputs.leaves)
    parts = [hand[path[0]] for path in inputs.paths] if isinstance(hand, dict) else [hand]
    if len(outputs) == 1 and not np.shape(outputs[0]):
        return parts
    leading = [np.ndim(part) - np.ndim(leaf) for part, leaf in zip(parts, inputs.leaves, strict=True)]
    return [np.sum(np.asarray(part), axis=tuple(range(count))) for part, count in zip(parts, leading, strict=True)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_emitted_gradients_of_problems_are_right(problem, target, tmp_path):
    if target in LIBRARIES:
        pytest.importorskip(LIBRARIES[target])
    inputs = flat_problem(problem.as_function(), problem.point(seed=1), Request())
    if target == "python" and problem.name in LONG_ON_FLOATS:
        with pytest.raises(OperatorError, match="lines of numbers: try --target numpy"):
            derivative_source(inputs, "reverse", target, "f", "0")
        return
    source = derivative_source(inputs, "reverse", target, "f", "0")
    outputs, seeds = inputs(inputs.leaves), []
    if len(outputs) != 1 or np.shape(outputs[0]):  # the gradient of the sum of all outputs
        seeds = [np.ones(np.shape(output)) if np.shape(output) else 1.0 for output in outputs]
    expected = flat([*outputs, *hand_gradient(problem, inputs)])
    if target == "c":
        code, found = run_c(source, derived(inputs, "reverse"), [*inputs.leaves, *seeds], tmp_path)
        assert code == 0
    else:
        found = run_python(source, [*inputs.leaves, *seeds], target)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_emitted_tangents_of_problems_are_right(problem, target, tmp_path):
    inputs = flat_problem(problem.as_function(), problem.point(seed=1), Request())
    (value,) = inputs(inputs.leaves)
    if np.shape(value):
        pytest.skip("the hand-written Jacobian has another form")
    is_number = len(inputs.leaves) == 1 and not np.shape(inputs.leaves[0])
    seeds = [] if is_number else [np.ones(np.shape(leaf)) if np.shape(leaf) else 1.0 for leaf in inputs.leaves]
    source = derivative_source(inputs, "forward", target, "f", "0")
    if target == "c":
        found = run_c(source, derived(inputs, "forward"), [*inputs.leaves, *seeds], tmp_path)[1]
    else:
        found = run_python(source, [*inputs.leaves, *seeds], target)
    expected = [value, sum(map(np.sum, hand_gradient(problem, inputs)))]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


CASES = [
    ("forward", lambda x: x**3, (2.0,), [8.0, 12.0]),
    ("reverse", lambda x: np.exp(x) * 2.0, (0.0,), [2.0, 2.0]),
]


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(("mode", "function", "inputs", "expected"), CASES)
def test_both_modes_of_one_number(mode, function, inputs, expected, target):
    source = derivative_source(problem_of(function, *inputs), mode, target, "f", "0")
    np.testing.assert_allclose(run_python(source, inputs, target), expected)


@pytest.mark.parametrize("target", TARGETS[:2])
def test_vector_functions_take_tangents_or_cotangents(target):
    problem = problem_of(lambda x: np.array([x[0] * x[1], x[1]]), np.array([2.0, 3.0]))
    forward = derivative_source(problem, "forward", target, "f", "0")
    assert "def f(x0, x0_dot):" in forward
    found = run_python(forward, [np.array([2.0, 3.0]), np.array([1.0, 10.0])], target)
    assert found.tolist() == [6.0, 3.0, 23.0, 10.0]
    reverse = derivative_source(problem, "reverse", target, "f", "0")
    assert "def f(x0, y_bar):" in reverse
    found = run_python(reverse, [np.array([2.0, 3.0]), np.array([1.0, 10.0])], target)
    assert found.tolist() == [6.0, 3.0, 3.0, 12.0]


def stepwise(x):
    if x[0] > 0:
        return 2.0 * np.sum(x)
    scale = 3.0
    return scale * np.sum(x)


def test_another_branch_is_refused_and_the_users_lines_are_told():
    source = derivative_source(problem_of(stepwise, np.ones(2)), "reverse", "numpy", "f", "1.2.3")
    assert "# if x[0] > 0:" in source
    assert "# return 2.0 * np.sum(x)" in source
    assert "Written by adcli 1.2.3." in source
    assert run_python(source, [np.ones(2)], "numpy").tolist() == [4.0, 2.0, 2.0]
    with pytest.raises(ValueError, match="another branch"):
        run_python(source, [-np.ones(2)], "numpy")


def test_c_code_says_when_it_is_for_another_branch(tmp_path):
    problem = problem_of(stepwise, np.ones(2))
    source, made = derivative_source(problem, "reverse", "c", "f", "0"), derived(problem, "reverse")
    assert run_c(source, made, [np.ones(2)], tmp_path)[0] == 0
    assert run_c(source, made, [-np.ones(2)], tmp_path)[0] == 1


MOVES = [
    lambda x: np.sum(x[::-1, 1:] * x[:, :2]) + np.max(x),
    lambda x: np.sum((x.T @ x)[1] ** 2),
    lambda x: np.sum(np.concatenate([x, 2.0 * x[:1]]).reshape(9) * np.arange(9.0)),
    lambda x: np.sum(np.where(x > 1.0, np.mod(x, 2.0), x[0]) / (1.0 + np.min(x, axis=0))),
    lambda x: np.sum(x[:, [2, 0, 2]] ** 2) + np.sum(x.T[[1, 1]] * np.arange(2.0)) + x[[0, 1], [2, 2]][1],
    lambda x: np.sum(x[..., np.array([], dtype=int)]) + np.sum(np.repeat(x, 2, axis=0)[:3] ** 2),
]


@pytest.mark.parametrize("function", MOVES)
def test_c_code_on_moved_arrays(function, tmp_path):
    x = np.array([[0.3, 1.7, -0.4], [2.2, 0.9, 1.1]])
    problem = problem_of(function, x)
    code, found = run_c(
        derivative_source(problem, "reverse", "c", "f", "0"), derived(problem, "reverse"), [x], tmp_path
    )
    expected = run_python(derivative_source(problem, "reverse", "numpy", "f", "0"), [x], "numpy")
    assert code == 0
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_emitted_code_needs_no_adcli(tmp_path):
    function = formula_function("exp(x**2) * abs(x) + max(x, 1) + gamma(x)", {"x": 2.0})
    problem = flat_problem(function, {"x": 2.0}, Request())
    source = derivative_source(problem, "reverse", "numpy", "f", "0")
    path = tmp_path / "f.py"
    path.write_text(f"{WITHOUT_US}{source}\nprint(repr(float(f(2.0)[1])))\n")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    h = 1e-6
    slope = (function.call(2.0 + h) - function.call(2.0 - h)) / (2 * h)
    assert float(done.stdout) == pytest.approx(slope, rel=1e-8)


def test_hostile_names_stay_text():
    function = formula_function("x*2", {"x": 2.0})
    named = FlatFunction(function, {"x": 2.0}, [("x",)])
    object.__setattr__(function, "formula", 'x*2 """ \n import os')
    source = derivative_source(named, "reverse", "python", "f", "0")
    compile(source, "<emitted>", "exec")
    assert "\n import os" not in source


def test_what_cannot_be_emitted_is_said_with_the_way_out():
    problem = problem_of(lambda x: np.linalg.det(x), np.eye(2))
    with pytest.raises(OperatorError, match="--target numpy"):
        derivative_source(problem, "reverse", "python", "f", "0")
    with pytest.raises(OperatorError, match="--target numpy"):
        derivative_source(problem, "reverse", "c", "f", "0")
    with pytest.raises(
        OperatorError, match=r"python code has no gamma, which `gamma\(x\)` or its .*try --target numpy"
    ):
        derivative_source(flat_problem(formula_function("gamma(x)"), 2.0, Request()), "reverse", "python", "f", "0")
    with pytest.raises(OperatorError, match="no target is called"):
        derivative_source(problem, "reverse", "fortran", "f", "0")
    with pytest.raises(OperatorError, match="forward or reverse, not 'central-difference'"):
        derivative_source(problem, "cd", "python", "f", "0")
    with pytest.raises(OperatorError, match="unknown method 'sideways'"):
        derivative_source(problem, "sideways", "python", "f", "0")
    assert len({derivative_source(problem, name, "numpy", "f", "0") for name in ("rev", "reverse")}) == 1
    data = np.ones(5000)
    with pytest.raises(OperatorError, match="make it an input"):
        derivative_source(problem_of(lambda x: np.sum(x * data), np.ones(5000)), "reverse", "numpy", "f", "0")
