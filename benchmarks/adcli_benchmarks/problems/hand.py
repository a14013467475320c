"""Hand tracking: the pose of a hand that puts its skin where points were seen.

A palm and five fingers of three bones. A bone's place is its parent's times its own at rest times its turn; a vertex of
the skin follows the bones near it, each as much as its weight says (linear blend skinning).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_benchmarks.problems.data import kept, signed
from adcli_benchmarks.problems.geometry import rotated, rotation_slope

FINGERS, JOINTS, ANGLES = 5, 3, 4
"""Each finger bends at three joints, and moves sideways at the first."""
PLACE = 6
"""Parameters of the whole hand: rotation (3), translation (3)."""
LENGTHS = (0.5, 0.3, 0.2)
SOFTNESS = 0.25
"""How far a bone moves the skin."""


def _turning(axis: int) -> Array:
    """The generator of turns about an axis, of points with a 1 as their fourth entry."""
    generator = np.zeros((4, 4))
    j, k = (axis + 1) % 3, (axis + 2) % 3
    generator[j, k], generator[k, j] = -1.0, 1.0
    return kept(generator)


BEND, SPREAD, FAN = (_turning(axis) for axis in range(3))
AXES = ((0, BEND), (0, SPREAD), (1, BEND), (2, BEND))
"""The joint and the axis of each angle of a finger."""


class Hand(NamedTuple):
    """A hand at rest; its palm does not move in its own frame.

    Arguments:
        relatives: the frame of each finger's joints in that of the joint before.
        inverses: from the hand's frame to each joint's.
        positions: of the vertices, with a 1 each, a vertex a column.
        weights: of each bone for each vertex, the palm first; they add up to 1.
    """

    relatives: Array
    inverses: Array
    positions: Array
    weights: Array


def _made() -> Hand:
    """The hand, made of its lengths."""
    relatives = np.zeros((FINGERS, JOINTS, 4, 4)) + np.eye(4)
    for finger in range(FINGERS):
        side = finger - FINGERS // 2
        relatives[finger, 0] = turn(-0.15 * side, FAN)
        relatives[finger, 0, 0:2, 3] = 0.2 * side, 1.0 - 0.1 * abs(side)
        relatives[finger, 1:, 1, 3] = LENGTHS[:-1]
    absolutes = np.stack([relatives[:, 0], relatives[:, 0] @ relatives[:, 1],
                          relatives[:, 0] @ relatives[:, 1] @ relatives[:, 2]], axis=1)  # fmt: skip
    bones = np.concatenate([np.eye(4)[None], absolutes.reshape(-1, 4, 4)])
    middles = np.array([(0.0, length / 2.0, 0.0, 1.0) for length in (1.0, *LENGTHS * FINGERS)])
    aside = np.array([0.08, 0.05, 0.06, 0.0])
    positions = np.concatenate(list(bones @ np.stack([middles - aside, middles + aside], axis=2)), axis=1)
    centers = np.einsum("bij,bj->bi", bones, middles)
    apart = np.sum((centers[:, :, None] - positions[None, :, :]) ** 2, axis=1)
    weights = np.exp(-apart / (2.0 * SOFTNESS**2))
    return Hand(kept(relatives), kept(np.linalg.inv(absolutes)), kept(positions), kept(weights / weights.sum(axis=0)))


def turn(angle: float, generator: Array) -> Any:
    """The matrix of a turn by so many radians."""
    return np.eye(4) + np.sin(angle) * generator + (1.0 - np.cos(angle)) * (generator @ generator)


HAND = _made()


def turns(angles: Array) -> list[Any]:
    """The matrices of a finger's joints."""
    return [turn(angles[1], SPREAD) @ turn(angles[0], BEND), turn(angles[2], BEND), turn(angles[3], BEND)]


def bent(angles: Array) -> Any:
    """The vertices of a hand with bent fingers in its own frame, one a row."""
    relatives, inverses, positions, weights = HAND
    posed = weights[0] * positions
    for finger in range(FINGERS):
        absolute = np.eye(4)
        for joint, turned in enumerate(turns(angles[ANGLES * finger : ANGLES * (finger + 1)])):
            absolute = absolute @ relatives[finger, joint] @ turned
            weight = weights[1 + JOINTS * finger + joint]
            posed = posed + weight * (absolute @ (inverses[finger, joint] @ positions))
    return np.transpose(posed[0:3])


def skin(theta: Array) -> Any:
    """The vertices of a posed hand, one a row.

    Arguments: theta: rotation (3), translation (3), then for each finger bend, spread, bend, bend, in radians.
    """
    return rotated(theta[None, 0:3], bent(theta[PLACE:])) + theta[3:6]


def hand_tracking(theta: Array, count: int) -> Any:
    """From vertices of the hand to where they were seen, `count` of them."""
    vertices, seen = _seen_vertices(int(count))
    return np.reshape(seen - skin(theta)[vertices], -1)


def hand_tracking_surface(theta: Array, u: Array) -> Any:
    """From points of the hand's surface to where they were seen.

    Arguments: u: two barycentric coordinates of each point in its triangle, one point a row.
    """
    corners, seen = _seen_triangles(len(u))
    vertices = skin(theta)
    first, second, third = (vertices[corners[:, k]] for k in range(3))
    points = u[:, 0:1] * first + u[:, 1:2] * second + (1.0 - u[:, 0:1] - u[:, 1:2]) * third
    return np.reshape(seen - points, -1)


