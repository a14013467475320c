"""The rule of constant folding: what does not depend on the inputs is computed once."""

from __future__ import annotations

import numpy as np

from adcli_methods.optimiser.rewrite import Draft
from adcli_methods.primitive import evaluate, plain
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract


def fold_constants(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """An operation on constants alone is a constant: NumPy's, whose last bits are not always those of `math`."""
    constants = draft.constants
    for operand in operands:
        if operand not in constants:
            return None
    given = [draft.abstracts[operand] for operand in operands]
    if abstract.size > max(each.size for each in given) or (abstract.shape and not any(each.shape for each in given)):
        return None  # a broadcast is better done where it is needed
    values = [np.float64(value) if type(value) is float else value for value in map(constants.get, operands)]
    assert instruction.primitive is not None
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        return draft.constant(plain(evaluate(instruction.primitive, values, instruction.parameters)))
