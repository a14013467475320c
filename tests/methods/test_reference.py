"""The 50-digit reference against derivatives known in closed form, and the error measures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.program import Program
from adcli_methods.reference import (
    absolute_error,
    directional_derivative,
    reference_value,
    relative_error,
    ulp_error,
)
from adcli_methods.trace import Trace


def program_of(function: Callable[..., Any], *inputs: Any) -> Program:
    trace = Trace(inputs)
    return trace.program_of([trace.output_slot(function(*trace.tracers()))])


def assert_fifty_digits(found: Any, exact: Any) -> None:
    assert abs(found - exact) <= abs(exact) * mpmath.mpf(10) ** -50


@pytest.mark.parametrize("order", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("x", [1.5, 1e-30, 1e30])
def test_powers(x: float, order: int) -> None:
    program = program_of(lambda x: P["power"](x, 12.5), x)
    (found,) = directional_derivative(program, [x], [1.0], order)
    with mpmath.workdps(80):
        p = mpmath.mpf("12.5")
        assert_fifty_digits(found, mpmath.ff(p, order) * mpmath.mpf(x) ** (p - order))


@pytest.mark.parametrize("order", [1, 2, 5, 10])
def test_sine_of_a_square(order: int) -> None:
    program = program_of(lambda x: P["sin"](P["square"](x)), 1.3)
    (found,) = directional_derivative(program, [1.3], [1.0], order)
    with mpmath.workdps(80):
        x, t = mpmath.mpf(1.3), mpmath.mpf(0)
        # sin((x + t)**2) = sin(x**2) cos(2xt + t**2) + cos(x**2) sin(2xt + t**2), its terms in t summed
        total = t
        for m in range(order + 1):
            factor = (mpmath.sin if m % 2 == 0 else mpmath.cos)(x * x) * (-1) ** (m // 2) / mpmath.factorial(m)
            k = order - m  # (2xt + t**2)**m has t**(m + k) with the coefficient C(m, k) (2x)**(m - k)
            total += factor * mpmath.binomial(m, k) * (2 * x) ** (m - k) if k <= m else 0
        assert_fifty_digits(found, total * mpmath.factorial(order))


def test_directions_and_inputs_that_stand_still() -> None:
    x, y = np.array([1.0, 2.0]), 3.0
    program = program_of(lambda x, y: P["multiply"](x, P["exp"](y)), x, y)
    (along_x,) = directional_derivative(program, [x, y], [np.array([1.0, -1.0]), None])
    with mpmath.workdps(80):
        assert_fifty_digits(along_x[0], mpmath.e**3)
        assert_fifty_digits(along_x[1], -(mpmath.e**3))
    (value,) = reference_value(program, [x, y])
    with mpmath.workdps(80):
        assert_fifty_digits(value[1], 2 * mpmath.e**3)


def test_cancellation_inside_the_program_is_carried() -> None:
    program = program_of(lambda x: P["subtract"](P["exp"](x), P["add"](P["expm1"](x), 1.0)), 0.5)
    (slope,) = directional_derivative(program, [0.5], [1.0])
    assert abs(slope) < mpmath.mpf(10) ** -50


def test_a_kink_gives_the_mean_of_its_sides() -> None:
    assert directional_derivative(program_of(P["absolute"], 0.0), [0.0], [1.0]) == [0]
    relu = program_of(lambda x: P["maximum"](x, 0.0), 0.0)
    assert directional_derivative(relu, [0.0], [1.0]) == [0.5]
    assert mpmath.isnan(directional_derivative(program_of(P["sqrt"], 0.0), [0.0], [1.0])[0])


def test_error_measures() -> None:
    with mpmath.workdps(60):
        third = mpmath.mpf(1) / 3
    assert absolute_error(1 / 3, third) == pytest.approx(1.85e-17, rel=1e-2)
    assert relative_error(1 / 3, third) == pytest.approx(5.55e-17, rel=1e-2)
    assert 0.3 < ulp_error(1 / 3, third) < 0.5
    assert ulp_error(math.nextafter(1.0, 2.0), mpmath.mpf(1)) == 1.0
    assert ulp_error(5e-324, mpmath.mpf(0)) == 1.0
    for measure in (absolute_error, relative_error, ulp_error):
        assert measure(0.0, mpmath.mpf(0)) == 0.0
        assert measure(math.inf, mpmath.inf) == 0.0
        assert measure(math.nan, mpmath.nan) == 0.0
        assert measure(math.nan, mpmath.mpf(1)) == math.inf
        assert measure(1.0, mpmath.nan) == math.inf
        assert measure(-math.inf, mpmath.inf) == math.inf
    assert relative_error(1e-300, mpmath.mpf(0)) == math.inf
    assert ulp_error(math.inf, mpmath.mpf(10) ** 400) == 0.0
