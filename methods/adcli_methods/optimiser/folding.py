"""Two passes: what does not depend on the inputs is computed once, and what is computed twice is computed once."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.optimiser.rewrite import Draft, rewrite
from adcli_methods.primitive import Value, evaluate
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract, Shaped

MOST_FOLDED_BYTES = 1 << 16
"""A constant larger than its operands and than this is left to be computed: it may be a broadcast."""


def fold_constants(given: Shaped) -> Shaped:
    """Operations on constants alone become constants."""

    def visit(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int:
        primitive = instruction.primitive
        assert primitive is not None
        values = [draft.constants.get(operand) for operand in operands]
        if any(value is None for value in values) or _is_large(abstract, values):
            return draft.append(instruction, operands, abstract)
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            return draft.constant(evaluate(primitive, values, instruction.parameters))

    return rewrite(given, visit)


def _is_large(abstract: Abstract, values: list[Value]) -> bool:
    result_bytes = abstract.size * np.dtype(abstract.dtype).itemsize
    return result_bytes > max(MOST_FOLDED_BYTES, *(int(np.asarray(value).nbytes) for value in values))


def share_common(given: Shaped) -> Shaped:
    """An operation with the operands of an earlier one takes that one's value; equal constants become one."""
    known: dict[Any, int] = {}
    equal: dict[int, int] = {}

    def visit(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int:
        primitive = instruction.primitive
        assert primitive is not None
        merged = []
        for operand in operands:
            if operand in draft.constants and operand not in equal:
                equal[operand] = known.setdefault(_constant_key(draft.constants[operand]), operand)
            merged.append(equal.get(operand, operand))
        key = (primitive.name, tuple(merged), _parameters_key(instruction.parameters))
        slot = known.get(key)
        if slot is None:
            slot = known[key] = draft.append(instruction, merged, abstract)
        return slot

    return rewrite(given, visit)


def _constant_key(value: Value) -> Any:
    """The same for constants of one type and the same bits (0.0 and -0.0 differ)."""
    array = np.asarray(value)
    return (type(value), array.dtype.str, array.shape, array.tobytes())


def _parameters_key(parameters: dict[str, Any]) -> str:
    return repr(sorted(parameters.items())) if parameters else ""
