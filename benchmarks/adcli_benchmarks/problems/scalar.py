"""Problems of one or two numbers: the textbooks' examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem, numbers


def exp_square(x: float) -> Any:
    """The exponential of a square."""
    return np.exp(x**2)


def exp_square_derivative(x: float) -> Any:
    """By the chain rule."""
    return 2.0 * x * np.exp(x**2)


def log_product(x1: float, x2: float) -> Any:
    """A logarithm, a product and a sine."""
    return np.log(x1) + x1 * x2 - np.sin(x2)


def log_product_gradient(x1: float, x2: float) -> dict[str, Any]:
    """Term by term."""
    return {"x1": 1.0 / x1 + x2, "x2": x1 - np.cos(x2)}


def product_sine(x1: float, x2: float) -> Any:
    """A product and a sine that share an input."""
    return x1 * x2 + np.sin(x1)


def product_sine_gradient(x1: float, x2: float) -> dict[str, Any]:
    """Term by term."""
    return {"x1": x2 + np.cos(x1), "x2": x1}


def square_sum(x1: float, x2: float) -> Any:
    """A square and a plain term."""
    return x1**2 + x2


def square_sum_gradient(x1: float, x2: float) -> dict[str, Any]:
    """Term by term."""
    return {"x1": 2.0 * x1, "x2": 1.0}


def nested_composition(x: float) -> Any:
    """Three functions, one inside the other."""
    return np.sin(np.cos(np.exp(x)))


def nested_composition_derivative(x: float) -> Any:
    """By the chain rule."""
    inner = np.exp(x)
    return -np.cos(np.cos(inner)) * np.sin(inner) * inner


def logistic_map(x: float, steps: int) -> Any:
    """The logistic map, applied again and again."""
    for _ in range(steps):
        x = 4.0 * x * (1.0 - x)
    return x


def logistic_map_derivative(x: float, steps: int) -> Any:
    """The product of the steps' slopes."""
    slope = 1.0
    for _ in range(steps):
        slope *= 4.0 * (1.0 - 2.0 * x)
        x = 4.0 * x * (1.0 - x)
    return slope


def _logistic_point(size: int, seed: int) -> Point:
    return {**numbers(x=(0.1, 0.4))(size, seed), "steps": np.int64(size)}


def polar_to_cartesian(r: float, theta: float) -> list[Any]:
    """A point of the plane from its distance and angle (radians)."""
    return [r * np.cos(theta), r * np.sin(theta)]


def polar_to_cartesian_jacobian(r: float, theta: float) -> dict[str, Array]:
    """The radial and the tangential direction."""
    cosine, sine = np.cos(theta), np.sin(theta)
    return {"r": np.array([cosine, sine]), "theta": np.array([-r * sine, r * cosine])}


PROBLEMS = [
    Problem(
        "exp-square", "exp(x**2)", exp_square, exp_square_derivative, (1,), numbers(x=(0.5, 2.0)),
        source="textbook example of the forward and reverse trace", stresses="the smallest chain",
    ),
    Problem(
        "log-product", "log(x1) + x1*x2 - sin(x2)", log_product, log_product_gradient, (1,),
        numbers(x1=(1.0, 3.0), x2=(2.0, 6.0)),
        source="Baydin, Pearlmutter, Radul, Siskind, JMLR 18 (2018), tables 2 and 3",
        stresses="the trace that textbooks print",
    ),
    Problem(
        "product-sine", "x1*x2 + sin(x1)", product_sine, product_sine_gradient, (1,),
        numbers(x1=(0.5, 2.0), x2=(0.5, 2.0)),
        source="textbook example of the computational graph", stresses="an input used twice",
    ),
    Problem(
        "square-sum", "x1**2 + x2", square_sum, square_sum_gradient, (1,),
        numbers(x1=(0.5, 2.0), x2=(0.5, 2.0)),
        source="textbook example of forward against reverse mode", stresses="counting passes",
    ),
    Problem(
        "nested-composition", "sin(cos(exp(x)))", nested_composition, nested_composition_derivative, (1,),
        numbers(x=(-1.0, 1.0)), source="textbook chain rule", stresses="depth without width",
    ),
    Problem(
        "logistic-map", "steps times x <- 4*x*(1 - x)", logistic_map, logistic_map_derivative, (1, 2, 4, 8, 16),
        _logistic_point,
        source="Baydin, Pearlmutter, Radul, Siskind, JMLR 18 (2018); beyond 20 steps float64 loses all digits",
        stresses="expression swell, loops, conditioning",
    ),
    Problem(
        "polar-to-cartesian", "[r*cos(theta), r*sin(theta)]", polar_to_cartesian, polar_to_cartesian_jacobian,
        (1,), numbers(r=(0.5, 2.0), theta=(-3.0, 3.0)),
        source="change of coordinates", stresses="a square Jacobian, several named inputs",
    ),
]  # fmt: skip
