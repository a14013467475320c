"""Prepared Jacobians and Hessians: Programs that carry a batch of unit seeds, each run once for every chunk of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adcli_methods.batching import chunk_size
from adcli_methods.kernels.report import joined
from adcli_methods.operators import refuse_too_large
from adcli_methods.optimiser import PassEffect, optimise
from adcli_methods.prepared.choice import runner_of
from adcli_methods.prepared.runners import Runner
from adcli_methods.prepared.way import Way
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.rewriting import Seeded, jacobian_program, shaped_gradient
from adcli_methods.shapes import Shaped

Shape = tuple[int, ...]
Swept = dict[int, Sequence[Value]]
"""From a seeded value to what its sweeps gave: the derivatives by, or of, its entries, one after the other."""


class Passes(NamedTuple):
    """How often one run evaluates the function, and how many sweeps it takes."""

    primal_evaluations: int
    tangent_sweeps: int
    adjoint_sweeps: int


class Matrix(NamedTuple):
    """How the derivatives of a Program's outputs by its first inputs are made.

    Arguments:
        program: of the function, or for a Hessian of its value and gradient.
        values: how many of its outputs, the first ones, are the function's.
        outputs: the shapes of the outputs that are differentiated, the last ones.
        inputs: the shapes of the inputs that they are differentiated by.
        is_forward: whether a sweep gives columns; otherwise rows.
        chunk: how many of them a sweep gives at most.
    """

    program: Program
    values: int
    outputs: tuple[Shape, ...]
    inputs: tuple[Shape, ...]
    is_forward: bool
    chunk: int

    @property
    def seeded(self) -> tuple[Shape, ...]:
        """The shapes of the values that are seeded."""
        return self.inputs if self.is_forward else self.outputs

    @property
    def passes(self) -> Passes:
        """What one run takes: each chunk of a value that has several evaluates the function anew."""
        chunks = [-(-math.prod(shape) // self.chunk) for shape in self.seeded]
        evaluations = sum(count for count in chunks if count > 1) + (1 in chunks)
        is_hessian = len(self.program.outputs) > len(self.outputs)
        gradients = evaluations * is_hessian
        sweeps = sum(chunks)
        return Passes(evaluations, *((sweeps, gradients) if self.is_forward else (0, gradients + sweeps)))


def matrix_of(
    primal: Shaped, leaves: Sequence[Value], moving: int, operator: str, mode: str, chunk: int | None
) -> Matrix:
    """How a Jacobian or a Hessian is made of an optimised function.

    Arguments:
        primal: the function.
        leaves: the point.
        moving: how many of the leaves, the first ones, to differentiate by.
        operator: "jacobian" or "hessian".
        mode: "forward" or "reverse"; "auto" takes the fewer sweeps for a Jacobian, forward mode for a Hessian.
        chunk: how many seeds a sweep carries at most; None: as many as fit the cache.
    Raises: OperatorError for too many entries.
    """
    is_hessian = operator == "hessian"
    given = optimise(shaped_gradient(primal.program, leaves, moving)).shaped if is_hessian else primal
    program, abstracts = given
    outputs = tuple(abstracts[slot].shape for slot in program.outputs[int(is_hessian) :])
    inputs = tuple(abstracts[slot].shape for slot in program.inputs[:moving])
    rows, columns = (sum(map(math.prod, shapes)) for shapes in (outputs, inputs))
    refuse_too_large(rows, columns)
    is_forward = mode == "forward" or (mode == "auto" and (is_hessian or columns <= rows))
    computed = [
        np.broadcast_to(0.0, abstract.shape)
        for abstract, instruction in zip(abstracts, program.instructions, strict=True)
        if instruction.primitive is not None
    ]
    values = len(primal.program.outputs)
    return Matrix(program, values, outputs, inputs, is_forward, chunk_size(computed, chunk))


class _Part(NamedTuple):
    """A Program that is run once for all entries of some seeded values, or for each chunk of those of one.

    Arguments:
        seeded: what is seeded.
        size: how many entries the value has that is seeded in chunks.
        values: how many of the Program's outputs, the first ones, are values of the function.
        runner: of the Program.
        effects: of the optimiser.
    """

    seeded: tuple[Seeded, ...]
    size: int
    values: int
    runner: Runner
    effects: tuple[PassEffect, ...]

    def run(self, inputs: Sequence[Value]) -> Sequence[Value] | None:
        """The function's values, then for each seeded value its columns or rows, one after the other."""
        if not self.size:
            return self.runner.run(inputs)
        count, values, whole = self.seeded[0].entries, list[Value](), list[Value]()
        for begin in range(0, self.size, count):
            start = min(begin, self.size - count)  # the last chunk repeats entries of the one before
            found = self.runner.run([*inputs, np.arange(start, start + count)])
            if found is None:
                return None
            values, parts = list(found[: self.values]), found[self.values :]
            whole = whole or [np.empty((self.size, *np.shape(part)[1:]), part.dtype) for part in parts]
            for all_entries, part in zip(whole, parts, strict=True):
                all_entries[start : start + count] = part
        return [*values, *whole]


