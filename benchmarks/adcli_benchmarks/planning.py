"""Which problems, methods and sizes a measure's cells have, where the user leaves the choice open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from adcli_benchmarks.cell import Cell, Setting
from adcli_benchmarks.problems import problem_named
from adcli_benchmarks.request import BenchRequest
from adcli_methods.loading import names_python
from adcli_methods.methods import METHODS, PEERS, method_named

SHIPPED = "problem:"
MANUAL = "manual"
USER_SIZES = (10, 100, 1000)
"""Of a function of the user's, where no sizes are given."""


def problems_of(request: BenchRequest, usual: Sequence[str]) -> tuple[str, ...]:
    """The problems asked for, else the usual ones.

    Raises: FunctionError for an unknown problem, with the nearest names.
    """
    if request.problems is None:
        return tuple(usual)
    names = (name.removeprefix(SHIPPED) for name in request.problems)
    return tuple(name if names_python(name) else problem_named(name).name for name in names)


def methods_of(request: BenchRequest, usual: Sequence[str]) -> tuple[str, ...]:
    """The methods asked for, by their full names, else the usual ones that run on the device.

    Raises: OperatorError for an unknown method, with the nearest name.
    """
    if request.methods is not None:
        return tuple(dict.fromkeys(method_named(name).name for name in request.methods))
    if request.device == "cpu":
        return tuple(usual)
    return tuple(name for name in usual if request.device in method_named(name).devices)


def every_method() -> tuple[str, ...]:
    """All methods of this package, then the peers."""
    return (*METHODS, *PEERS)


class Usual(NamedTuple):
    """Which of a problem's sizes are measured where none are asked for.

    Arguments:
        most: none above this.
        each: so many of the largest of these, of each problem.
    """

    most: int
    each: int


def sizes_of(request: BenchRequest, problem: str, usual: Usual | None = None) -> tuple[int, ...]:
    """The sizes asked for that the problem has, else the usual ones of its own, else all of these.

    Where many problems are measured, one that has none of the sizes asked for is measured at its least.

    Raises: PointError for a problem asked for by name that has none of them.
    """
    if names_python(problem):
        return request.sizes or USER_SIZES
    own = problem_named(problem).sizes
    if request.sizes is None:
        return own if usual is None else tuple(size for size in own if size <= usual.most)[-usual.each :] or own[:1]
    if len(own) == 1:
        return own
    fitting = tuple(size for size in request.sizes if size >= own[0])
    if not fitting and request.problems is not None:
        problem_named(problem).require(request.sizes[0])
    return fitting or own[:1]


def inputs_of(problem: str, size: int) -> int:
    """The number of inputs of a problem; of a function of the user's, of each of its vectors."""
    return size if names_python(problem) else problem_named(problem).inputs(size)


def cells_of(
    measure: str,
    request: BenchRequest,
    problems: Sequence[str],
    methods: Sequence[str],
    sizes: Sequence[int] | None = None,
    **settings: Setting,
) -> list[Cell]:
    """A cell for each problem, size, dtype and method, in that order.

    A function of the user's has no hand-written derivative: it has no cell of `manual`, unless that was asked for.

    Arguments:
        measure: its name.
        request: gives dtypes, device and seed.
        problems: by name.
        methods: by name.
        sizes: the same for every problem; None for those that `sizes_of` gives.
        settings: the measure's own dimensions.
    """
    return [
        Cell(measure, problem, method, size, dtype, request.device, request.seed, tuple(settings.items()))
        for problem in problems
        for size, dtype, method in product(sizes or sizes_of(request, problem), request.dtypes, methods)
        if method != MANUAL or request.methods is not None or not names_python(problem)
    ]
