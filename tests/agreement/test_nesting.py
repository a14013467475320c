"""Derivatives of derivatives: every pairing of forward and reverse, by hand-nested calls."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from adcli_methods.function import function_of
from adcli_methods.functional import gradient, hessian, hvp, jacobian, jvp, vjp

from .comparing import assert_close, exact_along, exact_hessian

POINT = np.array([0.7, -0.4, 1.3])
VECTOR = np.array([1.0, -2.0, 0.5])
WEIGHTS = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.7], [-0.6, 0.1, 0.9], [0.3, 0.3, 0.3]])
MODES = ("forward", "reverse")
ROUNDING = 1e-13


def elementwise(x: Any) -> Any:
    return np.sum(np.exp(x**2) * np.sin(x)) + x[0] * x[1] / x[2]


def of_a_matrix(x: Any) -> Any:
    return np.log(np.sum(np.exp(WEIGHTS @ x))) * np.tanh(x @ x)


def with_a_loop(x: Any) -> Any:
    total = 1.0
    for i in range(len(x)):
        total = total * np.cos(x[i]) if x[i] > 0 else total + x[i] ** 3
    return total


functions = pytest.mark.parametrize("function", [elementwise, of_a_matrix, with_a_loop])
pairings = pytest.mark.parametrize(("outer", "inner"), list(product(MODES, MODES)))


@functions
@pairings
def test_a_jacobian_of_a_gradient_is_the_hessian(function: Callable[..., Any], outer: str, inner: str) -> None:
    found = jacobian(gradient(function, mode=inner), mode=outer)(POINT)
    assert_close(found, exact_hessian(function_of(function), POINT), ROUNDING)


@functions
@pairings
def test_a_gradient_of_a_gradient_is_a_hessian_product(function: Callable[..., Any], outer: str, inner: str) -> None:
    def slope(x: Any) -> Any:
        return VECTOR @ gradient(function, mode=inner)(x)

    found = gradient(slope, mode=outer)(POINT)
    assert_close(found, exact_hessian(function_of(function), POINT) @ VECTOR, ROUNDING)


@functions
@pairings
def test_products_with_a_gradients_jacobian_are_hessian_products(
    function: Callable[..., Any], outer: str, inner: str
) -> None:
    exact = exact_hessian(function_of(function), POINT) @ VECTOR
    for operator in (jvp, vjp):
        assert_close(operator(gradient(function, mode=inner), mode=outer)(POINT, VECTOR), exact, ROUNDING)


@functions
@pytest.mark.parametrize("mode", ["auto", *MODES, "torch", "symbolic"])
def test_hessian_and_hvp_agree_with_differences_of_fifty_digits(function: Callable[..., Any], mode: str) -> None:
    if mode == "torch":
        pytest.importorskip("torch")
    exact = exact_hessian(function_of(function), POINT)
    assert_close(hessian(function, mode=mode)(POINT), exact, ROUNDING)
    assert_close(hvp(function, mode=mode)(POINT, VECTOR), exact @ VECTOR, ROUNDING)


@functions
@pytest.mark.parametrize("modes", list(product(MODES, repeat=3)), ids="-".join)
def test_three_derivatives_nest(function: Callable[..., Any], modes: tuple[str, str, str]) -> None:
    def along(f: Callable[..., Any], mode: str) -> Callable[..., Any]:
        return lambda x: VECTOR @ gradient(f, mode=mode)(x)

    nested = along(along(along(function, modes[0]), modes[1]), modes[2])
    exact = float(exact_along(function_of(function), POINT, VECTOR, 3))
    assert nested(POINT) == pytest.approx(exact, rel=1e-12)


@pairings
def test_an_inner_derivative_does_not_take_the_outer_input_for_its_own(outer: str, inner: str) -> None:
    def plain(x: Any) -> Any:
        return x * gradient(lambda y: x + y, mode=inner)(1.0)

    def mixed(x: Any) -> Any:
        return x * gradient(lambda y: x * y, mode=inner)(1.0)

    assert gradient(plain, mode=outer)(1.0) == 1.0
    assert gradient(mixed, mode=outer)(4.0) == 8.0


@pairings
def test_an_inner_derivative_at_an_outer_input_moves_with_it(outer: str, inner: str) -> None:
    """d/dx of x * f'(x) with f = sin(x*y) by y, at y = x: x**2 * cos(x**2)."""

    def slope(x: Any) -> Any:
        return x * gradient(lambda y: np.sin(x * y), mode=inner)(x)

    x = 0.8
    exact = 2.0 * x * np.cos(x * x) - 2.0 * x**3 * np.sin(x * x)
    assert gradient(slope, mode=outer)(x) == pytest.approx(exact, rel=ROUNDING)
