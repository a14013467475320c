"""What a cell measures: a problem's function at a point, the same for every method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.problem import Array, Point
from adcli_benchmarks.problems import problem_named
from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import PointError
from adcli_methods.function import FlatFunction, Function
from adcli_methods.loading import load_python, names_python
from adcli_methods.method import Method, Settings
from adcli_methods.methods import method_named
from adcli_methods.operators import size_of
from adcli_methods.primitive import Value
from adcli_methods.structure import is_differentiable, leaves_of, rebuild


@dataclass(frozen=True)
class Subject:
    """A function at a point.

    Arguments:
        function: the function, its hand-written derivative included where it has one.
        point: the inputs by name, in double precision, each a number of the cell's dtype.
        dtype: the floating type that methods compute in.
    """

    function: Function
    point: Point
    dtype: str

    @cached_property
    def flat(self) -> FlatFunction:
        """The function of its leaves, in the cell's dtype."""
        return flat_problem(self.function, self.point, Request(dtype=self.dtype))

    @cached_property
    def exact(self) -> FlatFunction:
        """The function of the same leaves in double precision, for references."""
        return flat_problem(self.function, self.point, Request())

    @cached_property
    def inputs(self) -> int:
        """The number of input entries."""
        return size_of(self.flat.leaves)

    @cached_property
    def outputs(self) -> int:
        """The number of output entries."""
        return size_of(self.flat(self.flat.leaves))

    @property
    def operator(self) -> str:
        """The first derivative's operator: the gradient of one number, else the Jacobian."""
        return "gradient" if self.outputs == 1 else "jacobian"


def subject_of(cell: Cell) -> Subject:
    """The function and the point of a cell.

    Raises: FunctionError for an unknown problem, PointError for a size that it does not have.
    """
    if names_python(cell.problem):
        function = load_python(cell.problem)
        point = _random_inputs(function, cell)
    else:
        problem = problem_named(cell.problem)
        function, point = problem.as_function(), problem.point(cell.size, cell.seed)
    return Subject(function, _rounded(point, cell.dtype), cell.dtype)


def method_of(cell: Cell, step: float | None = None) -> Method:
    """The cell's method on the cell's device.

    Raises: OperatorError for an unknown one, UnavailableError for a device that is not here.
    """
    if cell.device != "cpu":
        from adcli_methods.devices import require

        require(cell.device)
    return method_named(cell.method)(Settings(cell.device, step))


def matrix(blocks: list[Value], leaves: list[Value]) -> Array:
    """Blocks of a derivative, outputs first, as one matrix: a row for each output entry, a column for each input's."""
    sizes = [int(np.size(leaf)) for leaf in leaves]
    rows = [
        np.concatenate(
            [np.reshape(np.asarray(block, dtype=float), (-1, size)) for block, size in zip(part, sizes, strict=True)],
            axis=1,
        )
        for part in (blocks[start : start + len(leaves)] for start in range(0, len(blocks), len(leaves)))
    ]
    return np.concatenate(rows, axis=0)


def matrix_of(result: Derivative, flat: FlatFunction) -> Array:
    """A first derivative, or one of any order by one number, as a matrix like that of `matrix`."""
    parts = [part for _, part in leaves_of(result.derivative)]
    outputs = len(parts) // len(flat.leaves)
    by_output = [parts[leaf * outputs + output] for output in range(outputs) for leaf in range(len(flat.leaves))]
    return matrix(by_output, flat.leaves)


def _random_inputs(function: Function, cell: Cell) -> Point:
    """A vector for each input that has no default, as `adcli diff --n` makes it."""
    if cell.size is None:
        raise PointError(f"{cell.problem} has no sizes of its own: give --sizes, as in --sizes 10,100")
    generator = np.random.default_rng(cell.seed)
    return {name: generator.random(cell.size) for name in function.parameters if name not in function.defaults}


def _rounded(point: Point, dtype: str) -> Point:
    """The point in numbers that the dtype holds, so that every precision is measured at the same one."""
    if dtype == "float64":
        return point
    kind = np.dtype(dtype).type

    def rounded(_: Any, leaf: Value) -> Value:
        return np.asarray(leaf).astype(kind).astype(np.float64)[()] if is_differentiable(leaf) else leaf

    return {name: rebuild(tree, rounded) for name, tree in point.items()}
