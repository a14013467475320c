"""Emitted code beside arrays of floats: Python's numbers given to torch and JAX, whole numbers, what a target lacks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, differentiate, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of

from .emitted_code import LIBRARIES, flat, problem_of, run_c, run_python


def of_numbers(x0, x1):
    return math.sin(x0) * x0**x1


def run_source(source):
    namespace = {}
    exec(compile(source, "<emitted>", "exec"), namespace)
    return namespace["f"]


@pytest.mark.parametrize("target", ["torch", "jax"])
@pytest.mark.parametrize("given", [(1.3, 2.0), (1.3, 2), (np.float64(1.3), np.array(2.0))])
def test_code_for_tensors_takes_pythons_numbers(given, target):
    pytest.importorskip(target)
    function = run_source(derivative_source(problem_of(of_numbers, 1.1, 3.0), "reverse", target, "f", "0"))
    value, slopes = function(*given)
    known = differentiate(function_of(of_numbers), (1.3, 2.0), Request("reverse"))
    np.testing.assert_allclose(flat([value, *slopes]), [known.value, *known.derivative.values()], rtol=1e-14)


@pytest.mark.parametrize("target", ["torch", "jax"])
def test_code_for_tensors_takes_lists(target):
    pytest.importorskip(target)
    function = run_source(
        derivative_source(problem_of(lambda x: np.sum(x**3), np.ones(2)), "reverse", target, "f", "0")
    )
    assert flat(function([1, 2])).tolist() == [9.0, 3.0, 12.0]
    with pytest.raises(ValueError, match="shape"):
        function([1, 2, 3])


def test_tensors_keep_their_type_and_their_gradient():
    torch = pytest.importorskip("torch")
    function = run_source(derivative_source(problem_of(of_numbers, 1.1, 3.0), "reverse", "torch", "f", "0"))
    for kind in (torch.float32, torch.float64):
        x = torch.tensor(1.3, dtype=kind, requires_grad=True)
        value, (slope, _) = function(x, 2.0)
        (own,) = torch.autograd.grad(value, x)
        assert slope.detach().item() == pytest.approx(own.item(), rel=1e-6)
    x = torch.tensor([1.3, 0.4], dtype=torch.float32)
    assert function(x, 2.0)[0].dtype is torch.float32


def test_jax_code_is_traced_with_numbers_beside_arrays():
    jax = pytest.importorskip("jax")
    function = run_source(derivative_source(problem_of(of_numbers, 1.1, 3.0), "reverse", "jax", "f", "0"))
    slope = jax.jit(lambda x: function(x, 2.0)[1][0])(1.3)
    assert float(jax.grad(lambda x: function(x, 2.0)[0])(1.3)) == pytest.approx(float(slope), rel=1e-12)


WHOLE = [
    ("floor", lambda x, y: math.floor(x * 10) * y),
    ("ceil", lambda x, y: math.ceil(x * 10) * y),
    ("round", lambda x, y: round(x * 10) * y),
    ("trunc", lambda x, y: math.trunc(x * -10) * y),
    ("floor division", lambda x, y: (x * 10 // 1) * y),
    ("an index", lambda x, y: np.array([y, y**2, y**3])[math.floor(x * 2)]),
    ("whole arrays", lambda x, y: np.sum(np.floor(x * np.arange(1.0, 4.0)).astype(int) * y)),
    ("an entry", lambda x, y: math.floor(np.array([y, x])[1] * 10) * y),
    ("truth values", lambda x, y: np.sum((x * np.arange(3.0) > 1.0).astype(float) * y)),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", [row[1] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_whole_numbers_are_written_in_every_language(function, target, tmp_path):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    problem = problem_of(function, 0.77, 1.5)
    source = derivative_source(problem, "reverse", target, "f", "0")
    if target == "c":
        found = run_c(source, derived(problem, "reverse"), [0.77, 1.5], tmp_path)[1]
    else:
        found = run_python(source, [0.77, 1.5], target)
    known = differentiate(function_of(function), (0.77, 1.5), Request("reverse"))
    np.testing.assert_allclose(found, [known.value, *known.derivative.values()], rtol=1e-14)


def test_c_has_the_functions_of_c99(tmp_path):
    problem = problem_of(lambda x, y: math.lgamma(math.floor(x * 10)) * y + math.erfc(y), 0.77, 1.5)
    source = derivative_source(problem, "reverse", "c", "f", "0")
    found = run_c(source, derived(problem, "reverse"), [0.77, 1.5], tmp_path)[1]
    slope = math.lgamma(7) - 2 / math.sqrt(math.pi) * math.exp(-(1.5**2))
    np.testing.assert_allclose(found, [math.lgamma(7) * 1.5 + math.erfc(1.5), 0.0, slope], rtol=1e-14)


@pytest.mark.parametrize("size", [1, 2, 4, 13])
def test_determinants_have_code_for_jax(size):
    pytest.importorskip("jax")
    at = np.random.default_rng(size).normal(size=(size, size))
    source = derivative_source(problem_of(lambda x: np.linalg.det(x), at), "reverse", "jax", "f", "0")
    slope = np.linalg.det(at) * np.linalg.inv(at).T
    np.testing.assert_allclose(run_python(source, [at], "jax"), [np.linalg.det(at), *slope.ravel()], rtol=1e-9)


def of_det(x0):
    return np.linalg.slogdet(x0)[1]


def of_lgamma(x0):
    return math.lgamma(x0)


LACKING = [
    (problem_of(of_lgamma, 2.5), "c", "c code has no digamma, which `return math.lgamma(x0)` or its derivative needs"),
    (problem_of(of_lgamma, 2.5), "python", "python code has no digamma, which `return math.lgamma(x0)`"),
    (problem_of(of_det, np.eye(2)), "c", "c code has no slogdet, which `return np.linalg.slogdet(x0)[1]`"),
    (flat_problem(formula_function("besselj(1, x)"), 2.0, Request()), "torch", "torch code has no bessel_j, which"),
    (flat_problem(formula_function("iv(2, x)"), 2.0, Request()), "jax", "jax code has no bessel_i of order 2.0, "),
]


@pytest.mark.parametrize(("problem", "target", "message"), LACKING, ids=[row[2][:24] for row in LACKING])
def test_what_a_target_lacks_is_told_with_the_users_line(problem, target, message):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    with pytest.raises(OperatorError) as caught:
        derivative_source(problem, "reverse", target, "f", "0")
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(": try --target numpy")
