"""A Program made ready to run on a GPU: Triton's kernels and torch's operations, in order on one stream."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from adcli_methods.errors import UnavailableError
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.report import KernelReport
from adcli_methods.kernels.triton_kernel import THREADS
from adcli_methods.kernels.triton_run import Argument, Key, Launch, Output, Run
from adcli_methods.kernels.triton_source import WHOLE, ByTorch, Function, TritonSource
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract
from adcli_methods.targets import target

OPTIONS = {"num_warps": THREADS // 32, "enable_fp_fusion": False, "enable_reflect_ftz": False}
"""a * b + c is rounded twice, and no number that is small is taken for 0: IEEE meaning, as in NumPy."""


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
        import torch

        started = perf_counter()
        self.plan = Plan(program, abstracts)
        self.torch = target("torch")
        count, by_torch = self._checked()
        self.source = TritonSource(self.plan)
        self.device = torch.device(device)
        functions = triton_functions(self.source.text)
        self.steps = [self._launch(step, functions) if isinstance(step, Function) else step
                      for step in self.source.steps]  # fmt: skip
        self.last = self._last_uses()
        self.constants: dict[Key, Any] = {slot: self._constant(slot) for slot in self._constants_in_memory()}
        self.outputs = list(self._outputs())
        self.report = KernelReport(
            self.source.kernels, count - by_torch, by_torch, perf_counter() - started,
            f"Triton {functions['triton'].__version__}", False, THREADS, self.source.text,
        )  # fmt: skip

    def run(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs: numbers, and tensors on the device, fresh ones each time.

        Arguments: inputs: one value for each input, of the shape and type that it was made for; NumPy's are moved.
        Raises: PointError for an input of another shape.
        """
        run = Run(self, inputs)
        for step, unused in zip(self.steps, self.last, strict=True):
            if isinstance(step, Launch):
                run.launch(step)
            else:
                run.by_torch(step)
            run.forget(unused)
        return run.outputs()

    def by_torch(self, slot: int, operands: Sequence[Value]) -> Any:
        """The value of a slot's operation."""
        instruction = self.plan.node(slot).instruction
        assert instruction.primitive is not None
        return self.torch.call(instruction.primitive)(*operands, **instruction.parameters)

    def kind(self, slot: int) -> Any:
        """torch's type of a slot's value: whole numbers are all int64, as everywhere on torch."""
        import torch

        return torch.int64 if self.is_whole(slot) else getattr(torch, self.plan.node(slot).abstract.dtype)

    def is_whole(self, slot: int) -> bool:
        """Whether a slot has whole numbers."""
        return self.plan.node(slot).abstract.dtype in WHOLE

    def moved(self, value: Value, slot: int) -> Any:
        """An array or tensor on the device, entry after entry."""
        import torch

        if not isinstance(value, torch.Tensor):
            array = np.require(value, requirements=["C", "W"])
            value = torch.from_numpy(array.astype(np.int64) if array.dtype.kind in "iu" else array)
        return value.to(self.device, self.kind(slot)).contiguous()

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

    def _launch(self, function: Function, functions: dict[str, Any]) -> Launch:
        """A function compiled, and what it is given."""
        arguments = tuple(self._argument(name, function) for name in function.arguments)
        compiled = functions[function.name]
        compiled.warmup(*(argument.kind for argument in arguments), grid=(1,), **OPTIONS)
        return Launch(function.name, compiled[(function.programs,)], arguments, OPTIONS)

    def _argument(self, name: str, function: Function) -> Argument:
        import torch

        if name in "SZ":
            return Argument(name, (), torch.float64 if name == "S" else torch.int64)
        slot, letter = int(name[1:]), name[0]
        node = self.plan.node(slot)
        shape = node.abstract.shape
        if letter == "p":
            shape = (function.programs,)
        elif letter == "t":
            shape = self.plan.node(node.instruction.operands[0]).abstract.shape
        return Argument(slot if letter in "ao" else name, shape, self.kind(slot))

    def _constant(self, slot: int) -> Any:
        """A constant on the device."""
        abstract = self.plan.node(slot).abstract
        return self.moved(np.broadcast_to(self.plan.program.constants[slot], abstract.shape), slot)

    def _constants_in_memory(self) -> set[int]:
        given = [slot for slot in self.plan.program.constants if self.plan.nodes[slot] is not None]
        read: set[Key] = set().union(*map(self._used, self.steps))
        read.update(self.plan.base(slot) for slot in self.plan.program.outputs)
        return {slot for slot in given if slot in read and not self.plan.node(slot).scalar}

    def _used(self, step: Launch | ByTorch) -> set[Key]:
        """The memory that a step reads or writes."""
        if isinstance(step, Launch):
            return {argument.key for argument in step.arguments} - {"S", "Z"}
        return {*step.slots, *self.source.shown(step), *(f"t{slot}" for slot in step.slots)}

    def _last_uses(self) -> list[set[Key]]:
        """For each step, the memory that no later step uses."""
        kept: set[Key] = {self.plan.base(slot) for slot in self.plan.program.outputs}
        last: list[set[Key]] = []
        for step in reversed(self.steps):
            used = self._used(step) - kept
            last.append(used)
            kept |= used
        return last[::-1]

    def _outputs(self) -> Iterator[Output]:
        """How each output is had; memory that is an output already, or not of the run, is copied."""
        taken: set[Key] = {*self.plan.program.inputs, *self.constants}
        for slot in self.plan.program.outputs:
            abstract, base = self.plan.node(slot).abstract, self.plan.base(slot)
            if abstract.shape:
                yield Output(base, abstract.shape, base in taken)
                taken.add(base)
                continue
            convert: Any = {"float64": float, "bool": bool}.get(abstract.dtype, np.dtype(abstract.dtype).type)
            if slot in self.source.cells:
                yield Output(self.source.cells[slot], (), convert=convert, is_whole=self.is_whole(slot))
            else:
                yield Output(None, (), known=convert(self.plan.program.constants[slot]))
