"""Programs without a C compiler: NumPy, in blocks that stay in the cache.

The same plan as for C. A kernel whose expressions are all over one shape is computed block by block, so that what
passes from operation to operation never leaves the cache; anything else is computed whole, each operation once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np

from adcli_methods.emission import compile_guarded
from adcli_methods.kernels.loops import Root, roots_of
from adcli_methods.kernels.memory import Array
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.phases import KernelPlan
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.report import KernelReport
from adcli_methods.primitive import Value, evaluate
from adcli_methods.program import GIVEN, Instruction, Program
from adcli_methods.shapes import Abstract, Shaped
from adcli_methods.targets.numpy_target import QUICK_NUMPY

BLOCK = 8192
"""Entries at a time: 64 kB a value."""


class _Blocks(NamedTuple):
    """A kernel that runs in blocks: its results, the slots that are computed for them, and those that are read.

    `run` computes one block: from the slots read to the operands of the results.
    """

    roots: tuple[Root, ...]
    computed: tuple[int, ...]
    read: tuple[int, ...]
    run: Callable[..., Sequence[Value] | None]


class _Step(NamedTuple):
    """A slot to compute, and the slots whose values are not read after it."""

    slot: int
    last_reads: tuple[int, ...]


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
        self._steps = self._ordered()
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
            for step in self._steps:
                self._compute(step.slot, values)
                for slot in step.last_reads:
                    del values[slot]  # its memory serves what follows
        return [np.array(values[slot]) if isinstance(values[slot], np.ndarray) else values[slot]
                for slot in program.outputs]  # fmt: skip

    def _compute(self, slot: int, values: dict[int, Value]) -> None:
        """The value of a slot, or of all that its kernel gives, whose operands are known."""
        instruction = self._plan.node(slot).instruction
        if slot in self._kernels:
            self._run_blocks(self._kernels[slot], values)
        elif instruction.primitive is not None:
            operands = [values[operand] for operand in instruction.operands]
            values[slot] = evaluate(instruction.primitive, operands, instruction.parameters)

    def _ordered(self) -> list[_Step]:
        """What is computed, operands first, each with the values that nothing reads after it."""
        program = self._plan.program
        given = {*program.constants, *program.inputs}
        order, done, stack = list[int](), set(given), list(reversed(program.outputs))
        while stack:
            slot = stack[-1]
            waiting = [] if slot in done else [operand for operand in self._needed(slot) if operand not in done]
            stack += waiting
            if not waiting:
                stack.pop()
                if slot not in done:
                    order.append(slot)
                    done |= self._given_by(slot)
        last_read = {operand: position for position, slot in enumerate(order) for operand in self._needed(slot)}
        kept = given | set(program.outputs)
        dropped: list[list[int]] = [[] for _ in order]
        for slot, position in last_read.items():
            if slot not in kept:
                dropped[position].append(slot)
        return [_Step(slot, tuple(slots)) for slot, slots in zip(order, dropped, strict=True)]

    def _needed(self, slot: int) -> Sequence[int]:
        return self._kernels[slot].read if slot in self._kernels else self._plan.node(slot).instruction.operands

    def _given_by(self, slot: int) -> set[int]:
        return {root.slot for root in self._kernels[slot].roots} if slot in self._kernels else {slot}

    def _blocks(self, kernel: KernelPlan, phase: int) -> _Blocks | None:
        """How a kernel runs in blocks; None where that gains nothing or its values are not all over one shape."""
        roots = tuple(roots_of(self._plan, kernel))
        shape = roots[0].shape
        whole = all(root.shape == shape and len(root.axes) in (0, len(shape)) for root in roots)
        if not whole or int(np.prod(shape)) < 2 * BLOCK:
            return None
        computed, read = self._reached({root.operand for root in roots}, {root.slot for root in roots}, shape)
        fitting = all(self._plan.node(slot).abstract.shape in ((), shape) for slot in read) and self._known(read, phase)
        if not fitting or len(computed) < 2:
            return None
        return _Blocks(roots, computed, read, self._compiled(roots, computed, read, shape))

    def _compiled(
        self, roots: Sequence[Root], computed: Sequence[int], read: Sequence[int], shape: tuple[int, ...]
    ) -> Callable[..., Sequence[Value] | None]:
        """One block as straight-line NumPy, which writes into what nothing needs any more."""
        place = {slot: position for position, slot in enumerate((*read, *computed))}
        abstracts = [self._plan.node(slot).abstract for slot in place]
        blocks = tuple(Abstract((BLOCK,) if each.shape == shape else (), each.dtype) for each in abstracts)
        written = [self._plan.program.instructions[slot] for slot in computed]
        instructions = [
            Instruction(each.primitive, tuple(place[operand] for operand in each.operands), each.parameters, each.mark)
            for each in written
        ]
        outputs = [place[root.operand] for root in roots]
        program = Program([GIVEN] * len(read) + instructions, range(len(read)), {}, outputs)
        return compile_guarded(Shaped(program, blocks), QUICK_NUMPY, checked=False)

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
        count = int(np.prod(shape))
        given = [np.ravel(values[slot]) if np.shape(values[slot]) else values[slot] for slot in blocks.read]
        stores = {
            root.slot: np.empty(count, root.node.abstract.dtype) for root in blocks.roots if root.operand == root.slot
        }
        parts: dict[int, list[Value]] = {root.slot: [] for root in blocks.roots if root.operand != root.slot}
        for start in range(0, count, BLOCK):
            block = slice(start, start + BLOCK)
            found = blocks.run(*[value[block] if isinstance(value, np.ndarray) else value for value in given])
            assert found is not None  # it has no guards
            for root, value in zip(blocks.roots, found, strict=True):
                if root.operand == root.slot:
                    stores[root.slot][block] = value
                else:
                    parts[root.slot].append(_reduced(root, value))
        for root in blocks.roots:
            if root.operand == root.slot:
                values[root.slot] = stores[root.slot].reshape(shape)
            else:
                total = _reduced(root, np.array(parts[root.slot]))
                keep = root.node.abstract.shape
                values[root.slot] = np.reshape(total, keep) if keep else total


def _reduced(root: Root, values: Array) -> Value:
    primitive = root.node.instruction.primitive
    assert primitive is not None
    return evaluate(primitive, [values], {"axis": (0,), "keepdims": False})
