"""Nearly two thousand formulas that others wrote, by every method, against 30-digit answers.

A case may be off by 1e-13, or by a hundred times what plain binary64 forward mode is off there, which is how
the collection tells a formula's conditioning. The few cases whose conditioning it does not tell are named below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from .cases import Case, all_cases, groups, misses

EXACT_METHODS = ("forward", "reverse", "complex-step", "symbolic", "torch")
LEAST_SHARE_OF_DIFFERENCES = 0.97

CONDITIONED = {"rubi7-098d9e7b7bc4": 1e-8}
"""b*x - atanh(tanh(a + b*x)) does not depend on x, and plain forward mode's 1 - tanh**2 happens to cancel exactly."""

SECOND_CONDITIONED = CONDITIONED | {
    "rubi-Bondarenko-0022": 0.1,  # 1 - tanh(8.7) keeps half of the digits, and f'' cancels the other half
    "rubi2-4956d87b2289": 1e-10,  # asinh(exp(4*x)/4) is all but linear in x
    "nc-172": 1e-8,  # the cosine of 2e5, near its zero
    "nc-156": 1e-12,  # the cosine of 50, near its zero
    "rubi-Timofeev-0426": 2e-12,
    "rubi6-0d4af363d09b": 2e-11,
    "rubi1-0247e5921a52": 2e-12,
}
"""What second derivatives may be off where they are conditioned worse than first ones: torch is off as much."""


def _allowance(named: dict[str, float]) -> Callable[[Case], float]:
    return lambda case: named.get(case.name, max(1e-13, 100.0 * case.rounding))


def _require(mode: str) -> None:
    if mode == "torch":
        pytest.importorskip("torch")


@pytest.mark.parametrize("cases", groups(12))
@pytest.mark.parametrize("mode", EXACT_METHODS)
def test_derivatives_of_every_order_are_right_to_rounding(mode: str, cases: list[Case]) -> None:
    _require(mode)
    able = [case for case in cases if case.order == 1 or mode != "complex-step"]
    wrong = misses(able, lambda case: case.errors(mode), _allowance(CONDITIONED))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("cases", groups(3))
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_second_partial_derivatives_are_right_to_rounding(mode: str, cases: list[Case]) -> None:
    given = [case for case in cases if case.second]
    wrong = misses(given, lambda case: case.second_errors(mode), _allowance(SECOND_CONDITIONED))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("cases", groups(1))
def test_central_differences_keep_six_digits_nearly_everywhere(
    cases: list[Case], record_property: Callable[[str, object], None]
) -> None:
    first = [case for case in cases if case.order == 1]
    wrong = misses(first, lambda case: case.errors("central-difference"), lambda case: 1e-6)
    record_property("within", f"{len(first) - len(wrong)} of {len(first)}")
    assert len(wrong) <= (1.0 - LEAST_SHARE_OF_DIFFERENCES) * len(first), "\n".join(wrong)


@pytest.mark.parametrize("factor", [-1, 2, 0, 1 + 1e-9])
def test_a_wrong_answer_is_told(factor: float) -> None:
    case = next((case for case in all_cases() if case.name == "difftests-ackley5"), None)
    if case is None:
        pytest.skip("the collection of formulas is not beside the working tree")
    wrong = {name: value * type(value)(factor) for name, value in case.expected.items()}
    lines = misses([replace(case, expected=wrong)], lambda given: given.errors("forward"), _allowance({}))
    assert len(lines) == 1


def test_a_refused_case_is_told() -> None:
    case = Case("none", "x +", {"x": 1.0}, 1, {"x": 1}, {}, 0.0)
    lines = misses([case], lambda given: given.errors("forward"), _allowance({}))
    assert lines[0].startswith("none: ExpressionError")
