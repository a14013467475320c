"""Derivatives of Programs that are Programs again: the sweeps of `sweeps`, run on tracers and written down.

A derived Program holds under the guards of the first one, and each of its instructions bears the user's line that
it comes from. Its inputs are slots 0, 1, ... in order, like those of every Program that a trace makes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adcli_methods.batching import Batch
from adcli_methods.pieces import added
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.structural import reshape
from adcli_methods.program import GIVEN, Guard, Instruction, Program
from adcli_methods.shapes import Shaped, abstract_of
from adcli_methods.sweeps import contributions, filled, push_one, seeded
from adcli_methods.trace import Trace
from adcli_methods.tracer import Tracer


def replay(program: Program, inputs: Sequence[Value], moving: int | None = None) -> Trace:
    """A Program run on these inputs: a closed trace whose slots are the Program's own.

    Arguments:
        program: what to run.
        inputs: one value for each input.
        moving: how many of the inputs, the first ones, derivatives flow from; None: all.

    >>> from adcli_methods.function import FlatFunction, function_of
    >>> square = FlatFunction(function_of(lambda x: x * x), {"x": 3.0}, [("x",)]).program
    >>> replay(square, [4.0]).values
    [4.0, 16.0]
    """
    trace = Trace(inputs)
    values = trace.values
    for slot in range(trace.input_count, len(program.instructions)):
        instruction = program.instructions[slot]
        if instruction.primitive is None:
            values.append(program.constants[slot])
        else:
            operands = [values[operand] for operand in instruction.operands]
            values.append(instruction.primitive(*operands, **instruction.parameters))
    return _closed(trace, program, moving)


def _closed(trace: Trace, program: Program, moving: int | None) -> Trace:
    """A trace that has the Program's inputs and all its values, closed with what else the Program knows."""
    if moving is not None:
        trace.active[moving:] = [False] * (trace.input_count - moving)
    active = trace.active
    for slot in range(trace.input_count, len(program.instructions)):
        is_active = False
        for operand in program.instructions[slot].operands:
            if active[operand]:
                is_active = True
        active.append(is_active)
    trace.instructions = list(program.instructions)
    trace.guards = list(program.guards)
    trace.close()
    return trace


def gradient_program(program: Program, inputs: Sequence[Value], moving: int | None = None) -> Program:
    """Value and gradient of a Program with one scalar output: outputs y, then one adjoint for each moving input.

    Arguments:
        program: the primal.
        inputs: the point at which it is differentiated; the result holds for all inputs of these shapes.
        moving: how many of the inputs, the first ones, to differentiate by; None: all.
    """
    return shaped_gradient(program, inputs, moving).program


def shaped_gradient(program: Program, inputs: Sequence[Value], moving: int | None = None) -> Shaped:
    """As `gradient_program`, with the shapes and types that its values have at the point."""
    recorder = _Recorder(program, inputs, (), moving)
    return recorder.shaped(recorder.pull([recorder.one()]))


def forward_gradient(program: Program, inputs: Sequence[Value], moving: int) -> Shaped:
    """Value and gradient as `shaped_gradient` gives them, by tangents: all entries of an input in one batch."""
    recorder = _Recorder(program, inputs, (), moving)
    return recorder.shaped([recorder.column(position) for position in range(moving)])


class Seeded(NamedTuple):
    """Which entries of one value are seeded in a batch.

    Arguments:
        position: of the value, among the moving inputs or among the outputs.
        entries: how many of its entries a batch has.
        has_places: whether the places of these entries are an input of the Program; otherwise they are all entries.
    """

    position: int
    entries: int
    has_places: bool


def jacobian_program(
    program: Program, inputs: Sequence[Value], moving: int, seeded: Sequence[Seeded], is_forward: bool
) -> Shaped:
    """Inputs x and places; outputs y, then for each seeded value all columns (or rows) of the Jacobian that it has.

    A column, of the shape of an output, or a row, of the shape of an input, is a member of a batch, whose axis comes
    first; a seeded number has no such axis.

    Arguments:
        program: the primal.
        inputs: the point.
        moving: how many of the inputs, the first ones, to differentiate by.
        seeded: the moving inputs, in forward mode, or the outputs that are seeded.
        is_forward: whether tangents are pushed, a column each, or cotangents are pulled, a row each.
    """
    places = [np.arange(each.entries) for each in seeded if each.has_places]
    recorder = _Recorder(program, inputs, places, moving)
    given = iter(recorder.seeds)
    found: list[Value] = []
    for each in seeded:
        batch = Batch(each.entries, next(given) if each.has_places else None)
        found += (recorder.columns if is_forward else recorder.rows)(each.position, batch)
    return recorder.shaped(found)


def adjoint_program(
    program: Program, inputs: Sequence[Value], cotangents: Sequence[Value], moving: int | None = None
) -> Program:
    """Inputs x and y_bar; outputs y and x_bar, the vector-Jacobian product.

    Arguments:
        program: the primal.
        inputs: the point.
        cotangents: one for each output, of its shape.
        moving: how many of the inputs, the first ones, to differentiate by; None: all.
    """
    recorder = _Recorder(program, inputs, cotangents, moving)
    return recorder.shaped(recorder.pull(recorder.seeds)).program


def tangent_program(program: Program, inputs: Sequence[Value], tangents: Sequence[Value]) -> Program:
    """Inputs x and x_dot; outputs y and y_dot, the Jacobian-vector product.

    Arguments:
        program: the primal.
        inputs: the point.
        tangents: one for each moving input, of its shape; the inputs after them stay where they are.
    """
    recorder = _Recorder(program, inputs, tangents, len(tangents))
    return recorder.shaped(recorder.push(recorder.seeds)).program


