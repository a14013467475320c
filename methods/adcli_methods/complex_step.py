"""The complex step: Im f(x + ih v) / h has no subtraction, so h can be tiny (Squire and Trapp 1998)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native
from adcli_methods.primitive import Value

STEP = 1e-100


class ComplexStep(Method):
    """The Program run on complex numbers, comparisons and kinks decided by the real part."""

    name = "complex-step"
    aliases = ("cs",)
    summary = "Im f(x + ih) / h: n complex evaluations, full precision"
    operators = frozenset({"derivative", "gradient", "jacobian", "jvp", "vjp"})
    highest_order = 1

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        from adcli_methods.execution import execute
        from adcli_methods.targets.complex_target import COMPLEX

        program = problem.program
        self.values = [problem.traced[0].values[slot] for slot in program.outputs]

        def function(leaves: Sequence[Value]) -> list[Value]:
            self.tally.primal_evaluations += 1
            return execute(program, leaves, COMPLEX)

        return Native(function, [_double(leaf) for leaf in problem.leaves], _real)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        step = self.settings.step or STEP

        def push(tangents: Sequence[Value]) -> list[Value]:
            moved = [leaf + 1j * step * tangent for leaf, tangent in zip(leaves, tangents, strict=True)]
            outputs = function(moved)
            return [
                np.where(np.isnan(value), np.nan, np.imag(output) / step)[()]
                for value, output in zip(self.values, outputs, strict=True)
            ]

        return Linearization(self.values, push)


def _double(leaf: Value) -> Value:
    """The step is far below what single precision holds."""
    return np.asarray(leaf, dtype=np.float64)[()]


def _real(values: list[Value]) -> list[Value]:
    return [np.real(value) for value in values]
