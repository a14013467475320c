"""Bundle adjustment: where cameras stand and what they see."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_benchmarks.problems.data import kept

PER_CAMERA, PER_POINT = 8, 2
"""Observations of each camera, and of each point."""


def _counts(size: int) -> tuple[int, int]:
    """The numbers of cameras and of points for a number of observations."""
    return 1 + (size - 1) // PER_CAMERA, 1 + (size - 1) // PER_POINT


@cache
def observations(size: int) -> tuple[Array, Array, Array]:
    """The camera and the point of each observation, and where it was seen in the picture."""
    cameras, points = _counts(size)
    seen = np.random.default_rng(size).uniform(-1.0, 1.0, (size, 2))
    return kept(np.arange(size) % cameras), kept(np.arange(size) % points), kept(seen)


def rotated(rotation: Array, x: Array) -> Any:
    """Rows of x turned about rows of `rotation`, by as many radians as those are long (Rodrigues' formula)."""
    angle = np.sqrt(np.sum(rotation**2, axis=1, keepdims=True))
    axis = rotation / angle
    cosine = np.cos(angle)
    along = np.sum(axis * x, axis=1, keepdims=True)
    return x * cosine + np.cross(axis, x) * np.sin(angle) + axis * along * (1.0 - cosine)


def bundle_adjustment(cameras: Array, points: Array, weights: Array) -> Any:
    """The weighted errors of all observations, two each, then how far the weights are from 1.

    Arguments:
        cameras: rotation (3), center (3), focal length, principal point (2) and radial distortion (2), a camera a row.
        points: of space, one a row.
        weights: one for each observation.
    """
    camera_of, point_of, seen = observations(len(weights))
    camera = cameras[camera_of]
    x = rotated(camera[:, 0:3], points[point_of] - camera[:, 3:6])
    flat = x[:, 0:2] / x[:, 2:3]
    square = np.sum(flat**2, axis=1, keepdims=True)
    distorted = flat * (1.0 + camera[:, 9:10] * square + camera[:, 10:11] * square**2)
    picture = distorted * camera[:, 6:7] + camera[:, 7:9]
    errors = weights[:, None] * (picture - seen)
    return np.concatenate([np.reshape(errors, -1), 1.0 - weights**2])


def rotation_slope(rotation: Array, matrix: Array, relative: Array) -> Any:
    """The derivative of turned points by their rotations (Gallego and Yezzi, J. Math. Imaging Vis. 51, 2015).

    Arguments:
        rotation: one a row, as of `rotated`.
        matrix: of each rotation.
        relative: the points before they are turned, one a row.
    """
    inner = np.einsum("pi,pj->pij", rotation, rotation) + (np.swapaxes(matrix, 1, 2) - np.eye(3)) @ _cross(rotation)
    return -matrix @ _cross(relative) @ inner / np.sum(rotation**2, axis=1)[:, None, None]


def _cross(x: Array) -> Any:
    """The matrices of the cross products with rows of x."""
    matrix = np.zeros((len(x), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrix[:, i, j], matrix[:, j, i] = -x[:, k], x[:, k]
    return matrix


def _blocks(camera: Array, point: Array, weight: Array, seen: Array) -> tuple[Any, Any, Any]:
    """Each observation's derivatives by its camera, its point and its weight."""
    rotation, relative = camera[:, 0:3], point - camera[:, 3:6]
    columns = [rotated(rotation, np.broadcast_to(np.eye(3)[i], relative.shape)) for i in range(3)]
    matrix = np.stack(columns, axis=2)
    x = (matrix @ relative[:, :, None])[:, :, 0]
    flat = x[:, 0:2] / x[:, 2:3]
    square = np.sum(flat**2, axis=1)[:, None]
    k1, k2, focal = camera[:, 9:10], camera[:, 10:11], camera[:, 6:7]
    factor = 1.0 + k1 * square + k2 * square**2
    bend = focal * (2.0 * k1 + 4.0 * k2 * square)
    of_flat = (focal * factor)[:, :, None] * np.eye(2) + bend[:, :, None] * np.einsum("pi,pj->pij", flat, flat)
    of_x = of_flat @ np.concatenate([np.broadcast_to(np.eye(2), (len(x), 2, 2)), -flat[:, :, None]], axis=2)
    of_x = of_x / x[:, 2][:, None, None]
    of_point = of_x @ matrix
    of_camera = np.concatenate(
        [
            of_x @ rotation_slope(rotation, matrix, relative), -of_point, (flat * factor)[:, :, None],
            np.broadcast_to(np.eye(2), (len(x), 2, 2)),
            (focal * flat * square)[:, :, None], (focal * flat * square**2)[:, :, None],
        ],
        axis=2,
    )  # fmt: skip
    picture = flat * factor * focal + camera[:, 7:9]
    return weight[:, None, None] * of_camera, weight[:, None, None] * of_point, picture - seen


def bundle_adjustment_jacobian(cameras: Array, points: Array, weights: Array) -> dict[str, Any]:
    """A block for each observation at its camera, its point and its weight; all else is zero."""
    size = len(weights)
    camera_of, point_of, seen = observations(size)
    of_camera, of_point, of_weight = _blocks(cameras[camera_of], points[point_of], weights, seen)
    each, pair = np.arange(size)[:, None], np.arange(2)[None, :]
    rows = 2 * each + pair
    jacobian = {
        "cameras": np.zeros((3 * size, *cameras.shape)),
        "points": np.zeros((3 * size, *points.shape)),
        "weights": np.zeros((3 * size, size)),
    }
    jacobian["cameras"][rows, camera_of[:, None]] = of_camera
    jacobian["points"][rows, point_of[:, None]] = of_point
    jacobian["weights"][rows, each] = of_weight
    jacobian["weights"][2 * size + each[:, 0], each[:, 0]] = -2.0 * weights
    return jacobian


def _scene(size: int, seed: int) -> Point:
    generator = np.random.default_rng(seed)
    cameras, points = _counts(size)
    least = np.array([-0.4, -0.4, 0.2, -0.5, -0.5, -6.0, 0.8, -0.1, -0.1, -0.1, -0.01])
    most = np.array([0.4, 0.4, 0.6, 0.5, 0.5, -4.0, 1.2, 0.1, 0.1, 0.1, 0.01])
    return {
        "cameras": generator.uniform(least, most, (cameras, 11)),
        "points": generator.uniform(-1.0, 1.0, (points, 3)),
        "weights": generator.uniform(0.5, 1.5, size),
    }


PROBLEMS = [
    Problem(
        "bundle-adjustment", "w*(project(camera, point) - seen) for each observation, then 1 - w**2",
        bundle_adjustment, bundle_adjustment_jacobian, (1, 10, 100, 500), _scene,
        source="ADBench's BA, its camera with 11 parameters; 8 observations a camera and 2 a point",
        stresses="a sparse Jacobian with 31 entries for each 3 rows, gathering by index, rotations",
    ),
]  # fmt: skip
