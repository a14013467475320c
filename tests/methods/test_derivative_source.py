"""Emitted derivatives: they compute the derivative, without this package, in every language."""

from __future__ import annotations

import ctypes
import shutil
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
from adcli_methods.function import FlatFunction, function_of

WITH_LIBRARIES = {"exp-square", "rosenbrock", "log-sum-exp", "helmholtz", "tanh-network"}
LIBRARIES = {"torch": "torch", "jax": "jax"}
WITHOUT_US = "import sys; sys.modules['adcli'] = sys.modules['adcli_methods'] = None\n"


def problem_of(function, *inputs):
    names = [f"x{i}" for i in range(len(inputs))]
    return FlatFunction(function_of(function), dict(zip(names, inputs, strict=True)), [(name,) for name in names])


def flat(values):
    return np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in values])


def run_python(source, inputs, target):
    """The emitted function's value and derivatives; the source sees no adcli."""
    namespace = {}
    exec(compile(source, "<emitted>", "exec"), namespace)
    function = namespace["f"]
    if target == "torch":
        torch = pytest.importorskip("torch")
        inputs = [torch.tensor(x, dtype=torch.float64) for x in inputs]
    if target == "python":
        inputs = [np.asarray(x).tolist() for x in inputs]
    if target == "jax":
        jnp = pytest.importorskip("jax.numpy")
        inputs = [jnp.asarray(x) for x in inputs]
    value, parts = function(*inputs)
    return flat([value, *(parts if isinstance(parts, tuple) else (parts,))])


def run_c(source, made, inputs, folder):
    """The emitted C function, compiled by the system's compiler with every warning an error."""
    path = folder / "f.c"
    path.write_text(source)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-pedantic"]
    command = ["cc", *flags, "-shared", "-fPIC", str(path), "-o", str(folder / "f.so"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / "f.so"))
    program, abstracts = made.shaped
    pointer, arrays, given = ctypes.POINTER(ctypes.c_double), [], []
    for x in inputs:
        arrays.append(np.ascontiguousarray(x, dtype=float))
        given.append(arrays[-1].ctypes.data_as(pointer) if np.shape(x) else ctypes.c_double(float(x)))
    outputs = [np.empty(abstracts[slot].shape) for slot in program.outputs]
    work = np.empty(int(source.partition("work: ")[2].split()[0]) + 1)
    work[-1] = 12345.0
    code = library.f(*given, *(each.ctypes.data_as(pointer) for each in (*outputs, work)))
    assert work[-1] == 12345.0
    return code, flat(outputs)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_emitted_gradients_of_problems_are_right(problem, target, tmp_path):
    if target in LIBRARIES:
        pytest.importorskip(LIBRARIES[target])
        if problem.name not in WITH_LIBRARIES:
            pytest.skip("the library's target has its own tests")
    if target == "c" and shutil.which("cc") is None:
        pytest.skip("no C compiler")
    inputs = flat_problem(problem.as_function(), problem.point(seed=1), Request())
    if len(inputs(inputs.leaves)) != 1 or np.shape(inputs(inputs.leaves)[0]):
        pytest.skip("not a scalar function")
    try:
        source = derivative_source(inputs, "reverse", target, "f", "0")
    except OperatorError as error:
        if target in ("python", "c") and "--target numpy" in str(error):
            pytest.skip(str(error))
        raise
    at = problem.point(seed=1)
    hand = problem.derivative(*at.values())
    parts = [hand[path[0]] for path in inputs.paths] if isinstance(hand, dict) else [hand]
    expected = flat([problem.function(*at.values()), *parts])
    if target == "c":
        code, found = run_c(source, derived(inputs, "reverse"), inputs.leaves, tmp_path)
        assert code == 0
    else:
        found = run_python(source, inputs.leaves, target)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


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
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    problem = problem_of(stepwise, np.ones(2))
    source, made = derivative_source(problem, "reverse", "c", "f", "0"), derived(problem, "reverse")
    assert run_c(source, made, [np.ones(2)], tmp_path)[0] == 0
    assert run_c(source, made, [-np.ones(2)], tmp_path)[0] == 1


MOVES = [
    lambda x: np.sum(x[::-1, 1:] * x[:, :2]) + np.max(x),
    lambda x: np.sum((x.T @ x)[1] ** 2),
    lambda x: np.sum(np.concatenate([x, 2.0 * x[:1]]).reshape(9) * np.arange(9.0)),
    lambda x: np.sum(np.where(x > 1.0, np.mod(x, 2.0), x[0]) / (1.0 + np.min(x, axis=0))),
]


@pytest.mark.parametrize("function", MOVES)
def test_c_code_on_moved_arrays(function, tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
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
    with pytest.raises(OperatorError, match="no target is called"):
        derivative_source(problem, "reverse", "fortran", "f", "0")
    with pytest.raises(OperatorError, match="forward or reverse"):
        derivative_source(problem, "sideways", "python", "f", "0")
    data = np.ones(5000)
    with pytest.raises(OperatorError, match="make it an input"):
        derivative_source(problem_of(lambda x: np.sum(x * data), np.ones(5000)), "reverse", "numpy", "f", "0")
