"""How far rounding moves a claim: its own formula, traced, with every operation's rounding exaggerated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import update_wrapper
from typing import Any

import numpy as np

from adcli_methods.checking.claims import Claim
from adcli_methods.checking.subject import Array, Subject
from adcli_methods.checking.tracing import shaken_values, shaker
from adcli_methods.function import FlatFunction
from adcli_methods.structure import rebuild

Source = Callable[[Any], Any]
"""Gives a raw result of the claim for a vector of a product, or None."""


class ClaimNoise:
    """The claim's formula, traced once for each vector."""

    def __init__(self, subject: Subject, claim: Claim) -> None:
        self.subject, self.claim = subject, claim
        self.traced: list[tuple[Any, FlatFunction]] = []

    def source(self, eps: float, generator: np.random.Generator) -> Source:
        """Results as rounding could have made them. It raises where the claim cannot be traced."""

        def draw(vector: Any) -> Any:
            problem = self._problem(vector)
            trace, slots = problem.traced
            values = shaken_values(trace, shaker(eps, generator))
            leaves = iter([values[slot] for slot in slots])
            return rebuild(problem.output, lambda path, leaf: np.asarray(next(leaves))[()])

        return draw

    def _problem(self, vector: Any) -> FlatFunction:
        for known, problem in self.traced:
            if known is vector:
                return problem
        call, inner = self.claim.call, self.subject.problem

        def applied(*inputs: Any) -> Any:
            return call(*inputs) if vector is None else call(*inputs, vector)

        wrapped = update_wrapper(applied, call, assigned=(), updated=())  # stand-ins look for the user's module there
        function = replace(inner.function, name=self.claim.name, call=wrapped, formula=None)
        problem = FlatFunction(function, inner.inputs, inner.paths, "float64")
        self.traced.append((vector, problem))
        return problem


def moves_of(source: Source, reclaimed: Callable[[Any], Array], claimed: Array, count: int) -> Array:
    """The largest move of each claimed number in some draws; 0 where the claim cannot be traced."""
    largest = np.zeros(len(claimed))
    for _ in range(count):
        try:
            moved = np.abs(reclaimed(source) - claimed)
        except Exception:  # a claim that makes something else of tracers, as a sparse matrix
            return largest
        largest = np.maximum(largest, np.where(np.isfinite(moved), moved, 0.0))
        if not largest.any():
            break
    return largest
