"""A Program made ready to run on a GPU: Triton's kernels and torch's operations, in order on one stream."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from adcli_methods.errors import PointError, UnavailableError
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.report import KernelReport
from adcli_methods.kernels.triton_kernel import THREADS
from adcli_methods.kernels.triton_source import WHOLE, ByTorch, Function, TritonSource
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract
from adcli_methods.targets import target

OPTIONS = {"num_warps": THREADS // 32, "enable_fp_fusion": False, "enable_reflect_ftz": False}
"""a * b + c is rounded twice, and no number that is small is taken for 0: IEEE meaning, as in NumPy."""
Key = int | str
"""Memory of an array (its slot), of parts ("p1"), or of what torch reduces ("t1")."""


def triton_functions(text: str) -> dict[str, Any]:
    """The Triton functions of a text, by name.

    Raises: UnavailableError where Triton is not installed, or older than its option to keep small numbers.
    """
    try:
        import triton
    except ImportError:
        raise UnavailableError("kernels on cuda need Triton, which torch brings on Linux: pip install triton") from None
    if tuple(map(int, triton.__version__.split(".")[:2])) < (3, 6):
        raise UnavailableError(
            f"kernels on cuda need Triton 3.6 or newer, here is {triton.__version__}: pip install 'torch>=2.10'"
        )
    name = f"<adcli kernels {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[name] = (len(text), None, lines, name)  # Triton reads its functions' source there
    namespace: dict[str, Any] = {"__name__": "adcli_kernels", "triton": triton}
    exec(compile(text, name, "exec"), namespace)  # this package's own text
    return namespace


class TritonProgram:
    """A Program for inputs of fixed shapes and types. Two threads may run it at once.

    Arguments:
        program: what to run.
        abstracts: the shape and type of each slot.
        device: where; what torch calls it.
    Raises: UnavailableError without Triton; OperatorError for an operation that torch lacks.
    """

    def __init__(self, program: Program, abstracts: Sequence[Abstract], device: str = "cuda") -> None:
        started = perf_counter()
        self.plan = Plan(program, abstracts)
        self.torch = target("torch")
        count, by_torch = self._checked()
        self.source = TritonSource(self.plan)
        self.device = device
        self.functions = triton_functions(self.source.text)
        self.last = self._last_uses()
        self.constants: dict[Key, Any] = {slot: self.constant(slot) for slot in self._constants_in_memory()}
        for function in self.source.functions:
            kinds = [self.kind_of(argument) for argument in function.arguments]
            self.functions[function.name].warmup(*kinds, grid=(1,), **OPTIONS)
        self.report = KernelReport(
            self.source.kernels, count - by_torch, by_torch, perf_counter() - started,
            f"Triton {self.functions['triton'].__version__}", False, THREADS, self.source.text,
        )  # fmt: skip

    def run(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs: numbers, and tensors on the device, fresh ones each time.

        Arguments: inputs: one value for each input, of the shape and type that it was made for; NumPy's are moved.
        Raises: PointError for an input of another shape.
        """
        run = _Run(self, inputs)
        for number, step in enumerate(self.source.steps):
            if isinstance(step, Function):
                run.launch(step)
            else:
                run.by_torch(step)
            run.forget(self.last[number])
        return run.outputs()

    def _checked(self) -> tuple[int, int]:
        """How many operations there are, and how many of them are torch's, which has each."""
        count = by_torch = 0
        for node in self.plan.nodes:
            primitive = None if node is None else node.instruction.primitive
            count += primitive is not None
            if node is not None and primitive is not None and node.kind is Kind.LIBRARY:
                by_torch += 1
                self.torch.entry(primitive)
                self.torch.check(primitive, node.instruction.parameters)
        return count, by_torch

    def by_torch(self, slot: int, operands: Sequence[Value]) -> Any:
        """The value of a slot's operation."""
        instruction = self.plan.node(slot).instruction
        assert instruction.primitive is not None
        return self.torch.call(instruction.primitive)(*operands, **instruction.parameters)

    def kind_of(self, argument: str) -> Any:
        """torch's type of the memory that an argument of a function points to."""
        import torch

        if argument == "S":
            return torch.float64
        return torch.int64 if argument == "Z" else self.kind(int(argument[1:]))

    def kind(self, slot: int) -> Any:
        """torch's type of a slot's value: whole numbers are all int64, as everywhere on torch."""
        import torch

        name = self.plan.node(slot).abstract.dtype
        return torch.int64 if name in WHOLE else getattr(torch, name)

    def constant(self, slot: int) -> Any:
        """A constant on the device."""
        abstract = self.plan.node(slot).abstract
        return self.moved(np.broadcast_to(self.plan.program.constants[slot], abstract.shape), slot)

    def moved(self, value: Value, slot: int) -> Any:
        """An array or tensor on the device, entry after entry."""
        import torch

        if not isinstance(value, torch.Tensor):
            array = np.require(value, requirements=["C", "W"])
            value = torch.from_numpy(array.astype(np.int64) if array.dtype.kind in "iu" else array)
        return value.to(self.device, self.kind(slot)).contiguous()

    def _constants_in_memory(self) -> set[int]:
        given = [slot for slot in self.plan.program.constants if self.plan.nodes[slot] is not None]
        read: set[Key] = set().union(*map(self._used, self.source.steps))
        read.update(self.plan.base(slot) for slot in self.plan.program.outputs)
        return {slot for slot in given if slot in read and not self.plan.node(slot).scalar}

    def _used(self, step: Function | ByTorch) -> set[Key]:
        """The memory that a step reads or writes."""
        if isinstance(step, Function):
            arrays = [a for a in step.arguments if a not in "SZ"]
            return {int(name[1:]) if name[0] in "ao" else name for name in arrays}
        return {*step.slots, *self.source.shown(step), *(f"t{slot}" for slot in step.slots)}

    def _last_uses(self) -> list[set[Key]]:
        """For each step, the memory that no later step uses."""
        kept: set[Key] = {self.plan.base(slot) for slot in self.plan.program.outputs}
        last: list[set[Key]] = []
        for step in reversed(self.source.steps):
            used = self._used(step) - kept
            last.append(used)
            kept |= used
        return last[::-1]


