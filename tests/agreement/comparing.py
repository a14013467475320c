"""What the agreement tests share: how far each method may be off, and every result as one matrix."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.function import Function
from adcli_methods.methods import method_named
from adcli_methods.reference import directional_derivative

Matrix = np.ndarray[Any, np.dtype[np.float64]]
ROUNDING = 1e-10
FIRST_ORDER = {"central-difference": 1e-6, "forward-difference": 1e-4}
SECOND_ORDER = {"central-difference": 1e-4, "forward-difference": 1e-2}


def tolerance(mode: str, order: int) -> float:
    """The largest error allowed, relative to the largest exact entry."""
    return (FIRST_ORDER if order == 1 else SECOND_ORDER).get(mode, ROUNDING)


def require(mode: str) -> None:
    """Skip the test where the method cannot run."""
    missing = method_named(mode).missing()
    if missing:
        pytest.skip(f"{mode} is not installed: {missing}")


def assert_close(found: Matrix, exact: Matrix, allowed: float) -> None:
    """Fail with both where an entry is off by more than allowed, relative to the largest exact entry."""
    assert found.shape == exact.shape
    error = np.max(np.abs(found - exact)) / np.max(np.abs(exact))
    assert error <= allowed, f"error {error:.1e}, allowed {allowed:.0e}\nfound {found}\nexact {exact}"


def parts(tree: Any) -> list[Any]:
    """The parts of a result by input, one or several."""
    return list(tree.values()) if isinstance(tree, dict) else [tree]


def rows(tree: Any, count: int) -> Matrix:
    """Parts by input, each of shape output.shape + input.shape, as a matrix with that many rows."""
    return np.concatenate([np.reshape(np.asarray(part, dtype=float), (count, -1)) for part in parts(tree)], axis=1)


def hessian_matrix(tree: Any, sizes: list[int]) -> Matrix:
    """Second derivatives by pairs of inputs, of these sizes, as one symmetric matrix."""
    return np.concatenate([rows(part, size) for part, size in zip(parts(tree), sizes, strict=True)], axis=0)


def as_matrix(result: Derivative, sizes: list[int]) -> Matrix:
    """A result of any operator: outputs by inputs, inputs by inputs, or one row for a product with a vector."""
    if result.operator == "hessian" or (result.operator == "derivative" and result.order == 2):
        return hessian_matrix(result.derivative, sizes)
    if result.operator in ("jvp", "vjp", "hvp"):
        return rows(result.derivative, 1)
    return rows(result.derivative, int(np.size(result.value)))


def exact_along(function: Function, point: Any, direction: Matrix, order: int) -> Any:
    """The derivative of a scalar function along a direction in all its inputs, by 50-digit differences."""
    flat = flat_problem(function, point, Request())
    bounds = np.cumsum([0, *(np.size(leaf) for leaf in flat.leaves)])
    blocks = [direction[start:stop] for start, stop in pairwise(bounds)]
    seeds = [np.reshape(block, np.shape(leaf))[()] for block, leaf in zip(blocks, flat.leaves, strict=True)]
    return directional_derivative(flat.program, flat.leaves, seeds, order)[0]


def exact_hessian(function: Function, point: Any) -> Matrix:
    """Second differences of 50 digits: along e_i + e_j, less those along e_i and e_j, they are 2 H[i, j]."""
    flat = flat_problem(function, point, Request())
    unit = np.eye(sum(int(np.size(leaf)) for leaf in flat.leaves))
    alone = [exact_along(function, point, row, 2) for row in unit]
    entries = [
        [(exact_along(function, point, a + b, 2) - alone[i] - alone[j]) / 2 for j, b in enumerate(unit)]
        for i, a in enumerate(unit)
    ]
    return np.array(entries, dtype=float)
