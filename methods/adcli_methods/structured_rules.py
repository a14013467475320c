"""What primitives make of Structured values of a batch: terms again, as long as they are linear in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adcli_methods.primitive import Primitive, Recorded, Value, shape_of
from adcli_methods.primitives.elementary import add, divide, greater, multiply, negative, subtract, where
from adcli_methods.primitives.structural import (
    ARRAY,
    broadcast_to,
    getitem,
    reshape,
    scatter_add,
    transpose,
)
from adcli_methods.structured import Own, Shared, Structured, added_into
from adcli_methods.tracer import Tracer

if TYPE_CHECKING:
    from adcli_methods.batching import Batch

MOST_TERMS = 5
"""With more, a member's zeros are written out: arithmetic on whole arrays is cheaper by then."""
Operands = Sequence[Value]
Parameters = dict[str, Any]
Unary = Callable[[Value], Value]


def units(batch: Batch, shape: tuple[int, ...], one: Value) -> Structured:
    """Unit seeds of this shape: member k is 1 in the k-th of the batch's places."""
    owners = 1 + np.arange(math.prod(shape)).reshape(shape)
    return Structured(batch, shape, (Own(owners, one),), ())


def on_structured(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    """The result of a primitive on a batch's values as few terms; None: it has no such form."""
    rule = _RULES.get(primitive.name)
    if rule is None:
        return None
    if not any(type(operand) is Structured and operand.trace is batch for operand in operands):
        return _outer(batch, operands) if primitive is multiply else None
    return rule(batch, primitive, operands, parameters)


def is_of(batch: Batch, value: Value) -> bool:
    """Whether a value is different for each member of a batch."""
    return isinstance(value, Tracer) and value.trace is batch


def _outer(batch: Batch, operands: Operands) -> Value | None:
    """A number of each member times an array that is the same for all."""
    a, b = operands if is_of(batch, operands[0]) else operands[::-1]
    if is_of(batch, b) or shape_of(a) or not shape_of(b):
        return None
    return Structured(batch, shape_of(b), (), (Shared(a.value, b),))


def _mapped(given: Structured, change: Unary, shape: tuple[int, ...]) -> Structured:
    """Each entry multiplied by something that is the same for all members."""
    own = [Own(_spread(owners, shape), change(values)) for owners, values in given.own]
    shared = [Shared(weights, change(values)) for weights, values in given.shared]
    return Structured(given.trace, shape, tuple(own), tuple(shared))


def _spread(owners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return owners if owners.shape == shape else np.broadcast_to(owners, shape)


def _negative(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value:
    return _mapped(operands[0], primitive, operands[0].shape)


def _multiply(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    a, b = operands
    shape = np.broadcast_shapes(shape_of(a), shape_of(b))
    if not is_of(batch, b):
        return _mapped(a, lambda values: primitive(values, b), shape)
    if is_of(batch, a) or primitive is divide:
        return None
    return _mapped(b, lambda values: primitive(a, values), shape)


def _add(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    if not all(is_of(batch, operand) for operand in operands):
        return None
    a, b = operands[0], negative(operands[1]) if primitive is subtract else operands[1]
    whole, few = (a, b) if type(b) is Structured else (b, a)
    if type(whole) is not Structured and not whole.shape:
        whole = Structured(batch, few.shape, (), (Shared(whole.value, 1.0),))
    if type(whole) is Structured:
        return _sum_of(whole, few)
    if few.is_traced or whole.shape != few.shape or isinstance(whole.value, Tracer):
        return None
    total = np.array(whole.value, np.result_type(whole.value, few.dtype), order="C")
    return batch.batched(added_into(total, batch, few))


def _where(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    condition, *branches = operands
    if is_of(batch, condition):
        return None
    shape = np.broadcast_shapes(*map(shape_of, operands))
    picks: tuple[Unary, Unary] = (lambda a: where(condition, a, 0.0), lambda b: where(condition, 0.0, b))
    found: Structured | None = None
    for branch, pick in zip(branches, picks, strict=True):
        if type(branch) is Structured and branch.trace is batch:
            part = _mapped(branch, pick, shape)
            found = part if found is None else _sum_of(found, part)
        elif isinstance(branch, Recorded) or np.any(branch):
            return None
    return found


def _sum_of(a: Structured, b: Structured) -> Structured | None:
    shape = np.broadcast_shapes(a.shape, b.shape)
    own = [Own(_spread(owners, shape), values) for owners, values in a.own]
    shared = list(a.shared)
    for owners, values in b.own:
        _put_own(own, Own(_spread(owners, shape), values))
    for term in b.shared:
        _put_shared(shared, term)
    return Structured(a.trace, shape, tuple(own), tuple(shared)) if len(own) + len(shared) <= MOST_TERMS else None


def _put_own(terms: list[Own], term: Own) -> None:
    """Add a term to one that has the same owners, or has none where this one has any, or behind the others."""
    for k, known in enumerate(terms):
        if np.array_equal(known.owners, term.owners):
            terms[k] = Own(known.owners, add(known.values, term.values))
            return
        if not np.any(known.owners * term.owners):
            values = where(known.owners > 0, known.values, term.values)
            terms[k] = Own(known.owners + term.owners, values)
            return
    terms.append(term)


def _put_shared(terms: list[Shared], term: Shared) -> None:
    for k, known in enumerate(terms):
        if known.weights is term.weights:
            terms[k] = Shared(known.weights, add(known.values, term.values))
            return
    terms.append(term)


def _moved(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    """What only moves entries moves their owners alike."""
    if not _is_free_of_others(primitive, operands) or not _keeps_owners(primitive, operands):
        return None
    total: Any = None
    for position, operand in enumerate(operands):
        for part in _parts(operand):
            moved = _moved_part(primitive, operands, position, part, parameters)
            total = moved if total is None else _sum_of(total, moved)
            if total is None:
                return None
    return total if total.shape else total.dense()


def _keeps_owners(primitive: Primitive, operands: Operands) -> bool:
    """Whether each entry of the result has one owner in a term, and it pays to know which.

    An index array may put two entries in one place. Kernels of a recorded Program read slices of written-out zeros
    for nothing, and would compare owners for each term.
    """
    if not any(operand.own for operand in operands if type(operand) is Structured):
        return True
    if primitive is scatter_add and len(operands) > 1:
        return False
    return primitive in (reshape, transpose) or not any(
        operand.is_traced for operand in operands if type(operand) is Structured
    )


def _is_free_of_others(primitive: Primitive, operands: Operands) -> bool:
    """Whether all that moves is Structured: what else the result is linear in is zero, and no index is traced."""
    for position, operand in enumerate(operands):
        if type(operand) is Structured:
            continue
        if isinstance(operand, Tracer) or (primitive.rule(position, len(operands)) is not None and np.any(operand)):
            return False
    return True


def _parts(operand: Value) -> list[Structured]:
    """The terms, each for itself."""
    if type(operand) is not Structured:
        return []
    batch, shape = operand.trace, operand.shape
    return [Structured(batch, shape, (term,), ()) for term in operand.own] + [
        Structured(batch, shape, (), (term,)) for term in operand.shared
    ]


def _moved_part(
    primitive: Primitive, operands: Operands, position: int, part: Structured, parameters: Parameters
) -> Structured:
    """What becomes of one term of one operand."""

    def moved(entries: Value) -> Value:
        given = [np.zeros(operand.shape) if type(operand) is Structured else operand for operand in operands]
        given[position] = broadcast_to(entries, shape=part.shape)
        return primitive(*given, **parameters)

    for owners, values in part.own:
        own = np.asarray(moved(owners), np.intp)
        return Structured(part.trace, own.shape, (Own(own, moved(values) if shape_of(values) else values),), ())
    ((weights, values),) = part.shared
    result = moved(values)
    return Structured(part.trace, shape_of(result), (), (Shared(weights, result),))


def _linear(batch: Batch, primitive: Primitive, operands: Operands, parameters: Parameters) -> Value | None:
    """Of an outer product the second factor is changed; what becomes of own entries depends on the primitive."""
    own_rule = _OF_OWN.get(primitive.name)
    if sum(is_of(batch, operand) for operand in operands) > 1:
        return None
    position = next(i for i, operand in enumerate(operands) if is_of(batch, operand))
    given = operands[position]
    found: list[Value] = []
    for term in given.own:
        part = own_rule(batch, term, operands, parameters) if own_rule is not None else None
        if part is None:
            return None
        found.append(batch.batched(part))
    for weights, values in given.shared:
        spread = broadcast_to(values, shape=given.shape)
        result = primitive(*operands[:position], spread, *operands[position + 1 :], **parameters)
        product = Structured(batch, shape_of(result), (), (Shared(weights, result),))
        found.append(product if product.shape else product.dense())
    return reduce(add, found)


class _Entries(NamedTuple):
    """Of each member its one entry of a term, and where it stands; None: member k has the k-th."""

    at: Value | None
    values: Value


def _entries(batch: Batch, term: Own) -> _Entries | None:
    """None where a member has several entries of a term, or no member has any."""
    owners = term.owners.ravel()
    owned = np.flatnonzero(owners)
    positions = np.full(1 + batch.seeded, -1)
    positions[owners[owned]] = owned
    positions = positions[1:]
    if not len(owned) or np.count_nonzero(positions >= 0) != len(owned):
        return None
    flat = reshape(broadcast_to(term.values, shape=term.owners.shape), shape=owners.shape)
    if np.array_equal(positions, np.arange(len(owners))):
        at = batch.places
        return _Entries(at, flat if at is None else getitem(flat, at, index=(ARRAY,)))
    at = positions if batch.places is None else getitem(positions, batch.places, index=(ARRAY,))
    values = getitem(flat, at, index=(ARRAY,))
    return _Entries(at, values if len(owned) == batch.seeded else where(greater(at, -1), values, 0.0))


def _summed(batch: Batch, term: Own, operands: Operands, parameters: Parameters) -> Value | None:
    """A sum over all entries: each member's own one."""
    if len(parameters["axis"]) != term.owners.ndim or parameters["keepdims"]:
        return None
    found = _entries(batch, term)
    return None if found is None else found.values


def _multiplied(batch: Batch, term: Own, operands: Operands, parameters: Parameters) -> Value | None:
    """A row or column times a matrix: of each member one row or column of the matrix, scaled."""
    a, b = operands
    is_row = is_of(batch, a)
    (rows, inner), columns = shape_of(a)[-2:], shape_of(b)[-1]
    is_vector = inner == term.owners.size and term.owners.ndim == len(shape_of(a)) == len(shape_of(b)) == 2
    found = _entries(batch, term) if is_vector else None  # where inner is 1, the one entry makes a whole matrix
    if found is None:
        return None
    matrix = b if is_row else transpose(a, axes=(1, 0))
    picked = matrix if found.at is None else getitem(matrix, found.at, index=(ARRAY,))
    scaled = multiply(picked, reshape(found.values, shape=(batch.count, 1)))
    return reshape(scaled, shape=(batch.count, rows, columns))


_OF_OWN = {"sum": _summed, "matmul": _multiplied}
_PARTS = ("getitem", "index_update", "scatter_add", "scatter_sum")
_FORMS = ("reshape", "transpose", "broadcast_to", "concatenate", "stack")
_RULES = {
    "negative": _negative,
    **dict.fromkeys(("multiply", "divide"), _multiply),
    **dict.fromkeys(("add", "subtract"), _add),
    "where": _where,
    **dict.fromkeys(_PARTS + _FORMS, _moved),
    **dict.fromkeys(("sum", "cumsum", "matmul"), _linear),
}
