"""Positions within the layers of a layered graph: towards the neighbours, in order, and clear of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SWEEPS = 40
STRAIGHTEN = 8.0
"""How much more than boxes the parts of a long edge draw at each other."""
CENTRING = 0.08
"""How much the middle of the drawing draws, against edges' 1; it keeps deep graphs from drifting to a side."""


@dataclass
class Place:
    """A vertex of the layered graph: a box, an edge's label, or an edge's way through a layer."""

    layer: int
    width: float
    height: float
    gap: float
    x: float = 0.0
    is_way: bool = False
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def align(places: Sequence[Place], layers: Sequence[Sequence[int]]) -> None:
    """Draw each layer towards its neighbours, downwards and upwards in turn."""
    for layer in layers:
        _separate(places, layer, [places[position].x for position in layer], [1.0] * len(layer))
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        middle = sum(place.x for place in places) / len(places)
        for layer in layers if downwards else layers[::-1]:
            _settle(places, layer, middle, downwards, sweep >= SWEEPS - 4)


def _settle(places: Sequence[Place], layer: Sequence[int], middle: float, downwards: bool, both: bool) -> None:
    wanted, weights = [], []
    for position in layer:
        place = places[position]
        near = place.above + place.below if both else place.above if downwards else place.below
        pulls = [STRAIGHTEN if place.is_way and places[other].is_way else 1.0 for other in near]
        pull = sum(pulls) + CENTRING
        total = sum(places[other].x * by for other, by in zip(near, pulls, strict=True)) + middle * CENTRING
        wanted.append(total / pull)
        weights.append(pull)
    _separate(places, layer, wanted, weights)


def _separate(places: Sequence[Place], layer: Sequence[int], wanted: Sequence[float], weights: Sequence[float]) -> None:
    """The positions nearest to the wanted ones that keep order and distance: pooled adjacent violators."""
    offsets, offset = [], 0.0
    for rank, position in enumerate(layer):
        if rank:
            before, here = places[layer[rank - 1]], places[position]
            offset += (before.width + here.width) / 2 + min(before.gap, here.gap)
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []
    for target, weight, shift in zip(wanted, weights, offsets, strict=True):
        mean, total, count = target - shift, weight, 1
        while pools and pools[-1][0] > mean:
            earlier, mass, members = pools.pop()
            mean, total, count = (earlier * mass + mean * total) / (mass + total), mass + total, count + members
        pools.append((mean, total, count))
    rank = 0
    for mean, _, count in pools:
        for _ in range(count):
            places[layer[rank]].x = mean + offsets[rank]
            rank += 1
