"""What to check, as the command line says it: plain text and numbers, so that another process can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from adcli.checking.names import FORMS
from adcli_methods.errors import AdcliError

GIVEN_POINTS, RANDOM_POINTS = 1, 5
"""How many points are checked where one is given, and where none is."""


class NothingToCheckError(AdcliError):
    """No claim was named, and none was found."""

    exit_code = 3


def nothing_found(place: str) -> NothingToCheckError:
    """The error for a place without pairs."""
    return NothingToCheckError(f"no function with its derivative in {place}: name them {FORMS}, or give --grad")


@dataclass(frozen=True)
class Order:
    """One check, or one for each claim that is found for the function.

    Arguments:
        function: a formula, "file.py:name", "module:name" or "problem:name".
        claim: likewise; None: those that are named as the function's derivative, or what a problem carries.
        kind: of the claim, None to find out.
        at: the point as `--at` has it, n: the size as `--n` has it.
        points: how many, seed: of the random ones.
        wrt: the inputs to differentiate by, None for all.
        rtol, atol: tolerances in place of the derived ones.
        is_torch: whether the function takes tensors, and its autograd is the claim.
    """

    function: str
    claim: str | None = None
    kind: str | None = None
    at: str | None = None
    n: str | None = None
    points: int | None = None
    seed: int = 0
    wrt: str | None = None
    rtol: float | None = None
    atol: float | None = None
    is_torch: bool = False

    @property
    def default_points(self) -> int:
        """As many as asked for, else one that is given, or five random ones."""
        return self.points or (RANDOM_POINTS if self.at is None else GIVEN_POINTS)

    def settings(self) -> dict[str, Any]:
        """What the engine takes by keyword."""
        return {"points": self.default_points, "seed": self.seed, "rtol": self.rtol, "atol": self.atol}


_OPTIONS: Mapping[str, str] = {"claim": "--grad", "kind": "--kind", "at": "--at", "n": "--n", "wrt": "--wrt",
                               "rtol": "--rtol", "atol": "--atol"}  # fmt: skip


def command(order: Order, claim: str | None) -> str:
    """The one command that does this check again, seed and number of points included.

    >>> command(Order("exp(x)", "x", at="2"), "x")
    "adcli check 'exp(x)' --grad x --at 2 --points 1 --seed 0"
    """
    words = ["adcli check", quote(order.function)]
    if order.is_torch:
        words.append("--torch")
    for name, option in _OPTIONS.items():
        value = claim if name == "claim" else getattr(order, name)
        if value is not None:
            words += [option, quote(str(value))]
    return " ".join([*words, "--points", str(order.default_points), "--seed", str(order.seed)])
