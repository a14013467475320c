"""NumPy's functions on traced values: NumPy's value, and the derivative of the value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcli_methods import sweeps
from adcli_methods.standins import rebound
from adcli_methods.trace import Trace

from .function_cases import CALCULUS, LINALG, PRODUCTS, REDUCING, SHAPING, SIGNED, SIGNED_CASES, M, N, T, U, V, W, X
from .tracing import check, gradient

UNARY = """exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal sin cos tan sinh cosh tanh arctan arcsinh
absolute fabs negative positive sign floor ceil trunc rint deg2rad rad2deg radians degrees conjugate sinc i0
fix nan_to_num real"""
BINARY = """add subtract multiply divide power float_power arctan2 hypot maximum minimum fmax fmin logaddexp logaddexp2
copysign mod remainder fmod heaviside floor_divide"""


@pytest.mark.parametrize("name", UNARY.split())
def test_elementwise_functions_of_arrays_and_numbers(name):
    check(lambda x: getattr(np, name)(x), V)
    check(lambda x: getattr(np, name)(x), X)


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arctanh"])
def test_elementwise_functions_on_the_unit_interval(name):
    check(lambda x: getattr(np, name)(x / 4), V)
    check(lambda x: np.arccosh(x + 1), V)


@pytest.mark.parametrize("name", BINARY.split())
def test_elementwise_functions_of_two_operands_broadcast(name):
    check(lambda x, y: getattr(np, name)(x, y), M, N[:1])
    check(lambda x, y: getattr(np, name)(x[:, None], y), V, U)
    check(lambda x: getattr(np, name)(x, 1.7), V)
    check(lambda x: getattr(np, name)(W, x), V)
    check(lambda x: getattr(np, name)(2.0, x), X)


@pytest.mark.parametrize("case", SIGNED_CASES)
def test_elementwise_functions_of_either_sign(case):
    check(SIGNED_CASES[case], SIGNED)


REDUCTIONS = "sum prod max min mean var std ptp nansum nanprod nanmax nanmin nanmean nanvar nanstd median"
AXES = [{}, {"axis": 0}, {"axis": -1}, {"axis": (0, 2)}, {"axis": 1, "keepdims": True}, {"keepdims": True}]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS.split())
def test_reductions_over_any_axes(name, axes):
    check(lambda x: getattr(np, name)(x, **axes), T)


@pytest.mark.parametrize("case", [*REDUCING, *SHAPING, *PRODUCTS, *LINALG, *CALCULUS])
def test_functions_of_arrays(case):
    check(*{**REDUCING, **SHAPING, **PRODUCTS, **LINALG, **CALCULUS}[case])


@pytest.mark.parametrize(
    "function",
    [
        np.linalg.norm,
        lambda x: np.linalg.norm(x, 3),
        lambda x: np.linalg.norm(x.reshape(2, 2)),
        lambda x: np.linalg.norm(x, axis=0),
        lambda x: np.std(x),
        lambda x: np.hypot(x[0], x[1]),
        lambda x: math.hypot(x[0], x[1], x[2]),
        lambda x: np.abs(x).sum(),
    ],
)
def test_the_derivative_of_a_norm_is_0_at_0(function):
    np.testing.assert_array_equal(gradient(function, np.zeros(4))[0], 0.0)


def test_the_norm_differentiates_twice():
    def hessian_row(x):
        inner = Trace([x])
        with rebound(np.linalg.norm):
            out = np.linalg.norm(inner.tracers()[0])
        return sweeps.pull(inner, [inner.output_slot(out)], [1.0])[0][0]

    x = np.array([3.0, 4.0])
    np.testing.assert_allclose(gradient(hessian_row, x)[0], [16 / 125, -12 / 125], rtol=1e-12)


def test_ties_of_a_maximum_share_the_derivative():
    np.testing.assert_array_equal(gradient(np.max, np.array([1.0, 2.0, 2.0]))[0], [0, 0.5, 0.5])
