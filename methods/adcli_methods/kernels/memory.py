"""Where the values of a compiled Program are: arrays that share scratch memory, numbers that pass between functions."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.kernels.c_expressions import FLOATS
from adcli_methods.kernels.nodes import Node
from adcli_methods.kernels.plan import Plan
from adcli_methods.primitives.structural import matmul

Array = np.ndarray[Any, np.dtype[Any]]
_ALIGNMENT = 64
_DATA_OFFSET = 2 * ctypes.sizeof(ctypes.c_void_p)


def _is_at_offset() -> bool:
    """Whether an array object holds the address of its data right after its head, as in CPython."""
    sample = np.zeros(1)
    held = ctypes.c_void_p.from_address(id(sample) + _DATA_OFFSET).value
    return held == sample.ctypes.data


_AT_OFFSET = sys.implementation.name == "cpython" and object.__basicsize__ == _DATA_OFFSET and _is_at_offset()
DATA = f"#define DATA(k) (*(char **)(T[k] + {_DATA_OFFSET}))\n" if _AT_OFFSET else "#define DATA(k) (T[k])\n"
"""How C finds the entries of the array at a place of the table."""


def handle(array: Array) -> int:
    """What stands in the table for an array; asking for its address would cost ten times as much."""
    return id(array) if _AT_OFFSET else array.ctypes.data


class Home(NamedTuple):
    """Where an array is: at a place of the table of Python's arrays, or at an offset (bytes) in scratch memory."""

    place: int | None
    offset: int = 0


@dataclass
class _Life:
    """How long a piece of scratch memory is needed, in phases, both included."""

    nbytes: int
    first: int
    last: int
    offset: int = 0


class Layout:
    """The homes of a plan's values. First all reads and writes are told, then `settle` shares the memory out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.homes: dict[int, Home] = {}
        self.parts: dict[int, Home] = {}
        self.numbers: dict[int, int] = {}
        self.scratch_bytes = 0
        self._written: set[int] = set()
        self._lives: dict[int, _Life] = {}
        self._part_lives: dict[int, _Life] = {}
        self.fresh = {plan.base(slot) for slot in plan.program.outputs}
        self._library_reads: dict[int, int] = {}
        self._tell_library()

    def read(self, slot: int, phase: int) -> None:
        """An array is read in this phase."""
        if slot in self._lives:
            self._lives[slot].last = max(self._lives[slot].last, phase)
        elif slot not in self.homes:
            self._at_table(slot)

    def write(self, slot: int, phase: int) -> None:
        """An array is written in this phase."""
        self._written.add(slot)
        if slot in self.fresh:
            self._at_table(slot)
        elif slot not in self._lives:
            self._lives[slot] = _Life(self._nbytes(slot), phase, max(phase, self._library_reads.get(slot, 0)))

    def is_written(self, slot: int) -> bool:
        """Whether kernels, or a library operation that is given memory, write an array."""
        return slot in self._written

    def part(self, slot: int, size: int, kind: str, phase: int) -> None:
        """Memory for the parts of a reduction."""
        self._part_lives[slot] = _Life(size * np.dtype(kind).itemsize, phase, phase)

    def cross(self, slots: set[int]) -> None:
        """Numbers that a function reads and another one, or Python, defines."""
        for slot in slots:
            self.numbers.setdefault(slot, len(self.numbers))

    def settle(self) -> None:
        """Share the scratch memory out: values that live in the same phase do not overlap."""
        placed: list[_Life] = []
        lives = [*self._lives.values(), *self._part_lives.values()]
        for life in sorted(lives, key=lambda life: (-life.nbytes, life.first)):
            busy = sorted((o.offset, o.nbytes) for o in placed if o.first <= life.last and life.first <= o.last)
            offset = 0
            for start, nbytes in busy:
                if offset + life.nbytes <= start:
                    break
                offset = max(offset, _aligned(start + nbytes))
            life.offset = offset
            placed.append(life)
            self.scratch_bytes = max(self.scratch_bytes, offset + life.nbytes)
        self.homes |= {slot: Home(None, life.offset) for slot, life in self._lives.items()}
        self.parts |= {slot: Home(None, life.offset) for slot, life in self._part_lives.items()}

    def _at_table(self, slot: int) -> None:
        if slot not in self.homes:
            self.homes[slot] = Home(len(self.homes))

    def _nbytes(self, slot: int) -> int:
        abstract = self.plan.node(slot).abstract
        return abstract.size * np.dtype(abstract.dtype).itemsize

    def _tell_library(self) -> None:
        for number, phase in enumerate(self.plan.phases):
            for slot in phase.by_numpy:
                for operand in self.plan.node(slot).instruction.operands:
                    shown = self.plan.shown(operand)
                    self._library_reads[shown] = max(self._library_reads.get(shown, 0), number)
        for number, phase in enumerate(self.plan.phases):
            for slot in phase.by_numpy:
                if writes_in_place(self.plan.node(slot)):
                    self.write(slot, number)


def writes_in_place(node: Node) -> bool:
    """Whether a library operation writes into memory that it is given."""
    return node.instruction.primitive is matmul and node.abstract.dtype in FLOATS and bool(node.abstract.shape)


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


class Buffers:
    """Memory of arrays that are handed out, and taken back once nobody refers to them.

    Fresh pages cost more than most kernels: the system clears each at its first touch. An array that is still referred
    to, itself or through a view, is never used again, so every result stays what it is.
    """

    _MOST = 4

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._bytes = int(np.prod(shape)) * self._dtype.itemsize
        self._known: list[Array] = []
        self._lock = Lock()

    def array(self) -> Array:
        """An array whose entries are not set."""
        if self._bytes < _WORTH_KEEPING or not _COUNTS_REFERENCES:
            return np.empty(self._shape, self._dtype)
        with self._lock:
            memory = _unused(self._known)
            if memory is None:
                memory = np.empty(self._bytes, np.uint8)
                if len(self._known) < self._MOST:
                    self._known.append(memory)
        return np.ndarray(self._shape, self._dtype, memory)


def _unused(known: list[Array]) -> Array | None:
    for memory in known:
        if sys.getrefcount(memory) == _UNUSED_REFERENCES:
            return memory
    return None


def _references_of_an_unused_one() -> int:
    known = [np.empty(1, np.uint8)]
    for memory in known:
        return sys.getrefcount(memory)
    return 0


_WORTH_KEEPING = 1 << 16
_COUNTS_REFERENCES = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
_UNUSED_REFERENCES = _references_of_an_unused_one()
