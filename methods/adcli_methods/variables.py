"""The user's variables: what they held while a function was traced, and what they are called in emitted code."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from keyword import iskeyword
from types import CodeType, FrameType
from typing import Any

from adcli_methods.execution import needed_slots
from adcli_methods.function import FlatFunction
from adcli_methods.optimiser import optimise
from adcli_methods.optimiser.rewrite import drop_dead
from adcli_methods.program import Program
from adcli_methods.shapes import Shaped
from adcli_methods.trace import Trace
from adcli_methods.tracer import Tracer
from adcli_methods.user_code import user_mark

Names = dict[int, str]
"""The name of the variable that first held a slot's value."""


class _Watch:
    """Looks at the variables of the user's code before each of its lines, as a debugger does."""

    def __init__(self) -> None:
        self.found: dict[int, Names] = {}
        """For each trace, by its level."""
        self._is_users: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in self._is_users:
            mark = user_mark()
            self._is_users[code] = mark is not None and mark[0] is code
        return self._look if self._is_users[code] else None

    def _look(self, frame: FrameType, event: str, argument: Any) -> Any:
        for name, value in frame.f_locals.items():
            # not isinstance, which asks the value itself; a namespace of exec may hold anything as a name
            if issubclass(type(value), Tracer) and type(name) is str and name.isidentifier() and not iskeyword(name):
                self.found.setdefault(value.trace.level, {}).setdefault(value.slot, name)
        return self._look


def traced_variables(problem: FlatFunction) -> tuple[Trace, list[int], Names]:
    """The trace of a function at its point, the slots of its outputs, and the names of other slots.

    To be watched may change what a function does, as by locals(): then no slot has a name.
    """
    alone, slots = problem.traced
    trace, names = _watched(problem)
    return alone, slots, names if _steps(trace) == _steps(alone) else {}


def _steps(trace: Trace) -> list[Any]:
    return [(each.primitive, each.operands, repr(each.parameters)) for each in trace.instructions]


def _watched(problem: FlatFunction) -> tuple[Trace, Names]:
    """One more run, in which the variables are looked at."""
    watch, before = _Watch(), sys.gettrace()
    anew = FlatFunction(problem.function, problem.inputs, problem.paths, problem.dtype)
    sys.settrace(watch)
    try:
        trace, _ = anew.traced
    finally:
        sys.settrace(before)
    names = watch.found.get(trace.level, {})
    return trace, {slot: name for slot, name in names.items() if slot >= trace.input_count}


def with_outputs(given: Shaped, slots: list[int]) -> Shaped:
    """The same with other outputs."""
    program = given.program
    made = Program(program.instructions, program.inputs, program.constants, slots, program.guards)
    return Shaped(made, given.abstracts)


def optimised(given: Shaped, names: Mapping[int, str]) -> tuple[Shaped, Names]:
    """The Program optimised, and the slots that its names have gone to; what no output needs is left out."""
    outputs, slots = list(given.program.outputs), sorted(names)
    # outputs are what the optimiser keeps track of
    made = optimise(with_outputs(given, [*outputs, *slots])).shaped
    ends = made.program.outputs
    moved: Names = {}
    for slot, end in zip(slots, ends[len(outputs) :], strict=True):
        moved.setdefault(end, names[slot])
    return _pruned(with_outputs(made, list(ends[: len(outputs)])), moved)


def _pruned(given: Shaped, names: Names) -> tuple[Shaped, Names]:
    """Without what no output and no guard needs; operations alone have names."""
    program = given.program
    needed = needed_slots(program, [*program.inputs, *(guard.slot for guard in program.guards)])
    kept = [slot for slot, is_needed in enumerate(needed) if is_needed]
    place = {slot: position for position, slot in enumerate(kept)}  # as drop_dead numbers them
    is_operation = [instruction.primitive is not None for instruction in program.instructions]
    moved = {place[slot]: name for slot, name in names.items() if needed[slot] and is_operation[slot]}
    return drop_dead(given), moved


def distinct_variables(
    names: Mapping[int, str], taken: Container[str], answers: Sequence[tuple[int, str]] = ()
) -> Names:
    """The names with numbers after those that are taken.

    Arguments:
        names: as the user has them.
        taken: names that no variable may have.
        answers: the outputs' slots and names; no other variable may have these.

    >>> distinct_variables({3: "a", 4: "exp", 7: "a"}, {"exp"})
    {3: 'a', 4: 'exp_2', 7: 'a_2'}
    """
    times: Counter[str] = Counter()
    used, reserved = set(), {name for _, name in answers}
    found: Names = {}
    for slot, name in sorted(names.items()):
        own = name
        while own in taken or own in used or (own in reserved and (slot, own) not in answers):
            times[name] += 1
            own = f"{name}_{times[name] + 1}"
        found[slot] = own
        used.add(own)
    return found
