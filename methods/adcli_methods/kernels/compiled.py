"""A Program made ready to run: its kernels compiled, its library calls bound, its memory laid out."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from adcli_methods.errors import PointError
from adcli_methods.kernels.c_source import CSource
from adcli_methods.kernels.compiler import find_compiler, load
from adcli_methods.kernels.memory import Array, Buffers, Layout, handle
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.products import without_vector_products
from adcli_methods.kernels.report import KernelReport
from adcli_methods.kernels.steps import Step, library_steps
from adcli_methods.kernels.threads import available_threads, pool, threads_now
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract, Shaped

_LONG_TEXT = 200_000


class Workspace:
    """The memory of one run at a time.

    Arguments: layout: where everything is.

    `values` has the arrays and numbers that Python handles, by slot; `table` what C finds arrays by; `doubles` and
    `longs` the same memory, for numbers that pass between functions.
    """

    def __init__(self, layout: Layout) -> None:
        plan = layout.plan
        self.values: list[Value] = [None] * len(plan.nodes)
        self.table = (ctypes.c_void_p * max(1, len(layout.homes)))()
        self.doubles = (ctypes.c_double * max(1, len(layout.numbers)))()
        self.longs = (ctypes.c_int64 * len(self.doubles)).from_buffer(self.doubles)
        memory = np.empty(layout.scratch_bytes + 64, np.uint8)
        start = -memory.ctypes.data % 64
        self.scratch = memory[start:]
        self.addresses = (
            ctypes.addressof(self.table), ctypes.addressof(self.doubles), self.scratch.ctypes.data,
        )  # fmt: skip
        for slot, home in layout.homes.items():
            if home.place is None:
                abstract = plan.node(slot).abstract
                self.values[slot] = np.ndarray(abstract.shape, abstract.dtype, self.scratch, home.offset)
        for slot, value in plan.program.constants.items():
            if plan.nodes[slot] is not None:
                self._give(slot, value, layout)

    def _give(self, slot: int, value: Value, layout: Layout) -> None:
        node = layout.plan.node(slot)
        if slot in layout.homes:
            value = np.ascontiguousarray(value)
            self.table[layout.homes[slot].place or 0] = handle(value)
        elif slot in layout.numbers:
            (self.longs if np.dtype(node.abstract.dtype).kind in "iu" else self.doubles)[layout.numbers[slot]] = value
        self.values[slot] = value


class CompiledProgram:
    """A Program for inputs of fixed shapes and types. Two threads may run it at once."""

    def __init__(self, program: Program, abstracts: Sequence[Abstract], strict: bool, threads: int | None) -> None:
        started = perf_counter()
        compiler = find_compiler()
        given = without_vector_products(Shaped(program, tuple(abstracts)))
        plan = Plan(given.program, given.abstracts)
        source = CSource(plan, strict)
        library = load(source.text, compiler, "-O1" if len(source.text) > _LONG_TEXT else "-O2")
        self._plan, self._layout = plan, source.layout
        self._threads = threads or available_threads()
        self._pool = pool(compiler) if source.parallel else None
        self._inputs = [_Input(slot, source.layout) for slot in given.program.inputs]
        self._fresh = [
            (slot, home.place, Buffers(plan.node(slot).abstract.shape, plan.node(slot).abstract.dtype))
            for slot, home in source.layout.homes.items()
            if slot in source.layout.fresh and home.place is not None and source.layout.is_written(slot)
        ]
        self._steps = self._bound(source, library.functions)
        self._outputs = _output_readers(source.layout)
        self._idle: list[Workspace] = [Workspace(source.layout)]
        self._has_library = any(phase.by_numpy for phase in plan.phases)
        counts = [node.kind is Kind.LIBRARY for node in plan.nodes if node is not None and node.instruction.primitive]
        self.report = KernelReport(
            source.kernels, len(counts) - sum(counts), sum(counts), perf_counter() - started,
            compiler.version, library.cached, self._threads, source.text,
        )  # fmt: skip

    def run(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs, fresh values each time.

        Arguments: inputs: one value for each input, of the shape and type that it was compiled for.
        Raises: PointError for an input of another shape.
        """
        try:
            workspace = self._idle.pop()
        except IndexError:
            workspace = Workspace(self._layout)
        values, table = workspace.values, workspace.table
        for given, value in zip(self._inputs, inputs, strict=True):
            given.take(value, workspace)
        for slot, index, buffers in self._fresh:
            values[slot] = array = buffers.array()
            table[index] = handle(array)
        if self._has_library:
            with np.errstate(all="ignore"):  # infinities and NaN are values here
                for step in self._steps:
                    step(workspace)
        else:
            for step in self._steps:
                step(workspace)
        outputs = [read(workspace) for read in self._outputs]
        for slot, _, _ in self._fresh:
            values[slot] = None
        self._idle.append(workspace)
        return outputs

    def _bound(self, source: CSource, functions: ctypes.CDLL) -> list[Step]:
        entries = {entry.phase: self._entry(functions, entry.name) for entry in source.entries}
        steps: list[Step] = []
        for number, phase in enumerate(self._plan.phases):
            steps += library_steps(source.layout, phase.by_numpy)
            if number in entries:
                steps.append(entries[number])
        return steps

    def _entry(self, functions: ctypes.CDLL, name: str) -> Step:
        function = functions[name]
        function.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_long]
        function.restype = None

        def step(workspace: Workspace) -> None:
            function(*workspace.addresses, self._pool, threads_now(self._threads))

        return step


