"""The comparison that every measure makes: twelve faults injected, twelve caught, and nothing right called wrong."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks.comparator import EXACT, judge, promised_error, require_right, require_telling
from adcli_benchmarks.outcomes import RefusedError, WrongError
from adcli_benchmarks.problems import PROBLEMS, problem_named

METHODS = ("reverse", "forward-difference", "central-difference", "numdifftools")


def jacobian(seed: int = 0):
    """A matrix that is its own measure: no entry twice, no symmetry."""
    return np.random.default_rng(seed).normal(size=(6, 6)) + 3.0


def entry(reference, position, value):
    found = reference.copy()
    found.flat[position] = value
    return found


def permuted(reference):
    found = reference.copy().ravel()
    found[[1, 4]] = found[[4, 1]]
    return found.reshape(reference.shape)


FAULTS = {
    "sign": lambda right: -right,
    "factor 2": lambda right: 2.0 * right,
    "permutation": permuted,
    "zeros": np.zeros_like,
    "one wrong entry": lambda right: entry(right, 7, right.flat[7] * 1.5),
    "NaN": lambda right: entry(right, 3, np.nan),
    "inf": lambda right: entry(right, 3, np.inf),
    "transposed": np.transpose,
    "off by one shift": lambda right: np.roll(right.ravel(), 1).reshape(right.shape),
    "float32 noise": lambda right: right.astype(np.float32).astype(np.float64),
    "missing term": lambda right: right - 0.5 * np.eye(6),
    "stale result of another point": lambda right: jacobian(seed=1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_injected_fault_is_caught(fault):
    right = jacobian()
    assert judge(right, right).fault == ""
    assert judge(FAULTS[fault](right), right).fault
    with pytest.raises(WrongError):
        require_right(FAULTS[fault](right), right, EXACT["float64"])


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e150])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_at_every_scale(fault, scale):
    right = jacobian() * scale
    found = FAULTS[fault](jacobian()) * scale
    assert judge(found, right).fault
    assert not judge(right * (1 + 1e-14), right).fault


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"float32 noise"}))
def test_differences_are_allowed_noise_and_no_fault(method, fault):
    right = jacobian()
    allowed = promised_error(method)
    assert judge(FAULTS[fault](right), right, allowed).fault
    assert not judge(right + 0.1 * allowed * np.random.default_rng(2).uniform(-1, 1, right.shape), right, allowed).fault


@pytest.mark.parametrize("fault", ["sign", "factor 2", "zeros", "NaN"])
@pytest.mark.parametrize("problem", [problem.name for problem in PROBLEMS])
def test_a_fault_in_a_shipped_gradient_is_caught(problem, fault):
    point = problem_named(problem).point()
    derivative = problem_named(problem).derivative(**point)
    parts = derivative.values() if isinstance(derivative, dict) else [derivative]
    right = np.concatenate([np.ravel(part) for part in parts])
    found = entry(right, 0, np.nan) if fault == "NaN" else FAULTS[fault](right)
    assert judge(found, right, promised_error("forward-difference")).fault


def test_one_flipped_entry_among_a_million_is_caught():
    right = np.random.default_rng(0).uniform(0.5, 1.0, 10**6)
    judgement = judge(entry(right, 777_777, -right[777_777]), right, promised_error("central-difference"))
    assert judgement.fault.startswith("entry 777777 is -0.")
    assert judgement.norm_relative_error < 0.01


def test_a_small_entry_of_the_wrong_sign_is_caught():
    right = np.array([1.0, 1e-6])
    assert judge(np.array([1.0, -1e-6]), right).fault == "entry 1 is -1e-06 where 1e-06 is right"


def test_a_wrong_shape_is_a_fault():
    assert judge(np.ones(3), np.ones(4)).fault == "its shape is (3,) where (4,) is right"


def test_a_wrong_result_keeps_what_was_measured():
    with pytest.raises(WrongError, match="all its entries are zero") as caught:
        require_right(np.zeros(3), np.ones(3), 1e-9, {"run_seconds": 0.5})
    assert caught.value.values == {"run_seconds": 0.5, "norm_relative_error": 1.0, "worst_entry_error": 1.0}


@pytest.mark.parametrize(
    ("reference", "dtype", "value", "reason"),
    [
        ([0.0, 0.0], "float64", 0.0, "all but zero"),
        ([1e-300], "float64", 0.0, "all but zero"),
        ([1e-35], "float32", 0.0, "all but zero"),
        ([1e-31], "float64", 10.0, "all but zero"),
        ([1.0, np.nan], "float64", 0.0, "1 of 2 entries are NaN"),
        ([np.inf], "float64", 0.0, "1 of 1 entries are infinite"),
        ([], "float64", 0.0, "no entries"),
    ],
)
def test_a_reference_that_would_let_anything_pass_is_refused(reference, dtype, value, reason):
    with pytest.raises(RefusedError, match=reason):
        require_telling(reference, dtype, value)


def test_a_small_derivative_is_no_reason_to_refuse():
    require_telling([1e-20, 0.0], value=1.0)
    require_telling([1e-25], "float32")


def test_the_allowance_of_differences_grows_with_cancellation_to_one_digit():
    assert promised_error("forward-difference") < promised_error("forward-difference", cancellation=100.0)
    assert promised_error("forward-difference", cancellation=1e12) == 0.1
    assert promised_error("reverse", cancellation=1e12) == 1e-9
