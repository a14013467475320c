"""Nothing is read in a phase before the one in which it is written: memory that holds NaN at first stays unseen."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.differentiate import Request, differentiate
from adcli_methods.execution import execute
from adcli_methods.function import function_of
from adcli_methods.kernels import CompiledProgram
from adcli_methods.kernels.compiled import Workspace
from adcli_methods.prepared.prepared import prepare
from adcli_methods.shapes import abstract_values
from adcli_methods.targets.numpy_target import NUMPY

from .random_programs import random_gradient


@pytest.fixture(autouse=True)
def memory_of_nan(monkeypatch):
    """What a run finds in its memory is NaN, not what a run before it has left."""
    begin = Workspace.__init__

    def fill(self, layout):
        begin(self, layout)
        self.scratch[: len(self.scratch) // 8 * 8].view(np.float64)[:] = np.nan
        known = [slot for slot in layout.plan.program.constants if layout.plan.nodes[slot] is not None]
        self.doubles[:] = [np.nan] * len(self.doubles)
        for slot in known:
            self._give(slot, layout.plan.program.constants[slot], layout)

    monkeypatch.setattr(Workspace, "__init__", fill)


def cubes(x):
    return np.outer(x, x) @ x


FUNCTIONS = {
    "a number times a product": lambda x: np.sum(cubes(x)) * x[0] ** 2,
    "a power of a number times a product": lambda x: np.sum(cubes(x) * x[0] ** 3),
    "sums along an array": lambda x: np.sum(np.cumsum(x) ** 3) + np.sum(cubes(x) * np.cumsum(x)[0] ** 3),
    "backwards": lambda x: np.sum((np.outer(x[::-1], x[::-1]) @ x) * (np.cumsum(x[::-1])[::-1] ** 3)[0]),
    "a quadratic form": lambda x: (x @ np.outer(np.sin(x), x) @ x) * np.sum(x),
    "a product with itself": lambda x: np.sum((np.outer(x, x) @ np.outer(x, x)) * x[1]),
    "a linear system": lambda x: np.sum(np.linalg.solve(np.eye(len(x)) + np.outer(x, x), x) * x[0] ** 2),
}


@pytest.mark.parametrize("chunk", [1, 2, 5])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_hessians_in_chunks(function, chunk):
    x = np.array([0.5, -0.75, 1.0, 1.25, -1.5])
    found = prepare(function, x, operator="hessian", compile="c", chunk=chunk)(x)[1]
    expected = differentiate(function_of(function), x, Request(operator="hessian")).derivative
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_random_gradients(seed):
    program, inputs = random_gradient(seed, [(5,), (4, 3), (40, 3)][seed % 3])
    found = CompiledProgram(program, abstract_values(program, inputs), False, None).run(inputs)
    for own, expected in zip(found, execute(program, inputs, NUMPY), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-8, atol=1e-10 * np.max(np.abs(expected), initial=1.0))
