"""One kernel as a Triton function over blocks of entries; ranges become masks.

An array is read, computed and written in blocks, each by one program of `THREADS` threads. A reduction of all entries
leaves one part for each program, which the next function that computes numbers puts together: the order is fixed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from adcli_methods.kernels.body import Body
from adcli_methods.kernels.loops import Nest, Root, box, nest_of
from adcli_methods.kernels.maps import Map, Range, strides_of
from adcli_methods.kernels.phases import KernelPlan
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.triton_expressions import TritonDialect, type_of

THREADS = 128
MOST_PROGRAMS = 4096
"""Programs of a kernel that reduces: so many parts are left, each of the blocks that its program comes to in turn."""
_REGISTERS = 96
"""For values at a time: more would leave a processor too few threads to hide the time of its memory."""
_IN_A_FUNCTION = 8
"""Values at a time inside a function of libdevice."""
_WIDEST = 2**31 - 1

IDENTITY = {"sum": "0.0", "max": "float('-inf')", "min": "float('inf')"}
COMBINED = {"sum": "{0} + {1}", "max": "larger({0}, {1})", "min": "smaller({0}, {1})"}
REDUCED = {"sum": "tl.sum({0}, 0)", "max": "tl.reduce({0}, 0, larger)", "min": "tl.reduce({0}, 0, smaller)"}


class TritonKernel:
    """The Triton text of one kernel.

    Arguments:
        plan: the plan.
        phase: when it runs.
        kernel: its results.

    `name`, `lines`: of the function. `programs`: how many run. `totals`: the reductions of all entries, whose parts it
    leaves in p1, p2, ...; `spread`: those over some axes, whose entries it leaves in t1, t2, ... for torch to reduce.
    """

    def __init__(self, plan: Plan, phase: int, kernel: KernelPlan) -> None:
        self.plan = plan
        self.nest: Nest = nest_of(plan, phase, kernel)
        self.name = f"kernel_{min(root.slot for root in self.nest.roots)}"
        self._masks: dict[Range, str] = {}
        self._mask_lines: list[str] = []
        self._farthest = 0
        self._total = prod(self.nest.shape)
        reductions = [root for root in self.nest.roots if root.operand != root.slot]
        self.totals = [root for root in reductions if root.size == 1]
        self.spread = [root for root in reductions if root.size != 1]
        body = Body(plan, phase, self._decide, self._load, TritonDialect(), test=self._test)
        values = [body.value(root.operand, self.nest.place) for root in self.nest.roots]
        results = [self._result(root, value) for root, value in zip(self.nest.roots, values, strict=True)]
        registers = most_alive([*body.lines, *results]) + _IN_A_FUNCTION * any(
            "libdevice." in line for line in body.lines
        )
        width = 2 if any(root.node.abstract.dtype != "float32" for root in self.nest.roots) else 1
        self._block = THREADS * _entries_per_thread(registers * width)
        blocks = max(1, -(-self._total // self._block))
        self.programs = min(blocks, MOST_PROGRAMS) if self.totals else blocks
        self._rows = -(-blocks // self.programs)
        self.lines = self._function([*self._mask_lines, *body.lines, *results])

    def _function(self, inside: Sequence[str]) -> list[str]:
        covered = self.programs * self._rows * self._block
        wide = max(self._farthest, covered) > _WIDEST
        begin = [f"r{root.slot} = {self._start(root)}" for root in self.totals]
        begin.append(f"first = tl.program_id(0){'.to(tl.int64)' if wide else ''} * {self._block}")
        step = self.programs * self._block
        jump = f"row * tl.full((), {step}, tl.int64)" if wide else f"row * {step}"
        moved = "" if self._rows == 1 else f"{jump} + "
        index = [f"i = first + {moved}tl.arange(0, {self._block})", f"inside = i < {self._total}", *self._indices()]
        block = [*index, *inside]
        if self._rows > 1:
            block = [f"for row in range({self._rows}):", *(f"    {line}" for line in block)]
        end = [
            f"tl.store(p{root.slot} + tl.program_id(0), {REDUCED[root.node.name].format(f'r{root.slot}')})"
            for root in self.totals
        ]
        return [*begin, *block, *end]

    def _indices(self) -> list[str]:
        """The position of each loop, from the number of the entry."""
        lengths = [max(1, length) for length in self.nest.lengths]
        lines, step = [], prod(lengths)
        for loop, length in enumerate(lengths):
            step //= length
            outer = f"i // {step}" if step > 1 else "i"
            lines.append(f"i{loop} = {outer}" if loop == 0 else f"i{loop} = {outer} % {length}")
        return lines

    def _start(self, root: Root) -> str:
        return f"tl.full(({self._block},), {IDENTITY[root.node.name]}, {type_of(root.node.abstract.dtype)})"

    def _result(self, root: Root, value: str) -> str:
        """The statement that stores a value, or takes it into a reduction."""
        tests = [self._test(condition) for condition in box(root) if self._decide(condition) is None]
        mask = " & ".join(["inside", *tests])
        if root in self.totals:
            kind, name = root.node.abstract.dtype, root.node.name
            other = f"tl.full((), {IDENTITY[name]}, {type_of(kind)})"
            return f"r{root.slot} = {COMBINED[name].format(f'r{root.slot}', f'tl.where({mask}, {value}, {other})')}"
        letter = "t" if root in self.spread else "o"
        address = self._address(strides_of(root.shape), self.nest.place)
        if address.isdigit():
            address = f"0 * i + {address}"  # a block, as the mask is
        return f"tl.store({letter}{root.slot} + {address}, {value}, {mask})"

    def _load(self, slot: int, place: Map) -> str:
        shape = self.plan.node(slot).abstract.shape
        address = self._address(strides_of(shape), place)
        if address.isdigit():
            return f"tl.load(a{self.plan.base(slot)} + {address})"
        bounds = [Range(axis, 0, length) for axis, length in zip(place, shape, strict=True)]
        tests = [self._test(bound) for bound in bounds if self._decide(bound) is not True]
        return f"tl.load(a{self.plan.base(slot)} + {address}, {' & '.join(['inside', *tests])}, other=0)"

    def _address(self, strides: Sequence[int], place: Map) -> str:
        steps, offset = self.nest.steps(place, strides)
        lengths = self.nest.lengths
        self._farthest = max(self._farthest, sum(abs(s) * n for s, n in zip(steps, lengths, strict=True)) + abs(offset))
        return _sum_text(steps, offset)

    # ranges

    def _decide(self, condition: Range) -> bool | None:
        """Whether a range holds everywhere in the kernel."""
        (loop, step, offset), low, high = condition
        last = max(0, self.nest.shape[loop] - 1) if loop >= 0 else 0
        ends = (offset, step * last + offset)
        if low <= min(ends) and max(ends) < high:
            return True
        return False if max(ends) < low or min(ends) >= high else None

    def _test(self, condition: Range) -> str:
        """The name of the mask that is true where a range holds."""
        if condition not in self._masks:
            name = self._masks[condition] = f"m{len(self._masks)}"
            self._mask_lines.append(f"{name} = {self._range_text(condition)}")
        return self._masks[condition]

    def _range_text(self, condition: Range) -> str:
        """A range that does not hold everywhere; a bound that does is left out."""
        axis, low, high = condition
        steps = [axis.step if axis.loop in group else 0 for group in self.nest.groups]
        assert all(len(group) < 2 for group in self.nest.groups if axis.loop in group)
        position = _sum_text(steps, axis.offset)
        above = self._decide(Range(axis, low, _WIDEST**2)) is not True
        below = self._decide(Range(axis, -(_WIDEST**2), high)) is not True
        return " & ".join([f"({position} >= {low})"] * above + [f"({position} < {high})"] * below)


def _sum_text(steps: Sequence[int], offset: int) -> str:
    terms = [f"i{loop}" if step == 1 else f"{step} * i{loop}" for loop, step in enumerate(steps) if step]
    return " + ".join([*terms, *([str(offset)] if offset or not terms else [])]).replace("+ -", "- ")


def _entries_per_thread(registers: int) -> int:
    return next((count for count in (8, 4, 2) if registers * count <= _REGISTERS), 1)


_NAME = re.compile(r"\bv\d\w*")


def most_alive(lines: Sequence[str]) -> int:
    """How many of the values that statements name are needed at a time, at most; a last use makes room."""
    last = {name: number for number, line in enumerate(lines) for name in _NAME.findall(line)}
    alive: set[str] = set()
    most = 1
    for number, line in enumerate(lines):
        alive = {name for name in {*alive, *_NAME.findall(line)} if last[name] > number}
        most = max(most, len(alive))
    return most
