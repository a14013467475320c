"""Programs on small arrays as Programs on numbers."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.execution import execute
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.optimiser import operation_count, optimise
from adcli_methods.optimiser.scalarise import scalarise
from adcli_methods.rewriting import gradient_program
from adcli_methods.shapes import shaped
from adcli_methods.targets import target

NUMPY = target("numpy")


def scalars_of(function, *inputs, most=50_000):
    paths = [(f"x{i}",) for i in range(len(inputs))]
    flat = FlatFunction(function_of(function), {path[0]: x for path, x in zip(paths, inputs, strict=True)}, paths)
    return flat, scalarise(shaped(flat.program, flat.leaves), most)


def entries(values):
    return [entry for value in values for entry in np.ravel(value).tolist()]


A = np.arange(6.0).reshape(2, 3) + 0.5


def updated(x0):
    y = np.zeros((2, 3))
    y[:, 1:] = x0[:, :2]
    y[0, 0] = x0[1, 2]
    return y * 2.0


FUNCTIONS = [
    lambda x0: x0.T @ x0,
    lambda x0: np.sum(x0, axis=0) + np.sum(x0[::-1], axis=0),
    lambda x0: np.concatenate([x0, x0 * x0[0]], axis=1).reshape(3, 4),
    lambda x0: np.where(x0 > 2.0, np.sin(x0), -x0),
    lambda x0: np.stack([x0[0], x0[1] + 1.0])[:, [2, 0, 0]],
    updated,
    lambda x0: np.broadcast_to(x0[:, :1], (2, 3)) / x0,
    lambda x0: np.max(x0, axis=0) - np.min(x0),
    lambda x0: np.sum(np.concatenate([x0.ravel()] * 3)),
    lambda x0: ((x0 > 1.0) + (x0 > 2.0)) * x0,
    lambda x0: ((x0 > 1.0) * (x0 < 2.0)) * x0 + np.maximum(x0 > 1.0, x0 > 2.0) * x0,
    lambda x0: ((x0 > 1.0) @ (x0.T > 2.0)) * x0[:, :2],
    lambda x0: x0[:, np.array([], int)],
    lambda x0: np.ones((2, 0)) @ x0[:0, :2].reshape(0, 2) + x0[:, :2],
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_single_entries_compute_what_arrays_compute(function):
    flat, scalars = scalars_of(function, A)
    found = execute(scalars.shaped.program, entries([A]), NUMPY)
    np.testing.assert_allclose(found, entries(execute(flat.program, [A], NUMPY)), rtol=1e-15)
    assert all(abstract.shape == () for abstract in scalars.shaped.abstracts)
    assert [output.shape for output in scalars.outputs] == [np.shape(function(A))]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_gradients_of_problems_as_numbers(problem):
    flat = flat_problem(problem.as_function(), problem.point(), Request())
    if len(flat(flat.leaves)) != 1 or np.shape(flat(flat.leaves)[0]):
        pytest.skip("not a scalar function")
    gradient = gradient_program(flat.program, flat.leaves)
    scalars = scalarise(shaped(gradient, flat.leaves), 100_000)
    assert scalars is not None
    found = execute(scalars.shaped.program, entries(flat.leaves), NUMPY)
    np.testing.assert_allclose(found, entries(execute(gradient, flat.leaves, NUMPY)), rtol=1e-12)


def test_a_scalar_loop_over_an_array_is_left_with_its_own_operations():
    def product(x0):
        result = 1.0
        for i in range(len(x0)):
            result = result * x0[i]
        return result

    flat, _ = scalars_of(product, np.linspace(0.5, 2.0, 20))
    scalars = scalarise(shaped(gradient_program(flat.program, flat.leaves), flat.leaves), 1000)
    assert set(optimise(scalars.shaped).shaped.program.count()) == {"multiply"}
    assert operation_count(optimise(scalars.shaped).shaped.program) <= 3 * 20


def test_what_needs_arrays_or_too_many_operations_is_left_as_it_is():
    assert scalars_of(lambda x0: np.linalg.det(x0 @ x0.T), A)[1] is None
    assert scalars_of(lambda x0: np.sin(x0) * x0, A, most=10)[1] is None
    assert scalars_of(lambda x0: np.sin(x0), A.astype(np.float32))[1] is None
