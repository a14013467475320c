"""The columns of a table as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import PointError

Column = np.ndarray[Any, np.dtype[np.float64]]

_NUMBERS, _TEXTS_AND_OBJECTS = "fiub", "OUS"
"""Kinds of dtype that are numbers, and that may hold them."""


def columns_of(given: Mapping[str, Any]) -> dict[str, Column]:
    """The columns in float64.

    Raises: PointError for no columns, unlike lengths, or an entry that is no number.
    """
    if not given:
        raise PointError("there are no columns: give one for at least one input")
    found = {name: _array(name, column) for name, column in given.items()}
    shapes = {column.shape for column in found.values()}
    if len(shapes) != 1 or len(shapes.pop()) != 1:
        told = ", ".join(f"{name} has shape {column.shape}" for name, column in found.items())
        raise PointError(f"columns are vectors of one length: {told}")
    return {name: _numbers(name, column) for name, column in found.items()}


def _array(name: str, given: Any) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(given)
    except ValueError:  # rows of unlike lengths
        raise PointError(f"column {name} is no vector: give one number for each row") from None


def _numbers(name: str, column: np.ndarray[Any, Any]) -> Column:
    if column.dtype.kind in _NUMBERS:
        return column.astype(np.float64, copy=False)
    if column.dtype.kind not in _TEXTS_AND_OBJECTS:
        raise PointError(f"column {name} holds {column.dtype}: real numbers are expected")
    return np.array(_floats(name, column.tolist()))


def _floats(name: str, cells: Sequence[Any]) -> list[float]:
    found: list[float] = []
    try:
        found.extend(map(float, cells))  # which keeps those before the one that fails
    except (ValueError, TypeError, OverflowError) as error:
        why = "too large for a float" if isinstance(error, OverflowError) else "no number"
        shown = repr(cells[len(found)])[:40]
        raise PointError(
            f"column {name}, row {len(found)} (from 0) is {shown}, {why}: give nan where a number is missing"
        ) from None
    return found
