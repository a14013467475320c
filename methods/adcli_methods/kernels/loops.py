"""The loop nest of a kernel: which axes are one loop, and where a loop is cut so that no range is decided inside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from adcli_methods.kernels.body import affine
from adcli_methods.kernels.maps import Axis, Map, Range, Shape, identity, strides_of
from adcli_methods.kernels.nodes import Node
from adcli_methods.kernels.phases import KernelPlan
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.sources import Key, Sources

Region = dict[int, tuple[int, int]]
"""From an axis to the first position and the one past the last."""


class Root:
    """One result of a kernel: an array that is stored, or a reduction.

    Arguments:
        slot: of the result.
        node: of the result.
        operand: the slot whose value is stored or reduced.
        shape: of what runs through the loop.
        axes: those that are reduced; none for a store.
    """

    def __init__(self, slot: int, node: Node, operand: int, shape: Shape) -> None:
        self.slot, self.node, self.operand, self.shape = slot, node, operand, shape
        self.axes = node.axes if operand != slot else ()
        kept = [1 if axis in self.axes else length for axis, length in enumerate(shape)]
        self.strides = [0 if axis in self.axes else stride for axis, stride in enumerate(strides_of(tuple(kept)))]
        self.size = prod(kept)


@dataclass(frozen=True)
class Nest:
    """Loops, the outermost first.

    Arguments:
        shape: what is run over.
        groups: for each loop, the axes that it runs over as one.
        lengths: of the loops.
        cuts: for each axis, the positions where a region ends and another begins.
        roots: what it computes.
        operations: how many there are for an entry, about.
        place: from axes to loops, where the results are.
    """

    shape: Shape
    groups: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    cuts: dict[int, list[int]]
    roots: tuple[Root, ...]
    operations: int
    place: Map

    def steps(self, place: Map, strides: Sequence[int]) -> tuple[list[int], int]:
        """The step of each loop in an array of these strides, and the offset, in entries."""
        steps, offset = affine(place, strides)
        return [steps.get(group[-1], 0) if group else 0 for group in self.groups], offset

    def intervals(self, loop: int) -> list[tuple[int, int]]:
        """The regions of a loop."""
        group = self.groups[loop]
        cuts = self.cuts.get(group[0], []) if group else []
        return list(pairwise([0, *cuts, self.lengths[loop]]))


def roots_of(plan: Plan, kernel: KernelPlan) -> Iterator[Root]:
    """The results of a kernel."""
    for slot in kernel.stores:
        node = plan.node(slot)
        yield Root(slot, node, slot, node.abstract.shape)
    for slot in kernel.reductions:
        node = plan.node(slot)
        operand = node.instruction.operands[0]
        yield Root(slot, node, operand, plan.node(operand).abstract.shape)


def nest_of(plan: Plan, phase: int, kernel: KernelPlan) -> Nest:
    """The loops of a kernel."""
    roots = tuple(roots_of(plan, kernel))
    place = identity(kernel.shape)
    loads: list[tuple[Map, Sequence[int]]] = [(place, root.strides) for root in roots]
    ranges: set[Range] = set()

    operations: set[Key] = set()
    sources, known = Sources(plan, phase, ranges.add), set[Key]()  # no range is decided: all pieces are followed
    for root in roots:
        ranges.update(box(root))
        for key, source in sources.order((root.operand, place), known):
            known.add(key)
            if source.what == "load":
                loads.append((source.place, strides_of(plan.node(source.slot).abstract.shape)))
            elif source.what in ("operation", "sum", "choice"):
                operations.add((source.slot, source.place))
    cuts = _cuts(ranges, kernel.shape)
    groups = _grouped(kernel.shape, loads, roots, cuts)
    lengths = tuple(prod(kernel.shape[axis] for axis in group) for group in groups)
    return Nest(kernel.shape, groups, lengths, cuts, roots, len(operations), place)


def box(root: Root) -> Iterator[Range]:
    """Where a result exists, inside a kernel over a larger shape."""
    for axis, length in enumerate(root.shape):
        yield Range(Axis(axis, 1, 0), 0, length)


def holds(condition: Range, region: Region) -> bool:
    """Whether a range holds in a region, in all of which it holds or does not."""
    (loop, step, offset), low, high = condition
    first, stop = region.get(loop, (0, 1))
    ends = (step * first + offset, step * (stop - 1) + offset)
    inside = low <= min(ends) and max(ends) < high
    assert inside or max(ends) < low or min(ends) >= high
    return inside


def _cuts(ranges: set[Range], shape: Shape) -> dict[int, list[int]]:
    cuts: dict[int, set[int]] = {}
    for (loop, step, offset), low, high in ranges:
        if loop >= 0 and shape[loop] > 1:
            ends = {_first_not_below(step, offset, low), _first_not_below(step, offset, high)}
            cuts.setdefault(loop, set()).update(end for end in ends if 0 < end < shape[loop])
    return {loop: sorted(found) for loop, found in cuts.items() if found}


def _first_not_below(step: int, offset: int, bound: int) -> int:
    """The first position from which on step * i + offset is on the other side of a bound."""
    return -((offset - bound) // step) if step > 0 else (offset - bound) // -step + 1


def _grouped(
    shape: Shape, loads: list[tuple[Map, Sequence[int]]], roots: Sequence[Root], cuts: dict[int, list[int]]
) -> tuple[tuple[int, ...], ...]:
    """Neighbouring axes that every access runs through as through one."""
    steps = [affine(place, strides)[0] for place, strides in loads]
    groups: list[tuple[int, ...]] = []
    for axis in [axis for axis, length in enumerate(shape) if length != 1]:
        if groups and _is_one(groups[-1][-1], axis, shape, steps, roots) and not {axis, *groups[-1]} & set(cuts):
            groups[-1] += (axis,)
        else:
            groups.append((axis,))
    return tuple(groups) or ((),)


def _is_one(outer: int, inner: int, shape: Shape, steps: list[dict[int, int]], roots: Sequence[Root]) -> bool:
    return all(step.get(outer, 0) == step.get(inner, 0) * shape[inner] for step in steps) and all(
        (outer in root.axes) == (inner in root.axes) for root in roots
    )
