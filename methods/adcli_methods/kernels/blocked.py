"""Programs without a C compiler: NumPy, in blocks that stay in the cache.

The same plan as for C. A kernel whose expressions are all over one shape is computed block by block, so that what
passes from operation to operation never leaves the cache; anything else is computed whole, each operation once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np

from adcli_methods.kernels.loops import Root, roots_of
from adcli_methods.kernels.memory import Array
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.plan import KernelPlan, Plan
from adcli_methods.kernels.report import KernelReport
from adcli_methods.primitive import Value, evaluate
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract

BLOCK = 8192
"""Entries at a time: 64 kB a value."""


class _Blocks(NamedTuple):
    """A kernel that runs in blocks: its results, the slots that are computed for them, and those that are read."""

    roots: tuple[Root, ...]
    computed: tuple[int, ...]
    read: tuple[int, ...]


class BlockedProgram:
    """A Program for inputs of fixed shapes and types, run by NumPy. Two threads may run it at once.

    Arguments:
        program: what to run.
        abstracts: the shape and type of each slot.
    """

    def __init__(self, program: Program, abstracts: Sequence[Abstract]) -> None:
        started = perf_counter()
        self._plan = Plan(program, abstracts)
        phases = enumerate(self._plan.phases)
        kernels = [self._blocks(kernel, number) for number, phase in phases for kernel in phase.kernels]
        self._kernels = {root.slot: blocks for blocks in kernels if blocks is not None for root in blocks.roots}
        fused = {slot for blocks in self._kernels.values() for slot in blocks.computed}
        count = sum(node is not None and node.instruction.primitive is not None for node in self._plan.nodes)
        self.report = KernelReport(
            sum(blocks is not None for blocks in kernels), len(fused), count - len(fused), perf_counter() - started,
            f"none: NumPy in blocks of {BLOCK} entries", False, 1, "",
        )  # fmt: skip

    def run(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs, fresh values each time.

        Arguments: inputs: one value for each input, of the shape and type that it was made for.
        """
        program = self._plan.program
        values: dict[int, Value] = dict(program.constants)
        values.update(zip(program.inputs, inputs, strict=True))
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            for slot in program.outputs:
                self._compute(slot, values)
        return [np.array(values[slot]) if isinstance(values[slot], np.ndarray) else values[slot]
                for slot in program.outputs]  # fmt: skip

    def _compute(self, goal: int, values: dict[int, Value]) -> None:
        """The value of a slot, and of all that it needs."""
        stack = [goal]
        while stack:
            slot = stack[-1]
            blocks = self._kernels.get(slot)
            instruction = self._plan.node(slot).instruction
            needed = blocks.read if blocks is not None else instruction.operands
            waiting = [] if slot in values else [operand for operand in needed if operand not in values]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            if slot in values:
                continue
            if blocks is not None:
                self._run_blocks(blocks, values)
            elif instruction.primitive is not None:
                operands = [values[operand] for operand in instruction.operands]
                values[slot] = evaluate(instruction.primitive, operands, instruction.parameters)

    def _blocks(self, kernel: KernelPlan, phase: int) -> _Blocks | None:
        """How a kernel runs in blocks; None where that gains nothing or its values are not all over one shape."""
        roots = tuple(roots_of(self._plan, kernel))
        shape = roots[0].shape
        whole = all(root.shape == shape and len(root.axes) in (0, len(shape)) for root in roots)
        if not whole or int(np.prod(shape)) < 2 * BLOCK:
            return None
        computed, read = self._reached({root.operand for root in roots}, {root.slot for root in roots}, shape)
        fitting = all(self._plan.node(slot).abstract.shape in ((), shape) for slot in read) and self._known(read, phase)
        return _Blocks(roots, computed, read) if fitting and len(computed) > 1 else None

    def _known(self, slots: Sequence[int], phase: int) -> bool:
        """Whether values are known before the kernels of a phase, so that none of them waits for another."""
        seen, stack = set(slots), list(slots)
        while stack:
            slot = stack.pop()
            node = self._plan.node(slot)
            if self._plan.ready(slot) <= phase and (node.scalar or self._plan.in_memory(slot, phase)):
                continue
            if not node.scalar and node.kind is not Kind.VIEW:
                return False
            more = set(node.instruction.operands) - seen
            seen |= more
            stack += more
        return True

    def _reached(
        self, goals: set[int], own: set[int], shape: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The elementwise slots that lead to the goals, in order, and what they read."""
        computed, read, stack = set[int](), set[int](), list(goals)
        while stack:
            slot = stack.pop()
            node = self._plan.node(slot)
            inside = node.kind is Kind.ELEMENTWISE and node.abstract.shape == shape
            if slot in computed or slot in read:
                continue
            if inside and (slot in own or not self._plan.stored[slot]):
                computed.add(slot)
                stack += node.instruction.operands
            else:
                read.add(slot)
        return tuple(sorted(computed)), tuple(sorted(read))

    def _run_blocks(self, blocks: _Blocks, values: dict[int, Value]) -> None:
        shape = blocks.roots[0].shape
        arrays = {slot: np.ravel(values[slot]) for slot in blocks.read if np.shape(values[slot])}
        stores = {
            root.slot: np.empty(int(np.prod(shape)), root.node.abstract.dtype)
            for root in blocks.roots
            if root.operand == root.slot
        }
        parts: dict[int, list[Value]] = {root.slot: [] for root in blocks.roots if root.operand != root.slot}
        for block in self._each_block(blocks, values, arrays):
            start, found = block
            for root in blocks.roots:
                value = found[root.operand]
                if root.operand == root.slot:
                    stores[root.slot][start : start + BLOCK] = value
                else:
                    parts[root.slot].append(_reduced(root, value))
        for root in blocks.roots:
            if root.operand == root.slot:
                values[root.slot] = stores[root.slot].reshape(shape)
            else:
                total = _reduced(root, np.array(parts[root.slot]))
                keep = root.node.abstract.shape
                values[root.slot] = np.reshape(total, keep) if keep else total

    def _each_block(
        self, blocks: _Blocks, values: dict[int, Value], arrays: dict[int, Array]
    ) -> Iterator[tuple[int, dict[int, Value]]]:
        """Where each block starts, and the values in it."""
        instructions = self._plan.program.instructions
        for start in range(0, int(np.prod(blocks.roots[0].shape)), BLOCK):
            found = {slot: values[slot] for slot in blocks.read}
            found |= {slot: array[start : start + BLOCK] for slot, array in arrays.items()}
            for slot in blocks.computed:
                instruction = instructions[slot]
                operands = [found[operand] for operand in instruction.operands]
                found[slot] = evaluate(instruction.primitive, operands, instruction.parameters)  # type: ignore[arg-type]
            yield start, found


def _reduced(root: Root, values: Array) -> Value:
    primitive = root.node.instruction.primitive
    assert primitive is not None
    return evaluate(primitive, [values], {"axis": (0,), "keepdims": False})
