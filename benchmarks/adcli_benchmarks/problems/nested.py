"""Problems that differentiate inside: the outer derivative goes through inner ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_methods.functional import gradient

RATE = 0.1
"""The step of gradient descent."""
LONGEST_STEP = 5.0
"""The Euler step of a particle at size 1, in its own unit of time."""
FIXED = np.array([10.0, 0.0])


def potential(x: Array, w: float) -> Any:
    """The electric potential at x of a unit charge at (10, 10 - w) and of another at (10, 0)."""
    first = (x[0] - 10.0) ** 2 + (x[1] - 10.0 + w) ** 2
    second = (x[0] - 10.0) ** 2 + x[1] ** 2
    return 1.0 / np.sqrt(first) + 1.0 / np.sqrt(second)


def particle(w: float, steps: int) -> Any:
    """The square of the place where a charged particle crosses the axis; its force is a gradient.

    Arguments:
        w: how far one of the two fixed charges is moved.
        steps: of Euler's method for every 5 units of time.
    """
    force = gradient(potential, wrt="x")
    step = LONGEST_STEP / steps
    x, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    ahead = x + step * v
    while ahead[1] > 0.0:
        v = v - step * force(x, w)
        x = ahead
        ahead = x + step * v
    crossing = x[0] - x[1] / v[1] * v[0]
    return crossing**2


def particle_derivative(w: float, steps: int) -> Any:
    """The tangent of the path, with the potential's second derivatives by hand."""
    step = LONGEST_STEP / steps
    x, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    x_dot, v_dot = np.zeros(2), np.zeros(2)
    moved = np.array([10.0, 10.0 - w])
    while x[1] + step * v[1] > 0.0:
        change, change_dot = np.zeros(2), np.zeros(2)
        for center, speed in ((moved, np.array([0.0, 1.0])), (FIXED, np.zeros(2))):
            way, way_dot = x - center, x_dot + speed
            square = way @ way
            change += way / square**1.5
            change_dot += way_dot / square**1.5 - 3.0 * (way @ way_dot) * way / square**2.5
        x, x_dot = x + step * v, x_dot + step * v_dot
        v, v_dot = v + step * change, v_dot + step * change_dot
    crossing = x[0] - x[1] / v[1] * v[0]
    time_dot = -(x_dot[1] * v[1] - x[1] * v_dot[1]) / v[1] ** 2
    return 2.0 * crossing * (x_dot[0] + time_dot * v[0] - x[1] / v[1] * v_dot[0])


def _particle_point(size: int, seed: int) -> Point:
    w = np.random.default_rng(seed).uniform(0.1, 0.15)
    return {"w": float(w), "steps": np.int64(size)}


def height(x: Array, y: Array) -> Any:
    """A saddle: it has its least value in x and its greatest in y at the origin."""
    return np.sum(x**2) - np.sum(y**2)


def highest(x: Array, y: Array, steps: int) -> Any:
    """The point that gradient ascent from y reaches."""
    slope = gradient(height, wrt="y")
    for _ in range(steps):
        y = y + RATE * slope(x, y)
    return y


def _height_from(x: Array, y: Array, steps: int) -> Any:
    return height(x, highest(x, y, steps))


def saddle(start: Array, steps: int) -> Any:
    """A few steps from a start (x, y) towards the saddle: descent by x of what ascent by y reaches."""
    x, y = start[:2], start[2:]
    slope = gradient(partial(_height_from, y=y, steps=steps))
    for _ in range(steps):
        x = x - RATE * slope(x)
    return np.concatenate([x, highest(x, y, steps)])


def saddle_jacobian(start: Array, steps: int) -> Any:
    """Each step brings each coordinate nearer by the same factor."""
    return (1.0 - 2.0 * RATE) ** int(steps) * np.eye(4)


def _saddle_point(size: int, seed: int) -> Point:
    return {"start": np.random.default_rng(seed).uniform(0.5, 1.5, 4), "steps": np.int64(size)}


PROBLEMS = [
    Problem(
        "particle", "x(t)**2 where y(t) = 0, for x'' = -grad p(x; w) by Euler steps of 5/n", particle,
        particle_derivative, (1, 5, 50), _particle_point,
        source="Pearlmutter and Siskind (2008), GradBench's particle, its objective without the search for w",
        stresses="a gradient inside the differentiated function, a loop whose length depends on its values",
    ),
    Problem(
        "saddle", "n descent steps by x of the n ascent steps by y on x@x - y@y", saddle, saddle_jacobian, (1, 2, 4),
        _saddle_point,
        source="Pearlmutter and Siskind (2008), GradBench's saddle, with few steps: at the end the derivative is 0",
        stresses="derivatives of derivatives of derivatives",
    ),
]  # fmt: skip
