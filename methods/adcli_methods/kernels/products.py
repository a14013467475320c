"""Small products of a matrix with a vector, and all of two vectors, as elementwise products and sums.

So they join the kernels around them, where a call of the library would end one. Large matrices stay with BLAS, whose
products of a matrix with a vector were three times faster (1,000 by 1,000).
"""

from __future__ import annotations

from adcli_methods.kernels.c_expressions import FLOATS
from adcli_methods.optimiser.rewrite import Draft, rewrite
from adcli_methods.primitives.elementary import multiply
from adcli_methods.primitives.structural import matmul, reshape, sum_
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract, Shaped

_MOST_ENTRIES = 4096
"""Of a matrix whose product with a vector is written as a sum."""


def without_vector_products(given: Shaped) -> Shaped:
    """The Program with such matrix products written as elementwise ones, and sums of them."""
    return rewrite(given, [_sum_of], sharing=True)[0]


def _sum_of(draft: Draft, source: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """The product; None for one that BLAS does better, and for any other operation."""
    if source.primitive is not matmul:
        return None
    first, second = operands
    a, b = draft.abstracts[first], draft.abstracts[second]
    if len(a.shape) != 2 or len(b.shape) != 2 or a.dtype != b.dtype or abstract.dtype not in FLOATS:
        return None
    (rows, inner), columns = a.shape, b.shape[1]
    kind = abstract.dtype
    if inner == 1:
        return draft.operation(multiply, (first, second), {}, abstract, source)
    if max(a.size, b.size) > _MOST_ENTRIES:
        return None
    if columns == 1:
        second = _reshaped(draft, second, (1, inner), source)
        product = draft.operation(multiply, (first, second), {}, Abstract((rows, inner), kind), source)
        return draft.operation(sum_, (product,), {"axis": (1,), "keepdims": True}, abstract, source)
    if rows == 1:
        first = _reshaped(draft, first, (inner, 1), source)
        product = draft.operation(multiply, (first, second), {}, Abstract((inner, columns), kind), source)
        return draft.operation(sum_, (product,), {"axis": (0,), "keepdims": True}, abstract, source)
    return None


def _reshaped(draft: Draft, slot: int, shape: tuple[int, int], source: Instruction) -> int:
    return draft.operation(reshape, (slot,), {"shape": shape}, Abstract(shape, draft.abstracts[slot].dtype), source)
