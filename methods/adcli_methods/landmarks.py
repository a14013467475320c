"""Where a trace passed through the user's source: the decisions it took and the lines it came by again."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adcli_methods.program import Instruction, Location
from adcli_methods.trace import Trace

LONGEST_SOURCE = 60


def landmarks(trace: Trace, slots: Sequence[int]) -> list[tuple[int, str]]:
    """What to tell before a line: (its position in the slots, text), in order.

    Arguments:
        trace: what was recorded, with the user's lines.
        slots: the slots that are shown, in order.
    """
    found = [
        (bisect_left(slots, guard.slot + 1), _decision(trace, guard.slot, guard.outcome)) for guard in trace.guards
    ]
    found += _repetitions(trace, slots)
    return sorted({mark: None for mark in found if mark[1]}, key=lambda mark: mark[0])


def _decision(trace: Trace, slot: int, outcome: Any) -> str:
    location = trace.instructions[slot].location
    if location is None:
        return ""
    return f"{source_line(location)} → {_outcome(outcome)}"


def source_line(location: Location) -> str:
    """The file's name, the line's number, and the line itself."""
    text = location.text.removesuffix(":")
    shown = text if len(text) <= LONGEST_SOURCE else text[:LONGEST_SOURCE] + " …"
    return f"{Path(location.filename).name}:{location.line}: {shown}"


def _outcome(outcome: Any) -> str:
    if isinstance(outcome, (bool, np.bool_)):
        return "true" if outcome else "false"
    return str(outcome) if np.ndim(outcome) == 0 else f"{int(np.count_nonzero(outcome))} of {np.size(outcome)} true"


def _repetitions(trace: Trace, slots: Sequence[int]) -> list[tuple[int, str]]:
    """The lines where the user's code comes to the same operation again: a loop's next pass, a second call."""
    times: Counter[Any] = Counter()
    sources: dict[Any, str] = {}
    found, before = [], 1
    for position, slot in enumerate(slots):
        instruction: Instruction = trace.instructions[slot]
        mark = instruction.mark
        if mark is None or instruction.primitive is None:
            continue
        key = (mark, instruction.primitive)
        times[key] += 1
        if times[key] != before and times[key] > 1:
            if mark not in sources:
                sources[mark] = source_line(instruction.location) if instruction.location else ""
            found.append((position, f"{sources[mark]} → pass {times[key]}"))
        before = times[key]
    return found
