"""Every problem's hand-written derivative against 50-digit differences, and the comparison against itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adcli_benchmarks.problem import Problem
from adcli_benchmarks.problems import PROBLEMS, problem_named
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import FunctionError, PointError
from adcli_methods.reference import directional_derivative

TOLERANCE = 1e-12
"""Of a hand-written derivative, relative to the largest exact entry."""
LEAST_NORM = 1e-3
MOST_COLUMNS = 6
Matrix = np.ndarray[Any, np.dtype[np.float64]]


def by_name(problem: Problem) -> str:
    return problem.name


def instances() -> list[Any]:
    """Every problem at its two least sizes, or with two seeds where it has one size."""
    return [
        pytest.param(problem, size, seed, id=f"{problem.name}-{size}-seed{seed}")
        for problem in PROBLEMS
        for size, seed in zip((problem.sizes * 2)[:2], (0, 1), strict=True)
    ]


def hand_matrix(problem: Problem, point: dict[str, Any]) -> Matrix:
    """The hand-written derivative with a row for each output entry, a column for each input entry."""
    hand, outputs = problem.derivative(**point), np.size(problem.function(**point))
    parts = hand.values() if isinstance(hand, dict) else [hand]
    return np.concatenate([np.reshape(part, (outputs, -1)) for part in parts], axis=1)


def exact_columns(problem: Problem, point: dict[str, Any], columns: list[int]) -> Matrix:
    """Some columns of the derivative, by 50-digit differences, rounded."""
    flat = flat_problem(problem.as_function(), point, Request())
    return np.stack([_exact_column(flat, column) for column in columns], axis=1)


def _exact_column(flat: Any, column: int) -> Matrix:
    seeds = []
    for leaf in flat.leaves:
        seed = np.zeros(np.size(leaf))
        if 0 <= column < seed.size:
            seed[column] = 1.0
        column -= seed.size
        seeds.append(seed.reshape(np.shape(leaf))[()])
    (entries,) = directional_derivative(flat.program, flat.leaves, seeds)
    return np.ravel(np.asarray(entries, dtype=object)).astype(float)


def sampled(count: int) -> list[int]:
    """A few columns, spread evenly."""
    return [int(column) for column in np.unique(np.linspace(0, count - 1, min(count, MOST_COLUMNS)).round())]


def disagrees(hand: Matrix, exact: Matrix) -> bool:
    """Whether any entry is off by more than the tolerance; relative, so that zeros do not pass for small."""
    return not np.max(np.abs(hand - exact)) <= TOLERANCE * np.max(np.abs(exact))


CORRUPTIONS: dict[str, Callable[[Matrix], Matrix]] = {
    "sign": lambda matrix: -matrix,
    "factor": lambda matrix: 2.0 * matrix,
    "permutation": lambda matrix: np.roll(matrix, 1, axis=1),
    "zero": lambda matrix: 0.0 * matrix,
    "not a number": lambda matrix: np.nan * matrix,
    "ninth digit": lambda matrix: matrix * (1.0 + 1e-9),
}


@pytest.mark.parametrize(("problem", "size", "seed"), instances())
def test_the_hand_derivative_is_right_and_a_corrupted_one_is_told(problem: Problem, size: int, seed: int) -> None:
    point = problem.point(size, seed)
    hand = hand_matrix(problem, point)
    columns = sampled(hand.shape[1])
    exact = exact_columns(problem, point, columns)
    assert not disagrees(hand[:, columns], exact)
    for name, corrupt in CORRUPTIONS.items():
        if not np.array_equal(corrupt(hand), hand):  # a single column cannot be permuted
            assert disagrees(corrupt(hand)[:, columns], exact), name


@pytest.mark.parametrize("problem", PROBLEMS, ids=by_name)
def test_values_are_finite_and_derivatives_are_not_negligible_at_every_size(problem: Problem) -> None:
    for size in problem.sizes:
        point = problem.point(size)
        assert np.all(np.isfinite(problem.function(**point))), size
        hand = problem.derivative(**point)
        norm = np.sqrt(sum(np.sum(np.square(part)) for part in (hand.values() if isinstance(hand, dict) else [hand])))
        assert np.isfinite(norm), size
        assert norm > LEAST_NORM, size


@pytest.mark.parametrize("problem", PROBLEMS, ids=by_name)
def test_points_follow_from_size_and_seed(problem: Problem) -> None:
    first, again, other = problem.point(seed=3), problem.point(seed=3), problem.point(seed=4)
    assert first.keys() == again.keys() == set(problem.as_function().parameters)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("problem", PROBLEMS, ids=by_name)
def test_a_problem_is_a_function_with_its_derivative(problem: Problem) -> None:
    function = problem.as_function()
    assert function.name == problem.name
    assert function.derivative is problem.derivative
    assert function.formula is None
    assert problem_named(problem.name) is problem


def test_names_are_unique_and_every_problem_says_where_it_comes_from() -> None:
    assert len({problem.name for problem in PROBLEMS}) == len(PROBLEMS)
    assert all(problem.source and problem.stresses and problem.formula for problem in PROBLEMS)
    assert all(list(problem.sizes) == sorted(problem.sizes) for problem in PROBLEMS)


def test_an_unknown_problem_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(FunctionError, match="unknown problem 'rosenbrok': did you mean rosenbrock"):
        problem_named("rosenbrok")
    with pytest.raises(FunctionError, match="known are exp-square, "):
        problem_named("???")


@pytest.mark.parametrize(("name", "size"), [("rosenbrock", 1), ("rosenbrock", -5), ("exp-square", 2)])
def test_a_size_that_a_problem_does_not_have_is_refused(name: str, size: int) -> None:
    with pytest.raises(PointError, match=f"problem {name} has size"):
        problem_named(name).point(size)


def test_reaction_chain_depends_on_every_rate() -> None:
    """The published variant takes too few steps, so that its last entry is zero whatever the rates are."""
    problem = problem_named("reaction-chain")
    for size in problem.sizes:
        assert np.all(problem.derivative(**problem.point(size)) > 0.0)
