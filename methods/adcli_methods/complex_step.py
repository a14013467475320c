"""The complex step: Im f(x + ih v) / h has no subtraction, so h can be tiny (Squire and Trapp 1998)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared
from adcli_methods.operators import blocks_of, fitted, require_scalar
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
        def push(tangents: Sequence[Value]) -> list[Value]:
            _, slopes = self._stepped(function, leaves, tangents)
            return [np.where(np.isnan(v), np.nan, s)[()] for v, s in zip(self.values, slopes, strict=True)]

        return Linearization(self.values, push)

    def _stepped(
        self, function: Flat, leaves: Sequence[Value], tangents: Sequence[Value]
    ) -> tuple[list[Value], list[Value]]:
        """The function's values and its derivatives along the tangents."""
        step = self.settings.step or STEP
        outputs = function([leaf + 1j * step * tangent for leaf, tangent in zip(leaves, tangents, strict=True)])
        return _real(outputs), [np.imag(output) / step for output in outputs]

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        function, point, lower = self.prepare(problem, 1)
        if operator == "gradient":
            require_scalar(self.values, operator)

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            values: list[Value] = []

            def push(tangents: Sequence[Value]) -> list[Value]:
                values[:], slopes = self._stepped(function, leaves, tangents)
                return slopes

            blocks = blocks_of(self, Linearization(None, push), leaves)
            return values, fitted(blocks, leaves) if operator == "gradient" else blocks

        return Prepared(run, point, lower, lambda leaves: [_double(leaf) for leaf in leaves])


def _double(leaf: Value) -> Value:
    """The step is far below what single precision holds."""
    return np.asarray(leaf, dtype=np.float64)[()]


def _real(values: list[Value]) -> list[Value]:
    return [np.real(value) for value in values]
