"""Emitted code with inputs of any name, what it tells of itself, and random formulas in every language."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, differentiate, flat_problem
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of

from .emitted_code import LIBRARIES, problem_of, run_c, run_python

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


WORDS = ("sin", "exp", "tanh", "sqrt", "log", "abs", "sigmoid", "softplus", "atan", "erf", "cbrt", "log1p", "relu")


def random_formula(pick, depth):
    """A formula of x, y and v1, whose numbers stay small enough to be compared."""
    kind = pick.integers(10)
    if depth == 0 or kind == 0:
        return str(pick.choice(["x", "y", "v1", "1.7", "2"]))
    first, second = (random_formula(pick, depth - 1) for _ in range(2))
    if kind < 4:
        return f"{pick.choice(WORDS)}({first})"
    return f"max({first}, {second})" if kind == 4 else f"({first} {pick.choice(['+', '-', '*', '/', '**'])} {second})"


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
def test_random_formulas_agree_with_diff(target, tmp_path):
    at, checked = {"x": 0.7, "y": 1.3, "v1": 0.4}, 0
    for seed in range(25 if target == "c" else 100):
        formula = formula_function(f"x + y*v1 + {random_formula(np.random.default_rng(seed), 4)}")
        with np.errstate(all="ignore"):
            known = differentiate(formula, at, Request("reverse"))
        expected = np.array([known.value, *(known.derivative[name] for name in formula.parameters)])
        if known.notes or not np.all(np.isfinite(expected)):
            continue  # at a kink emitted code has no strict zero beside an infinite slope
        problem, inputs = flat_problem(formula, at, Request()), [at[name] for name in formula.parameters]
        source = derivative_source(problem, "reverse", target, "f", "0")
        if target == "c":
            (folder := tmp_path / str(seed)).mkdir()
            found = run_c(source, derived(problem, "reverse"), inputs, folder)[1]
        else:
            with np.errstate(all="ignore"):
                found = run_python(source, inputs, target)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10, err_msg=formula.formula)
        checked += 1
    assert checked > 15
