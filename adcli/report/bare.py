"""The bare numbers: one line for a number or a vector, a line for each row of a matrix, inputs in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.derivative import Derivative
from adcli_methods.structure import leaves_of


def numbers(result: Derivative) -> str:
    """The derivative alone, without names."""
    return "\n".join(_lines(leaf) for _, leaf in leaves_of(result.derivative))


def _lines(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item())
    if array.ndim == 1:
        return " ".join(repr(entry.item()) for entry in array)
    return "\n".join(_lines(row) for row in array)
