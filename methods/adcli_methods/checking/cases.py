"""A claim at a point in a common form, beside what differentiation and differences say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from adcli_methods.checking.claim_noise import ClaimNoise
from adcli_methods.checking.claims import Claim
from adcli_methods.checking.differences import Estimate, Line, second_order
from adcli_methods.checking.directions import scales
from adcli_methods.checking.passes import around
from adcli_methods.checking.subject import Array, Subject
from adcli_methods.checking.tracing import Tracing

Shaken = Callable[[float, np.random.Generator], Array]


@dataclass(frozen=True)
class Sharp:
    """Claimed numbers beside those of differentiation.

    Arguments:
        claimed, reference: flat, in the same order.
        shaken: the reference again with its rounding exaggerated.
        reclaimed: the claimed numbers at another point, or from a source of the claim's results.
        places: the entry's number in the case, for each number; None for sums over entries.
        shape: of the array that the numbers are, for the causes.
    """

    claimed: Array
    reference: Array
    shaken: Shaken
    reclaimed: Callable[[Any], Array]
    places: Array | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Blunt:
    """Claimed numbers along a direction, the differences' line that measures them, and the claim's own rounding."""

    claimed: Array
    line: Any
    rounding: Array


@dataclass
class Case:
    """The base of both forms.

    Arguments:
        subject: the function.
        claim: the claim, its kind known.
        tracing: evidence by differentiation, None where the function cannot be traced.
        generator: of random numbers.
    """

    subject: Subject
    claim: Claim
    tracing: Tracing | None
    generator: np.random.Generator
    evaluations: int = 0
    sizes: Array = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = scales(self.subject)

    @cached_property
    def noise(self) -> ClaimNoise:
        """How far rounding moves the claim."""
        return ClaimNoise(self.subject, self.claim)

    @property
    def order(self) -> int:
        """How often the function is differentiated."""
        return 2 if self.claim.kind in ("hessian", "hvp") else 1

    def run(self, x: Array, watch: bool = False, vector: Any = None) -> tuple[Any, bool]:
        """The claim's raw result at a point, and whether it changed its inputs."""
        self.evaluations += 1
        call = self.claim.call
        if vector is None:
            return self.subject.call(call, x, self.claim.name, watch)
        return self.subject.call(lambda *inputs: call(*inputs, vector), x, self.claim.name, watch)

    def along(self, v: Array, u: Array | None = None) -> Line:
        """Differences of the function, or of u^T f, along a direction."""
        subject = self.subject

        def both(h: float) -> tuple[Array, Array]:
            ahead, behind = around(subject.x, v, h)
            values = subject.value(ahead), subject.value(behind)
            return values if u is None else (np.array([u @ values[0]]), np.array([u @ values[1]]))

        if u is None:
            return Line(both, subject.y, subject.value_eps)
        spread = float(np.abs(u) @ np.abs(subject.y)) / max(float(abs(u @ subject.y)), 1e-300)
        return Line(both, np.array([u @ subject.y]), subject.value_eps * min(max(spread, 1.0), 1e15))

    def mixed(self, u: Array, v: Array) -> Estimate:
        """u^T H v by second differences of a scalar function."""
        subject = self.subject
        x, f = subject.x, subject.value

        def stencil(h: float) -> Array:
            a, b = h * u, h * v
            return (f(x + a + b) - f(x + (a - b)) - f(x - (a - b)) + f(x - a - b)) / (4 * h * h)

        peak = float(np.nanmax(np.abs(np.concatenate([subject.y, f(x + u / 4 + v / 4), f(x - u / 4 - v / 4)]))))
        return second_order(stencil, peak, subject.value_eps)

    def unit(self, j: int) -> Array:
        """The direction of one input entry, of its size."""
        v = np.zeros(self.subject.n)
        v[j] = self.sizes[j]
        return v


class Mixed:
    """Second differences where a line of first ones is expected."""

    def __init__(self, case: Case, u: Array, v: Array) -> None:
        self.case, self.u, self.v = case, u, v

    def full(self) -> Estimate:
        """The estimate from the whole ladder."""
        return self.case.mixed(self.u, self.v)

    def quick(self, levels: Any = None) -> Estimate:
        """The same: there is no cheaper one."""
        return self.full()


def basis(size: int, i: int) -> Array:
    """The i-th unit vector."""
    seed = np.zeros(size)
    seed[i] = 1.0
    return seed


def only(estimate: Estimate, i: int, size: float) -> Estimate:
    """One output's estimate, per unit of the input."""
    parts = [np.atleast_1d(part)[i : i + 1] for part in estimate[:5]]
    value, error, natural, left, right = (part / size for part in parts)
    return Estimate(value, error, natural, left, right, estimate.kink[i : i + 1], estimate.unbounded[i : i + 1],
                    estimate.one_sided)  # fmt: skip
