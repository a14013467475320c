"""The user's function as a black box: one vector in, one vector out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from adcli_methods.errors import FunctionError
from adcli_methods.function import FlatFunction, describe
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, Tally, counted, identity
from adcli_methods.operators import require_scalar
from adcli_methods.primitive import Value, shape_of
from adcli_methods.structure import leaves_of, output_tree

Vector = np.ndarray[Any, np.dtype[Any]]
VectorFunction = Callable[[Vector], Vector]


def flattened(values: Sequence[Value]) -> Vector:
    """All entries of all values."""
    return np.concatenate([np.ravel(value) for value in values])


def parted(vector: Vector, shapes: Sequence[tuple[int, ...]]) -> list[Value]:
    """A vector in values of these shapes."""
    bounds = np.cumsum([0, *map(math.prod, shapes)])
    parts = [vector[start:stop] for start, stop in pairwise(bounds)]
    return [part.reshape(shape) if shape else part[0] for part, shape in zip(parts, shapes, strict=True)]


def black_box(problem: FlatFunction, tally: Tally) -> Flat:
    """The user's function of the leaves, with as little in between as is safe: it may write into its arrays."""
    names, function = list(problem.inputs), problem.function
    places = [names.index(path[0]) for path in problem.paths]
    kept = [value for place, value in enumerate(problem.inputs.values()) if place not in places]
    if any(len(path) > 1 for path in problem.paths) or any(isinstance(value, np.ndarray) for value in kept):
        return counted(problem, tally)
    arguments = list(problem.inputs.values())

    def run(leaves: Sequence[Value]) -> list[Value]:
        tally.primal_evaluations += 1
        given = list(arguments)
        for place, leaf in zip(places, leaves, strict=True):
            given[place] = leaf.copy() if type(leaf) is np.ndarray else leaf
        try:
            result = function.call(*given)
        except Exception as error:
            if not function.is_file:
                raise
            raise FunctionError(describe(error, function.name)) from error
        if type(result) in _NUMBERS:
            return [result]
        problem.output = output_tree(result, function.name)
        return [leaf for _, leaf in leaves_of(problem.output)]

    return run


_NUMBERS = (float, np.float64, np.float32, np.ndarray)


def of_vector(function: Flat, shapes: Sequence[tuple[int, ...]]) -> VectorFunction:
    """The function of leaves as a function of the vector of all their entries."""
    return lambda vector: flattened(function(parted(vector, shapes)))


def blocks_of_matrix(matrix: Vector, outputs: Sequence[Value], leaves: Sequence[Value]) -> list[Value]:
    """A Jacobian with a row for each output entry and a column for each input entry, as blocks."""
    rows = np.cumsum([0, *(math.prod(shape_of(output)) for output in outputs)])
    columns = np.cumsum([0, *(math.prod(shape_of(leaf)) for leaf in leaves)])
    blocks = []
    for output, (top, bottom) in zip(outputs, pairwise(rows), strict=True):
        for leaf, (left, right) in zip(leaves, pairwise(columns), strict=True):
            block = matrix[top:bottom, left:right].reshape(shape_of(output) + shape_of(leaf))
            blocks.append(block if block.shape else float(block))
    return blocks


class BlackBox(Method):
    """The base of the packages that are given the user's function and shift its inputs."""

    highest_order = 1
    operators = frozenset({"derivative", "gradient", "jacobian", "jvp", "vjp"})

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        self.problem = problem
        return Native(black_box(problem, self.tally), problem.leaves, identity)

    def matrix(self, function: VectorFunction, at: Vector) -> Vector:
        """The Jacobian of a vector function of a vector."""
        raise NotImplementedError  # every package defines it

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        outputs = function(leaves)
        shapes = [shape_of(leaf) for leaf in leaves]
        at = flattened(leaves)

        def push(tangents: Sequence[Value]) -> list[Value]:
            speed = flattened(tangents)
            along = of_vector(function, shapes)
            column = self.matrix(lambda t: along(at + t[0] * speed), np.zeros(1, at.dtype))
            return parted(column[:, 0], [shape_of(output) for output in outputs])

        return Linearization(outputs, push)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        function = black_box(problem, self.tally)
        shapes = [shape_of(leaf) for leaf in problem.leaves]
        vector_function = of_vector(function, shapes)
        if operator == "gradient":
            require_scalar(function(problem.leaves), operator)

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs = function(leaves)
            matrix = self.matrix(vector_function, flattened(leaves))
            if operator == "gradient":
                return outputs, parted(matrix[0], shapes)
            return outputs, blocks_of_matrix(matrix, outputs, leaves)

        return Prepared(run, problem.leaves, identity, self.convert)
