"""How long the values of a run must live: what the adjoint sweep keeps, and what a tangent sweep holds at a time.

A value is kept when a rule that the adjoint sweep evaluates reads it: exp needs its result, a product its operands,
a sum nothing. The rules themselves are asked, by running them on tracers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.primitive import Linear, Partial, Primitive, Rule, Tangent, Value, shape_of
from adcli_methods.program import Program
from adcli_methods.rewriting import replay
from adcli_methods.trace import Trace

_SOME_NUMBER = 0.5  # a stand-in where only the structure of a rule matters


class Held(NamedTuple):
    """Values held at one time: how many, tangents among them, and their memory."""

    values: int
    memory_bytes: int


def kept_bytes(program: Program, inputs: Sequence[Value]) -> int:
    """The memory of the values that the adjoint sweep of a Program keeps, inputs among them, constants not.

    Arguments:
        program: the primal.
        inputs: one value for each input.

    >>> from adcli_methods.function import FlatFunction, function_of
    >>> from adcli_methods.primitives.elementary import exp
    >>> problem = FlatFunction(function_of(lambda x: exp(x * x) + 1.0), {"x": 3.0}, [("x",)])
    >>> kept_bytes(problem.program, [3.0])  # x, and the value of exp
    16
    """
    with np.errstate(all="ignore"):
        trace = replay(program, inputs)
        return memory_bytes(trace.values[slot] for slot in kept_slots(trace, program.outputs))


def memory_bytes(values: Iterable[Value]) -> int:
    """The memory of values, a buffer that several of them look at counted once."""
    buffers: dict[int, int] = {}
    for position, value in enumerate(values):
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            buffers[id(value)] = value.nbytes
        else:
            buffers[-1 - position] = int(getattr(value, "nbytes", 8))
    return sum(buffers.values())


def kept_slots(trace: Trace, outputs: Sequence[int]) -> set[int]:
    """The slots whose values the adjoint sweep from these outputs reads, constants left out.

    Arguments:
        trace: what was recorded, with its values.
        outputs: the slots that the sweep starts from.
    """
    reached, kept = set(outputs), set[int]()
    known: dict[Any, frozenset[int]] = {}
    for slot in range(len(trace.values) - 1, trace.input_count - 1, -1):
        primitive = trace.instructions[slot].primitive
        if slot not in reached or primitive is None or not trace.active[slot]:
            continue
        slots = trace.instructions[slot].operands
        for position, operand in enumerate(slots):
            rule = primitive.rule(position, len(slots)) if trace.active[operand] else None
            if rule is None or (type(rule) is Partial and rule.constant == 0):
                continue
            reached.add(operand)
            if type(rule) is not Partial or rule.constant is None:
                kept.update((*slots, slot)[read] for read in _reads(trace, slot, primitive, rule, position, known))
    return {slot for slot in kept if trace.instructions[slot].primitive is not None or slot < trace.input_count}


def _reads(
    trace: Trace, slot: int, primitive: Primitive, rule: Rule, position: int, known: dict[Any, frozenset[int]]
) -> frozenset[int]:
    """Which operands (and, after them, the result) the rule reads; the shape of one alone is no reading."""
    is_elementwise = type(rule) is Partial
    slots, parameters = trace.instructions[slot].operands, trace.instructions[slot].parameters
    operands: list[Value] = [trace.values[operand] for operand in slots]
    traced = [True] * len(slots)
    result = trace.values[slot]
    if is_elementwise:  # of which one number tells the structure; a constant number (an exponent) is part of it
        result = _SOME_NUMBER
        traced = [trace.active[i] or shape_of(x) != () for i, x in zip(slots, operands, strict=True)]
        operands = [_SOME_NUMBER if is_traced else x for is_traced, x in zip(traced, operands, strict=True)]
    key = (primitive, position, *[None if is_traced else x for is_traced, x in zip(traced, operands, strict=True)])
    if key not in known:
        known[key] = _read_by(rule, operands, traced, result, position, parameters)
    return known[key]


def _read_by(
    rule: Rule, operands: list[Value], traced: list[bool], result: Value, position: int, parameters: dict[str, Any]
) -> frozenset[int]:
    """What a rule reads of (*operands, result), by a run on tracers; operands that are not traced stay constants."""
    inner = Trace([*operands, result, operands[position] if type(rule) is Tangent else result])
    *given, result_tracer, seed = inner.tracers()
    arguments = [x if is_traced else constant for x, constant, is_traced in zip(given, operands, traced, strict=True)]
    if type(rule) is Partial:
        answer = rule.function(*arguments, result_tracer, **parameters)
    elif type(rule) is Linear:
        answer = rule.pull(seed, *arguments, **parameters)
    else:
        assert type(rule) is Tangent
        answer = rule.push(seed, *arguments, result_tracer, **parameters)
    reached = ancestors(inner, [inner.output_slot(answer)])
    return frozenset(slot for slot in reached if slot <= len(operands))


def ancestors(trace: Trace | Program, outputs: Sequence[int]) -> set[int]:
    """The slots that these were computed from, themselves included."""
    reached: set[int] = set()
    waiting = list(outputs)
    while waiting:
        slot = waiting.pop()
        if slot not in reached:
            reached.add(slot)
            waiting.extend(trace.instructions[slot].operands)
    return reached


def held_forward(trace: Trace, outputs: Sequence[int]) -> Held:
    """The most that one tangent sweep beside the primal holds at a time: every live value and its tangent.

    Arguments:
        trace: what was recorded, with its values.
        outputs: the slots that must live to the end.
    """
    reached = ancestors(trace, outputs)
    last_use = {operand: slot for slot in sorted(reached) for operand in trace.instructions[slot].operands}
    ends: dict[int, list[int]] = {}
    for slot, end in last_use.items():
        if slot not in outputs:
            ends.setdefault(end, []).append(slot)
    sizes = {slot: _size(trace, slot) for slot in reached}
    count = held = most_count = most = 0
    for slot in sorted(reached):
        count, held = count + sizes[slot].values, held + sizes[slot].memory_bytes
        most_count, most = max(most_count, count), max(most, held)
        for ended in ends.get(slot, ()):
            count, held = count - sizes[ended].values, held - sizes[ended].memory_bytes
    return Held(most_count, most)


def _size(trace: Trace, slot: int) -> Held:
    """A value and its tangent; a constant is part of the Program and costs nothing."""
    if trace.instructions[slot].primitive is None and slot >= trace.input_count:
        return Held(0, 0)
    single = int(getattr(trace.values[slot], "nbytes", 8))
    return Held(2, 2 * single) if trace.active[slot] else Held(1, single)
