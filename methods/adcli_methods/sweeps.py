"""The tangent sweep and the adjoint sweep over a trace: the chain rule, read from the primitives' rows.

The rules are evaluated on whatever the trace holds: floats, arrays, tensors, or tracers of an outer trace,
which is how derivatives nest. Along a chain, an exact zero stays zero beside an infinite factor (0 * inf = 0).
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from adcli_methods.pieces import Pieces, added
from adcli_methods.primitive import Linear, Partial, Primitive, Rule, Tangent, Value, like, shape_of
from adcli_methods.primitives.elementary import absolute, equal, logical_and, logical_or, where
from adcli_methods.primitives.structural import broadcast_to, getitem, sum_to
from adcli_methods.program import Instruction
from adcli_methods.trace import Trace
from adcli_methods.tracer import Tracer


def push(trace: Trace, tangents: Sequence[Value | None], outputs: Sequence[int]) -> list[Value]:
    """One tangent sweep: the directional derivatives of the outputs (slots) along the inputs' tangents."""
    tangents = [
        seed if seed is None else like(seed, value) for seed, value in zip(tangents, trace.values, strict=False)
    ]
    return _with_fallback(_push, trace, tangents, outputs)


def pull(trace: Trace, outputs: Sequence[int], cotangents: Sequence[Value]) -> list[Value]:
    """One adjoint sweep: the inputs' adjoints for the outputs' (slots') cotangents."""
    if len(outputs) != 1 or type(cotangents[0]) is not type(trace.values[outputs[0]]):
        cotangents = [like(seed, trace.values[slot]) for slot, seed in zip(outputs, cotangents, strict=True)]
    return _with_fallback(_pull, trace, outputs, cotangents)


def _with_fallback(sweep: Any, trace: Trace, first: Any, second: Any) -> list[Value]:
    """Sweep fast; where Python's floats refuse or a NaN comes out, sweep again on NumPy's, zeros kept strict."""
    try:
        results: list[Value] = sweep(trace, trace.values, first, second, _times)
        for result in results:
            if result != result if type(result) is float else _has_nan(result):
                break
        else:
            return results
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, ValueError) and "math" not in str(error) and "expected" not in str(error):
            raise
    values = [_numpy_float(value) for value in trace.values]
    with np.errstate(all="ignore"):
        return [_python_float(result) for result in sweep(trace, values, first, second, _strict_times)]


def _has_nan(value: Value) -> bool:
    while isinstance(value, Tracer):
        value = value.value
    if type(value) is float:
        return value != value
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "f":
        return bool(np.isnan(np.sum(value)))
    return type(value).__name__ == "Tensor" and bool(value.isnan().any())


def _numpy_float(value: Value) -> Value:
    return np.float64(value) if type(value) is float else value


def _python_float(value: Value) -> Value:
    return float(value) if type(value) is np.float64 else value


_times = operator.mul


def _strict_times(partial: Value, sensitivity: Value) -> Value:
    flat = logical_and(equal(partial, 0.0), equal(absolute(sensitivity), np.inf))
    return where(logical_or(equal(sensitivity, 0.0), flat), 0.0, partial * sensitivity)


def _push(
    trace: Trace, values: list[Value], tangents: Sequence[Value | None], outputs: Sequence[int], times: Any
) -> list[Value]:
    active = trace.active
    moved: list[Value | None] = [None] * len(values)
    moved[: len(tangents)] = tangents
    for slot in range(trace.input_count, len(values)):
        if active[slot]:
            moved[slot] = push_one(trace.instructions[slot], values, moved, values[slot], times)
    return [filled(moved[slot], values[slot]) for slot in outputs]


def filled(sensitivity: Value | None, value: Value) -> Value:
    """A sensitivity as an array of its value's shape; None is zero."""
    shape = shape_of(value)
    if type(sensitivity) is Pieces:
        return sensitivity.total(value)
    if sensitivity is None:
        sensitivity = like(0.0, value)
    return sensitivity if shape_of(sensitivity) == shape else broadcast_to(sensitivity, shape=shape)


def push_one(
    instruction: Instruction, values: list[Value], moved: list[Value | None], result: Value, times: Any = _times
) -> Value | None:
    """The tangent of one instruction's result; None where none of its operands moves.

    Arguments:
        instruction: what was done.
        values: the value in each slot.
        moved: the tangent in each slot so far, None for zero.
        result: the instruction's value.
        times: multiplies a partial with a tangent.
    """
    primitive, slots, parameters = instruction.primitive, instruction.operands, instruction.parameters
    assert primitive is not None
    operands = [values[slot] for slot in slots]
    if primitive.joint:
        return _push_joint(primitive, operands, [moved[slot] for slot in slots], parameters)
    total: Value | None = None
    for position, slot in enumerate(slots):
        tangent = moved[slot]
        if tangent is None:
            continue
        rule = primitive.rule(position, len(slots))
        if rule is None:
            continue
        part = _push_operand(rule, primitive, position, tangent, operands, result, parameters, times)
        if part is not None:
            total = part if total is None else total + part
    return None if total is None else filled(total, result)


