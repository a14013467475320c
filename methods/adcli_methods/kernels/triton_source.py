"""A plan as Triton: functions that run one after another on a GPU, with torch's operations between them.

Numbers stay on the device, each in a cell of one tensor. They are computed by functions of a single program, which also
put the parts of the reductions before them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from adcli_methods.kernels.body import Body, affine
from adcli_methods.kernels.loops import Root, holds
from adcli_methods.kernels.maps import Map, strides_of
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.phases import KernelPlan, Phase
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.triton_expressions import HELPERS, PRELUDE, TritonDialect, type_of
from adcli_methods.kernels.triton_kernel import IDENTITY, REDUCED, TritonKernel

_MOST_NUMBERS = 400
"""In one function: longer ones take long to compile."""
WHOLE = ("int64", "int32", "int16", "int8", "uint32", "uint16", "uint8")


@dataclass
class Function:
    """A Triton function, and how it is launched.

    Arguments:
        name: of the function.
        lines: its statements.
        programs: how many run.
        defined: the numbers that it computes.
        arguments: a1 and o1 (arrays), p1 (parts), t1 (what torch reduces), S (numbers), Z (whole numbers).
    """

    name: str
    lines: list[str]
    programs: int = 1
    defined: set[int] = field(default_factory=set)
    arguments: tuple[str, ...] = ()

    def mentioned(self, letter: str) -> set[int]:
        """The slots of the names of one letter."""
        return {int(slot) for slot in re.findall(rf"\b{letter}(\d+)\b", "\n".join(self.lines))}


@dataclass(frozen=True)
class ByTorch:
    """Slots that torch computes: library operations, or reductions over some axes."""

    slots: tuple[int, ...]


class TritonSource:
    """The Triton text of a plan.

    Arguments: plan: the plan.

    `text`; `steps`, one after another; `cells`, where each number is; `kernels`, how many functions go over arrays.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.steps: list[Function | ByTorch] = []
        self.kernels = 0
        self._pending: list[tuple[Root, int]] = []
        for number, phase in enumerate(plan.phases):
            self._phase(number, phase)
        self._numbers(len(plan.phases), Phase())
        self.functions = [step for step in self.steps if isinstance(step, Function)]
        self.cells = self._cells()
        for function in self.functions:
            self._finish(function)
        self.text = self._text()

    def _phase(self, number: int, phase: Phase) -> None:
        if phase.by_numpy:
            self._numbers(number, Phase())
            self.steps.append(ByTorch(tuple(phase.by_numpy)))
        if any(not root.node.scalar for root, _ in self._pending):
            self._numbers(number, Phase())  # what is stored here is read by another function only
        self._numbers(number, phase)
        for kernel in phase.kernels:
            self._kernel(number, kernel)

    def _kernel(self, number: int, given: KernelPlan) -> None:
        """A kernel, after it torch's reductions over some axes."""
        reductions = [slot for slot in given.reductions if not self._is_in_memory(slot, number)]
        by_torch = [slot for slot in given.reductions if slot not in reductions]
        if given.stores or reductions:
            kernel = TritonKernel(self.plan, number, KernelPlan(given.shape, given.stores, reductions))
            self.kernels += 1
            self.steps.append(Function(kernel.name, kernel.lines, kernel.programs))
            self._pending += [(root, kernel.programs) for root in kernel.totals]
            by_torch += [root.slot for root in kernel.spread]
        if by_torch:
            self.steps.append(ByTorch(tuple(by_torch)))

    def _is_in_memory(self, slot: int, number: int) -> bool:
        """Whether torch can reduce over some axes what is in memory once the kernels of a phase have run."""
        node = self.plan.node(slot)
        (operand,) = node.instruction.operands
        return node.abstract.size != 1 and self.plan.in_memory(operand, number + 1)

    def _numbers(self, number: int, phase: Phase) -> None:
        """Functions of one program: the reductions so far, then the numbers and the arrays of numbers of a phase."""
        lines, defined = list(self._totals()), {root.slot for root, _ in self._pending if root.node.scalar}
        self._pending = []
        body = self._body(number)
        for count, slot in enumerate(phase.numbers, 1):
            body.number(slot)
            defined.add(slot)
            if count % _MOST_NUMBERS == 0:
                self._add([*lines, *body.lines], defined)
                lines, defined, body = [], set(), self._body(number)
        for slot in phase.stacks:
            for position, operand in enumerate(self.plan.node(slot).instruction.operands):
                value = body.value(operand, ())
                body.lines.append(f"tl.store(o{slot} + {position}, {value})")
        self._add([*lines, *body.lines], defined)

    def _add(self, lines: list[str], defined: set[int]) -> None:
        if lines:
            self.steps.append(Function(f"numbers_{len(self.steps)}", lines, defined=defined))

    def _body(self, phase: int) -> Body:
        def load(slot: int, place: Map) -> str:
            offset = affine(place, strides_of(self.plan.node(slot).abstract.shape))[1]
            return f"tl.load(a{self.plan.base(slot)} + {offset})"

        return Body(self.plan, phase, lambda condition: holds(condition, {}), load, TritonDialect())

    def _totals(self) -> Iterator[str]:
        """The statements that put the parts of reductions together."""
        for root, count in self._pending:
            width = 1 << (count - 1).bit_length()
            at = f"tl.arange(0, {width})"
            identity = f"tl.full((), {IDENTITY[root.node.name]}, {type_of(root.node.abstract.dtype)})"
            parts = f"tl.load(p{root.slot} + {at}, {at} < {count}, other={identity})"
            total = REDUCED[root.node.name].format(parts)
            yield f"s{root.slot} = {total}" if root.node.scalar else f"tl.store(o{root.slot}, {total})"

    # numbers

    def _cells(self) -> dict[int, int]:
        """A cell for each number that passes from one function to another, or to torch or Python."""
        read = {*self.plan.program.inputs, *self.plan.program.outputs}
        for function in self.functions:
            read |= function.mentioned("s") - function.defined
        for step in self.steps:
            if isinstance(step, ByTorch):
                read.update(step.slots, self.shown(step))
        numbers = [slot for slot in sorted(read) if self.plan.node(slot).scalar]
        numbers = [slot for slot in numbers if self.plan.node(slot).kind is not Kind.LITERAL]
        return {slot: cell for cell, slot in enumerate(numbers)}

    def shown(self, step: ByTorch) -> set[int]:
        """The slots that torch looks at, through views."""
        return {
            self.plan.shown(operand) for slot in step.slots for operand in self.plan.node(slot).instruction.operands
        }

    def _finish(self, function: Function) -> None:
        """Fetch the numbers that a function takes, hand on those that it computes, and list its arguments."""
        taken = [self._fetched(slot) for slot in sorted(function.mentioned("s") - function.defined)]
        handed = [f"tl.store(S + {self.cells[slot]}, s{slot})" for slot in sorted(function.defined & self.cells.keys())]
        function.lines = [*taken, *function.lines, *handed]
        names = set(re.findall(r"\b(?:[aopt]\d+|[SZ])\b", "\n".join(function.lines)))
        function.arguments = tuple(sorted(names, key=lambda name: (name[0], int(name[1:] or 0))))

    def _fetched(self, slot: int) -> str:
        kind = self.plan.node(slot).abstract.dtype
        cell = f"tl.load({'Z' if kind in WHOLE else 'S'} + {self.cells[slot]})"
        convert = {"float32": ".to(tl.float32)", "bool": " != 0"}.get(kind, "")
        return f"s{slot} = {cell}{convert}"

    def _text(self) -> str:
        functions = "\n\n".join(_function_text(function) for function in self.functions)
        helpers = [text for name, text in HELPERS.items() if re.search(rf"\b{name}\b", functions)]
        return "\n\n".join([PRELUDE, *helpers, functions])


def _function_text(function: Function) -> str:
    lines = "".join(f"    {line}\n" for line in function.lines)
    return f"@triton.jit\ndef {function.name}({', '.join(function.arguments)}):\n{lines}"
