"""Which operation of a Program may write its result into an operand that nothing needs after it."""

from __future__ import annotations

import numpy as np

from adcli_methods.shapes import Shaped, last_uses

LEAST_ENTRIES = 4096
"""Smaller arrays are as quick to allocate as to find."""
_VIEWS = {"getitem", "reshape", "transpose", "broadcast_to", "positive", "astype"}
_UFUNCS = {
    name
    for name in (
        "add subtract multiply divide negative exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh sqrt "
        "cbrt square absolute maximum minimum arcsin arccos arctan arcsinh arccosh arctanh reciprocal power"
    ).split()
    if isinstance(getattr(np, name), np.ufunc)
}


def outputs_to_copy(given: Shaped) -> list[int]:
    """Which outputs NumPy would give as an input, a constant, a view that cannot be written, or twice the same array.

    A caller may write into what it is given, and change its inputs afterwards.
    """
    program = given.program
    base, is_spread = list(range(len(given.abstracts))), [False] * len(given.abstracts)
    for slot, instruction in enumerate(program.instructions):
        if instruction.primitive is not None and instruction.primitive.name in _VIEWS:
            source = instruction.operands[0]
            base[slot] = base[source]
            is_spread[slot] = is_spread[source] or instruction.primitive.name == "broadcast_to"
    found, given_away = [], set()
    for position, slot in enumerate(program.outputs):
        owner = base[slot]
        is_own = program.instructions[owner].primitive is not None and not is_spread[slot] and owner not in given_away
        if given.abstracts[slot].shape and not is_own:
            found.append(position)
        given_away.add(owner)
    return found


def buffers_to_reuse(given: Shaped) -> dict[int, int]:
    """For each slot whose operation may write into one of its operands, that operand.

    An operand qualifies if an operation made it for itself (it is no input, constant, or view of another array), if
    it has the result's shape and type, and if neither it nor a view of it is read later.
    """
    program, abstracts = given.program, given.abstracts
    if not any(abstract.size >= LEAST_ENTRIES for abstract in set(abstracts)):
        return {}
    last = last_uses(program)
    base = list(range(len(abstracts)))
    owns = [instruction.primitive is not None for instruction in program.instructions]
    for slot, instruction in enumerate(program.instructions):
        if instruction.primitive is not None and instruction.primitive.name in _VIEWS:
            base[slot] = base[instruction.operands[0]]
            owns[slot] = False
            last[base[slot]] = max(last[base[slot]], last[slot])
    found: dict[int, int] = {}
    for slot, instruction in enumerate(program.instructions):
        primitive, abstract = instruction.primitive, abstracts[slot]
        if primitive is None or primitive.name not in _UFUNCS or abstract.size < LEAST_ENTRIES:
            continue
        for operand in instruction.operands:
            if owns[operand] and last[operand] == slot and abstracts[operand] == abstract:
                found[slot] = operand
                break
    return found