class _Input:
    """Puts one input where C and the library find it."""

    def __init__(self, slot: int, layout: Layout) -> None:
        node = layout.plan.node(slot)
        self._slot, self._shape = slot, node.abstract.shape
        self._dtype = np.dtype(node.abstract.dtype)
        home = layout.homes.get(slot)
        self._index = home.place if home is not None else None
        self._number = layout.numbers.get(slot)
        self._whole = self._dtype.kind in "iu"

    def take(self, value: Value, workspace: Workspace) -> None:
        """Take the input's value for a run."""
        if self._shape:
            if type(value) is not np.ndarray or value.dtype != self._dtype or not _is_plain(value):
                value = np.ascontiguousarray(value, self._dtype)
            if value.shape != self._shape:
                raise PointError(f"the kernels are for an input of shape {self._shape}, not {value.shape}")
            if self._index is not None:
                workspace.table[self._index] = handle(value)
        elif self._number is not None:
            (workspace.longs if self._whole else workspace.doubles)[self._number] = value
        workspace.values[self._slot] = value


def _is_plain(array: Array) -> bool:
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def _output_readers(layout: Layout) -> list[Callable[[Workspace], Value]]:
    taken: set[int] = set()
    return [_output_reader(slot, layout, taken) for slot in layout.plan.program.outputs]


def _output_reader(slot: int, layout: Layout, taken: set[int]) -> Callable[[Workspace], Value]:
    """How an output is had from a workspace; memory that is an output already, or not of this run, is copied."""
    node, base = layout.plan.node(slot), layout.plan.base(slot)
    shape = node.abstract.shape
    if not shape and slot in layout.numbers and node.kind not in (Kind.GIVEN, Kind.LIBRARY):
        position = layout.numbers[slot]
        convert: Callable[[float], Any] = {"float64": float, "bool": bool}.get(
            node.abstract.dtype, np.dtype(node.abstract.dtype).type
        )
        return lambda workspace: convert(workspace.doubles[position])
    if not shape:
        return lambda workspace: workspace.values[slot]
    ours = layout.is_written(base) and base not in taken
    taken.add(base)
    if ours and base == slot:
        return lambda workspace: workspace.values[slot]
    if ours:
        return lambda workspace: workspace.values[base].reshape(shape)
    return lambda workspace: np.array(workspace.values[base]).reshape(shape)
