"""Which operations run together: a Program split into phases of library calls, numbers and kernels.

A phase is what can run once the reductions and library results of the phases before are known. In it, every
expression over one shape is one kernel: it computes the arrays that must be in memory (`stored`) and the reductions.
Anything else is computed where it is read, again for each reader where that is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adcli_methods.kernels.c_expressions import cost_of
from adcli_methods.kernels.maps import Shape
from adcli_methods.kernels.nodes import Kind, Node, nodes_of
from adcli_methods.kernels.phases import Phase, kernel_over, merged
from adcli_methods.program import Program
from adcli_methods.shapes import Abstract

LOAD_COST = 2
_SHIFT_COST, _REPEAT_COST, _LATER_COST = 16, 3, 14
"""Dearer expressions (in additions) are stored rather than computed again elsewhere, for each entry, later."""
_MOST_COST = 10_000
_MOST_OPERATIONS = 256
"""In one kernel: longer ones take long to compile and spill their registers."""
_MOST_PIECES = 6
_SMALL = 2048
"""Entries up to which memory is cheap (it is in the first cache) and short code counts: nothing is computed twice."""


class Plan:
    """How a Program runs.

    Arguments: as of `kernels.compile_program`.

    `nodes`, `phase` and `stored` have one entry for each slot: what it is, when it can be computed, and whether it is
    an expression whose array is in memory from the next phase on.
    """

    def __init__(self, program: Program, abstracts: Sequence[Abstract]) -> None:
        self.program = program
        self.nodes = nodes_of(program, abstracts)
        copied = set[int]()
        self._place_all(copied)
        while late := self._late_views():
            copied |= late
            self._place_all(copied)
        self.phases = self._gathered()

    def _place_all(self, stored: Iterable[int]) -> None:
        """Decide on all slots, some of which are known to be stored."""
        count = len(self.nodes)
        self.phase = [0] * count
        self.stored = [False] * count
        self._cost = [0] * count
        self._pieces = [0] * count
        self._population: dict[tuple[int, Shape], int] = {}
        for slot in stored:
            self.stored[slot] = True
        for slot, node in enumerate(self.nodes):
            if node is not None:
                self._place(slot, node)
        for slot in self.program.outputs:
            self._contiguous(slot)
        self._store_what_is_needed_later()

    def node(self, slot: int) -> Node:
        """The Node of a slot that is needed."""
        node = self.nodes[slot]
        assert node is not None
        return node

    def base(self, slot: int) -> int:
        """The slot whose memory an array is in, under another shape perhaps."""
        while self.node(slot).kind is Kind.ALIAS:
            slot = self.node(slot).instruction.operands[0]
        return slot

    def shown(self, slot: int) -> int:
        """The slot whose memory the library looks at when it reads this one."""
        while self.node(slot).kind in (Kind.ALIAS, Kind.VIEW) and not self.stored[slot]:
            slot = self.node(slot).instruction.operands[0]
        return slot

    def ready(self, slot: int) -> int:
        """The first phase before whose kernels an array is in memory, or a number known."""
        kind = self.node(slot).kind
        if kind is Kind.ALIAS:
            return self.ready(self.node(slot).instruction.operands[0])
        if kind in (Kind.LITERAL, Kind.GIVEN, Kind.LIBRARY):
            return self.phase[slot]
        return self.phase[slot] + 1

    def in_memory(self, slot: int, phase: int) -> bool:
        """Whether an array can be read from memory in a phase; otherwise it is computed where it is read."""
        return (self.stored[slot] or not self.node(slot).virtual) and self.ready(slot) <= phase

    def _place(self, slot: int, node: Node) -> None:
        """Decide the phase of a slot, all of whose operands have theirs."""
        operands = node.instruction.operands
        kind = node.kind
        if kind is Kind.LIBRARY:
            self.phase[slot] = max((self._finished(operand) for operand in operands), default=0)
        elif kind is Kind.ALIAS:
            self.phase[slot] = self._contiguous(operands[0])
        elif kind is Kind.ELEMENTWISE:
            self._place_elementwise(slot, node)
        elif kind is Kind.VIEW:
            self._place_moved(slot, [(operands[0], node.manner)])
        elif kind is Kind.PIECES:
            base = [] if node.base is None else [(node.base, "same")]
            self._place_moved(slot, [*base, *((piece.operand, piece.manner) for piece in node.pieces)])
            self._pieces[slot] += len(node.pieces)
        elif kind in (Kind.REDUCTION, Kind.STACK):
            self.phase[slot] = max(self._inline(operand) for operand in operands)

    def _place_elementwise(self, slot: int, node: Node) -> None:
        shape, cost, phase = node.abstract.shape, cost_of(node.name), 0
        most = _MOST_PIECES if node.abstract.size > _SMALL else 0
        many = sum(self._pieces[operand] for operand in node.instruction.operands) > most
        for operand in node.instruction.operands:
            inner = self.node(operand)
            if inner.virtual and (many and self._pieces[operand]):
                phase = max(phase, self._store(operand))
            elif inner.virtual and inner.abstract.size < node.abstract.size:
                phase = max(phase, self._moved(operand, "repeat"))
            else:
                phase = max(phase, self._inline(operand))
            cost += self._cost_of_reading(operand)
            self._pieces[slot] += 0 if self.stored[operand] else self._pieces[operand]
        if shape:
            while self._population.get((phase, shape), 0) >= _MOST_OPERATIONS:
                phase += 1
            self._population[phase, shape] = self._population.get((phase, shape), 0) + 1
        self.phase[slot], self._cost[slot] = phase, min(cost, _MOST_COST)

    def _place_moved(self, slot: int, operands: Sequence[tuple[int, str]]) -> None:
        self.phase[slot] = max(self._moved(operand, manner) for operand, manner in operands)
        self._cost[slot] = min(sum(self._cost_of_reading(operand) for operand, _ in operands), _MOST_COST)
        self._pieces[slot] = sum(0 if self.stored[operand] else self._pieces[operand] for operand, _ in operands)

    def _cost_of_reading(self, slot: int) -> int:
        node = self.node(slot)
        if node.scalar or node.kind is Kind.LITERAL:
            return 0
        return self._cost[slot] if node.virtual and not self.stored[slot] else LOAD_COST

    def _inline(self, slot: int) -> int:
        """The first phase in which a kernel can read a slot at the same place."""
        node = self.node(slot)
        computed = node.kind in (Kind.ELEMENTWISE, Kind.VIEW, Kind.PIECES)
        return self.phase[slot] if computed else self.ready(slot)

    def _moved(self, slot: int, manner: str) -> int:
        """The first phase in which a kernel can read a slot elsewhere; a dear expression is stored for it."""
        node = self.node(slot)
        small = node.abstract.size <= _SMALL
        limit = {"same": _MOST_COST + 1, "shift": _SHIFT_COST, "repeat": _REPEAT_COST}[manner]
        if small and manner != "same":
            limit = LOAD_COST
        dear = self._cost[slot] > limit or (small and self._pieces[slot])
        if node.virtual and not self.stored[slot] and dear:
            return self._store(slot)
        return max(self._inline(slot), self.ready(slot) if self.stored[slot] else 0)

    def _finished(self, slot: int) -> int:
        """The first phase in which the library can read a slot; an expression is stored for it."""
        node = self.node(slot)
        if node.kind is Kind.VIEW and not self.stored[slot]:
            return self._finished(node.instruction.operands[0])
        return self._store(slot) if node.virtual and not self.stored[slot] else self.ready(slot)

    def _late_views(self) -> set[int]:
        """Views that the library looks at in a phase before the one that they are copied for, for another reader."""
        late = set()
        for slot, node in enumerate(self.nodes):
            if node is not None and node.kind is Kind.LIBRARY:
                for operand in map(self.shown, node.instruction.operands):
                    if self.stored[operand] and self.ready(operand) > self.phase[slot]:
                        late.add(operand)
        return late

    def _contiguous(self, slot: int) -> int:
        """The first phase in which an array is in memory entry after entry."""
        if self.node(slot).virtual:
            self.stored[slot] = True
        return self.ready(slot)

    def _store(self, slot: int) -> int:
        """Have an expression in memory; answers from which phase on. A view is not copied: what it shows is stored."""
        node = self.node(slot)
        if node.kind is Kind.VIEW and self.node(node.instruction.operands[0]).virtual:
            return max(self.phase[slot], self._store(node.instruction.operands[0]))
        if node.kind is Kind.VIEW:
            return max(self.phase[slot], self._inline(slot))
        self.stored[slot] = True
        return self.ready(slot)

    def _store_what_is_needed_later(self) -> None:
        needs = self._phases_of_readers()
        given = list(self.stored)
        for slot, node in enumerate(self.nodes):
            if node is None or node.kind is not Kind.ELEMENTWISE or node.scalar:
                continue
            cost = cost_of(node.name)
            cost += sum(self._cost_of_reading(operand) for operand in node.instruction.operands)
            self._cost[slot] = min(cost, _MOST_COST)
            if self._cost[slot] > _LATER_COST and max(needs[slot], default=0) > self.phase[slot]:
                self.stored[slot] = True
        needs = self._phases_of_readers()
        for slot, phases in enumerate(needs):
            if self.stored[slot] and not given[slot] and max(phases, default=0) <= self.phase[slot]:
                self.stored[slot] = False

    def _phases_of_readers(self) -> list[set[int]]:
        """For each slot, the phases whose kernels read it."""
        needs: list[set[int]] = [set() for _ in self.nodes]
        for slot in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[slot]
            if node is None or not node.instruction.operands:
                continue
            at = {self.phase[slot]} if self.stored[slot] or not node.virtual else needs[slot]
            if self.stored[slot]:
                at = at | {phase for phase in needs[slot] if phase <= self.phase[slot]}
            if node.kind in (Kind.LIBRARY, Kind.ALIAS):
                continue
            for operand in node.instruction.operands:
                needs[operand] |= at
        return needs

    def _gathered(self) -> list[Phase]:
        phases = [Phase() for _ in range(max(self.phase, default=0) + 1)]
        for slot, node in enumerate(self.nodes):
            if node is None:
                continue
            phase = phases[self.phase[slot]]
            if node.kind is Kind.LIBRARY:
                phase.by_numpy.append(slot)
            elif node.kind is Kind.STACK:
                phase.stacks.append(slot)
            elif node.kind is Kind.REDUCTION:
                shape = self.node(node.instruction.operands[0]).abstract.shape
                kernel_over(phase.kernels, shape).reductions.append(slot)
            elif self.stored[slot]:
                kernel_over(phase.kernels, node.abstract.shape).stores.append(slot)
            elif node.scalar and node.kind in (Kind.ELEMENTWISE, Kind.VIEW, Kind.PIECES):
                phase.numbers.append(slot)
        for phase in phases:
            phase.kernels = merged(phase.kernels)
        return phases
