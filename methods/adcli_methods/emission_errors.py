"""What is said where a target lacks an operation."""

from __future__ import annotations

from adcli_methods.errors import OperatorError
from adcli_methods.program import Instruction

_TOLD = {
    "to_integer": "conversion to whole numbers",
    "gammaln": "lgamma",
    "det_sign": "slogdet",
    "logabsdet": "slogdet",
    "getitem": "indexing",
    "index_update": "writing at an index",
    "scatter_add": "adding up at an index",
    "scatter_sum": "adding up at indices",
}
"""Operations whose own names a user would not know."""


def lacks(target: str, instruction: Instruction, title: str, detail: str = "") -> OperatorError:
    """The error that names the operation, the user's line and the way out.

    Arguments:
        target: as the user asks for it.
        instruction: the operation.
        title: of the function, for operations that no line of the user's made.
        detail: more of the operation, such as " of order 3".
    """
    assert instruction.primitive is not None
    name, location = instruction.primitive.name, instruction.location
    line = (location.text if location is not None else "") or title
    way_out = "" if target == "numpy" else ": try --target numpy"
    lacking = _TOLD.get(name, name) + detail
    return OperatorError(f"{target} code has no {lacking}, which `{line}` or its derivative needs{way_out}")
