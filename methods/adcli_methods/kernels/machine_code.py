"""From a Program to the machine's code: operations on registers, one number at a time or along vectors of them.

The first registers hold the outputs, then come the inputs. A register whose value nothing needs any more is taken
again, but for those whose numbers an array shares with others.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.entrywise import NOTHING, Entrywise, NotEntrywiseError, Slots
from adcli_methods.kernels.c_expressions import names
from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract, Shaped

CODES = {name: code for code, name in enumerate(names(), start=1)}
"""The number of each operation on numbers; 0 ends a run. On vectors it is larger by VECTOR."""
VECTOR = len(CODES)
GATHER = 2 * VECTOR + 1
"""Copies numbers from anywhere to registers in a row."""
WORDS = 5
"""Of a record: an operation, its result's register, its operands'. That of one on vectors has a second record, and
behind that of GATHER stand the registers that it copies from."""
OPERATION_SECONDS, VECTOR_SECONDS, ENTRY_SECONDS, FUNCTION_SECONDS = 1e-9, 3e-9, 7e-10, 6e-9
"""What an operation on numbers takes, one on vectors, each entry of these, and what a function of libm adds to it."""
_ARITHMETIC = set(
    "add subtract multiply divide negative positive square reciprocal absolute sqrt where maximum minimum sign "
    "greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor logical_not".split()
)
_FUNCTIONS = {code for name, code in CODES.items() if name not in _ARITHMETIC}
LONGEST_UNROLLED = 8
"""Vectors of so many entries are done number by number, longer ones in a loop if their entries lie evenly."""
Registers = np.ndarray[Any, np.dtype[np.float64]]
_POWERS = {-1.0: "reciprocal", 0.5: "sqrt", 1.0: "positive", 2.0: "square"}
"""What NumPy does for these exponents."""
_POWER = PRIMITIVES["power"]
_TYPES = {"float64", "bool"}
_MERGING = {"concatenate", "stack", "index_update", "scatter_add", "scatter_sum"}
"""Their results lie in the registers of several operands, which are not taken again."""
_FOREVER = 1 << 40
_PADDING = {count: (0,) * (3 - count) for count in (1, 2, 3)}
_WORD = "I"
_MASK = (1 << 32) - 1


class NotForTheMachineError(Exception):
    """Raised for a Program with an operation or a type that the machine lacks, or with too many operations."""


class MachineCode(Entrywise):
    """The code of a Program, and the registers that it starts with.

    Arguments:
        given: the Program, on float64 numbers and arrays; what its guards decide on comes out behind its outputs.
        most_operations: on entries.
    Attributes:
        code: records of five words.
        outputs: how many entries they have.
        inputs: the first register and the shape of each.
        operations: on entries, in a run.
        seconds: what a run takes, as estimated.
    Raises: NotForTheMachineError.
    """

    def __init__(self, given: Shaped, most_operations: int) -> None:
        super().__init__(most_operations)
        program, abstracts = given
        moving = {abstract.dtype for slot, abstract in enumerate(abstracts) if slot not in program.constants}
        guards = [guard.slot for guard in program.guards]
        if not moving <= _TYPES or any(abstracts[slot].shape for slot in guards):
            raise NotForTheMachineError
        results = [*program.outputs, *guards]
        self.code = array(_WORD)
        self._targets, self.outputs = _starts(results, abstracts, 0)
        self._input_starts, self._count = _starts(program.inputs, abstracts, self.outputs)
        self.inputs = [(self._input_starts[slot], abstracts[slot].shape) for slot in program.inputs]
        self._constants: dict[int, Any] = {}
        self._last = {operand: user for user, each in enumerate(program.instructions) for operand in each.operands}
        self._last |= dict.fromkeys(results, len(abstracts))
        self._numbers: dict[int, int] = {}  # the registers of numbers that nothing else lies in
        self._free_numbers: list[int] = []
        self._held: dict[int, tuple[int, ...]] = {}
        self._holders: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._free: dict[int, list[int]] = defaultdict(list)
        self._vectors, self._vector_entries = 0, 0
        self.seconds = 0.0
        self._made: list[int] = []
        self._target: int | None = None
        try:
            self.take_apart(given)
        except NotEntrywiseError:
            raise NotForTheMachineError from None
        numbers = len(self.code) // WORDS - 2 * self._vectors
        self.operations = numbers + self._vector_entries
        self.seconds += numbers * OPERATION_SECONDS + self._vectors * VECTOR_SECONDS
        self.seconds += self._vector_entries * ENTRY_SECONDS
        self._collect([self.places[slot] for slot in results])
        self.code.extend((0,) * WORDS)

    def registers(self) -> Registers:
        """The registers before a run, the constants in their places."""
        registers = np.zeros(self._count)
        registers[list(self._constants)] = [float(value) for value in self._constants.values()]
        return registers

    def input(self, abstract: Abstract) -> Slots:
        start = self._input_starts[len(self.places)]
        return np.arange(start, start + abstract.size)

    def constant(self, value: Value) -> Slots:
        start, entries = self._count, np.ravel(value).tolist()
        self._count += len(entries)
        self._constants.update(enumerate(entries, start=start))
        return np.arange(start, self._count)

    def known(self, slot: int) -> Any:
        return self._constants.get(slot)

    def number(self, slot: int, instruction: Instruction, operands: list[int], abstract: Abstract) -> int:
        primitive = instruction.primitive
        assert primitive is not None
        code = self._code_of(primitive, operands[1] if primitive is _POWER else NOTHING)
        self._release(slot, instruction)  # before its own register is found: it may be an operand's
        place = self._targets.pop(slot, NOTHING)
        if place == NOTHING:
            if self._free_numbers:
                place = self._free_numbers.pop()
            else:
                place = self._count
                self._count += 1
            self._numbers[slot] = place
        self.code.extend((code, place, *operands, *_PADDING[len(operands)]))
        return place

    def map(self, instruction: Instruction, operands: list[Slots], abstract: Abstract) -> Slots:
        slot = len(self.places)
        if slot in self._targets and not (self.has_nothing and any((place == NOTHING).any() for place in operands)):
            self._target = self._targets.pop(slot)
        return super().map(instruction, operands, abstract)

    def apply(self, primitive: Primitive, operands: list[Slots], source: Instruction) -> Slots:
        count, start, self._target = len(operands[0]), self._target, None
        if not count:
            return operands[0]
        is_power = primitive is _POWER and bool((operands[1] == operands[1][0]).all())
        code = self._code_of(primitive, int(operands[1][0]) if is_power else NOTHING)
        if start is None:
            start = self._block(count)
            self._made.append(start)
        self._write(code, start, operands)
        return np.arange(start, start + count)

    def done(self, slot: int, instruction: Instruction) -> None:
        """Find out whose registers the result lies in, and take again those that nothing needs any more."""
        assert instruction.primitive is not None
        *before, last = self._made or (None,)
        if self.is_mixed or instruction.primitive.name in _MERGING:
            for operand in instruction.operands:
                self._numbers.pop(operand, None)
                for start in self._held.get(operand, ()):
                    self._holders[start] += _FOREVER
        elif last is not None:
            self._held[slot] = (last,)
            for start in before:
                self._free[self._sizes[start]].append(start)
        elif not instruction.primitive.elementwise:  # part of its operand, or another form
            self._numbers.pop(instruction.operands[0], None)
            self._held[slot] = self._held.get(instruction.operands[0], ())
            for start in self._held[slot]:
                self._holders[start] += 1
        self._made, self.is_mixed = [], False
        self._release(slot, instruction)

    def _release(self, slot: int, instruction: Instruction) -> None:
        """Let go of the operands that have their last use."""
        for operand in instruction.operands:
            if self._last[operand] == slot:
                place = self._numbers.pop(operand, NOTHING)
                if place != NOTHING:
                    self._free_numbers.append(place)
                for start in self._held.pop(operand, ()):
                    self._holders[start] -= 1
                    if not self._holders[start]:
                        self._free[self._sizes[start]].append(start)

    def _block(self, size: int) -> int:
        """Registers for a result."""
        free = self._free.get(size)
        if free:
            start = free.pop()
        else:
            start = self._count
            self._count += size
            self._sizes[start] = size
        self._holders[start] = 1
        return start

    def _code_of(self, primitive: Primitive, exponent: int) -> int:
        """Of an operation, and the register of its exponent if it has one number as such."""
        name = primitive.name
        if exponent in self._constants:
            name = _POWERS.get(float(self._constants[exponent]), name)
        code = CODES.get(name)
        if code is None:
            raise NotForTheMachineError
        return code

    def _write(self, code: int, start: int, operands: list[Slots]) -> None:
        count = len(operands[0])
        self.seconds += count * FUNCTION_SECONDS if code in _FUNCTIONS else 0.0
        steps = [_step(slots) for slots in operands] if count > LONGEST_UNROLLED else [None]
        padding = _PADDING[len(operands)]
        if None not in steps:
            firsts = [int(slots[0]) for slots in operands]
            self.code.extend((VECTOR + code, start, *firsts, *padding, count, 0, *steps, *padding))
            self._vectors += 1
            self._vector_entries += count
            return
        records = np.zeros((count, WORDS), dtype=np.uint32)
        records[:, 0] = code
        records[:, 1] = np.arange(start, start + count)
        for position, slots in enumerate(operands, start=2):
            records[:, position] = slots
        self.code.frombytes(records.tobytes())

    def _collect(self, places: list[Any]) -> None:
        """Bring the results to the first registers."""
        start = 0
        for place in places:
            slots = self.filled(np.ravel(place))
            count = len(slots)
            if not np.array_equal(slots, np.arange(start, start + count)):
                self.code.extend((GATHER, start, count, 0, 0))
                self.code.frombytes(slots.astype(np.uint32).tobytes())
                self.code.extend((0,) * (-count % WORDS))
            start += count


def _starts(slots: Sequence[int], abstracts: Sequence[Abstract], start: int) -> tuple[dict[int, int], int]:
    """Where each value begins, one that is there twice the first time; and where the last ends."""
    starts: dict[int, int] = {}
    for slot in slots:
        starts.setdefault(slot, start)
        start += abstracts[slot].size
    return starts, start


def _step(slots: Slots) -> int | None:
    """How far each slot is from the one before, as a word, if all are as far."""
    step = int(slots[1] - slots[0])
    return step & _MASK if (slots[1:] - slots[:-1] == step).all() else None
