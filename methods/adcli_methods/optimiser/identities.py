"""The rule of algebraic identities. Each keeps the value for every input, signed zeros, infinities and NaN included.

The whole powers 3 and 4 become products, which round up to twice more; all others keep every bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adcli_methods.optimiser.folding import fold_constants
from adcli_methods.optimiser.rewrite import Draft
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction
from adcli_methods.shapes import Abstract

_MULTIPLY = PRIMITIVES["multiply"]
_NEGATIVE = PRIMITIVES["negative"]
_ROUNDED_RIGHT = frozenset(
    "add subtract multiply divide reciprocal negative positive square absolute sqrt maximum minimum".split()
)
"""Elementwise operations that give a number and an entry of an array the same bits; a power may be an ulp apart."""
_LONGEST_WALK = 64
"""How many written entries a read looks back over for the one it reads."""


def simplify(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """An operation by an identity, where one holds."""
    primitive = instruction.primitive
    assert primitive is not None
    given = operands
    if abstract.shape and primitive.elementwise:
        lifted = _lifted(draft, instruction, operands, abstract)
        if lifted is not None:
            return lifted
        for position in range(len(operands)):
            operands = _unspread(draft, operands, position, abstract)
    identity = _IDENTITIES.get(primitive.name)
    found = None if identity is None else identity(draft, instruction, operands, abstract)
    if found is None and operands != given:
        return draft.operation(primitive, operands, instruction.parameters, abstract, instruction)
    return found


def _lifted(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """An operation on broadcast numbers: on the numbers, and then broadcast."""
    numbers = []
    for operand in operands:
        spread = draft.made_by(operand, "broadcast_to")
        before = operand if spread is None else spread.operands[0]
        if draft.abstracts[before].shape or draft.abstracts[before].dtype != abstract.dtype:
            return None
        numbers.append(before)
    kind, parameters = Abstract((), abstract.dtype), instruction.parameters
    assert instruction.primitive is not None
    number = simplify(draft, instruction, tuple(numbers), kind)
    if number is None and instruction.primitive.name not in _ROUNDED_RIGHT:
        return None
    if number is None:
        number = fold_constants(draft, instruction, tuple(numbers), kind)
    if number is None:
        number = draft.operation(instruction.primitive, tuple(numbers), parameters, kind, instruction)
    return draft.operation(PRIMITIVES["broadcast_to"], (number,), {"shape": abstract.shape}, abstract, instruction)


def _unspread(draft: Draft, operands: tuple[int, ...], position: int, abstract: Abstract) -> tuple[int, ...]:
    """The operands, one of them as it was before it was broadcast, where the operation broadcasts it just as well."""
    operand = operands[position]
    spread = draft.made_by(operand, "broadcast_to")
    if spread is None:
        return operands
    (before,) = spread.operands
    kind = draft.abstracts[before].dtype
    others = [draft.abstracts[other] for place, other in enumerate(operands) if place != position]
    shaping = [other.dtype for other in others if other.shape == abstract.shape]
    keeps_type = kind == "float64" and all(other.dtype in (kind, "bool") for other in others)
    full = kind in shaping or (keeps_type and "bool" in shaping)
    same_type = draft.abstracts[operand].dtype == kind
    return (*operands[:position], before, *operands[position + 1 :]) if full and same_type else operands


def _same(draft: Draft, slot: int, abstract: Abstract) -> int | None:
    """The slot, if it may stand for a result of this shape and type."""
    return slot if draft.abstracts[slot] == abstract else None


def _multiply(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    for factor, other in (operands, operands[::-1]):
        number = draft.number(factor)
        if number is None or draft.abstracts[other] != abstract:
            continue
        if number == 1.0:
            return other
        if number == -1.0:
            return draft.operation(_NEGATIVE, (other,), {}, abstract, instruction)
    return None


def _divide(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    number = draft.number(operands[1])
    return _same(draft, operands[0], abstract) if number == 1.0 else None


def _is_zero(number: float | None, sign: float) -> bool:
    return number == 0.0 and np.copysign(1.0, number) == sign


def _add(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    for term, other in (operands, operands[::-1]):
        if _is_zero(draft.number(term), -1.0):  # x + 0.0 is not x for x = -0.0
            return _same(draft, other, abstract)
        minus = draft.made_by(term, "negative")
        if minus is not None:
            return draft.operation(PRIMITIVES["subtract"], (other, *minus.operands), {}, abstract, instruction)
    return None


def _subtract(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    first, second = operands
    if _is_zero(draft.number(second), 1.0):
        return _same(draft, first, abstract)
    minus = draft.made_by(second, "negative")
    if minus is not None:
        return draft.operation(PRIMITIVES["add"], (first, *minus.operands), {}, abstract, instruction)
    return None


def _power(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    base, exponent = operands
    number = draft.number(exponent)
    if draft.abstracts[base] != abstract or number is None:
        return None
    if number == 1.0:
        return base
    if number == -1.0:
        return draft.operation(PRIMITIVES["reciprocal"], (base,), {}, abstract, instruction)
    if number not in (2.0, 3.0, 4.0):
        return None
    square = draft.operation(_MULTIPLY, (base, base), {}, abstract, instruction)
    if number == 2.0:
        return square
    return draft.operation(_MULTIPLY, (square, base if number == 3.0 else square), {}, abstract, instruction)


def _square(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    return draft.operation(_MULTIPLY, operands * 2, {}, abstract, instruction)


def _negative(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    inner = draft.made_by(operands[0], "negative")
    return _same(draft, inner.operands[0], abstract) if inner is not None else None


def _unchanged(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    """An operation that changes shape or type, and here changes neither."""
    return _same(draft, operands[0], abstract)


def _reshape(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    if abstract.shape and not draft.abstracts[operands[0]].shape:
        spread = PRIMITIVES["broadcast_to"]  # the one form of a number as an array, which other identities look for
        return draft.operation(spread, operands, {"shape": abstract.shape}, abstract, instruction)
    inner = draft.made_by(operands[0], "reshape")
    if inner is not None:
        before = inner.operands[0]
        same = _same(draft, before, abstract)
        return same if same is not None else _again(draft, instruction, before, abstract)
    return _same(draft, operands[0], abstract)


def _broadcast_to(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    inner = draft.made_by(operands[0], "broadcast_to")
    if inner is not None:
        return _again(draft, instruction, inner.operands[0], abstract)
    return _same(draft, operands[0], abstract)


def _transpose(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    axes = tuple(instruction.parameters["axes"])
    source = operands[0]
    inner = draft.made_by(source, "transpose")
    if inner is not None:
        axes = tuple(inner.parameters["axes"][axis] for axis in axes)
        source = inner.operands[0]
    if axes == tuple(range(len(axes))):
        return source
    return draft.operation(instruction.primitive, (source,), {"axes": axes}, abstract, instruction)


def _sum(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    return _same(draft, operands[0], abstract) if not instruction.parameters["axis"] else None


def _where(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    condition = draft.constants.get(operands[0])
    if not isinstance(condition, (bool, np.bool_)):
        return None
    return _same(draft, operands[1] if condition else operands[2], abstract)


def _getitem(draft: Draft, instruction: Instruction, operands: tuple[int, ...], abstract: Abstract) -> int | None:
    index = instruction.parameters["index"]
    if len(operands) > 1:
        return None
    (source,) = operands
    if all(isinstance(item, slice) for item in index) and draft.abstracts[source] == abstract:
        return source if all(item == slice(None) for item in index) else None
    stack = draft.made_by(source, "stack")
    if stack is not None and len(index) == 1 and isinstance(index[0], (int, np.integer)):
        return _same(draft, stack.operands[index[0]], abstract)
    return _read_back(draft, instruction, source, abstract) if _is_entry(index, draft.abstracts[source]) else None


def _read_back(draft: Draft, instruction: Instruction, source: int, abstract: Abstract) -> int | None:
    """An entry of an array into which entries were written: the number written there, or read before the writing."""
    index, before = instruction.parameters["index"], source
    for _ in range(_LONGEST_WALK):
        update = draft.made_by(before, "index_update")
        if (
            update is None
            or len(update.operands) != 2
            or not _is_entry(update.parameters["index"], draft.abstracts[before])
        ):
            break
        if update.parameters["index"] == index:
            return _same(draft, update.operands[1], abstract)
        before = update.operands[0]
    return None if before == source else _again(draft, instruction, before, abstract)


def _again(draft: Draft, instruction: Instruction, operand: int, abstract: Abstract) -> int:
    """The same operation on another operand."""
    return draft.operation(instruction.primitive, (operand,), instruction.parameters, abstract, instruction)


def _is_entry(index: tuple[object, ...], abstract: Abstract) -> bool:
    """Whether an index names one entry by non-negative whole numbers."""
    return len(index) == len(abstract.shape) and all(isinstance(i, (int, np.integer)) and i >= 0 for i in index)


_IDENTITIES: dict[str, Callable[[Draft, Instruction, tuple[int, ...], Abstract], int | None]] = {
    "multiply": _multiply,
    "divide": _divide,
    "add": _add,
    "subtract": _subtract,
    "power": _power,
    "square": _square,
    "negative": _negative,
    "positive": _unchanged,
    "broadcast_to": _broadcast_to,
    "astype": _unchanged,
    "reshape": _reshape,
    "transpose": _transpose,
    "sum": _sum,
    "where": _where,
    "getitem": _getitem,
}
