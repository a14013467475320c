"""What the agreement tests share: how far each method may be off, and every result as one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adcli_methods.derivative import Derivative
from adcli_methods.methods import method_named

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
