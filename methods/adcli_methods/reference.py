"""The 50-digit reference: a Program run on mpmath's numbers and differenced, without derivative rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.execution import execute
from adcli_methods.primitive import Value, shape_of
from adcli_methods.program import Program
from adcli_methods.targets import target

GUARD_DIGITS = 30
"""Digits carried beyond those asked for, against cancellation inside the Program."""


def reference_value(program: Program, inputs: Sequence[Value], digits: int = 50) -> list[Value]:
    """The outputs to that many digits, as mpf numbers and object arrays of them."""
    import mpmath

    with mpmath.workdps(digits + GUARD_DIGITS):
        return execute(program, inputs, target("mpmath"))


def directional_derivative(
    program: Program,
    inputs: Sequence[Value],
    directions: Sequence[Value | None],
    order: int = 1,
    digits: int = 50,
) -> list[Value]:
    """The outputs' derivatives of an order along a direction, by central differences.

    On a kink it is what the two sides give: their mean slope, with NaN where one side is outside the domain.

    Arguments:
        program: what to differentiate.
        inputs: the point; floats are taken as exact.
        directions: one per input, of its shape; None stands still.
        order: 0 for the value, 1 for the slope, and so on.
        digits: how many digits come out right. With a step of h the error is of the order of h**2, and
            `order` subtractions lose that many times the digits of h, so that many more are carried.
    """
    import mpmath

    if order == 0:
        return reference_value(program, inputs, digits)
    smallest, largest = _scales(inputs, directions)
    step_digits = digits // 2 + 10 - min(0, smallest)
    with mpmath.workdps(digits + order * (step_digits + max(0, largest)) + GUARD_DIGITS):
        step = mpmath.mpf(10) ** -step_digits
        convert = target("mpmath").convert
        point = [convert(value, None) for value in inputs]
        moves = [None if move is None else convert(move, None) for move in directions]
        totals: list[Value] = []
        for k in range(order + 1):
            shift = step * (mpmath.mpf(order) / 2 - k)
            at = [x if move is None else x + shift * move for x, move in zip(point, moves, strict=True)]
            weight = (-1) ** k * math.comb(order, k)
            values = [weight * value for value in execute(program, at, target("mpmath"))]
            totals = [a + b for a, b in zip(totals, values, strict=True)] if totals else values
        return [_each(lambda value: mpmath.mpf(value) / step**order, total) for total in totals]


def _scales(inputs: Sequence[Value], directions: Sequence[Value | None]) -> tuple[int, int]:
    """The powers of ten of the smallest and the largest nonzero input in units of its direction.

    The step stays below the smallest; the largest says how many more digits the subtractions lose.
    """
    found = [0.0]
    for value, move in zip(inputs, directions, strict=True):
        if move is not None:
            x, v = (np.abs(np.asarray(entry, dtype=float)) for entry in np.broadcast_arrays(value, move))
            moving = (x > 0) & (v > 0) & np.isfinite(x)
            found += (np.log10(x[moving]) - np.log10(v[moving])).tolist()
    return math.floor(min(found)), math.ceil(max(found))


def _each(function: Callable[[Any], Any], value: Value) -> Value:
    return np.frompyfunc(function, 1, 1)(value) if shape_of(value) else function(value)


def absolute_error(value: float, exact: Any) -> float:
    """|value - exact|; 0 for equal infinities and for NaN against NaN, infinite where only one is finite."""
    import mpmath

    with mpmath.workdps(60):
        a, b = mpmath.mpf(value), mpmath.mpf(exact)
        if mpmath.isnan(a) or mpmath.isnan(b):
            return 0.0 if mpmath.isnan(a) and mpmath.isnan(b) else math.inf
        overflown = math.isinf(value) and float(b) == value
        return 0.0 if a == b or overflown else float(abs(a - b))


def relative_error(value: float, exact: Any) -> float:
    """|value - exact| / |exact|; at exact = 0, 0 or infinite."""
    import mpmath

    error = absolute_error(value, exact)
    if error == 0 or math.isinf(error):
        return error
    if exact == 0:
        return math.inf
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(value) - exact) / abs(mpmath.mpf(exact)))


def ulp_error(value: float, exact: Any) -> float:
    """|value - exact| in units of the last place of the float nearest to exact."""
    import mpmath

    error = absolute_error(value, exact)
    if error == 0 or math.isinf(error):
        return error
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(value) - exact) / mpmath.mpf(math.ulp(float(exact))))
