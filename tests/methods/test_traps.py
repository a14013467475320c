"""Points where differentiation tools are known to go wrong, each with what this one answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adcli_methods.emission import compile_program
from adcli_methods.errors import AdcliError
from adcli_methods.functional import gradient, hessian
from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.targets import target
from adcli_methods.trace import Trace

OWN = ("forward", "reverse")
INF, NAN = math.inf, math.nan
Function = Callable[[Any], Any]


def logistic(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


TRAPS: list[tuple[str, Function, float, float]] = [
    ("x**0 at 0", lambda x: x**0.0, 0.0, 0.0),
    ("x**1 at 0", lambda x: x**1.0, 0.0, 1.0),
    ("x**2 at 0", lambda x: x**2.0, 0.0, 0.0),
    ("x**-1 at 0", lambda x: x**-1.0, 0.0, -INF),
    ("x**0.5 at 0", lambda x: x**0.5, 0.0, INF),
    ("x**1.5 at 0", lambda x: x**1.5, 0.0, 0.0),
    ("x * x**0.5 at 0", lambda x: x * x**0.5, 0.0, 0.0),
    ("0**y at 2", lambda y: 0.0**y, 2.0, 0.0),
    ("0**y at 0, where it falls from 1 to 0", lambda y: 0.0**y, 0.0, -INF),
    ("sqrt at 0", lambda x: np.sqrt(x), 0.0, INF),
    ("cbrt at 0", lambda x: np.cbrt(x), 0.0, INF),
    ("a norm at 0", lambda x: np.sqrt(x * x), 0.0, 0.0),
    ("hypot at (0, 0)", lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    ("abs at 0", lambda x: abs(x), 0.0, 0.0),
    ("max at a tie", lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    ("min at a tie", lambda x: np.minimum(x, 0.0), 0.0, 0.5),
    ("clip at a bound is a max at a tie", lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.5),
    ("relu at 0", lambda x: P["relu"](x), 0.0, 0.0),
    ("sign at 0", lambda x: np.sign(x), 0.0, 0.0),
    ("floor at a jump", lambda x: np.floor(x), 1.0, 0.0),
    ("mod at a jump", lambda x: x % 1.0, 2.0, 1.0),
    ("sqrt of a negative", lambda x: np.sqrt(x), -1.0, NAN),
    ("log at 0", lambda x: np.log(x), 0.0, INF),
    ("1/x at 0", lambda x: 1.0 / x, 0.0, -INF),
    ("arctan2 at (0, 0)", lambda x: np.arctan2(x, x), 0.0, NAN),
    ("arctan2 on its axis", lambda x: np.arctan2(x, 1.0), 0.0, 1.0),
    ("a square root in the branch not taken", lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.0, 0.0),
    ("a root of a negative in the branch not taken", lambda x: np.where(x > 0, np.sqrt(x), 0.0), -1.0, 0.0),
    ("a power of a negative in the branch not taken", lambda x: np.where(x > 0, x**0.5, 0.0), -1.0, 0.0),
    ("a logarithm in the branch not taken", lambda x: np.where(x > 0, np.log(x), 0.0), -1.0, 0.0),
    ("arctan2 in the branch not taken", lambda x: np.where(x > 0, np.arctan2(x, x), x), 0.0, 1.0),
    ("the sigmoid's tail", lambda x: P["sigmoid"](x), 40.0, 4.248354255291589e-18),
    ("the logistic function's tail", logistic, 40.0, 4.248354255291589e-18),
    ("the logistic function past exp's range", logistic, -800.0, 0.0),
    ("tanh's tail", lambda x: np.tanh(x), 20.0, 1.6993417021166355e-17),
    ("the softplus past exp's range", lambda x: P["softplus"](x), 800.0, 1.0),
    ("a saturated exponential", lambda x: np.exp(-(x * x)), 1e200, 0.0),
    ("sinc at 0", lambda x: np.sinc(x), 0.0, 0.0),
    ("x log x at 0", lambda x: P["xlogy"](x, x), 0.0, -INF),
]
TORCH_DIFFERS = {
    "x * x**0.5 at 0": "torch multiplies 0 by infinity",
    "a norm at 0": "torch multiplies 0 by infinity",
    "hypot at (0, 0)": "torch divides 0 by 0",
    "0**y at 0, where it falls from 1 to 0": "torch answers 0 for a base of 0",
    "arctan2 at (0, 0)": "torch answers 0",
    "a square root in the branch not taken": "torch multiplies 0 by infinity",
    "a root of a negative in the branch not taken": "torch multiplies 0 by NaN",
    "a power of a negative in the branch not taken": "torch multiplies 0 by NaN",
    "the logistic function past exp's range": "torch multiplies 0 by infinity",
    "a saturated exponential": "torch multiplies 0 by infinity",
    "x log x at 0": "torch answers 0 for a factor of 0",
}
"""Where torch's own rules lead elsewhere, and how."""


