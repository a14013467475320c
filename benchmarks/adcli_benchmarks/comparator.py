"""Whether a result is the derivative: the one comparison that every measure makes before it ranks anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from adcli_benchmarks.outcomes import RefusedError, WrongError

EXACT = {"float64": 1e-9, "float32": 1e-3}
"""What methods without a truncation error promise: rounding, times the condition of any sensible problem."""
ROUNDING_POWERS = {
    "forward-difference": 1 / 2,
    "scipy-difference": 1 / 2,
    "central-difference": 2 / 3,
    "numdifftools": 2 / 3,
}
"""The error of a method that differences is the machine epsilon to this power, times the cancellation."""
SLACK = 1000.0
MOST_PROMISED = 0.1
"""A method that cannot promise one digit is wrong where it has none."""
REFUSED_BELOW = 1e-30
"""Of the function's value: a smaller derivative is all but zero."""


class Judgement(NamedTuple):
    """A result beside its reference.

    Arguments:
        norm_relative_error: |result - reference| / |reference|, of the 2-norms of all entries.
        worst_entry_error: of the worst entry, over the reference's largest entry.
        fault: what is wrong, in words; empty for a result that is right.
    """

    norm_relative_error: float
    worst_entry_error: float
    fault: str

    @property
    def values(self) -> dict[str, Any]:
        """The errors for a record."""
        return {"norm_relative_error": self.norm_relative_error, "worst_entry_error": self.worst_entry_error}


def promised_error(method: str, dtype: str = "float64", cancellation: float = 1.0) -> float:
    """The norm-relative error that a method's results may have.

    Arguments:
        method: its name.
        dtype: "float64" or "float32".
        cancellation: how many digits differences lose, as the ratio |f| / (|x| |f'|) of the largest entries.

    >>> promised_error("reverse"), promised_error("forward-difference") > 1e-6
    (1e-09, True)
    """
    if method not in ROUNDING_POWERS:
        return EXACT[dtype]
    rounding = float(np.finfo(dtype).eps) ** ROUNDING_POWERS[method]
    return float(min(MOST_PROMISED, max(EXACT[dtype], SLACK * rounding * max(1.0, cancellation))))


def judge(result: Any, reference: Any, allowed: float = EXACT["float64"]) -> Judgement:
    """Compare a result with its reference, as a whole and entry by entry.

    A result is right if its norm-relative error is at most `allowed`, and each entry is within the square root of
    that of itself and `allowed` of the largest entry.

    Arguments:
        result, reference: arrays of one shape, of pure numbers.
        allowed: a norm-relative error, see `promised_error`.

    >>> judge([1.0, 2.0], [1.0, 2.0]).fault
    ''
    >>> judge([1.0, -2.0], [1.0, 2.0]).fault
    'entry 1 is -2 where 2 is right'
    """
    found, right = (np.asarray(side, dtype=np.float64) for side in (result, reference))
    if found.shape != right.shape:
        return Judgement(np.inf, np.inf, f"its shape is {found.shape} where {right.shape} is right")
    largest = float(np.max(np.abs(right), initial=0.0))
    if not np.all(np.isfinite(found)):
        return Judgement(np.inf, np.inf, _not_finite(found))
    if largest == 0:
        worst = float(np.max(np.abs(found), initial=0.0))
        return Judgement(*((np.inf, np.inf, "it is not zero where zero is right") if worst else (0.0, 0.0, "")))
    with np.errstate(over="ignore"):
        scaled, error = np.abs(right) / largest, np.abs(found / largest - right / largest)
    norm_relative = float(np.linalg.norm(error.ravel()) / np.linalg.norm(scaled.ravel()))
    return Judgement(norm_relative, float(np.max(error)), _fault(found, right, error, scaled, norm_relative, allowed))


def require_right(result: Any, reference: Any, allowed: float, values: Mapping[str, Any] | None = None) -> Judgement:
    """Compare as `judge` does, and refuse to go on with a result that is wrong.

    Arguments: as of `judge`; `values` were measured already, and are kept in the record of a wrong result.
    Raises: WrongError.
    """
    judgement = judge(result, reference, allowed)
    if judgement.fault:
        raise WrongError(judgement.fault, {**(values or {}), **judgement.values})
    return judgement


def require_telling(reference: Any, dtype: str = "float64", value: float = 0.0) -> None:
    """Refuse a reference that would let anything pass: empty, not finite, or all but zero.

    Arguments:
        reference: the derivative as it must be.
        dtype: a derivative so small that this type holds it with few digits is all but zero.
        value: the function's largest value; a derivative below 1e-30 of it is all but zero.
    Raises: RefusedError.
    """
    right = np.asarray(reference, dtype=np.float64)
    if right.size == 0:
        raise RefusedError("the reference derivative has no entries")
    if not np.all(np.isfinite(right)):
        raise RefusedError(f"the reference derivative is no measure: {_not_finite(right)}")
    largest, limits = float(np.max(np.abs(right))), np.finfo(dtype)
    if largest < max(float(limits.tiny) / float(limits.eps), REFUSED_BELOW * abs(value)):
        raise RefusedError(f"the reference derivative is all but zero ({largest:.1g}): any small result would pass")


def _fault(found: Any, right: Any, error: Any, scaled: Any, norm_relative: float, allowed: float) -> str:
    if not np.any(found):
        return "all its entries are zero"
    excess = error - (np.sqrt(allowed) * scaled + allowed)
    worst = int(np.argmax(excess))
    if np.isfinite(norm_relative) and excess.flat[worst] <= 0:
        return (
            ""
            if norm_relative <= allowed
            else f"its norm-relative error is {norm_relative:.1e}: {allowed:.0e} is allowed"
        )
    place = f"entry {', '.join(map(str, np.unravel_index(worst, right.shape)))}" if right.ndim else "it"
    return f"{place} is {found.flat[worst]:.6g} where {right.flat[worst]:.6g} is right"


def _not_finite(found: Any) -> str:
    nans, wrong = int(np.count_nonzero(np.isnan(found))), int(np.count_nonzero(~np.isfinite(found)))
    kinds = " and ".join(name for name, count in (("NaN", nans), ("infinite", wrong - nans)) if count)
    return f"{wrong} of {found.size} entries are {kinds}"
