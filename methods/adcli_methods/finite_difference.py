"""Difference quotients: the function itself at shifted points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, counted, identity
from adcli_methods.primitive import Value

LEAST_SCALE = 0.05
"""Inputs smaller than this are stepped as if they had this size."""


class Difference(Method):
    """The base of both differences.

    The step balances truncation against rounding: eps**(1/(order + accuracy)) times the size of the input,
    a power of two so that x + h is exact (Nocedal and Wright, Numerical Optimization, section 8.1).
    """

    accuracy = 1

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        self.total_order = order
        return Native(counted(problem, self.tally), problem.leaves, identity)

    def step(self, leaves: Sequence[Value], tangents: Sequence[Value]) -> float:
        """The step along a direction: no input moves by more than its share."""
        if self.settings.step is not None:
            return self.settings.step
        eps = max((float(np.finfo(_dtype(leaf)).eps) for leaf in leaves), default=2.0**-52)
        share: float = eps ** (1.0 / (self.total_order + self.accuracy))
        room = math.inf
        for leaf, tangent in zip(leaves, tangents, strict=True):
            size, speed = np.maximum(np.abs(leaf), LEAST_SCALE), np.abs(tangent)
            if np.any(speed > 0):
                room = min(room, float(np.min(size[speed > 0] / speed[speed > 0] if np.ndim(leaf) else size / speed)))
        if not 0 < room < math.inf:
            return share
        return math.ldexp(1.0, round(math.log2(share) + math.log2(room)))


def _dtype(leaf: Value) -> Any:
    return np.asarray(leaf).dtype


def _moved(leaves: Sequence[Value], tangents: Sequence[Value], step: float) -> list[Value]:
    return [
        leaf + _like(step * tangent, leaf) if np.any(tangent) else leaf
        for leaf, tangent in zip(leaves, tangents, strict=True)
    ]


def _like(move: Value, leaf: Value) -> Value:
    return move if isinstance(leaf, float) else np.asarray(move, dtype=_dtype(leaf))


class ForwardDifference(Difference):
    """(f(x + h v) - f(x)) / h."""

    name = "forward-difference"
    aliases = ("fd",)
    summary = "(f(x+h) - f(x)) / h: n + 1 evaluations, half of the digits"
    highest_order = 4
    accuracy = 1

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        outputs = function(leaves)

        def push(tangents: Sequence[Value]) -> list[Value]:
            step = self.step(leaves, tangents)
            ahead = function(_moved(leaves, tangents, step))
            return [(a - b) / step for a, b in zip(ahead, outputs, strict=True)]

        return Linearization(outputs, push)


class CentralDifference(Difference):
    """(f(x + h v) - f(x - h v)) / 2h."""

    name = "central-difference"
    aliases = ("cd",)
    summary = "(f(x+h) - f(x-h)) / 2h: 2n evaluations, two thirds of the digits"
    highest_order = 6
    evaluates_point = False
    accuracy = 2

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        is_any_empty = not all(map(np.size, leaves))  # no quotient by it shows what the outputs are like
        outputs = function(leaves) if is_any_empty else None

        def push(tangents: Sequence[Value]) -> list[Value]:
            step = self.step(leaves, tangents)
            ahead = function(_moved(leaves, tangents, step))
            behind = function(_moved(leaves, tangents, -step))
            return [(a - b) / (2.0 * step) for a, b in zip(ahead, behind, strict=True)]

        return Linearization(outputs, push)