class _Run:
    """One run: the memory of its arrays, and its numbers, each in a cell on the device."""

    def __init__(self, program: TritonProgram, inputs: Sequence[Value]) -> None:
        import torch

        self._program, self._plan, self._cells = program, program.plan, program.source.cells
        self._memory: dict[Key, Any] = dict(program.constants)
        self._numbers = torch.empty(max(1, len(self._cells)), dtype=torch.float64, device=program.device)
        self._whole = self._numbers.view(torch.int64)
        given = dict(zip(self._plan.program.inputs, inputs, strict=True))
        for slot, value in given.items():
            abstract = self._plan.node(slot).abstract
            if np.shape(value) != abstract.shape:
                raise PointError(f"the kernels are for an input of shape {abstract.shape}, not {np.shape(value)}")
            if abstract.shape:
                self._memory[slot] = program.moved(value, slot)
        self._take_numbers(given | self._plan.program.constants)

    def _take_numbers(self, given: dict[int, Value]) -> None:
        """Send the numbers among the inputs and constants to the device, all at once."""
        import torch

        known = {slot: value for slot, value in given.items() if slot in self._cells}
        there = {slot for slot, value in known.items() if isinstance(value, torch.Tensor)}
        sent = np.zeros(len(self._cells))
        for slot in known.keys() - there:
            (sent.view(np.int64) if self._is_whole(slot) else sent)[self._cells[slot]] = known[slot]
        if known.keys() - there:
            self._numbers.copy_(torch.from_numpy(sent))
        for slot in there:
            self._cell(slot).copy_(known[slot])

    def _is_whole(self, slot: int) -> bool:
        return self._plan.node(slot).abstract.dtype in WHOLE

    def launch(self, function: Function) -> None:
        """Start a Triton function; it runs after all that was started before."""
        arguments = [self._argument(name, function) for name in function.arguments]
        self._program.functions[function.name][(function.programs,)](*arguments, **OPTIONS)

    def _argument(self, name: str, function: Function) -> Any:
        if name in "SZ":
            return self._numbers if name == "S" else self._whole
        slot, letter = int(name[1:]), name[0]
        key: Key = slot if letter in "ao" else name
        if key not in self._memory:
            self._memory[key] = self._fresh(slot, letter, function)
        return self._memory[key]

    def _fresh(self, slot: int, letter: str, function: Function) -> Any:
        import torch

        node = self._plan.node(slot)
        shape = node.abstract.shape
        if letter == "p":
            shape = (function.programs,)
        elif letter == "t":
            shape = self._plan.node(node.instruction.operands[0]).abstract.shape
        return torch.empty(shape, dtype=self._program.kind(slot), device=self._program.device)

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
        node = self._plan.node(slot)
        if slot in self._memory:
            return self._memory[slot]
        if node.kind in (Kind.VIEW, Kind.ALIAS):
            return self._program.by_torch(slot, self._operands(slot))
        if slot not in self._cells:
            return self._plan.program.constants[slot]
        return self._cell(slot).to(self._program.kind(slot))

    def _cell(self, slot: int) -> Any:
        return (self._whole if self._is_whole(slot) else self._numbers)[self._cells[slot]]

    def forget(self, keys: set[Key]) -> None:
        """Give memory back; what is started later may be given it again."""
        for key in keys:
            self._memory.pop(key, None)

    def outputs(self) -> list[Value]:
        """The outputs; the numbers come from the device in one transfer, which waits for all that was started."""
        slots = self._plan.program.outputs
        numbers: Any = None
        if any(self._plan.node(slot).scalar for slot in slots):
            numbers = self._numbers.cpu().numpy()
        taken: set[Key] = {*self._plan.program.inputs, *self._program.constants}
        return list(self._read(slots, numbers, taken))

    def _read(self, slots: Sequence[int], numbers: Any, taken: set[Key]) -> Iterator[Value]:
        for slot in slots:
            node, base = self._plan.node(slot), self._plan.base(slot)
            if node.scalar:
                yield self._number(slot, numbers)
            else:
                array = self._memory[base].reshape(node.abstract.shape)
                yield array.clone() if base in taken else array
                taken.add(base)

    def _number(self, slot: int, numbers: Any) -> Value:
        kind = self._plan.node(slot).abstract.dtype
        convert: Any = {"float64": float, "bool": bool}.get(kind, np.dtype(kind).type)
        if slot not in self._cells:
            return convert(self._plan.program.constants[slot])
        return convert((numbers.view(np.int64) if self._is_whole(slot) else numbers)[self._cells[slot]])
