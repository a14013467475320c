"""What a derivative must be: 50-digit differences where they can be had, else the hand-written derivative.

None of them is the method that is measured, and only complex steps (at sizes where nothing else can be had) share
code with a method of this package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.comparator import EXACT, MOST_PROMISED, judge, promised_error, require_telling
from adcli_benchmarks.outcomes import WrongError
from adcli_benchmarks.problem import Array
from adcli_benchmarks.record import Value
from adcli_benchmarks.subject import Subject, matrix_of
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.methods import method_named
from adcli_methods.operators import size_of
from adcli_methods.primitive import shape_of

MOST_COLUMNS = 40
"""Larger derivatives are compared at this many input entries, spread evenly."""
MOST_OPERATIONS = 100_000
"""50-digit operations spent on a reference, some seconds."""
DIGITS = 50


@dataclass(frozen=True)
class Expected:
    """Columns of a derivative as they must be.

    Arguments:
        columns: the input entries that they belong to, in rising order.
        matrix: a row for each output entry, a column for each of `columns`, rounded to double precision.
        exact: the same in 50 digits, as an object array; None where there is no such reference.
        source: where they come from, in words.
        value: the function's largest output, by size.
        cancellation: how much of the function's value differences lose, see `promised_error`.
    """

    columns: Sequence[int]
    matrix: Array
    exact: Array | None
    source: str
    value: float
    cancellation: float


def spread(count: int, most: int) -> tuple[int, ...]:
    """At most so many positions below a count, spread evenly, the first and the last among them.

    >>> spread(1000, 3)
    (0, 500, 999)
    """
    return tuple(sorted({round(position) for position in np.linspace(0, count - 1, min(count, most))}))


def unit(leaves: Sequence[Any], column: int) -> list[Any]:
    """The direction that moves one input entry."""
    seeds: list[Any] = []
    for leaf in leaves:
        size = int(np.size(leaf))
        seed = np.zeros(size)
        if 0 <= column < size:
            seed[column] = 1.0
        seeds.append(seed.reshape(shape_of(leaf)) if shape_of(leaf) else float(seed[0]))
        column -= size
    return seeds


def affordable_columns(subject: Subject) -> int:
    """How many columns a 50-digit reference can have; 0 where one alone would take too long."""
    per_evaluation = size_of(subject.exact.traced[0].values)
    return min(subject.inputs, MOST_COLUMNS, MOST_OPERATIONS // (2 * per_evaluation))


def by_differences(subject: Subject, columns: Sequence[int], order: int = 1) -> Expected:
    """Columns by 50-digit central differences of the Program, without derivative rules."""
    from adcli_methods.reference import directional_derivative

    flat = subject.exact
    found = []
    for column in columns:
        parts = directional_derivative(flat.program, flat.leaves, unit(flat.leaves, column), order, DIGITS)
        found.append(np.concatenate([np.ravel(np.asarray(part, dtype=object)) for part in parts]))
    exact = np.stack(found, axis=1)
    return _beside_value(subject, columns, exact.astype(float), exact, f"{DIGITS}-digit differences")


def by_hand(subject: Subject) -> Expected:
    """All columns by the hand-written derivative, in double precision."""
    result = differentiate(subject.function, subject.point, Request("manual", operator=subject.operator))
    return _beside_value(
        subject, range(subject.inputs), matrix_of(result, subject.exact), None, "hand-written derivative"
    )


def by_method(subject: Subject, columns: Sequence[int], name: str) -> Expected:
    """Columns by complex steps or another method with a push, in double precision."""
    method = method_named(name)()
    function, leaves, lower = method.prepare(subject.exact, 1)
    push = method.linearize(function, leaves, 1).push
    assert push is not None
    found = [lower(push(unit(subject.exact.leaves, column))) for column in columns]
    entries = [np.concatenate([np.ravel(part) for part in parts]) for parts in found]
    return _beside_value(subject, columns, np.stack(entries, axis=1).astype(float), None, name)


def _beside_value(subject: Subject, columns: Sequence[int], found: Array, exact: Array | None, source: str) -> Expected:
    flat = subject.exact
    value, inputs, slope = (_largest(values) for values in (flat(flat.leaves), flat.leaves, [found]))
    cancellation = value / (inputs * slope) if inputs * slope > 0 else 1.0
    return Expected(columns, found, exact, source, value, cancellation)


def _largest(values: Sequence[Any]) -> float:
    return max((float(np.max(np.abs(value), initial=0.0)) for value in values), default=0.0)


def expected(subject: Subject, measured: str) -> Expected:
    """What the first derivative must be, as far as it can be had in some seconds.

    Arguments:
        subject: the function at a point.
        measured: the method that is measured, which must not be its own reference.
    """
    if subject.function.derivative is not None and measured != "manual":
        return by_hand(subject)
    count = affordable_columns(subject)
    if count:
        return by_differences(subject, spread(subject.inputs, count))
    other = "forward" if measured == "complex-step" else "complex-step"
    return by_method(subject, spread(subject.inputs, 3), other)


def compared(reference: Expected, found: Array, columns: Sequence[int]) -> tuple[Array, Array]:
    """What was found and what must be, at the columns that both have.

    Arguments:
        reference: what must be.
        found: a row for each output entry, a column for each of `columns`.
        columns: the input entries of `found`, in rising order.
    """
    common = sorted(set(columns) & set(reference.columns))
    given, wanted = np.searchsorted(columns, common), np.searchsorted(reference.columns, common)
    return found[:, given], reference.matrix[:, wanted]


def judged(
    found: Array, columns: Sequence[int], reference: Expected, cell: Cell, values: Mapping[str, Value]
) -> dict[str, Value]:
    """The values of a derivative that passes as the one expected, its errors among them.

    Arguments:
        found: a row for each output entry, a column for each of `columns`.
        columns: the input entries that were computed.
        reference: what the derivative must be.
        cell: its method and dtype say how near it must come.
        values: what was measured, kept in the record of a wrong result too.
    Raises: WrongError, RefusedError.
    """
    given, wanted = compared(reference, found, columns)
    require_telling(wanted, cell.dtype, reference.value)
    judgement = judge(given, wanted, promised(cell, reference))
    complete = {
        **values,
        **judgement.values,
        "correct_digits": correct_digits(judgement.norm_relative_error, cell.dtype),
        "reference": reference.source,
    }
    if judgement.fault:
        raise WrongError(judgement.fault, complete)
    return complete


def promised(cell: Cell, reference: Expected) -> float:
    """The norm-relative error that a cell's method may have; differences of higher orders promise one digit."""
    allowed = promised_error(cell.method, cell.dtype, reference.cancellation)
    is_exact = allowed == EXACT[cell.dtype]
    return allowed if is_exact or cell.setting("order", 1) == 1 else MOST_PROMISED


def correct_digits(relative_error: float, dtype: str) -> int:
    """How many decimal digits are right, at most those that the dtype has.

    >>> correct_digits(3e-9, "float64"), correct_digits(0.0, "float32"), correct_digits(2.0, "float64")
    (8, 7, 0)
    """
    most = {"float64": 16, "float32": 7}[dtype]
    if relative_error == 0:
        return most
    return max(0, min(most, math.floor(-math.log10(relative_error)))) if math.isfinite(relative_error) else 0
