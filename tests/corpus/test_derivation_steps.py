"""Derivations rule by rule of the formulas that others wrote: the rules give what SymPy's own differentiation gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from adcli_methods.derivation import Partials, run_on_symbols
from adcli_methods.derivation_steps import Step, Steps
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.formula import formula_function

from .cases import Case, all_cases, groups

POINTS = 5
SPREAD = 0.03
TOLERANCE = 1e-9


@pytest.mark.parametrize("cases", groups(8))
def test_the_rules_used_give_the_symbolic_derivative(cases: list[Case]) -> None:
    wrong = [f"{case.name}: {why}: {case.formula[:80]}" for case in cases for why in _faults(case)]
    assert not wrong, "\n".join(wrong)


def test_the_collection_is_large() -> None:
    cases = all_cases()
    if not cases:
        pytest.skip("the collection is not beside the working tree")
    assert len(cases) > 1900


def _faults(case: Case) -> list[str]:
    """What is wrong with a case's derivation, compared at the case's point and at points around it."""
    import sympy

    function = formula_function(case.formula, case.at)
    problem = flat_problem(function, dict(case.at), Request(wrt=tuple(case.expected)))
    with np.errstate(all="ignore"):
        trace, (output,) = problem.traced
    program, names = problem.program, [".".join(path) for path in problem.paths]
    values, symbols = run_on_symbols(program, names)
    partials = Partials(program, values)
    derived, theirs = [], []
    for position, symbol in enumerate(symbols):
        tangents = partials.tangents(position)
        derived.append(sympy.Integer(0) if tangents[output] is None else tangents[output])
        theirs.append(sympy.diff(values[output], symbol))
        if tangents[output] is not None and not _is_whole(Steps(trace, values, tangents).step(output)):
            return [f"a step by {symbol} has no rule"]
    point = [float(case.at[name]) for name in names]
    numbers = _evaluated(symbols, [*derived, *theirs], point)
    count = len(names)
    faults = [
        f"by {name}: {found} at {POINTS} points, SymPy's {expected}"
        for name, found, expected in zip(names, numbers[:count], numbers[count:], strict=True)
        if not _agree(found, expected, case)
    ]
    exact = [float(case.expected[name]) for name in names]
    at_point = [row[0] for row in numbers[:count]]
    if case.order == 1 and not _agree(at_point, exact, case):
        faults.append(f"{at_point} at the point, right is {exact}")
    return faults


def _is_whole(step: Step) -> bool:
    """Whether every step names a rule and has a result."""
    waiting, seen = [step], set()
    while waiting:
        current = waiting.pop()
        if not current.rule or current.result is None:
            return False
        if id(current) not in seen:
            seen.add(id(current))
            waiting.extend(current.parts)
    return True


def _evaluated(symbols: Sequence[Any], expressions: Sequence[Any], point: Sequence[float]) -> list[list[complex]]:
    """The value of each expression at the point and at others around it."""
    import sympy

    function = sympy.lambdify(symbols, list(expressions), modules=["scipy", "numpy"], cse=True)
    generator = np.random.default_rng(7)
    points = [
        np.array(point),
        *[point * generator.uniform(1 - SPREAD, 1 + SPREAD, len(point)) for _ in range(POINTS - 1)],
    ]
    with np.errstate(all="ignore"):
        rows = [[complex(value) for value in function(*where)] for where in points]
    return [list(column) for column in zip(*rows, strict=True)]


def _agree(found: Sequence[complex], expected: Sequence[complex], case: Case) -> bool:
    """Whether numbers agree to rounding, wherever both sides have one."""
    allowed = max(TOLERANCE, 1e6 * case.rounding)
    compared = [(a, b) for a, b in zip(found, expected, strict=True) if _is_finite(a) and _is_finite(b)]
    largest = max((abs(b) for _, b in compared), default=0.0)
    return bool(compared) and all(abs(a - b) <= allowed * max(abs(b), 1e-3 * largest, 1e-12) for a, b in compared)


def _is_finite(number: complex) -> bool:
    return math.isfinite(number.real) and math.isfinite(number.imag)
