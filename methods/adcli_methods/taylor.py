"""Derivatives of any order along one direction: every slot of a trace as a truncated Taylor series.

The rules are the primitives' own: y' = partial(x, y) * x' gives the k-th coefficient of y from lower ones,
k y_k = sum_j partial_(k-1-j) (j+1) x_(j+1) (Griewank and Walther, Evaluating Derivatives, chapter 13).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from adcli_methods.primitive import Linear, Partial, Primitive, Recorded, Tangent, Value, shape_of
from adcli_methods.primitives.elementary import multiply
from adcli_methods.sweeps import filled
from adcli_methods.trace import Trace


class Series(Recorded):
    """A power series whose coefficients are computed when first asked for."""

    __slots__ = ("compute", "field", "is_still", "known")
    __array_ufunc__ = None

    def __init__(self, field: Field, known: list[Value], compute: Callable[[int], Value] | None = None) -> None:
        self.field = field
        self.known = known
        self.compute = compute or _zero
        self.is_still = len(known) == 1 and compute is None

    def __getitem__(self, order: int) -> Value:
        while len(self.known) <= order:
            self.known.append(self.compute(len(self.known)))
        return self.known[order]

    def recorded(self) -> Value:
        return self[0]

    def highest(self, other: Any) -> Any:
        return self.field

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each coefficient."""
        return shape_of(self[0])

    def __add__(self, other: Value) -> Any:
        return self.field.named("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Value) -> Any:
        return self.field.named("subtract", self, other)

    def __rsub__(self, other: Value) -> Any:
        return self.field.named("subtract", other, self)

    def __mul__(self, other: Value) -> Any:
        return self.field.named("multiply", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Value) -> Any:
        return self.field.named("divide", self, other)

    def __rtruediv__(self, other: Value) -> Any:
        return self.field.named("divide", other, self)

    def __neg__(self) -> Any:
        return self.field.named("negative", self)

    def __eq__(self, other: object) -> Any:
        return self.field.named("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return self.field.named("not_equal", self, other)

    def __gt__(self, other: Value) -> Any:
        return self.field.named("greater", self, other)

    def __lt__(self, other: Value) -> Any:
        return self.field.named("less", self, other)

    __hash__ = object.__hash__


class Field:
    """Makes series from primitives; the same operation on the same series is the same series."""

    def __init__(self) -> None:
        self._made: dict[Any, Series] = {}
        self._kept: list[Value] = []  # so that no id is used twice

    def named(self, name: str, *operands: Value) -> Series:
        """A primitive by its name, on series and constants."""
        from adcli_methods.primitives import PRIMITIVES

        return self.record(PRIMITIVES[name], operands, {})

    def constant(self, value: Value) -> Series:
        """A value that does not move."""
        return Series(self, [value])

    def record(self, primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Series:
        """The series of a primitive's result."""
        key = (primitive.name, tuple(_identity(operand) for operand in operands), repr(parameters))
        if key not in self._made:
            self._kept.extend(operands)
            series = [operand if isinstance(operand, Series) else self.constant(operand) for operand in operands]
            self._made[key] = self.apply(primitive, series, parameters)
        return self._made[key]

    def apply(self, primitive: Primitive, operands: list[Series], parameters: dict[str, Any]) -> Series:
        """A new series: its coefficient 0 is the primitive's value, the others follow from its rules."""
        value = primitive(*[operand[0] for operand in operands], **parameters)
        moving = [position for position, operand in enumerate(operands) if not operand.is_still]
        rules = [primitive.rule(position, len(operands)) for position in moving]
        if not any(rules):
            return self.constant(value)
        result = Series(self, [value], _zero)
        result.is_still = False
        if primitive.joint:
            result.compute = lambda k: _joint(primitive, operands, parameters, k)
        elif primitive is multiply or all(type(rule) is Linear for rule in rules):
            result.compute = lambda k: _product(primitive, operands, parameters, moving, k)
        else:
            result.compute = self._compute(primitive, operands, parameters, result)
        return result

    def _compute(
        self, primitive: Primitive, operands: list[Series], parameters: dict[str, Any], result: Series
    ) -> Callable[[int], Value]:
        slopes: list[Series] = []

        def compute(k: int) -> Value:
            if not slopes:
                slopes.extend(self._slopes(primitive, operands, parameters, result))
            if not slopes:
                return 0.0
            return filled(_total(slope[k - 1] for slope in slopes) / float(k), result[0])

        return compute

    def _slopes(
        self, primitive: Primitive, operands: list[Series], parameters: dict[str, Any], result: Series
    ) -> list[Series]:
        """The series of y', one part for each operand that moves."""
        slopes = []
        for position, operand in enumerate(operands):
            rule = primitive.rule(position, len(operands))
            if rule is None or operand.is_still:
                continue
            slope = self._slope_of(operand)
            if type(rule) is Partial:
                if rule.constant is not None:
                    slopes += [] if rule.constant == 0 else [slope if rule.constant == 1 else -slope]
                    continue
                slopes.append(slope * self._as_series(rule.function(*operands, result, **parameters)))
            elif type(rule) is Linear:
                given = [*operands[:position], slope, *operands[position + 1 :]]
                slopes.append(self.record(primitive, given, parameters))
            else:
                assert type(rule) is Tangent
                slopes.append(rule.push(slope, *operands, result, **parameters))
        return slopes

    def _as_series(self, value: Value) -> Series:
        return value if isinstance(value, Series) else self.constant(value)

    def _slope_of(self, operand: Series) -> Series:
        key = ("slope", id(operand))
        if key not in self._made:
            self._kept.append(operand)
            self._made[key] = Series(self, [], lambda j: (j + 1) * filled(operand[j + 1], operand[0]))
        return self._made[key]


def _zero(order: int) -> Value:
    return 0.0


def _product(
    primitive: Primitive, operands: list[Series], parameters: dict[str, Any], moving: list[int], k: int
) -> Value:
    """The k-th coefficient of an operation that is linear in each operand that moves."""
    parts = []
    for orders in _compositions(k, len(moving)):
        given = [operand[0] for operand in operands]
        for position, order in zip(moving, orders, strict=True):
            given[position] = filled(operands[position][order], operands[position][0])
        parts.append(primitive(*given, **parameters))
    return _total(parts)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All tuples of `parts` orders that add up to `total`."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _identity(operand: Value) -> Any:
    return operand if type(operand) in (int, float) else id(operand)


def _total(parts: Any) -> Value:
    total: Value = None
    for part in parts:
        if type(part) is float and part == 0.0:
            continue
        total = part if total is None else total + part
    return 0.0 if total is None else total


def _joint(primitive: Primitive, operands: list[Series], parameters: dict[str, Any], k: int) -> Value:
    moved = []
    for position, operand in enumerate(operands):
        fixed = primitive.rule(position, len(operands)) is None
        moved.append(operand[0] if fixed else filled(operand[k], operand[0]))
    return primitive(*moved, **parameters)


def directional_derivatives(
    trace: Trace, directions: Sequence[Value], order: int, outputs: Sequence[int]
) -> list[Value]:
    """The order-th derivatives of the outputs (slots) along a direction.

    Arguments: the trace of the function at the point, the direction's part for each input, the order from 1.
    """
    field = Field()
    slots: list[Series] = []
    for slot, value in enumerate(trace.values):
        instruction = trace.instructions[slot]
        if slot < trace.input_count:
            series = Series(field, [value, directions[slot]])
        elif instruction.primitive is None or not trace.active[slot]:
            series = field.constant(value)
        else:
            operands = [slots[operand] for operand in instruction.operands]
            series = field.record(instruction.primitive, operands, instruction.parameters)
            for k in range(order + 1):
                series[k]
        slots.append(series)
    scale = float(math.factorial(order))
    return [filled(slots[slot][order] * scale, trace.values[slot]) for slot in outputs]
