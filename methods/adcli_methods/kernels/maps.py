"""Where a loop reads a value: maps from the positions of loops to the position in an array.

Views (slices, transposes, broadcasts) change the map and never copy; pieces put in their places (the adjoints of
slices) are read where they come from, inside their ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Shape = tuple[int, ...]


class Axis(NamedTuple):
    """The position along one axis of an array: step * (the position of a loop) + offset; loop -1 is none."""

    loop: int
    step: int
    offset: int


Map = tuple[Axis, ...]
"""One Axis for each axis of an array."""

START = Axis(-1, 0, 0)


class Range(NamedTuple):
    """A condition: low <= the position < high."""

    axis: Axis
    low: int
    high: int


class Part(NamedTuple):
    """What an index takes of one axis: `length` entries from `start`; they become the axis `target` (None: no axis)."""

    start: int
    step: int
    length: int
    target: int | None


def identity(shape: Shape) -> Map:
    """Loops over the array's own axes."""
    return tuple(START if length == 1 else Axis(loop, 1, 0) for loop, length in enumerate(shape))


def operand_map(place: Map, shape: Shape) -> Map:
    """The map of an operand of this shape that is broadcast to where `place` reads."""
    return tuple(START if n == 1 else axis for n, axis in zip(shape, place[len(place) - len(shape) :], strict=True))


def parts_of(index: tuple[Any, ...], shape: Shape) -> tuple[Part, ...] | None:
    """What a basic index takes of each axis; None for an index with arrays."""
    if any(not isinstance(item, (int, slice, type(None), type(Ellipsis))) or isinstance(item, bool) for item in index):
        return None
    taken = sum(isinstance(item, (int, slice)) for item in index)
    rest = [slice(None)] * (len(shape) - taken)
    if Ellipsis in index:
        at = index.index(Ellipsis)
        items = [*index[:at], *rest, *index[at + 1 :]]
    else:
        items = [*index, *rest]
    parts: list[Part] = []
    target = 0
    for item in items:
        if item is None:
            target += 1
            continue
        length = shape[len(parts)]
        if isinstance(item, int):
            parts.append(Part(item % length, 1, 1, None))
        else:
            start, stop, step = item.indices(length)
            parts.append(Part(start, step, len(range(start, stop, step)), target))
            target += 1
    return tuple(parts)


def slice_map(place: Map, parts: Sequence[Part]) -> Map:
    """The map into an array of what is read of its slice at `place`."""
    axes = []
    for part in parts:
        if part.target is None:
            axes.append(Axis(-1, 0, part.start))
        else:
            loop, step, offset = place[part.target]
            axes.append(Axis(loop, step * part.step, part.start + offset * part.step))
    return tuple(axes)


def piece_map(place: Map, parts: Sequence[Part], shape: Shape) -> tuple[Map, tuple[Range, ...]]:
    """The map into a piece of this shape that was put into an array at a slice, and the ranges where it is.

    Arguments:
        place: where the array is read.
        parts: the slice, with steps 1 and -1 only.
        shape: of the piece.
    """
    axes = [START] * len(shape)
    ranges = []
    for part, axis in zip(parts, place, strict=True):
        low = part.start if part.step == 1 else part.start - part.length + 1
        ranges.append(Range(axis, low, low + part.length))
        if part.target is not None and shape[part.target] != 1:
            sign = part.step
            axes[part.target] = Axis(axis.loop, sign * axis.step, sign * (axis.offset - part.start))
    return tuple(axes), tuple(ranges)


def same_entries(first: Shape, second: Shape) -> bool:
    """Whether two shapes differ by axes of length 1 only."""
    return [n for n in first if n != 1] == [n for n in second if n != 1]


def regrouped_map(place: Map, shape: Shape) -> Map:
    """The map into an array of this shape whose reshape, by axes of length 1 only, is read at `place`."""
    loops = iter([axis for axis in place if axis != START])
    return tuple(START if n == 1 else next(loops, START) for n in shape)


def strides_of(shape: Shape) -> list[int]:
    """Entries from one to the next along each axis of a C-contiguous array."""
    strides, step = [], 1
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return strides[::-1]
