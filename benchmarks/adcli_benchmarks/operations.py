"""Operations of Programs, counted as a formula's are: one for each number that arithmetic or a function gives.

An operation on n entries counts n, a sum of n entries n - 1, a matrix product a multiplication and an addition for
each pair of entries that meet. Moving numbers (slices, reshapes, concatenations) and comparing them counts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from adcli_methods.execution import needed_slots
from adcli_methods.program import Instruction
from adcli_methods.shapes import Shaped

Shape = tuple[int, ...]
FREE = frozenset(
    "reshape transpose broadcast_to concatenate getitem scatter_add index_update stack astype to_integer positive "
    "argsort argmax argmin less less_equal greater greater_equal equal not_equal "
    "logical_and logical_or logical_xor logical_not isnan isfinite isinf where".split()
)
"""Primitives that compute no number."""


def _reduction(operands: Sequence[Shape], result: Shape) -> int:
    return math.prod(operands[0]) - math.prod(result)


def _matmul(operands: Sequence[Shape], result: Shape) -> int:
    return math.prod(result) * (2 * operands[0][-1] - 1)


def _cube(operands: Sequence[Shape], result: Shape) -> int:
    """The order of a factorization, without its small factor."""
    return math.prod(operands[0]) * operands[0][-1]


COUNTS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    **dict.fromkeys(("sum", "prod", "max", "min"), _reduction),
    "cumsum": lambda operands, result: math.prod(result),
    "matmul": _matmul,
    **dict.fromkeys(("inv", "solve", "adjugate", "det", "det_sign", "logabsdet", "cholesky"), _cube),
}
"""Primitives that do not count one for each entry of their result, einsum aside."""


def operations(given: Shaped) -> int:
    """How many operations a Program's outputs need.

    >>> from adcli_methods.formula import formula_function
    >>> from adcli_methods.differentiate import Request, flat_problem
    >>> from adcli_methods.shapes import shaped
    >>> flat = flat_problem(formula_function("sin(x)*x + 3"), {"x": 2.0}, Request())
    >>> operations(shaped(flat.program, flat.leaves))
    3
    """
    shapes, program = [abstract.shape for abstract in given.abstracts], given.program
    return sum(
        _count(instruction, [shapes[slot] for slot in instruction.operands], shapes[position])
        for position, (instruction, needed) in enumerate(zip(program.instructions, needed_slots(program), strict=True))
        if needed and instruction.primitive is not None
    )


def _count(instruction: Instruction, operands: Sequence[Shape], result: Shape) -> int:
    assert instruction.primitive is not None
    name = instruction.primitive.name
    if name in FREE:
        return 0
    if name == "einsum":
        return _einsum(instruction.parameters["subscripts"], operands)
    if name in COUNTS:
        return COUNTS[name](operands, result)
    return math.prod(result)


def _einsum(subscripts: str, operands: Sequence[Shape]) -> int:
    """All combinations of indices, one multiplication for each operand but the first and an addition."""
    lengths = {
        index: length
        for part, shape in zip(subscripts.split("->")[0].split(","), operands, strict=True)
        for index, length in zip(part, shape, strict=False)
    }
    return math.prod(lengths.values()) * len(operands)
