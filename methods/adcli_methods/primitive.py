"""What a primitive operation is: its value, and one derivative rule per operand.

A rule is written once, with the primitives themselves, and is read by every sweep:

* `Partial`: an elementwise operation; the partial derivative in terms of operands and result.
* `Linear`: an operation that is linear in this operand; its transpose.
* `Tangent`: any other operation; its tangent, linear in the operand's tangent (its transpose follows).

A primitive called on plain numbers or arrays computes; called on tracers it records itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Value = Any
"""A float, an array, a tensor, a symbol or a tracer: whatever flows through a Program."""


class Partial:
    """The partial derivative of an elementwise operation, a function of (*operands, result), or a number."""

    __slots__ = ("constant", "function")

    def __init__(self, partial: Callable[..., Value] | int) -> None:
        self.constant: int | None = partial if isinstance(partial, int) else None
        self.function: Callable[..., Value] = partial if callable(partial) else _no_function


class Linear:
    """An operand in which the operation is linear: `pull(cotangent, *operands, **parameters)` is the transpose."""

    __slots__ = ("pull",)

    def __init__(self, pull: Callable[..., Value]) -> None:
        self.pull = pull


class Tangent:
    """The tangent of the result, `push(tangent, *operands, result, **parameters)`, linear in the tangent."""

    __slots__ = ("push",)

    def __init__(self, push: Callable[..., Value]) -> None:
        self.push = push


Rule = Partial | Linear | Tangent | None


def _no_function(*_: Value) -> Value:
    raise AssertionError("a constant partial has no function")


class Primitive:
    """One operation of a Program.

    Arguments:
        name: NumPy's name for it where NumPy has one; also the key in each target's table.
        rules: one rule per operand (None: no derivative flows), or a function of the operand's
            position and the number of operands for an operation that takes any number.
        numpy: the value on arrays, `numpy(*operands, **parameters)`.
        scalar: the value on Python floats, faster than `numpy`; may raise ArithmeticError or ValueError
            outside its domain, where `numpy` then answers.
        joint: True when the operation is linear in all its differentiable operands together.
        domain: intervals, one per operand, in which the rule tests sample.
        kink: `kink(*operands)` is true where the operation is not differentiable.
        convention: what the rule answers at a kink, in words.
    """

    __slots__ = ("convention", "domain", "elementwise", "fixed", "joint", "kink", "name", "numpy", "rules", "scalar")

    def __init__(
        self,
        name: str,
        rules: Sequence[Rule] | Callable[[int, int], Rule],
        numpy: Callable[..., Value],
        scalar: Callable[..., Value] | None = None,
        *,
        joint: bool = False,
        domain: tuple[tuple[float, float], ...] = (),
        kink: Callable[..., Value] | None = None,
        convention: str = "",
    ) -> None:
        self.name = name
        self.rules = rules
        self.fixed: Sequence[Rule] = () if callable(rules) else tuple(rules)
        self.numpy = numpy
        self.scalar = scalar
        self.joint = joint
        self.domain = domain
        self.kink = kink
        self.convention = convention
        self.elementwise = scalar is not None or any(isinstance(rule, Partial) for rule in self.fixed)

    def rule(self, position: int, operand_count: int) -> Rule:
        """The rule of the operand at `position`."""
        return self.rules(position, operand_count) if callable(self.rules) else self.rules[position]

    def __call__(self, *operands: Value, **parameters: Any) -> Value:
        recorder = None
        for operand in operands:
            if isinstance(operand, Recorded):
                recorder = operand.highest(recorder)
        if recorder is not None:
            return recorder.record(self, operands, parameters)
        return evaluate(self, operands, parameters)

    def __repr__(self) -> str:
        return self.name


class Recorded:
    """Base of tracers: a value whose operations are recorded. `highest` picks the innermost trace."""

    __slots__ = ()

    def highest(self, other: Any) -> Any:
        """The innermost of this value's recorder and another recorder (or None)."""
        raise NotImplementedError  # every tracer defines it

    def recorded(self) -> Value:
        """The value that is traced."""
        raise NotImplementedError  # every tracer defines it


def evaluate(primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Value:
    """The value of a primitive on numbers, arrays, or the values of another library.

    A result on NumPy's float64 numbers stays one, which divides by zero where Python's float refuses.
    """
    scalar = primitive.scalar
    if scalar is not None:
        for operand in operands:
            if type(operand) not in _SCALARS:
                break
        else:
            try:
                return scalar(*operands)
            except (ArithmeticError, ValueError, TypeError):
                return _outside_scalars_domain(primitive, operands, parameters)
    for operand in operands:
        if type(operand) not in _NUMPY_TYPES:
            return _foreign(operand).call(primitive)(*operands, **parameters)
    result = primitive.numpy(*operands, **parameters)
    if scalar is not None and np.float64 in map(type, operands):
        return result[()] if type(result) is np.ndarray and result.ndim == 0 else result
    return plain(result)


def _outside_scalars_domain(primitive: Primitive, operands: Sequence[Value], parameters: dict[str, Any]) -> Value:
    """NumPy's answer (NaN, Inf) where Python's functions raise."""
    with np.errstate(all="ignore"):
        return plain(primitive.numpy(*[_as_float64(operand) for operand in operands], **parameters))


def plain(result: Value) -> Value:
    """NumPy's zero-dimensional float64 and bool results as Python numbers; anything else as it is."""
    if type(result) is np.ndarray and result.ndim == 0 and result.dtype != object:
        result = result[()]
    if type(result) is np.float64 or type(result) is np.bool_:
        return result.item()
    return result


def owned(result: Value) -> Value:
    """A result that shares memory with nothing: a copy of an array, Python's float for a number."""
    if isinstance(result, np.ndarray):
        return np.array(result) if result.ndim else owned(result[()])
    return float(result) if isinstance(result, (int, np.float64)) else result


_SCALARS = {float, int, bool}
_NUMPY_TYPES = {
    float, int, bool, np.ndarray, np.float64, np.float32, np.float16, np.longdouble, np.bool_,
    np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
}  # fmt: skip


def _as_float64(number: Value) -> np.float64:
    try:
        return np.float64(number)
    except OverflowError:
        return np.float64(math.copysign(math.inf, number))


_find_target: list[Callable[[Value], Any]] = []


def use_targets(find: Callable[[Value], Any]) -> None:
    """Tell how to find what computes on a value that is neither Python's nor NumPy's (a torch tensor, a symbol)."""
    _find_target[:] = [find]


def _foreign(value: Value) -> Any:
    if not _find_target:
        raise TypeError(f"primitives do not take a {type(value).__name__}: give numbers or arrays")
    return _find_target[0](value)


def like(seed: Value, value: Value) -> Value:
    """A plain seed as what the value is (a tensor, on its device)."""
    while isinstance(value, Recorded):
        value = value.recorded()
    if type(value) in _NUMPY_TYPES or type(seed) not in _NUMPY_TYPES:
        return seed
    target = _foreign(value)
    return target.convert(np.asarray(seed), target.context([value]))


def shape_of(value: Value) -> tuple[int, ...]:
    """The shape of any value; () for a Python number."""
    return tuple(getattr(value, "shape", ()))