def _turn_slopes(angles: Array) -> Iterator[tuple[int, Array]]:
    """By each angle of a finger: the joint that it turns, and the derivative of that joint's matrix."""
    joints = turns(angles)
    for number, (joint, generator) in enumerate(AXES):
        inner = number == 0  # the first bend comes before the spread
        yield joint, joints[joint] @ generator if inner else generator @ joints[joint]


def _bent_slopes(angles: Array) -> Array:
    """The derivative of `bent`, by vertex, axis and angle."""
    relatives, inverses, positions, weights = HAND
    slopes = np.zeros((positions.shape[1], 3, len(angles)))
    for finger in range(FINGERS):
        own = angles[ANGLES * finger : ANGLES * (finger + 1)]
        steps = [relatives[finger, joint] @ turned for joint, turned in enumerate(turns(own))]
        for number, (moved, slope) in enumerate(_turn_slopes(own)):
            absolute = np.eye(4)
            for joint in range(JOINTS):
                absolute = absolute @ (relatives[finger, joint] @ slope if joint == moved else steps[joint])
                if joint >= moved:
                    part = weights[1 + JOINTS * finger + joint] * (absolute @ inverses[finger, joint] @ positions)
                    slopes[:, :, ANGLES * finger + number] += part[0:3].T
    return slopes


def _skin_slopes(theta: Array) -> Array:
    """The derivative of `skin`, by vertex, axis and parameter."""
    vertices, matrix = bent(theta[PLACE:]), rotated(theta[None, 0:3], np.eye(3)).T
    by_rotation = rotation_slope(theta[None, 0:3], matrix[None], vertices)
    by_translation = np.broadcast_to(np.eye(3), by_rotation.shape)
    return np.concatenate([by_rotation, by_translation, matrix @ _bent_slopes(theta[PLACE:])], axis=2)


def hand_tracking_jacobian(theta: Array, count: int) -> Any:
    """Three rows for each vertex that was seen."""
    vertices, _ = _seen_vertices(int(count))
    return -_skin_slopes(theta)[vertices].reshape(-1, len(theta))


def hand_tracking_surface_jacobian(theta: Array, u: Array) -> dict[str, Any]:
    """By theta the corners' derivatives, weighted; by u a block of three rows and two columns for each point."""
    corners, _ = _seen_triangles(len(u))
    shares = np.stack([u[:, 0], u[:, 1], 1.0 - u[:, 0] - u[:, 1]])
    slopes = sum(shares[k][:, None, None] * _skin_slopes(theta)[corners[:, k]] for k in range(3))
    vertices = skin(theta)
    by_u = np.zeros((len(u), 3, len(u), 2))
    for k in range(2):
        by_u[np.arange(len(u)), :, np.arange(len(u)), k] = vertices[corners[:, 2]] - vertices[corners[:, k]]
    return {"theta": -np.reshape(slopes, (-1, len(theta))), "u": by_u.reshape(-1, *u.shape)}


def _pose(generator: np.random.Generator) -> Array:
    """A turned and bent hand."""
    place = [signed(generator, 0.2, 0.6, (3,)), generator.uniform(-1.0, 1.0, 3)]
    return np.concatenate([*place, generator.uniform(0.1, 0.7, FINGERS * ANGLES)])


OTHER_POSE = kept(skin(_pose(np.random.default_rng(0))))
"""The vertices of the hand that is seen, in another pose."""


@cache
def _seen_vertices(count: int) -> tuple[Array, Array]:
    """The vertices that were seen, and where."""
    generator = np.random.default_rng(count)
    vertices = generator.integers(len(OTHER_POSE), size=count)
    return kept(vertices), kept(OTHER_POSE[vertices] + generator.normal(0.0, 0.01, (count, 3)))


@cache
def _seen_triangles(count: int) -> tuple[Array, Array]:
    """The corners of the triangles in which points were seen, and where the points were."""
    vertices, seen = _seen_vertices(count)
    return kept((vertices[:, None] + np.arange(3)) % HAND.positions.shape[1]), seen


def _hand_point(size: int, seed: int) -> Point:
    return {"theta": _pose(np.random.default_rng(seed)), "count": np.int64(size)}


def _surface_point(size: int, seed: int) -> Point:
    generator = np.random.default_rng(seed)
    return {"theta": _pose(generator), "u": generator.uniform(0.1, 0.4, (size, 2))}


PROBLEMS = [
    Problem(
        "hand-tracking", "seen - skin(theta)[vertex] for n vertices of a hand in the pose theta", hand_tracking,
        hand_tracking_jacobian, (1, 10, 100, 1000), _hand_point,
        source="ADBench's HT, simple, its 26 parameters; a hand of 16 bones and 32 vertices in place of its mesh files",
        stresses="few inputs and many outputs, chains of matrix products",
    ),
    Problem(
        "hand-tracking-surface", "seen - (u1*a + u2*b + (1 - u1 - u2)*c) for n points in triangles a, b, c of the skin",
        hand_tracking_surface, hand_tracking_surface_jacobian, (1, 10, 100), _surface_point,
        source="ADBench's HT, complicated: two coordinates more for each point; the same hand",
        stresses="a Jacobian of dense columns beside sparse ones",
    ),
]  # fmt: skip
