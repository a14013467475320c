"""The rule of constant folding: what does not depend on the inputs is computed once."""

from __future__ import annotations

import numpy as np

from adcli_methods.optimiser.rewrite import Draft
from adcli_methods.primitive import Value, evaluate
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract

MOST_FOLDED_BYTES = 1 << 16
"""A constant larger than its operands and than this is left to be computed: it may be a broadcast."""


def fold_constants(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """An operation on constants alone is a constant."""
    constants = draft.constants
    if any(operand not in constants for operand in operands):
        return None
    values = [constants[operand] for operand in operands]
    if _is_large(abstract, values):
        return None
    assert instruction.primitive is not None
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        return draft.constant(evaluate(instruction.primitive, values, instruction.parameters))


def _is_large(abstract: Abstract, values: list[Value]) -> bool:
    result_bytes = abstract.size * np.dtype(abstract.dtype).itemsize
    return result_bytes > max(MOST_FOLDED_BYTES, *(int(np.asarray(value).nbytes) for value in values))
