"""Symbolic differentiation: the Program run on SymPy symbols, sympy.diff, then lambdify at the point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, identity
from adcli_methods.operators import blocks_of, fitted, require_scalar
from adcli_methods.primitive import Value, shape_of


class Symbolic(Method):
    """SymPy's derivative of the formula that the Program spells out."""

    name = "symbolic"
    aliases = ("sympy", "sym")
    summary = "SymPy differentiates the formula that the Program spells out"
    needs = "sympy"
    install = 'pip install "sympy>=1.13"'

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        from adcli_methods.execution import execute
        from adcli_methods.targets.sympy_target import SYMPY

        program = problem.program
        symbols = _symbols(problem.leaves)
        self.tally.primal_evaluations += 1  # the Program run at the point, by lower

        def function(leaves: Sequence[Value]) -> list[Value]:
            return execute(program, leaves, SYMPY)

        return Native(function, symbols, lambda values: _compiled(values, symbols)(problem.leaves))

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        outputs = function(leaves)

        def push(tangents: Sequence[Value]) -> list[Value]:
            moves = [(s, t) for s, t in zip(_entries(leaves), _entries(tangents), strict=True) if t != 0]
            return [_each(output, lambda entry: _directional(entry, moves)) for output in outputs]

        return Linearization(outputs, push)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        function, symbols, _ = self.prepare(problem, 1)
        linear = self.linearize(function, symbols, 1)
        blocks = blocks_of(self, linear, symbols)
        outputs = linear.outputs or []
        if operator == "gradient":
            require_scalar(outputs, operator)
            blocks = fitted(blocks, symbols)
        evaluate = _compiled([*outputs, *blocks], symbols)

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            values = evaluate(leaves)
            return values[: len(outputs)], values[len(outputs) :]

        return Prepared(run, problem.leaves, identity, self.convert)


def _symbols(leaves: Sequence[Value]) -> list[Value]:
    import sympy

    names = iter(range(10**9))

    def symbol(_: Any) -> Any:
        return sympy.Symbol(f"v{next(names)}", real=True)

    return [_each(np.asarray(leaf, dtype=object)[()] if shape_of(leaf) else leaf, symbol) for leaf in leaves]


def _entries(values: Sequence[Value]) -> list[Any]:
    return [entry for value in values for entry in (np.ravel(value) if shape_of(value) else [value])]


def _each(value: Value, change: Any) -> Value:
    if not shape_of(value):
        return change(value)
    flat = np.empty(math.prod(value.shape), dtype=object)
    for position, entry in enumerate(value.ravel()):
        flat[position] = change(entry)
    return flat.reshape(value.shape)


def _directional(expression: Any, moves: list[tuple[Any, Any]]) -> Any:
    import sympy

    expression = sympy.sympify(expression) if isinstance(expression, (int, float)) else expression
    total = sympy.Integer(0)
    for symbol, speed in moves:
        part = _without_jumps(expression.diff(symbol))
        total += part if speed == 1 else part * speed
    return total


def _without_jumps(expression: Any) -> Any:
    """Jumps are left out, as by the other methods: the derivative of a step is taken as 0."""
    import sympy

    if expression.has(sympy.DiracDelta):
        expression = expression.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    if expression.has(sympy.Derivative):
        expression = expression.replace(lambda part: isinstance(part, sympy.Derivative), lambda _: sympy.Integer(0))
    return expression


def _compiled(values: list[Value], symbols: list[Value]) -> Callable[[Sequence[Value]], list[Value]]:
    """Expressions as one lambdified function of a point, with common subexpressions shared."""
    import sympy

    entries = [sympy.sympify(entry) for entry in _entries(values)]
    function = sympy.lambdify(_entries(symbols), entries, modules=["scipy", "numpy"], cse=True)
    shapes = [shape_of(value) for value in values]

    def evaluate(leaves: Sequence[Value]) -> list[Value]:
        numbers = [_number(result) for result in function(*[np.float64(x) for x in _entries(leaves)])]
        results, start = [], 0
        for shape in shapes:
            part = numbers[start : start + math.prod(shape)]
            results.append(np.array(part).reshape(shape) if shape else part[0])
            start += len(part)
        return results

    return evaluate


def _number(result: Any) -> float:
    if isinstance(result, complex) and abs(result.imag) > 0:
        return math.nan
    return float(np.real(result))