def _push_operand(
    rule: Rule,
    primitive: Primitive,
    position: int,
    tangent: Value,
    operands: list[Value],
    result: Value,
    parameters: dict[str, Any],
    times: Any,
) -> Value | None:
    if type(rule) is Partial:
        return _scaled(rule, tangent, operands, result, parameters, times)
    if type(rule) is Linear:
        return primitive(*operands[:position], tangent, *operands[position + 1 :], **parameters)
    assert type(rule) is Tangent
    return rule.push(tangent, *operands, result, **parameters)


def _push_joint(
    primitive: Primitive, operands: list[Value], tangents: list[Value | None], parameters: dict[str, Any]
) -> Value | None:
    """The tangent of an operation that is linear in all differentiable operands: the operation on tangents."""
    if all(tangent is None for tangent in tangents):
        return None
    moved = []
    for position, (operand, tangent) in enumerate(zip(operands, tangents, strict=True)):
        fixed = primitive.rule(position, len(operands)) is None
        moved.append(operand if fixed else filled(tangent, operand))
    return primitive(*moved, **parameters)


def _scaled(
    rule: Partial, sensitivity: Value, operands: list[Value], result: Value, parameters: dict[str, Any], times: Any
) -> Value | None:
    """partial * sensitivity, where the partial is not just 1, -1 or 0."""
    constant = rule.constant
    if constant is not None:
        return sensitivity if constant == 1 else -sensitivity if constant == -1 else None
    return times(rule.function(*operands, result, **parameters), sensitivity)


def contributions(
    trace: Trace, values: list[Value], adjoints: list[Value | None], times: Any = _times
) -> Iterator[tuple[int, int, Value]]:
    """The terms of the adjoint sweep, v_bar_i += v_bar_j * dv_j/dv_i, as (j, i, term), j from last to first.

    The term of an array of which a part was read is Pieces; `added` takes any.

    Arguments:
        trace: what was recorded.
        values: the value in each slot.
        adjoints: one for each slot, None for zero, the outputs' cotangents in their places. The caller adds each term
            to its place before it asks for the next; an adjoint that has been passed on is dropped.
    """
    active, instructions = trace.active, trace.instructions
    for slot in range(len(values) - 1, trace.input_count - 1, -1):
        cotangent = adjoints[slot]
        if cotangent is None or not active[slot]:
            continue
        adjoints[slot] = None  # its memory may go
        if type(cotangent) is Pieces:
            cotangent = cotangent.total(values[slot])
        instruction = instructions[slot]
        primitive, slots, parameters = instruction.primitive, instruction.operands, instruction.parameters
        assert primitive is not None
        operands = [values[operand] for operand in slots]
        fixed = primitive.fixed
        for position, operand in enumerate(slots):
            if not active[operand]:
                continue
            rule = fixed[position] if fixed else primitive.rule(position, len(slots))
            if rule is None:
                continue
            if type(rule) is Partial:
                constant = rule.constant
                if constant is None:
                    part = times(rule.function(*operands, values[slot], **parameters), cotangent)
                elif constant == 0:
                    continue
                else:
                    part = cotangent
                if type(part) is not float:
                    part = sum_to(part, shape_of(operands[position]))
                if constant == -1:  # after the sum, which leaves fewer entries
                    part = -part
            elif type(rule) is Linear:
                if primitive is getitem and len(slots) == 1:
                    yield slot, operand, Pieces(None, cotangent, parameters["index"])
                    continue
                part = rule.pull(cotangent, *operands, **parameters)
                if type(part) is not float:
                    part = sum_to(part, shape_of(operands[position]))
            else:
                assert type(rule) is Tangent
                part = _transposed(rule, cotangent, operands, position, values[slot], parameters)
            yield slot, operand, part


def seeded(trace: Trace, outputs: Sequence[int], cotangents: Sequence[Value | None]) -> list[Value | None]:
    """The adjoints at the start of a sweep: the cotangents in the outputs' slots, None (zero) elsewhere."""
    adjoints: list[Value | None] = [None] * len(trace.values)
    for slot, cotangent in zip(outputs, cotangents, strict=True):
        known = adjoints[slot]
        if cotangent is not None:
            adjoints[slot] = cotangent if known is None else known + cotangent
    return adjoints


def _pull(
    trace: Trace, values: list[Value], outputs: Sequence[int], cotangents: Sequence[Value], times: Any
) -> list[Value]:
    adjoints = seeded(trace, outputs, cotangents)
    for _, operand, part in contributions(trace, values, adjoints, times):
        adjoints[operand] = added(adjoints[operand], part)
    return [
        adjoint if type(adjoint) is float and type(value) is float else filled(adjoint, value)
        for adjoint, value in zip(adjoints[: trace.input_count], values, strict=False)
    ]


def _transposed(
    rule: Tangent, cotangent: Value, operands: list[Value], position: int, result: Value, parameters: dict[str, Any]
) -> Value:
    """The adjoint by a rule that gives a tangent: trace the rule, which is linear, and sweep back over it."""
    inner = Trace([filled(None, operands[position])])
    (tangent,) = inner.tracers()
    moved = rule.push(tangent, *operands, result, **parameters)
    return _pull(inner, inner.values, [inner.output_slot(moved)], [cotangent], _times)[0]
