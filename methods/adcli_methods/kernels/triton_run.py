"""One run of a Program on a GPU: the memory of its arrays, and its numbers, each in a cell on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adcli_methods.errors import PointError
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.triton_source import ByTorch
from adcli_methods.primitive import Value

if TYPE_CHECKING:
    from adcli_methods.kernels.triton_program import TritonProgram

Key = int | str
"""Memory of an array (its slot), of parts ("p1"), of what torch reduces ("t1"), of numbers ("S", "Z")."""


class Argument(NamedTuple):
    """Memory that a function is given; where it is not there yet, it is made, of this shape and torch's type."""

    key: Key
    shape: tuple[int, ...]
    kind: Any


class Launch(NamedTuple):
    """A compiled function with its grid, and what it is given."""

    name: str
    start: Callable[..., None]
    arguments: tuple[Argument, ...]
    options: dict[str, Any]


class Output(NamedTuple):
    """How an output is had.

    Arguments:
        place: the slot whose memory it is in; of a number, its cell; None of a constant number.
        shape: of it.
        is_copied: whether the memory must be copied.
        convert: of a number, to Python's or NumPy's type.
        is_whole: whether the number is whole.
        known: the constant number.
    """

    place: int | None
    shape: tuple[int, ...]
    is_copied: bool = False
    convert: Callable[[Any], Value] | None = None
    is_whole: bool = False
    known: Value = None


class Run:
    """See the module.

    Arguments:
        program: what runs.
        inputs: one value for each input.
    Raises: PointError for an input of another shape.
    """

    def __init__(self, program: TritonProgram, inputs: Sequence[Value]) -> None:
        import torch

        self._program, self._plan, self._cells = program, program.plan, program.source.cells
        self._empty = torch.empty
        self._numbers = torch.empty(max(1, len(self._cells)), dtype=torch.float64, device=program.device)
        self._whole = self._numbers.view(torch.int64)
        self._memory: dict[Key, Any] = {**program.constants, "S": self._numbers, "Z": self._whole}
        numbers = {slot: value for slot, value in self._plan.program.constants.items() if slot in self._cells}
        for slot, value in zip(self._plan.program.inputs, inputs, strict=True):
            shape = self._plan.node(slot).abstract.shape
            if np.shape(value) != shape:
                raise PointError(f"the kernels are for an input of shape {shape}, not {np.shape(value)}")
            if shape:
                self._memory[slot] = program.moved(value, slot)
            else:
                numbers[slot] = value
        if numbers:
            self._send(numbers)

    def _send(self, given: dict[int, Value]) -> None:
        """Send numbers to the device, all at once but those that are there already."""
        import torch

        there = {slot for slot, value in given.items() if isinstance(value, torch.Tensor)}
        sent = np.zeros(len(self._cells))
        for slot in given.keys() - there:
            (sent.view(np.int64) if self._program.is_whole(slot) else sent)[self._cells[slot]] = given[slot]
        if given.keys() - there:
            self._numbers.copy_(torch.from_numpy(sent))
        for slot in there:
            self._cell(slot).copy_(given[slot])

    def launch(self, launch: Launch) -> None:
        """Start a Triton function; it runs after all that was started before."""
        memory, given = self._memory, []
        for key, shape, kind in launch.arguments:
            value = memory.get(key)
            if value is None:
                value = memory[key] = self._empty(shape, dtype=kind, device=self._program.device)
            given.append(value)
        launch.start(*given, **launch.options)

    def by_torch(self, step: ByTorch) -> None:
        """Run torch's operations."""
        for slot in step.slots:
            left = self._memory.get(f"t{slot}")
            result = self._program.by_torch(slot, self._operands(slot) if left is None else [left])
            if self._plan.node(slot).scalar:
                self._cell(slot).copy_(result)
            else:
                self._memory[slot] = result.to(self._program.kind(slot)).contiguous()

    def _operands(self, slot: int) -> list[Value]:
        return [self._value(operand) for operand in self._plan.node(slot).instruction.operands]

    def _value(self, slot: int) -> Value:
        """What torch is given: a tensor, or a number that is known."""
        if slot in self._memory:
            return self._memory[slot]
        if self._plan.node(slot).kind in (Kind.VIEW, Kind.ALIAS):
            return self._program.by_torch(slot, self._operands(slot))
        if slot not in self._cells:
            return self._plan.program.constants[slot]
        return self._cell(slot).to(self._program.kind(slot))

    def _cell(self, slot: int) -> Any:
        return (self._whole if self._program.is_whole(slot) else self._numbers)[self._cells[slot]]

    def forget(self, keys: set[Key]) -> None:
        """Give memory back; what is started later may be given it again."""
        for key in keys:
            self._memory.pop(key, None)

    def outputs(self) -> list[Value]:
        """The outputs; the numbers come from the device in one transfer, which waits for all that was started."""
        wanted = self._program.outputs
        numbers = self._numbers.cpu().numpy() if any(output.convert for output in wanted) else None
        return [self._read(output, numbers) for output in wanted]

    def _read(self, output: Output, numbers: Any) -> Value:
        if output.place is None:
            return output.known
        if output.convert is not None:
            return output.convert((numbers.view(np.int64) if output.is_whole else numbers)[output.place])
        array = self._memory[output.place].reshape(output.shape)
        return array.clone() if output.is_copied else array