@pytest.mark.parametrize("mode", OWN)
@pytest.mark.parametrize(("what", "function", "x", "expected"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_own_methods(what: str, function: Function, x: float, expected: float, mode: str) -> None:
    found = gradient(function, mode=mode)(x)
    assert found == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True), what


@pytest.mark.parametrize(("what", "function", "x", "expected"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_entries_of_arrays_go_the_same_way(what: str, function: Function, x: float, expected: float) -> None:
    slopes = gradient(lambda v: np.sum(function(v)))(np.array([x, x]))
    assert slopes.tolist() == pytest.approx([expected, expected], rel=1e-14, abs=0, nan_ok=True), what


@pytest.mark.parametrize(("what", "function", "x", "expected"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_torch_goes_its_own_way_only_where_known(what: str, function: Function, x: float, expected: float) -> None:
    torch = pytest.importorskip("torch")
    trace = Trace([x])
    with np.errstate(all="ignore"):
        slot = trace.output_slot(function(*trace.tracers()))
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (value,) = compile_program(trace.program_of([slot]), target("torch"))([at])
    slope = torch.autograd.grad(value, at)[0].item() if value.requires_grad else 0.0
    if what not in TORCH_DIFFERS:
        assert slope == pytest.approx(expected, rel=1e-13, abs=0, nan_ok=True)


@pytest.mark.parametrize("mode", ["complex-step"])
@pytest.mark.parametrize(("what", "function", "x", "expected"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_complex_step(what: str, function: Function, x: float, expected: float, mode: str) -> None:
    found = gradient(function, mode=mode)(x)
    assert found == pytest.approx(expected, rel=1e-13, abs=0, nan_ok=True), what


def test_log_of_a_negative_number_has_no_value() -> None:
    with np.errstate(all="ignore"):
        assert math.isnan(P["log"](-1.0))
    assert math.isnan(gradient(lambda x: np.log(x), mode="complex-step")(-1.0))


def test_ties_of_several_share_equally() -> None:
    slopes = gradient(lambda v: np.max(v))(np.array([2.0, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(slopes, [1 / 3, 0.0, 1 / 3, 1 / 3], rtol=1e-15)


@pytest.mark.parametrize("function", [lambda x: x**2.0, lambda x: x * x, lambda x: np.square(x)])
def test_higher_derivatives_of_a_square_at_0(function: Function) -> None:
    assert hessian(function)(0.0) == 2.0
    assert gradient(gradient(gradient(function)))(0.0) == 0.0


@pytest.mark.parametrize("inner", OWN)
@pytest.mark.parametrize("outer", OWN)
def test_perturbations_are_not_confused(outer: str, inner: str) -> None:
    def function(x: Any) -> Any:
        return x * gradient(lambda y: x + y, mode=inner)(1.0)

    assert gradient(function, mode=outer)(1.0) == 1.0


def test_a_branch_is_taken_anew_at_each_point() -> None:
    slope = gradient(lambda x: x * x if x > 0 else -x)
    assert [slope(2.0), slope(-2.0), slope(3.0)] == [4.0, -1.0, 6.0]


def test_writing_into_an_array_in_place() -> None:
    def function(v: Any) -> Any:
        v = v * 1.0
        old = v[0] * v[0]
        v[0] = v[1] * v[1]
        return old + 10.0 * v[0]

    np.testing.assert_array_equal(gradient(function)(np.array([3.0, 2.0])), [6.0, 40.0])


def test_a_constant_changed_after_its_use_counts_as_it_was() -> None:
    weights = np.array([1.0, 2.0])

    def function(v: Any) -> Any:
        total = np.sum(weights * v)
        weights[:] = 100.0
        return total

    np.testing.assert_array_equal(gradient(function)(np.ones(2)), [1.0, 2.0])


def test_the_point_is_left_as_it_was() -> None:
    at = np.array([1.0, 2.0])

    def function(v: Any) -> Any:
        v[0] = 5.0
        return np.sum(v * v)

    try:
        slopes = gradient(function)(at)
    except AdcliError:
        pass
    else:
        np.testing.assert_array_equal(slopes, [0.0, 4.0])
    np.testing.assert_array_equal(at, [1.0, 2.0])


@pytest.mark.parametrize("mode", OWN)
def test_ten_thousand_steps(mode: str) -> None:
    def deep(x: Any) -> Any:
        for _ in range(10_000):
            x = x + 1e-4 * np.sin(x)
        return x

    assert gradient(deep, mode=mode)(1.0) == pytest.approx(math.sin(deep(1.0)) / math.sin(1.0), rel=1e-3)


def test_asking_twice_gives_the_same() -> None:
    slope = gradient(lambda v: np.sum(v**3.0))
    at = np.array([1.0, 2.0])
    np.testing.assert_array_equal(slope(at), slope(at))
