"""Every form of claim is understood, and every behaviour of user code ends in its verdict."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import scipy.sparse

from adcli_methods.checking.check import check
from adcli_methods.checking.claims import Claim
from adcli_methods.checking.report import Verdict, worst

X = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
B = np.arange(15.0).reshape(3, 5) / 7


def squares(x):
    return np.sum(x**2)


def twice(x):
    return 2 * x


def wavy(x):
    return np.sin(B @ x)


def wavy_jacobian(x):
    return np.cos(B @ x)[:, None] * B


def weighted(x):
    return np.sum(np.exp(x) * x)


def weighted_hessian(x):
    return np.diag(np.exp(x) * (2 + x))


def cube_and_gradient(x):
    return np.sum(x**3), 3 * x**2


def chain(x):
    return x**2 + np.concatenate([x[1:] * x[:-1], [0.0]])


def chain_jacobian(x):
    return scipy.sparse.diags([2 * x + np.append(x[1:], 0), x[:-1]], [0, 1]).tocsr()


def one_entry_off(x):
    jacobian = chain_jacobian(x).tolil()
    jacobian[700, 700] *= 1.01
    return jacobian.tocsr()


PASSING = {
    "a derivative": (lambda x: x**3, lambda x: 3 * x**2, 2.0, "derivative"),
    "elementwise slopes": (np.sin, np.cos, X, "derivative"),
    "a Jacobian": (wavy, wavy_jacobian, X, "jacobian"),
    "a sparse Jacobian": (chain, chain_jacobian, np.linspace(1, 2, 2000), "jacobian"),
    "a Hessian": (weighted, weighted_hessian, X, "hessian"),
    "a Hessian-vector product": (weighted, Claim("h", lambda x, v: weighted_hessian(x) @ v, "hvp"), X, "hvp"),
    "a pushforward": (wavy, Claim("p", lambda x, v: wavy_jacobian(x) @ v, "jvp"), X, "jvp"),
    "a pullback": (wavy, Claim("p", lambda x, u: u @ wavy_jacobian(x), "vjp"), X, "vjp"),
    "a pair from one function": (cube_and_gradient, cube_and_gradient, X, "value_and_gradient"),
    "a pair beside a function": (lambda x: np.sum(x**3), cube_and_gradient, X, "value_and_gradient"),
    "a dict": (lambda p: squares(p["w"]) * p["b"], lambda p: {"w": 2 * p["w"] * p["b"], "b": squares(p["w"])},
               {"w": X, "b": 2.0}, "gradient"),
    "a tuple": (lambda w, b: squares(w) * b, lambda w, b: (2 * w * b, squares(w)), (X, 2.0), "gradient"),
    "whole numbers": (squares, twice, np.array([1, 2, 3]), "gradient"),
    "a value of shape (1, 1)": (lambda x: np.array([[squares(x)]]), twice, X, "gradient"),
    "a list of floats": (lambda x: [float(v) ** 2 for v in x], lambda x: np.diag(2 * x), X, "jacobian"),
    "a value in float32": (lambda x: np.float32(np.sum(np.sin(x))), np.cos, X, "gradient"),
    "objects": (lambda x: np.sum(np.array(list(x), dtype=object) ** 2), twice, X, "gradient"),
    "inputs of one ten-thousandth": (lambda x: np.sum(np.log(x)), lambda x: 1 / x, np.array([1e-4, 5e-4]), "gradient"),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_right_claims_of_every_form_pass(name):
    function, claim, at, operator = PASSING[name]
    report = check(function, claim, at)
    assert (report.verdict, report.operator) == (Verdict.PASS, operator), report.reason


FAILING = {
    "a sparse Jacobian with one entry off": (chain, one_entry_off, np.linspace(1, 2, 2000), "block"),
    "a transposed Jacobian": (wavy, lambda x: wavy_jacobian(x).T, X, "transposed"),
    "a Hessian's sign": (weighted, lambda x: -weighted_hessian(x), X, "sign"),
    "a Hessian with more": (weighted, lambda x: weighted_hessian(x) + 0.1 * np.eye(5)[::-1], X, "block"),
    "a Hessian-vector product": (weighted, Claim("h", lambda x, v: 2 * weighted_hessian(x) @ v, "hvp"), X, "factor"),
    "a pushforward": (wavy, Claim("p", lambda x, v: -wavy_jacobian(x) @ v, "jvp"), X, "sign"),
    "a pullback": (wavy, Claim("p", lambda x, u: (u * [1, 1, 2]) @ wavy_jacobian(x), "vjp"), X, "block"),
    "a pair's value": (lambda x: np.sum(x**3) + 1, cube_and_gradient, X, "value"),
    "None": (squares, lambda x: None, X, "shape"),
    "too few entries": (squares, lambda x: 2 * x[:-1], X, "shape"),
    "no entries": (squares, lambda x: [], X, "shape"),
    "words": (squares, lambda x: "2x", X, "shape"),
    "a dict without an entry": (lambda w, b: squares(w) * b, lambda w, b: {"w": 2 * w * b}, (X, 2.0), "shape"),
}


@pytest.mark.parametrize("name", FAILING)
def test_wrong_claims_of_every_form_fail_with_their_cause(name):
    function, claim, at, kind = FAILING[name]
    report = check(function, claim, at)
    assert (report.verdict, report.causes[0].kind) == (Verdict.FAIL, kind), report.causes


def changing(x):
    x *= 2
    return np.sum(x)


def changing_gradient(x):
    x += 1
    return 2 * (x - 1)


def hopeless(x):
    raise ValueError("no such thing")


BEHAVIOURS = {
    "a function that changes its input": (changing, lambda x: np.full_like(x, 2.0), X, Verdict.MUTATES),
    "a claim that changes its input": (squares, changing_gradient, X, Verdict.MUTATES),
    "a random function": (lambda x: squares(x) + np.random.rand(), twice, X, Verdict.NON_DETERMINISTIC),
    "a slightly random function": (lambda x: squares(x) + 1e-7 * np.random.rand(), twice, X, Verdict.NON_DETERMINISTIC),
    "a random claim": (squares, lambda x: np.random.rand(5), X, Verdict.NON_DETERMINISTIC),
    "a function that raises": (hopeless, twice, X, Verdict.ERROR),
    "a claim that raises": (squares, hopeless, X, Verdict.ERROR),
    "a function that exits": (lambda x: sys.exit(3), twice, X, Verdict.ERROR),
    "NaN everywhere": (lambda x: math.nan * np.sum(x), twice, X, Verdict.ERROR),
    "None for a value": (lambda x: None, twice, X, Verdict.ERROR),
    "a word for a value": (lambda x: "hello", twice, X, Verdict.ERROR),
    "complex values": (lambda x: 1j * np.sum(x), twice, X, Verdict.ERROR),
    "an absolute value at 0": (lambda x: np.sum(np.abs(x)), np.sign, np.array([0.0, 1.0]), Verdict.NOT_DIFFERENTIABLE),
    "a slope between both sides": (lambda x: np.maximum(x, 0.0), lambda x: 0.5, 0.0, Verdict.NOT_DIFFERENTIABLE),
    "a slope beyond both sides": (lambda x: np.maximum(x, 0.0), lambda x: 2.0, 0.0, Verdict.FAIL),
    "an infinite slope": (np.sqrt, lambda x: 0.0, 0.0, Verdict.NOT_DIFFERENTIABLE),
    "a step": (np.floor, lambda x: 0.0, 2.0, Verdict.NOT_DIFFERENTIABLE),
    "one of many at a kink": (lambda x: np.sum(np.abs(x)), np.sign, np.r_[np.linspace(-1, 1, 200), 0.0],
                              Verdict.NOT_DIFFERENTIABLE),
}  # fmt: skip


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_ends_in_its_verdict(name):
    function, claim, at, verdict = BEHAVIOURS[name]
    report = check(function, claim, at)
    assert report.verdict is verdict, report.reason
    assert report.reason


def test_a_kink_names_the_input_and_the_slope_that_the_claim_takes():
    report = check(lambda x: np.sum(np.maximum(x, 0.0)), lambda x: 1.0 * (x > 0), np.array([1.0, 0.0]))
    assert "x[1]" in report.reason
    assert report.causes[0].kind == "kink convention"
    assert "takes the left one" in report.causes[0].text


def test_a_branch_that_hides_a_slope_is_seen_by_differences():
    def guarded(x):
        return np.where(x == 0, 0.0, np.sin(x) / np.where(x == 0, 1, x) ** 2 - np.cos(x) / np.where(x == 0, 1, x))

    assert check(guarded, lambda x: 0.0, at=0.0).verdict is Verdict.FAIL
    assert check(guarded, lambda x: 1 / 3, at=0.0).verdict is Verdict.PASS


def test_a_relative_error_of_one_beyond_any_difference_is_seen_by_differentiation():
    def tail(x):
        return 1 / (1 + np.exp(-x))

    assert check(tail, lambda x: tail(x) * (1 - tail(x)), at=40.0).verdict is Verdict.FAIL
    assert check(tail, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, at=40.0).verdict is Verdict.PASS


@pytest.mark.parametrize("at", [4.0, 7.0, 12.0, np.array([0.5, 5.0, 7.0])])
def test_the_rounding_of_the_claims_own_formula_is_no_fault(at):
    assert check(lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, at).passed


def test_the_rounding_of_a_product_s_own_formula_is_no_fault():
    def softmax(z):
        e = np.exp(z - np.max(z))
        return e / np.sum(e)

    def pullback(z, c):
        p = softmax(z)
        return p * (c - p @ c)

    assert check(softmax, pullback, np.array([1.0, 20.0, -3.0, 2.0]), kind="vjp").passed


def test_digits_lost_next_to_larger_entries_are_no_failure():
    report = check(lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, np.array([0.3, 19.5]))
    assert report.verdict is Verdict.UNCLEAR


def test_one_wrong_entry_of_a_black_box_is_found_by_halving():
    def opaque(x):
        return float(np.sum(np.asarray(memoryview(np.asarray(x, dtype=float))) ** 3))

    x, weights = np.linspace(1, 2, 10_000), np.ones(10_000)
    assert check(opaque, lambda x: 3 * x**2, x).verdict is Verdict.PASS
    weights[77] = 1.01
    report = check(opaque, lambda x: 3 * x**2 * weights, x)
    assert [entry.path for entry in report.entries] == ["x[77]"]
    assert "black box" in report.notes[0]


def test_atol_excuses_and_never_certifies():
    def off(x):
        return 2 * x + 1e-5

    assert check(squares, off, X).verdict is Verdict.FAIL
    assert check(squares, off, X, atol=1e-4).verdict is Verdict.UNCLEAR
    assert check(squares, off, X, rtol=1e-4).verdict is Verdict.PASS


def test_scipy_functions_and_constant_arguments_pass_out_of_the_box():
    from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

    assert check(rosen, rosen_der, X).passed
    assert check(rosen, rosen_hess, X).passed
    assert check(rosen, rosen_hess_prod, X).operator == "hvp"
    assert check(lambda x, a, b: np.sum(a * x**2 + b), lambda x, a, b: 2 * a * x, X, args=(3.0, 1.0)).passed
    assert check(lambda *a: squares(a[0]) * a[1], lambda x, k: 2 * x * k, X, args=(3.0,)).passed


def test_the_most_severe_verdict_is_the_reports():
    assert worst([Verdict.PASS, Verdict.FAIL, Verdict.UNCLEAR]) is Verdict.FAIL
    assert worst([Verdict.PASS, Verdict.UNCLEAR]) is Verdict.UNCLEAR


def test_a_million_inputs_take_few_evaluations_when_all_is_well():
    def gradient(x):
        g = np.zeros_like(x)
        inner = x[1:] - x[:-1] ** 2
        g[:-1] += -400 * inner * x[:-1] - 2 * (1 - x[:-1])
        g[1:] += 200 * inner
        return g

    def traced(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def opaque(x):
        return float(traced(np.frombuffer(memoryview(x))))

    x = np.random.default_rng(0).uniform(0.5, 1.5, 10**6)
    for function in (traced, opaque):
        report = check(function, gradient, x)
        assert report.passed
        assert report.evaluations <= 20
        assert report.claim_evaluations <= 5
