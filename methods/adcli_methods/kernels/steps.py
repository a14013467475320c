"""Library calls of a plan, bound to the memory of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.kernels.memory import Layout, handle, writes_in_place
from adcli_methods.kernels.nodes import Kind, Node
from adcli_methods.primitive import Value, evaluate

if TYPE_CHECKING:
    from adcli_methods.kernels.compiled import Workspace

Step = Callable[["Workspace"], None]
"""One thing that a run does."""


def library_steps(layout: Layout, slots: Sequence[int]) -> Iterator[Step]:
    """The calls of one phase, each after the views and numbers that it takes."""
    seen: set[int] = set()
    for slot in slots:
        for operand in layout.plan.node(slot).instruction.operands:
            yield from _operand_steps(layout, operand, seen)
        yield _product(layout, slot) if writes_in_place(layout.plan.node(slot)) else _call(layout, slot)


def _operand_steps(layout: Layout, slot: int, seen: set[int]) -> Iterator[Step]:
    """What must be done so that Python has a value: a number fetched from C, a view taken."""
    node = layout.plan.node(slot)
    if slot in seen or layout.plan.stored[slot]:
        return
    seen.add(slot)
    if node.kind in (Kind.VIEW, Kind.ALIAS):
        yield from _operand_steps(layout, node.instruction.operands[0], seen)
        yield _view(node, slot)
    elif node.scalar and node.kind in (Kind.ELEMENTWISE, Kind.REDUCTION):
        yield _fetch(node, slot, layout.numbers[slot])


def _fetch(node: Node, slot: int, position: int) -> Step:
    convert: Any = {"float64": float, "bool": bool}.get(node.abstract.dtype, np.dtype(node.abstract.dtype).type)

    def step(workspace: Workspace) -> None:
        workspace.values[slot] = convert(workspace.doubles[position])

    return step


def _view(node: Node, slot: int) -> Step:
    primitive, parameters = node.instruction.primitive, node.instruction.parameters
    assert primitive is not None
    (operand,) = node.instruction.operands

    def step(workspace: Workspace) -> None:
        workspace.values[slot] = evaluate(primitive, [workspace.values[operand]], parameters)

    return step


def _product(layout: Layout, slot: int) -> Step:
    """A matrix product into memory that is there already; BLAS reads transposed views as they are."""
    first, second = layout.plan.node(slot).instruction.operands

    def step(workspace: Workspace) -> None:
        values = workspace.values
        np.matmul(values[first], values[second], out=values[slot])

    return step


def _call(layout: Layout, slot: int) -> Step:
    node = layout.plan.node(slot)
    primitive, operands, parameters = node.instruction.primitive, node.instruction.operands, node.instruction.parameters
    assert primitive is not None
    keep = _keeper(layout, slot, node)

    def step(workspace: Workspace) -> None:
        values = workspace.values
        keep(workspace, evaluate(primitive, [values[operand] for operand in operands], parameters))

    return step


def _keeper(layout: Layout, slot: int, node: Node) -> Callable[[Workspace, Value], None]:
    """Puts the result of a call where C finds it."""
    index = layout.homes[slot].place if slot in layout.homes else None
    number = layout.numbers.get(slot)
    whole = np.dtype(node.abstract.dtype).kind in "iu"

    def keep(workspace: Workspace, value: Value) -> None:
        if index is not None:
            value = np.ascontiguousarray(value, node.abstract.dtype)
            workspace.table[index] = handle(value)
        elif number is not None:
            (workspace.longs if whole else workspace.doubles)[number] = value
        workspace.values[slot] = value

    return keep
