"""Accuracy: errors against 50-digit references, by method, precision, step size and order.

A cell with the setting step="curve" is a whole curve over step sizes: the V of differences, the flat line of the
complex step. Other cells have one derivative of one order, as `adcli diff` gives it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.comparator import require_telling
from adcli_benchmarks.expected import (
    Expected,
    affordable_columns,
    by_differences,
    by_hand,
    correct_digits,
    expected,
    judged,
    promised,
    spread,
)
from adcli_benchmarks.outcomes import WrongError
from adcli_benchmarks.planning import Usual, cells_of, every_method, methods_of, problems_of, sizes_of
from adcli_benchmarks.problem import Array
from adcli_benchmarks.problems import PROBLEMS
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.subject import Subject, matrix_of, method_of, subject_of
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import OperatorError
from adcli_methods.methods import METHODS

CURVE = "curve"
STEPS = tuple(10.0 ** (-exponent / 2.0) for exponent in range(33))
"""From 1 to 1e-16, two a decade."""
STEPPED = ("forward-difference", "central-difference", "complex-step")
CURVE_PROBLEMS = {"exp-square": 1, "log-product": 1, "rosenbrock": 10}
ORDER_PROBLEMS = {"exp-square": 1, "nested-composition": 1, "logistic-map": 3}
ORDERS = tuple(range(2, 9))
ORDER_METHODS = ("forward-difference", "central-difference", "symbolic", "forward", "reverse", "torch")
BY_NAME, OF_ALL = Usual(100, 3), Usual(10, 1)
"""The usual sizes of problems asked for by name, and where all problems are measured."""
TOUR = {"log-product": 1, "rosenbrock": 10, "log-sum-exp": 10}
TOUR_ORDERS = (2, 4, 8)
TOUR_ORDER_METHODS = ("forward-difference", "symbolic", "forward", "reverse")


def cells(request: BenchRequest) -> list[Cell]:
    """Every problem by every method, then curves over steps, then orders."""
    return list(_tour(request) if request.is_tour else _cells(request))


def _tour(request: BenchRequest) -> Iterator[Cell]:
    for problem, size in TOUR.items():
        yield from cells_of("accuracy", request, (problem,), methods_of(request, tuple(METHODS)), (size,))
    yield from cells_of("accuracy", request, ("log-product",), STEPPED, (1,), step=CURVE)
    for order in TOUR_ORDERS:
        yield from cells_of("accuracy", request, ("exp-square",), TOUR_ORDER_METHODS, (1,), order=order)


def _cells(request: BenchRequest) -> Iterator[Cell]:
    methods = methods_of(request, every_method())
    usual = OF_ALL if request.problems is None else BY_NAME
    for problem in problems_of(request, [problem.name for problem in PROBLEMS]):
        yield from cells_of("accuracy", request, (problem,), methods, sizes_of(request, problem, usual))
    stepped = [name for name in STEPPED if name in methods]
    for problem in problems_of(request, tuple(CURVE_PROBLEMS)):
        own = sizes_of(request, problem)
        sizes = own if request.sizes else (CURVE_PROBLEMS.get(problem, own[0]),)
        yield from cells_of("accuracy", request, (problem,), stepped, sizes, step=CURVE)
    if request.problems is None and request.sizes is None:
        for problem, size in ORDER_PROBLEMS.items():
            for order in ORDERS:
                names = [name for name in ORDER_METHODS if name in methods]
                yield from cells_of("accuracy", request, (problem,), names, (size,), order=order)


def measure(cell: Cell) -> dict[str, Value]:
    """The error of a derivative, or of a curve of them.

    Result: norm_relative_error, worst_entry_error, correct_digits, worst_ulp, reference; of a curve curve_steps,
        curve_errors, best_step, norm_relative_error of the best step, correct_digits.
    Raises: WrongError, RefusedError, OperatorError, UnavailableError.
    """
    subject = subject_of(cell)
    order = int(cell.setting("order", 1))
    if order > 1 and (subject.inputs, subject.outputs) != (1, 1):
        raise OperatorError("orders above 1 are compared for functions of one number")
    if cell.setting("step") == CURVE:
        return _curve(cell, subject, _exact(subject, 1, cell.dtype))
    found, columns = _derivative(cell, subject, order), range(subject.inputs)
    if order == 1 and not affordable_columns(subject):
        return judged(found, columns, expected(subject, cell.method), cell, {})  # without 50 digits there is no ulp
    reference = _exact(subject, order, cell.dtype)
    values = errors(found, reference, cell.dtype)
    if order == 1 and subject.function.derivative is not None and cell.method != "manual":
        judged(found, columns, by_hand(subject), cell, values)  # every entry, where the reference has some
    return {**judged(found, columns, reference, cell, values), **values}


def _exact(subject: Subject, order: int, dtype: str) -> Expected:
    """The 50-digit reference of as many columns as are affordable, one at the least."""
    columns = spread(subject.inputs, max(1, affordable_columns(subject)))
    reference = by_differences(subject, columns, order)
    require_telling(reference.matrix, dtype, reference.value)
    return reference


def _derivative(cell: Cell, subject: Subject, order: int, step: float | None = None) -> Array:
    method_of(cell)  # refuses a device that is not here
    operator = subject.operator if order == 1 else "derivative"
    request = Request(cell.method, None, order, operator, None, cell.dtype, cell.device, step)
    return matrix_of(differentiate(subject.function, subject.point, request), subject.flat)


def _curve(cell: Cell, subject: Subject, reference: Expected) -> dict[str, Value]:
    if cell.method not in STEPPED:
        raise OperatorError(f"method {cell.method} has no step: {', '.join(STEPPED)} have one")
    found = [errors(_derivative(cell, subject, 1, step), reference, cell.dtype) for step in STEPS]
    curve = [float(values["norm_relative_error"]) for values in found]  # type: ignore[arg-type]  # errors are numbers
    best = int(np.nanargmin(curve))
    values: dict[str, Value] = {
        "curve_steps": list(STEPS),
        "curve_errors": curve,
        "best_step": STEPS[best],
        **found[best],
    }
    if not curve[best] <= promised(cell, reference):
        raise WrongError(f"no step comes nearer than {curve[best]:.1e}", values)
    return values


def errors(found: Array, reference: Expected, dtype: str) -> dict[str, Value]:
    """How far a derivative is from the 50-digit reference.

    Arguments:
        found: the whole derivative.
        reference: its exact columns.
        dtype: the ulp is of this type.
    """
    from adcli_methods.reference import absolute_error, ulp_error

    assert reference.exact is not None
    pairs = list(zip(found[:, list(reference.columns)].ravel().tolist(), reference.exact.ravel().tolist(), strict=True))
    absolute = np.array([absolute_error(value, exact) for value, exact in pairs])
    ulps = [ulp_error(value, exact) for value, exact in pairs]
    sizes = np.abs(reference.matrix)
    relative = float(np.linalg.norm(absolute) / np.linalg.norm(sizes))
    return {
        "norm_relative_error": relative,
        "worst_entry_error": float(np.max(absolute) / np.max(sizes)),
        "worst_ulp": float(np.max(ulps)) * float(np.finfo(np.float64).eps / np.finfo(dtype).eps),
        "correct_digits": correct_digits(relative, dtype),
        "entries_count": len(pairs),
        "reference": reference.source,
    }
