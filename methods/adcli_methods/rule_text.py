"""What the rows of the primitives' table say, as formulas: the operation, its local partial, its tangent and adjoint.

A rule is run on tracers, and what it did is spelled: no derivative is written here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods import formula_text as build
from adcli_methods.formula_text import Formula, given, named, subscript, superscript
from adcli_methods.primitive import Linear, Partial, Primitive, Tangent, Value
from adcli_methods.trace import Trace

_RENAMED = {
    "log": "ln", "log2": "log₂", "log10": "log₁₀", "gamma": "Γ", "gammaln": "lnΓ", "digamma": "ψ", "sigmoid": "σ",
    "maximum": "max", "minimum": "min", "sqrt": "√", "absolute": "||", "cbrt": "∛", "sinc": "sinc", "ndtr": "Φ",
    "log_ndtr": "lnΦ", "stack": "[]", "concatenate": "concat", "broadcast_to": "broadcast", "scatter_add": "scatter",
    "logabsdet": "ln|det|", "matmul": "@", "max": "max", "min": "min",
}  # fmt: skip
_COMPARISONS = {
    "less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "=", "not_equal": "≠",
    "logical_and": "and", "logical_or": "or", "logical_xor": "xor",
}  # fmt: skip
_BESSEL = {"bessel_j": "J", "bessel_y": "Y", "bessel_i": "I", "bessel_k": "K"}
_BUILT: dict[str, Callable[..., Formula]] = {
    "add": build.add,
    "subtract": build.subtract,
    "multiply": build.multiply,
    "divide": build.divide,
    "negative": build.negative,
    "positive": lambda a: a,
    "reciprocal": lambda a: build.divide(build.ONE, a),
    "power": build.power,
    "square": lambda a: build.power(a, ("number", 2)),
    "exp2": lambda a: build.power(("number", 2), a),
    "gaussian": lambda a: ("call", "exp", ("negative", build.power(a, ("number", 2)))),
}
_AS_WRITTEN = {"add", "subtract", "multiply", "divide", "negative"}


def operation(primitive: Primitive, operands: Sequence[Formula], parameters: dict[str, Any]) -> Formula:
    """A primitive applied, with the simplifications that partials need."""
    name = primitive.name
    if name in _BUILT:
        return _BUILT[name](*operands)
    if name in _COMPARISONS:
        return ("compare", _COMPARISONS[name], *operands)
    if name in _BESSEL:
        return ("call", f"{_BESSEL[name]}{_order(parameters['order'])}", *operands)
    if name in ("getitem", "index_update"):
        index = named(index_text(parameters["index"], operands[1 if name == "getitem" else 2 :]))
        if name == "getitem":
            return ("call", "index", operands[0], index)
        return ("call", "set", operands[0], ("call", "at", operands[1], index))
    if name == "transpose":
        axes = tuple(parameters["axes"])
        return ("call", "ᵀ" if axes == (1, 0) else "transpose", *operands)
    if name == "broadcast_to" and operands[0][:2] == ("call", "reshape"):
        return ("call", "broadcast", operands[0][2])
    order = parameters.get("order", 0)
    if name in ("sinc", "polygamma"):
        symbol = "ψ" if name == "polygamma" else "sinc"
        return ("call", f"{symbol}⁽{superscript(order)}⁾" if order else symbol, *operands)
    return ("call", _RENAMED.get(name, name), *operands)


def as_written(primitive: Primitive, operands: Sequence[Formula], parameters: dict[str, Any]) -> Formula:
    """A primitive applied, just as the function did it: 1·x stays 1·x."""
    if primitive.name in _AS_WRITTEN:
        return (primitive.name, *operands)
    return operation(primitive, operands, parameters)


def _order(order: float) -> str:
    return subscript(int(order)) if float(order).is_integer() else f"[{order:g}]"


def index_text(index: tuple[Any, ...], arrays: Sequence[Formula] = ()) -> str:
    """An index as it is written: [0], [1:3], [:, 2].

    Arguments: the index, and what its index arrays are called.
    """
    names = iter(arrays)
    parts = []
    for item in index:
        if isinstance(item, slice):
            ends = ["" if end is None else str(end) for end in (item.start, item.stop)]
            parts.append(":".join(ends if item.step in (None, 1) else [*ends, str(item.step)]))
        elif isinstance(item, str):
            parts.append(build.text_of(next(names, named("i"))))
        else:
            parts.append({"Ellipsis": "...", "None": "new"}.get(str(item), str(item)))
    return f"[{', '.join(parts)}]"


def spelled(trace: Trace, slot: int, inputs: Sequence[Formula], at_point: bool = True) -> Formula:
    """What a trace computed in a slot as one formula of its inputs.

    Arguments:
        trace: what was recorded.
        slot: the result.
        inputs: what to call the trace's inputs.
        at_point: whether a choice is given by the side that was taken; else it stays, save for single points.
    """
    formulas: dict[int, Formula] = dict(enumerate(inputs))
    for i in range(trace.input_count, slot + 1):
        instruction = trace.instructions[i]
        primitive, operands = instruction.primitive, instruction.operands
        if primitive is None:
            formulas[i] = given(trace.values[i])
        elif primitive.name == "where" and at_point and (side := decided(trace.values[operands[0]])) is not None:
            formulas[i] = formulas[operands[1 if side else 2]]
        elif primitive.name == "where" and not at_point and _is_single_point(formulas[operands[0]]):
            formulas[i] = formulas[operands[2]]
        else:
            formulas[i] = operation(primitive, [formulas[operand] for operand in operands], instruction.parameters)
    return formulas[slot]


def _is_single_point(condition: Formula) -> bool:
    """Whether a condition holds nowhere or at single points: an equality, a NaN, or something beside one."""
    if condition[0] != "compare":
        return condition == named("false")
    sign, left, right = condition[1:]
    if sign == "and":
        return _is_single_point(left) or _is_single_point(right)
    return bool(sign == "=" or (sign == "≠" and left == right))


def decided(condition: Value) -> bool | None:
    """What a condition decides; None where it differs from entry to entry."""
    truth = np.asarray(condition)
    return True if truth.all() else None if truth.any() else False


class Rules:
    """The rules of a trace as formulas; what was run once on tracers is only spelled the next time.

    Arguments:
        at_point: whether a choice within a rule is given by the side that was taken.
    """

    def __init__(self, at_point: bool = True) -> None:
        self._at_point = at_point
        self._known: dict[Any, tuple[Trace, int]] = {}

    def partial(
        self,
        row: tuple[Primitive, int, Partial],
        operands: Sequence[Value],
        result: Value,
        names: Sequence[Formula | None],
        result_formula: Formula,
        parameters: dict[str, Any],
    ) -> Formula:
        """The formula of an elementwise partial.

        Arguments:
            row: the primitive, the operand's position and its rule.
            operands: their values.
            result: the value of the operation.
            names: what to call each operand, None for a constant, which is spelled out.
            result_formula: what to write for the result.
            parameters: the primitive's own.
        """
        primitive, position, rule = row
        if rule.constant is not None:
            return ("number", rule.constant)
        constants = tuple(x for x, name in zip(operands, names, strict=True) if name is None)
        is_plain = not parameters and all(type(x) in (float, int, np.float64) for x in constants)
        key = (primitive, position, tuple(name is None for name in names), constants) if is_plain else None
        inner, slot = self._known.get(key) or self._run(key, rule, operands, result, names, parameters)
        formulas = [result_formula, *[name for name in names if name is not None]]
        return spelled(inner, slot, formulas, self._at_point)

    def _run(
        self,
        key: Any,
        rule: Partial,
        operands: Sequence[Value],
        result: Value,
        names: Sequence[Formula | None],
        parameters: dict[str, Any],
    ) -> tuple[Trace, int]:
        inner, result_tracer, arguments = _traced(result, operands, names)
        slot = inner.output_slot(rule.function(*arguments, result_tracer, **parameters))
        decides = any(i.primitive is not None and i.primitive.name == "where" for i in inner.instructions)
        if key is not None and not decides:
            self._known[key] = inner, slot
        return inner, slot


def _traced(first: Value, operands: Sequence[Value], names: Sequence[Formula | None]) -> tuple[Trace, Any, list[Any]]:
    """A trace of a value and the operands that have a name; its first tracer, and the operands with theirs."""
    inner = Trace([first, *[x for x, name in zip(operands, names, strict=True) if name is not None]])
    first_tracer, *tracers = inner.tracers()
    rest = iter(tracers)
    return inner, first_tracer, [x if name is None else next(rest) for x, name in zip(operands, names, strict=True)]


def transposed(
    rule: Linear, operands: Sequence[Value], cotangent: Value, names: Sequence[Formula | None],
    cotangent_name: Formula, parameters: dict[str, Any],
) -> Formula:  # fmt: skip
    """The transpose of a linear operation, applied to a cotangent."""
    inner, seed, arguments = _traced(cotangent, operands, names)
    slot = inner.output_slot(rule.pull(seed, *arguments, **parameters))
    return spelled(inner, slot, [cotangent_name, *[name for name in names if name is not None]])


def pushed(
    rule: Tangent, operands: Sequence[Value], result: Value, tangent: Value, names: Sequence[Formula | None],
    result_name: Formula, tangent_name: Formula, parameters: dict[str, Any],
) -> Formula:  # fmt: skip
    """The tangent of an operation that gives it as a whole."""
    inner, seed, arguments = _traced(tangent, [result, *operands], [result_name, *names])
    result_tracer, *given_operands = arguments
    slot = inner.output_slot(rule.push(seed, *given_operands, result_tracer, **parameters))
    return spelled(inner, slot, [tangent_name, result_name, *[name for name in names if name is not None]])
