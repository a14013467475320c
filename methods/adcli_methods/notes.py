"""What a user must know beside the numbers: kinks, births of NaN and Inf, inputs without influence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcli_methods.primitive import Partial, Value
from adcli_methods.program import Instruction
from adcli_methods.structure import Path
from adcli_methods.trace import Trace

MOST_NOTES = 8


def notes_of(trace: Trace, outputs: Sequence[int], paths: Sequence[Path], is_finite: bool) -> list[str]:
    """The notes on a function's trace, the first few of each kind.

    Arguments: the trace, the slots of the outputs, the path of each input, and whether the derivative is finite.
    """
    with np.errstate(all="ignore"):
        reached = _ancestors(trace, outputs)
        kinks = _kinks(trace, reached)
        births = _births(trace, reached)
        if not (is_finite or kinks or births):
            births = _singular_partials(trace, reached)
    unused = [
        f"the output does not depend on {'.'.join(path)}" for slot, path in enumerate(paths) if slot not in reached
    ]
    return [note for group in (births, kinks, unused) for note in _few(group)]


def _few(notes: list[str]) -> list[str]:
    notes = list(dict.fromkeys(notes))
    more = len(notes) - MOST_NOTES
    return [*notes[:MOST_NOTES], f"... and {more} more like these"] if more > 0 else notes


def _ancestors(trace: Trace, outputs: Sequence[int]) -> set[int]:
    """The slots that the outputs were computed from."""
    reached, waiting = set(), list(outputs)
    while waiting:
        slot = waiting.pop()
        if slot not in reached:
            reached.add(slot)
            waiting.extend(trace.instructions[slot].operands)
    return reached


def _place(instruction: Instruction) -> str:
    location = instruction.location
    return f" at {location.filename}:{location.line}" if location else ""


def _kinks(trace: Trace, reached: set[int]) -> list[str]:
    found = []
    for slot in sorted(reached):
        instruction = trace.instructions[slot]
        primitive = instruction.primitive
        if primitive is None or primitive.kink is None or not trace.active[slot]:
            continue
        operands = [trace.values[operand] for operand in instruction.operands]
        hits = np.count_nonzero(primitive.kink(*[_array(x) for x in operands], **instruction.parameters))
        if hits:
            where = f" ({hits} entries)" if hits > 1 else ""
            found.append(f"{primitive.name}{_place(instruction)} is at a kink{where}: {primitive.convention}")
    return found


def _array(value: Value) -> Value:
    return value if isinstance(value, np.ndarray) else np.asarray(value)[()]


def _births(trace: Trace, reached: set[int]) -> list[str]:
    """The operations whose operands were finite and whose result is not."""
    found = []
    for slot in sorted(reached):
        instruction, value = trace.instructions[slot], trace.values[slot]
        if instruction.primitive is None or _is_finite(value):
            continue
        operands = [trace.values[operand] for operand in instruction.operands]
        kind = "NaN" if np.isnan(value).any() else "Inf"
        if all(_is_finite(operand) for operand in operands) or (
            kind == "NaN" and not any(np.isnan(operand).any() for operand in operands)
        ):
            found.append(f"{kind} first arises in {instruction.primitive.name}{_shown(operands)}{_place(instruction)}")
    return found


def _singular_partials(trace: Trace, reached: set[int]) -> list[str]:
    """The operations whose partial derivative is not finite though their value is."""
    found = []
    for slot in sorted(reached):
        instruction = trace.instructions[slot]
        primitive, parameters = instruction.primitive, instruction.parameters
        if primitive is None:
            continue
        operands = [_array(trace.values[operand]) for operand in instruction.operands]
        for position, operand in enumerate(instruction.operands):
            rule = primitive.rule(position, len(operands))
            if not trace.active[operand] or type(rule) is not Partial or rule.constant is not None:
                continue
            partial = rule.function(*operands, _array(trace.values[slot]), **parameters)
            if not _is_finite(partial):
                kind = "NaN" if np.isnan(partial).any() else "Inf"
                found.append(f"{kind}: the slope of {primitive.name}{_shown(operands)} by operand {position + 1}"
                             f"{_place(instruction)}")  # fmt: skip
    return found


def _shown(operands: Sequence[Value]) -> str:
    return "(" + ", ".join("..." if np.shape(operand) else f"{operand:.6g}" for operand in operands) + ")"


def _is_finite(value: Value) -> bool:
    kind = np.asarray(value).dtype.kind
    return kind != "f" or bool(np.isfinite(value).all())