class MatrixRunner(NamedTuple):
    """What runs, and what the optimiser did."""

    runner: Runner
    effects: tuple[PassEffect, ...]


def matrix_runner(matrix: Matrix, leaves: Sequence[Value], way: Way) -> MatrixRunner:
    """What computes the function's values and then the blocks, block (o, i) of shape outputs[o] + inputs[i].

    Values with no more entries than a chunk are seeded in one Program together, each other one in its own.
    """
    sizes = [math.prod(shape) for shape in matrix.seeded]
    small = tuple(Seeded(k, size, False) for k, size in enumerate(sizes) if 0 < size <= matrix.chunk)
    large = [(Seeded(k, matrix.chunk, True),) for k, size in enumerate(sizes) if size > matrix.chunk]
    groups = [small, *large] if small or not large else large
    parts: list[_Part] = []
    for group in groups:
        values = 0 if parts else matrix.values
        made = optimise(_program(matrix, leaves, group, values))
        size = sizes[group[0].position] if group and group[0].has_places else 0
        parts.append(_Part(group, size, values, runner_of(made.shaped, way), made.effects))
    effects: Counter[str] = Counter()
    for part in parts:
        effects.update(dict(part.effects))
    return MatrixRunner(_joined(matrix, parts), tuple(PassEffect(*effect) for effect in effects.items()))


def _program(matrix: Matrix, leaves: Sequence[Value], group: Sequence[Seeded], values: int) -> Shaped:
    """The Program of a group of seeded values, with so many of the function's values first."""
    skipped = len(matrix.program.outputs) - len(matrix.outputs)
    moved = [each if matrix.is_forward else each._replace(position=each.position + skipped) for each in group]
    program, abstracts = jacobian_program(matrix.program, leaves, len(matrix.inputs), moved, matrix.is_forward)
    count = len(matrix.program.outputs)
    width = count if matrix.is_forward else len(matrix.inputs)
    outputs = list(program.outputs[:values])
    for k in range(len(group)):
        own = program.outputs[count + k * width : count + (k + 1) * width]
        outputs += own[skipped if matrix.is_forward else 0 :]
    made = Program(program.instructions, program.inputs, program.constants, outputs, program.guards)
    return Shaped(made, abstracts)


def _joined(matrix: Matrix, parts: Sequence[_Part]) -> Runner:
    """One after the other, as one."""
    width = len(matrix.outputs if matrix.is_forward else matrix.inputs)

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        values: list[Value] = []
        swept: Swept = {}
        for part in parts:
            found = part.run(inputs)
            if found is None:
                return None
            values += found[: part.values]
            for k, seeded in enumerate(part.seeded):
                start = part.values + k * width
                swept[seeded.position] = found[start : start + width]
        return [*values, *_blocks(matrix, swept)]

    runners = [part.runner for part in parts]
    backend = "+".join(dict.fromkeys(runner.backend for runner in runners))
    operations = sum(
        part.runner.operations * (-(-part.size // part.seeded[0].entries) if part.size else 1) for part in parts
    )
    reports = [runner.kernels for runner in runners if runner.kernels is not None]
    note = next((runner.note for runner in runners if runner.note), "")
    return Runner(run, backend, operations, None, joined(reports), note)


def _blocks(matrix: Matrix, swept: Swept) -> list[Value]:
    return [_block(matrix, swept, o, i) for o in range(len(matrix.outputs)) for i in range(len(matrix.inputs))]


def _block(matrix: Matrix, swept: Swept, output: int, leaf: int) -> Value:
    above, below = matrix.outputs[output], matrix.inputs[leaf]
    position, other = (leaf, output) if matrix.is_forward else (output, leaf)
    if position not in swept:
        return np.zeros(above + below)
    found = swept[position][other]
    if not matrix.is_forward or not below or not above:
        return np.reshape(found, above + below) if above + below else found
    columns = np.reshape(found, below + above)
    axes = range(columns.ndim)
    return columns.transpose(*axes[len(below) :], *axes[: len(below)])
