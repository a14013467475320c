"""Evidence by in-house differentiation: products with the Jacobian at a point, and how far rounding moves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.checking.passes import one_of
from adcli_methods.checking.subject import Array, Subject
from adcli_methods.function import FlatFunction
from adcli_methods.inhouse import traced
from adcli_methods.method import Settings
from adcli_methods.methods import method_named
from adcli_methods.operators import derivative_blocks
from adcli_methods.pieces import added
from adcli_methods.primitive import Value, evaluate
from adcli_methods.sweeps import _push, _strict_times, contributions, filled, pull, push, seeded
from adcli_methods.trace import Trace

SHAKE = 4.0
"""Each operation's result is moved by this many units of rounding at random, to see what rounding can do."""
_MOVES = frozenset(
    "getitem reshape transpose concatenate stack broadcast_to where index_update scatter_add absolute maximum minimum "
    "relu max min sign floor ceil trunc rint copysign negative positive astype to_integer argsort argmax argmin".split()
)
"""Operations that select or move numbers: nothing is rounded, and their rules compare a result with its operands."""
_PERIOD = 4099
"""Random factors repeat after so many entries."""


class Tracing:
    """The Jacobian of a function of a flat vector at a point, from one trace.

    Arguments:
        subject: the function.
        order: 1 for its Jacobian; 2 for the Jacobian of its gradient, the Hessian.

    Raises: any exception where the function cannot be traced.
    """

    def __init__(self, subject: Subject, order: int = 1) -> None:
        self.subject = subject
        inner = subject.problem
        self.problem = FlatFunction(_selected(inner, subject.select), inner.inputs, inner.paths, "float64")
        if order == 1:
            self.trace, self.slots = self.problem.traced
        else:
            self.trace, self.slots = traced(self._gradient, self.problem.leaves)
        outputs = [self.trace.values[slot] for slot in self.slots]
        self.shapes = [np.shape(value) for value in outputs]
        self.y: Array = np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in outputs])
        self.bounds = np.cumsum([0, *(int(np.prod(shape)) for shape in self.shapes)])

    def _gradient(self, leaves: Sequence[Value]) -> list[Value]:
        return derivative_blocks(method_named("reverse")(Settings()), self.problem, leaves, 2)

    def pull(self, u: Array) -> Array:
        """u^T J, by one adjoint sweep."""
        return joined(pull(self.trace, self.slots, self.cotangents(u)))

    def push(self, v: Array) -> Array:
        """J v, by one tangent sweep."""
        return joined(push(self.trace, self._tangents(v), self.slots))

    def cotangents(self, u: Array) -> list[Value]:
        """A flat vector as the outputs' cotangents."""
        return [_part(u, self.bounds, i, shape) for i, shape in enumerate(self.shapes)]

    def _tangents(self, v: Array) -> list[Value]:
        return [_part(v, self.subject.bounds, i, shape) for i, shape in enumerate(self.subject.shapes)]

    def shaken_pull(self, u: Array, eps: float, generator: np.random.Generator) -> Array:
        """u^T J with every operation's rounding exaggerated."""
        shake = shaker(eps, generator)
        values = shaken_values(self.trace, shake)
        adjoints = seeded(self.trace, self.slots, self.cotangents(u))
        inputs = self.trace.input_count
        totals: list[Value] = [None] * inputs
        for _, operand, part in contributions(self.trace, values, adjoints, _shaken_times(shake)):
            adjoints[operand] = added(adjoints[operand], part)
        totals = [filled(adjoint, value) for adjoint, value in zip(adjoints[:inputs], values, strict=False)]
        return joined(totals)

    def shaken_push(self, v: Array, eps: float, generator: np.random.Generator) -> Array:
        """J v with every operation's rounding exaggerated."""
        shake = shaker(eps, generator)
        values = shaken_values(self.trace, shake)
        return joined(_push(self.trace, values, self._tangents(v), self.slots, _shaken_times(shake)))

    def complex_step(self, v: Array) -> Array:
        """J v by the imaginary part of one complex evaluation; it uses no derivative rule."""
        from adcli_methods.complex_step import ComplexStep

        method = ComplexStep()
        native = method.prepare(self.problem, 1)
        linear = method.linearize(native.function, native.leaves, 1)
        assert linear.push is not None
        return joined(linear.push(self._tangents(v)))

    def kinks(self) -> list[str]:
        """The notes on operations that are at a kink here."""
        from adcli_methods.notes import notes_of

        if any(value is None for value in self.trace.values):
            return []
        notes = notes_of(self.trace, self.slots, self.problem.paths, True)
        return [note for note in notes if " is at a kink" in note]


def _selected(problem: FlatFunction, select: Callable[[Any], Any] | None) -> Any:
    function = problem.function
    if select is None:
        return function
    from dataclasses import replace
    from functools import update_wrapper

    def call(*arguments: Any) -> Any:
        return select(function.call(*arguments))

    return replace(function, call=update_wrapper(call, function.call, assigned=(), updated=()))


def _part(x: Array, bounds: Array, position: int, shape: tuple[int, ...]) -> Value:
    part = x[bounds[position] : bounds[position + 1]]
    return part.reshape(shape) if shape else float(part[0])


def joined(parts: Sequence[Value]) -> Array:
    """Numbers and arrays as one flat vector."""
    return one_of([np.ravel(np.asarray(part, dtype=np.float64)) for part in parts])


def shaken_values(trace: Trace, shake: Callable[[Value], Value]) -> list[Value]:
    """The values of a trace's slots with every operation's result moved."""
    values = [np.float64(value) if type(value) is float else value for value in trace.values]
    for slot, instruction in enumerate(trace.instructions):
        if not trace.active[slot]:
            continue
        if instruction.primitive is None:
            values[slot] = shake(values[slot])
            continue
        operands = [values[operand] for operand in instruction.operands]
        value = evaluate(instruction.primitive, operands, instruction.parameters)
        values[slot] = value if instruction.primitive.name in _MOVES else shake(value)
    return values


def shaker(eps: float, generator: np.random.Generator) -> Callable[[Value], Value]:
    """What moves a value by some units of rounding at random."""
    factors = [1.0 + SHAKE * eps * generator.standard_normal(_PERIOD)]

    def shake(value: Value) -> Value:
        array = np.asarray(value)
        if array.dtype.kind != "f":
            return value
        start = int(generator.integers(_PERIOD))
        if array.ndim == 0:
            return np.float64(array * factors[0][start])
        if start + array.size > len(factors[0]):
            factors[0] = np.resize(factors[0], array.size + _PERIOD)
        return array * factors[0][start : start + array.size].reshape(array.shape)

    return shake


def _shaken_times(shake: Callable[[Value], Value]) -> Callable[[Value, Value], Value]:
    def times(partial: Value, sensitivity: Value) -> Value:
        return shake(np.asarray(_strict_times(partial, sensitivity))[()])

    return times


def trace_of(subject: Subject, order: int) -> tuple[Tracing | None, str]:
    """The trace, or None and the reason, one line."""
    try:
        tracing = Tracing(subject, order)
    except RecursionError:
        return None, "the recursion is too deep to trace"
    except Exception as error:
        return None, (str(error).splitlines() or [type(error).__name__])[0]
    if order == 1:
        scale = np.abs(subject.y) + np.max(np.abs(subject.y[np.isfinite(subject.y)]), initial=0.0)
        apart = (
            np.abs(tracing.y - subject.y) > 1e5 * subject.eps * scale if tracing.y.shape == subject.y.shape else True
        )
        if np.any(apart):
            return None, f"a traced run of {subject.name} gives another value than a plain run"
    return tracing, ""
