"""A claim: a function that says what the derivative of another function is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS = ("derivative", "gradient", "jacobian", "hessian", "hvp", "jvp", "vjp", "value_and_gradient")


@dataclass(frozen=True)
class Claim:
    """A claimed derivative.

    Arguments:
        name: what to call it in reports.
        call: takes the function's inputs; of hvp, jvp and vjp the vector comes last.
        kind: one of KINDS, None to find out from the name and the shape of its result.
    """

    name: str
    call: Callable[..., Any]
    kind: str | None = None