class _Recorder:
    """An outer trace that starts with a Program's own instructions, and the Program's sweeps recorded there."""

    def __init__(
        self, program: Program, inputs: Sequence[Value], seeds: Sequence[Value], moving: int | None = None
    ) -> None:
        self.primal = program
        self.outer = Trace([*inputs, *seeds])
        tracers = self.outer.tracers()
        self.seeds = tracers[len(inputs) :]
        self.moving = len(inputs) if moving is None else moving
        self.inner = self._taken_over(tracers[: len(inputs)])
        self.stamped = len(self.outer.instructions)

    def _taken_over(self, tracers: Sequence[Tracer]) -> Trace:
        """The Program's instructions put into the outer trace; the inner trace of the tracers of their values."""
        outer, inner, program = self.outer, Trace(tracers), self.primal
        values, shift = inner.values, outer.input_count - inner.input_count
        for slot in range(inner.input_count, len(program.instructions)):
            instruction = program.instructions[slot]
            value, is_traced = program.constants.get(slot), False
            if instruction.primitive is not None:
                given = [values[operand] for operand in instruction.operands]
                for operand in given:
                    if isinstance(operand, Tracer):
                        is_traced = True
                plain = [operand.value if isinstance(operand, Tracer) else operand for operand in given]
                value = instruction.primitive(*plain, **instruction.parameters)
            outer.values.append(value)
            outer.active.append(is_traced)
            outer.instructions.append(_shifted(instruction, inner.input_count, shift) if is_traced else GIVEN)
            values.append(outer.wrap(slot + shift, value) if is_traced else value)
        return _closed(inner, program, self.moving)

    def _stamp(self, source: Instruction) -> None:
        """Give what was recorded since the last call the user's line of the instruction that it stems from."""
        for instruction in self.outer.instructions[self.stamped :]:
            if instruction.primitive is not None:
                instruction.mark = source.mark
        self.stamped = len(self.outer.instructions)

    def one(self) -> Tracer:
        """The cotangent 1 of the output, recorded so that nothing made of it alone is an array of ones."""
        value = self.inner.values[self.primal.outputs[0]]
        kind = getattr(value, "dtype", None)
        one = 1.0 if kind in (None, np.float64) else kind.type(1.0)
        return self.outer.wrap(self.outer.constant(one), one)

    def pull(self, cotangents: Sequence[Value]) -> list[Value]:
        inner, instructions = self.inner, self.primal.instructions
        adjoints = seeded(inner, self.primal.outputs, cotangents)
        for slot, operand, part in contributions(inner, inner.values, adjoints):
            adjoints[operand] = added(adjoints[operand], part)
            self._stamp(instructions[slot])
        return [_whole(adjoints[slot], inner.values[slot]) for slot in range(self.moving)]

    def push(self, tangents: Sequence[Value]) -> list[Value]:
        inner = self.inner
        moved: list[Value | None] = [*tangents, *[None] * (len(inner.values) - len(tangents))]
        for slot in range(inner.input_count, len(inner.values)):
            if inner.active[slot]:
                instruction = inner.instructions[slot]
                moved[slot] = push_one(instruction, inner.values, moved, inner.values[slot])
                self._stamp(instruction)
        return [_whole(moved[slot], inner.values[slot]) for slot in self.primal.outputs]

    def column(self, position: int) -> Value:
        """The derivatives of the one output by every entry of an input, in the input's shape."""
        shape = shape_of(self.inner.values[position])
        (found,) = self.columns(position, Batch(math.prod(shape)))
        return reshape(found, shape=shape) if shape else found

    def columns(self, position: int, batch: Batch) -> list[Value]:
        """The derivatives of each output by the entries of an input that a batch has; their axis comes first."""
        tangents: list[Value] = [None] * self.moving
        shape = shape_of(self.inner.values[position])
        tangents[position] = batch.units(shape, self.one()) if shape else self.one()
        if not shape:
            return self.push(tangents)
        return [batch.whole(found) for found in self.push(tangents)]

    def rows(self, position: int, batch: Batch) -> list[Value]:
        """The derivatives by each moving input of the entries of an output that a batch has; their axis comes first."""
        shape = shape_of(self.inner.values[self.primal.outputs[position]])
        cotangents: list[Value] = [None] * len(self.primal.outputs)
        cotangents[position] = batch.units(shape, self.one()) if shape else self.one()
        if not shape:
            return self.pull(cotangents)
        return [batch.whole(found) for found in self.pull(cotangents)]

    def shaped(self, derivatives: Sequence[Value]) -> Shaped:
        outer, values = self.outer, self.inner.values
        slots = [outer.output_slot(value) for value in [*(values[slot] for slot in self.primal.outputs), *derivatives]]
        for guard in self.primal.guards:
            decided = values[guard.slot]
            if isinstance(decided, Tracer):
                outer.guards.append(Guard(decided.slot, guard.outcome))
        outer.close()
        return Shaped(outer.program_of(slots), tuple(map(abstract_of, outer.values)))


def _shifted(instruction: Instruction, start: int, shift: int) -> Instruction:
    """An instruction whose operands from `start` on are so many slots later."""
    if not shift:
        return instruction
    operands = tuple([operand + shift if operand >= start else operand for operand in instruction.operands])
    return Instruction(instruction.primitive, operands, instruction.parameters, instruction.mark)


def _whole(sensitivity: Value | None, value: Value) -> Value:
    return sensitivity if type(sensitivity) is Tracer and shape_of(value) == () else filled(sensitivity, value)
