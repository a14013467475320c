"""The hand-written derivative that a problem carries or the user gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.direct import direct_call, direct_function
from adcli_methods.errors import FunctionError, OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted, identity
from adcli_methods.operators import _contract, _sum, require_scalar
from adcli_methods.primitive import Value, shape_of


class Manual(Method):
    """Evaluates the hand-written derivative; it is not checked here."""

    name = "manual"
    aliases = ("hand",)
    summary = "the hand-written derivative of a problem or of --derivative"
    operators = frozenset({"derivative", "gradient", "jacobian", "jvp", "vjp"})
    highest_order = 1

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        hand = problem.function.derivative
        if hand is None:
            raise OperatorError(
                f"method manual needs a hand-written derivative of {problem.function.name}: "
                'give --derivative "..." or --derivative file.py:name'
            )
        self.problem = problem
        self.hand = hand
        return Native(counted(problem, self.tally), problem.leaves, identity)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        outputs = function(leaves)
        blocks = self._blocks(leaves, outputs)
        count = len(leaves)

        def push(tangents: Sequence[Value]) -> list[Value]:
            return [
                _sum(_contract(blocks[o * count + i], t, len(shape_of(t))) for i, t in enumerate(tangents))
                for o in range(len(outputs))
            ]

        def pull(cotangents: Sequence[Value]) -> list[Value]:
            return [_sum(_weighted(w, blocks[o * count + i]) for o, w in enumerate(cotangents)) for i in range(count)]

        return Linearization(outputs, push, pull)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        self.prepare(problem, 1)
        function, hand = counted(direct_function(problem), self.tally), direct_call(problem, self.hand)
        outputs = function(problem.leaves)
        if operator == "gradient":
            require_scalar(outputs, operator)
            if shape_of(outputs[0]):
                return super().prepared(problem, operator)
        self._blocks(problem.leaves, outputs)  # its shapes are looked at once, here
        names = [path[0] for path in problem.paths]

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs, result = function(leaves), hand(leaves)
            if isinstance(result, dict):
                return outputs, [result[name] for name in names]
            return outputs, [result] if len(names) == 1 else self._blocks(leaves, outputs)

        return Prepared(run, problem.leaves, identity, self.convert)

    def _blocks(self, leaves: Sequence[Value], outputs: Sequence[Value]) -> list[Value]:
        if len(outputs) != 1:
            raise OperatorError("method manual takes functions with one output, a number or an array")
        result = self.problem.evaluate(self.hand, leaves)
        output = shape_of(outputs[0])
        wanted = [output + shape_of(leaf) for leaf in leaves]
        names = [path[0] for path in self.problem.paths]
        return [_fitted(part, shape, self.problem.function.name) for part, shape in
                zip(_parts(result, names, wanted, output), wanted, strict=True)]  # fmt: skip


def _parts(result: Any, names: list[str], wanted: list[tuple[int, ...]], output: tuple[int, ...]) -> list[Any]:
    """The hand derivative's part for each leaf, from a dict, a sequence, or one array with a column per leaf."""
    if isinstance(result, dict):
        missing = [name for name in names if name not in result]
        if missing:
            raise FunctionError(f"the hand-written derivative has no entry for {', '.join(missing)}")
        return [result[name] for name in names]
    if len(wanted) == 1:
        return [result]
    is_sequence = isinstance(result, (tuple, list)) and len(result) == len(wanted)
    if is_sequence and (not output or [np.shape(part) for part in result] == wanted):
        return list(result)
    array = np.asarray(result)
    if array.shape == (*output, len(wanted)):
        return [array[..., position] for position in range(len(wanted))]
    raise FunctionError(
        f"the hand-written derivative has shape {array.shape}; expected one part for each of {', '.join(names)}"
    )


def _fitted(part: Any, shape: tuple[int, ...], name: str) -> Value:
    array = np.asarray(part, dtype=float)
    if array.shape != shape and array.size == int(np.prod(shape)):
        array = array.reshape(shape) if array.ndim <= 1 or not shape else array
    if array.shape != shape:
        raise FunctionError(f"the hand-written derivative of {name} has shape {array.shape}, expected {shape}")
    return array if shape else float(array)


def _weighted(w: Value, block: Value) -> Value:
    axes = len(shape_of(w))
    return np.tensordot(np.asarray(w), block, axes=axes) if axes else w * block
