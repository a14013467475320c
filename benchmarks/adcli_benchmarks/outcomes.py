"""How a cell can end, and the errors by which a measure says so.

WrongError    the result is not the derivative: the row keeps its values and is never ranked
RefusedError  the problem cannot tell right from wrong: its reference derivative is all but zero, or not finite
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adcli_methods.errors import AdcliError, OperatorError, UnavailableError

OK = "ok"
WRONG = "wrong"
REFUSED = "refused"
UNSUPPORTED = "unsupported"
UNAVAILABLE = "unavailable"
TIMEOUT = "timeout"
OUT_OF_MEMORY = "out_of_memory"
CRASHED = "crashed"
EXITED = "exited"
FAILED = "failed"

OUTCOMES = (OK, WRONG, REFUSED, UNSUPPORTED, UNAVAILABLE, TIMEOUT, OUT_OF_MEMORY, CRASHED, EXITED, FAILED)
"""Every outcome, as records write it."""
FAILURES = frozenset({WRONG, TIMEOUT, OUT_OF_MEMORY, CRASHED, EXITED, FAILED})
"""Outcomes of cells that should have given a result; with one of them `adcli bench` exits with 4."""


class WrongError(AdcliError):
    """A result that is not the derivative.

    Arguments: why, and what was measured all the same (its errors, say).
    """

    def __init__(self, reason: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.values = dict(values or {})


class RefusedError(AdcliError):
    """A problem whose reference derivative is all but zero, or not finite, so that anything would pass."""


def outcome_of(error: BaseException) -> str:
    """The outcome that an error of a measure stands for.

    >>> outcome_of(OperatorError("method complex-step gives no hessian"))
    'unsupported'
    """
    kinds = {
        WrongError: WRONG,
        RefusedError: REFUSED,
        OperatorError: UNSUPPORTED,
        UnavailableError: UNAVAILABLE,
        MemoryError: OUT_OF_MEMORY,
    }
    return next((outcome for kind, outcome in kinds.items() if isinstance(error, kind)), FAILED)
