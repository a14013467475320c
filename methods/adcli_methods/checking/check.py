"""Checking a claimed derivative against evidence that is not the claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adcli_methods.checking.claims import Claim
from adcli_methods.checking.report import CheckReport
from adcli_methods.function import Function


def check(
    function: Function | Callable[..., Any],
    claim: Claim | Callable[..., Any],
    at: Any = None,
    *,
    kind: str | None = None,
    wrt: str | Sequence[str] | None = None,
    points: int = 1,
    size: int | None = None,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    args: Sequence[Any] = (),
) -> CheckReport:
    """Check a claimed derivative at a point, and at random points around it."""
    raise NotImplementedError
