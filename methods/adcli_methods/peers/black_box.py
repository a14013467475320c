"""The user's function as a black box: one vector in, one vector out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from adcli_methods.direct import direct_function
from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted, identity
from adcli_methods.operators import require_scalar
from adcli_methods.primitive import Value, shape_of

Vector = np.ndarray[Any, np.dtype[Any]]
VectorFunction = Callable[[Vector], Vector]


class Layout:
    """Where the entries of several values lie in one vector.

    Arguments:
        shapes: the values' shapes, in order.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        bounds = [0, *accumulate(map(math.prod, shapes))]
        self.places = [(start, stop, shape) for (start, stop), shape in zip(pairwise(bounds), shapes, strict=True)]
        self.size = bounds[-1]

    def flattened(self, values: Sequence[Value]) -> Vector:
        """All entries of the values."""
        if len(values) == 1:
            return values[0].reshape(-1) if self.places[0][2] else np.array([values[0]])
        return np.concatenate([np.ravel(value) for value in values])

    def parted(self, vector: Vector) -> list[Value]:
        """A vector in values of these shapes."""
        return [vector[start:stop].reshape(shape) if shape else vector[start] for start, stop, shape in self.places]

    def blocks(self, matrix: Vector, columns: Layout) -> list[Value]:
        """A Jacobian with rows as laid out here, as blocks."""
        return [
            matrix[top:bottom, left:right].reshape(output + leaf) if output + leaf else matrix[top, left]
            for top, bottom, output in self.places
            for left, right, leaf in columns.places
        ]


def of_vector(function: Flat, layout: Layout) -> VectorFunction:
    """The function of leaves as a function of the vector of all their entries."""

    def call(vector: Vector) -> Vector:
        outputs = function(layout.parted(vector))
        return np.concatenate([np.ravel(output) for output in outputs])

    return call


def layout_of(values: Sequence[Value]) -> Layout:
    """The layout of values."""
    return Layout([shape_of(value) for value in values])


class BlackBox(Method):
    """The base of the packages that are given the user's function and shift its inputs."""

    highest_order = 1
    operators = frozenset({"derivative", "gradient", "jacobian", "jvp", "vjp"})

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        self.problem = problem
        return Native(counted(direct_function(problem), self.tally), problem.leaves, identity)

    def matrix(self, function: VectorFunction, at: Vector) -> Vector:
        """The Jacobian of a vector function of a vector."""
        raise NotImplementedError  # every package defines it

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        outputs = function(leaves)
        rows, columns = layout_of(outputs), layout_of(leaves)
        at, along = columns.flattened(leaves), of_vector(function, columns)

        def push(tangents: Sequence[Value]) -> list[Value]:
            speed = columns.flattened(tangents)
            column = self.matrix(lambda t: along(at + t[0] * speed), np.zeros(1, at.dtype))
            return rows.parted(column[:, 0].astype(at.dtype, copy=False))

        return Linearization(outputs, push)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        function = counted(direct_function(problem), self.tally)
        outputs = function(problem.leaves)
        rows, columns = layout_of(outputs), layout_of(problem.leaves)
        vector_function = of_vector(function, columns)
        if operator == "gradient":
            require_scalar(outputs, operator)

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs = function(leaves)
            at = columns.flattened(leaves)
            matrix = self.matrix(vector_function, at).astype(at.dtype, copy=False)
            return outputs, columns.parted(matrix[0]) if operator == "gradient" else rows.blocks(matrix, columns)

        return Prepared(run, problem.leaves, identity, self.convert)
