"""What a problem is: a function as its user would write it, its derivative by hand, and points to try it at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adcli_methods.errors import PointError
from adcli_methods.function import Function, function_of

Array = np.ndarray[Any, np.dtype[Any]]
Point = dict[str, Any]
MakePoint = Callable[[int, int], Point]
"""From a size and a seed to the inputs by name."""


@dataclass(frozen=True)
class Problem:
    """A function with a known derivative; all quantities are pure numbers, without units.

    Arguments:
        name: its name after "problem:".
        formula: what it computes, as text.
        function: the function, in plain NumPy.
        derivative: its first derivative by hand, of the same inputs: a number or an array of shape
            output.shape + input.shape for one input, a dict of them by name for several.
        sizes: the sizes worth measuring, the least first, which is also the default; one alone is the only size.
        make_point: gives the inputs by name for a size and a seed.
        source: where it comes from.
        stresses: what it is good for.
    """

    name: str
    formula: str
    function: Callable[..., Any]
    derivative: Callable[..., Any]
    sizes: tuple[int, ...]
    make_point: MakePoint
    source: str
    stresses: str

    def point(self, size: int | None = None, seed: int = 0) -> Point:
        """Random inputs, the same for the same size and seed.

        Arguments:
            size: the number of entries, steps or clusters; None is the least.
            seed: the seed of the random numbers.
        Raises: PointError for a size that the problem does not have.
        """
        size = self.sizes[0] if size is None else size
        self.require(size)
        return self.make_point(size, seed)

    def require(self, size: int) -> None:
        """Refuse a size that the problem does not have.

        Raises: PointError.
        """
        least, *more = self.sizes
        if size < least or (size > least and not more):
            raise PointError(f"problem {self.name} has size {least}{' or more' if more else ' only'}, not {size}")

    def inputs(self, size: int) -> int:
        """The number of entries that it is differentiated by."""
        return sum(np.size(value) for value in self.point(size).values() if np.asarray(value).dtype.kind == "f")

    def as_function(self) -> Function:
        """The problem for every method, its hand-written derivative included."""
        return replace(function_of(self.function), name=self.name, derivative=self.derivative)


def numbers(**ranges: tuple[float, float]) -> MakePoint:
    """Points with one number for each input, uniform in the input's range."""

    def make(size: int, seed: int) -> Point:
        generator = np.random.default_rng(seed)
        return {name: float(generator.uniform(*bounds)) for name, bounds in ranges.items()}

    return make


def vector(low: float, high: float) -> MakePoint:
    """Points with one input, the vector x, its entries uniform between low and high."""
    return lambda size, seed: {"x": np.random.default_rng(seed).uniform(low, high, size)}
