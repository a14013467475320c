"""Numbers and arrays as short text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST_ENTRIES = 20
"""Arrays with more entries are summarised."""


def text(value: Any) -> str:
    """A number in full, a small array row by row, a large one by shape, norm, first and last entries."""
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item())
    if array.size <= MOST_ENTRIES:
        return _rows(array)
    first = ", ".join(f"{entry:.6g}" for entry in array.ravel()[:3])
    last = ", ".join(f"{entry:.6g}" for entry in array.ravel()[-3:])
    norm = float(np.linalg.norm(array.ravel()))
    return f"[{first}, ..., {last}]\nshape {array.shape}, norm {norm:.10g}"


def _rows(array: Any) -> str:
    if array.ndim == 1:
        return "[" + ", ".join(repr(entry.item()) for entry in array) + "]"
    return "[" + ",\n ".join(_rows(row).replace("\n", "\n ") for row in array) + "]"


def duration(seconds: float) -> str:
    """Seconds with a fitting unit.

    >>> duration(0.00023)
    '230 µs'
    """
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{max(seconds, 0.0) * 1e9:.3g} ns"


def count(number: int, noun: str) -> str:
    """A count with its noun in the right number.

    >>> count(1, "sweep"), count(1000, "sweep")
    ('1 sweep', '1,000 sweeps')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def error(value: float | None) -> str:
    """An error to two digits; 0 as such."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    return _short(f"{value:.1e}") if math.isfinite(value) else str(value)


def _short(scientific: str) -> str:
    """An exponent without padding: 5.2e+09 as 5.2e9."""
    mantissa, _, exponent = scientific.partition("e")
    return f"{mantissa}e{int(exponent)}"


def ulp(value: float | None) -> str:
    """An error in units in the last place."""
    if value is None:
        return ""
    return f"{value:.1f}" if value < 1e4 else error(value)
