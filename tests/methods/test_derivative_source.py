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
from adcli_methods.differentiate import Request, differentiate, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.formula import formula_function
from adcli_methods.function import FlatFunction, function_of

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
    return flat([each for part in function(*inputs) for each in (part if isinstance(part, tuple) else (part,))])


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


def hand_gradient(problem, inputs):
    """The hand-written derivative by each leaf, summed over the outputs' entries."""
    hand, outputs = problem.derivative(*problem.point(seed=1).values()), inputs(inputs.leaves)
    parts = [hand[path[0]] for path in inputs.paths] if isinstance(hand, dict) else [hand]
    sizes = [np.ndim(leaf) for leaf in inputs.leaves]
    return (
        [
            np.sum(np.asarray(part), axis=tuple(range(np.ndim(part) - size)))
            for part, size in zip(parts, sizes, strict=True)
        ]
        if np.shape(outputs[0]) or len(outputs) > 1
        else parts
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_emitted_gradients_of_problems_are_right(problem, target, tmp_path):
    if target in LIBRARIES:
        pytest.importorskip(LIBRARIES[target])
    if target == "c" and shutil.which("cc") is None:
        pytest.skip("no C compiler")
    inputs = flat_problem(problem.as_function(), problem.point(seed=1), Request())
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


NAMES = [
    "v2*x + sin(v2)",
    "c0*exp(c0) + v3",
    "exp(x)*exp_",
    "y*y_bar",
    "x_dot*x",
    "i0*k + work",
    "register*np",
    "p0*sin(math)",
]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("target", ["python", "numpy", "c"])
@pytest.mark.parametrize("formula", NAMES)
def test_inputs_may_have_any_name(formula, target, mode, tmp_path):
    function = formula_function(formula)
    problem = flat_problem(function, dict.fromkeys(function.parameters, 0.5), Request())
    at = [0.3 + position for position in range(len(function.parameters))]
    seeds = [1.0] * len(at) * (mode == "forward" and len(at) > 1)
    source = derivative_source(problem, mode, target, "f", "0")
    if target == "c":
        found = run_c(source, derived(problem, mode), [*at, *seeds], tmp_path)[1]
    else:
        found = run_python(source, [*at, *seeds], target)
    whole = differentiate(function, dict(zip(function.parameters, at, strict=True)), Request()).derivative
    slopes = list(whole.values()) if isinstance(whole, dict) else [whole]
    expected = [function.call(*at), *([sum(slopes)] if mode == "forward" else slopes)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("target", ["python", "c"])
def test_a_function_may_be_called_like_one_that_it_uses(target):
    source = derivative_source(problem_of(np.exp, 1.0), "reverse", target, "exp", "0")
    assert "def exp_(" in source or "int exp_(" in source


def test_c_code_compiles_where_a_parameter_is_not_used(tmp_path):
    problem = problem_of(lambda x, y: np.sum(np.where(np.isfinite(x), np.floor(x), 0.0)), np.ones(3), 2.0)
    for mode, more in (("reverse", []), ("forward", [np.ones(3), 1.0])):
        source = derivative_source(problem, mode, "c", "f", "0")
        assert run_c(source, derived(problem, mode), [np.full(3, 1.5), 2.0, *more], tmp_path)[0] == 0


def scaled(x, data, power=2):
    total = np.sum(data * x**power)
    return total / 2.0


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_fixed_and_the_users_lines_are_told(target):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    at = {"x": np.ones(2), "data": np.ones(2)}
    source = derivative_source(flat_problem(function_of(scaled), at, Request(wrt=["x"])), "reverse", target, "f", "0")
    for line in (
        "data: float64 array of shape (2,)",
        "power = 2",
        "total = np.sum(data * x**power)",
        "return total / 2.0",
    ):
        assert line in source
    assert "problem" not in source


@pytest.mark.parametrize("target", TARGETS[:-1])
def test_arrays_of_another_shape_are_refused(target):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    source = derivative_source(problem_of(np.mean, np.ones(3)), "reverse", target, "f", "0")
    assert run_python(source, [np.arange(3.0)], target).tolist() == pytest.approx([1.0, 1 / 3, 1 / 3, 1 / 3])
    with pytest.raises(ValueError, match=r"shape|unpack"):
        run_python(source, [np.ones(4)], target)


def test_numpy_code_takes_lists_whole_numbers_and_other_types():
    namespace = {}
    exec(derivative_source(problem_of(lambda x: np.sum(1.0 / x), np.ones(2)), "reverse", "numpy", "f", "0"), namespace)
    for x in ([1, 2], np.array([1, 2]), np.array([1.0, 2.0], np.float32), (1.0, 2.0)):
        assert namespace["f"](x)[1].tolist() == [-1.0, -0.25]


def test_numpy_code_writes_into_buffers_and_never_into_its_inputs():
    x = np.linspace(0.1, 1.0, 5000)
    source = derivative_source(problem_of(lambda x: np.sum(np.exp(np.sin(x) * x)), x), "reverse", "numpy", "f", "0")
    assert source.count("out=") >= 3
    before = x.copy()
    found = run_python(source, [x], "numpy")
    assert np.array_equal(x, before)
    np.testing.assert_allclose(found[1:], np.exp(np.sin(x) * x) * (np.sin(x) + x * np.cos(x)), rtol=1e-13)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_results_of_emitted_code_are_the_callers_own(target):
    pytest.importorskip(target)
    make = np.ones if target == "numpy" else pytest.importorskip("torch").ones
    namespace = {}
    exec(derivative_source(problem_of(lambda x, y: np.sum(x) + np.dot(x, y), np.ones(3), np.ones(3)), "reverse", target,
                           "f", "0"), namespace)  # fmt: skip
    x, y = make(3), make(3)
    for part in namespace["f"](x, y)[1]:
        part[:] = 7.0
    assert [*map(float, x), *map(float, y)] == [1.0] * 6


def test_several_outputs_are_a_tuple_beside_the_derivatives():
    problem = problem_of(lambda x: {"a": 2.0 * x, "b": x * x}, 3.0)
    namespace = {}
    exec(derivative_source(problem, "reverse", "python", "f", "0"), namespace)
    assert namespace["f"](3.0, 1.0, 10.0) == ((6.0, 9.0), 62.0)


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
    lambda x: np.sum(x[:, [2, 0, 2]] ** 2) + np.sum(x.T[[1, 1]] * np.arange(2.0)) + x[[0, 1], [2, 2]][1],
    lambda x: np.sum(x[..., np.array([], dtype=int)]) + np.sum(np.repeat(x, 2, axis=0)[:3] ** 2),
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
