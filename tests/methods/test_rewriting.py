"""Derivatives that are Programs: they compute what the sweeps compute."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods import sweeps
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.execution import execute
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.rewriting import adjoint_program, gradient_program, replay, shaped_gradient, tangent_program
from adcli_methods.targets.numpy_target import NUMPY


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_derived_programs_compute_what_the_sweeps_compute(problem):
    flat = flat_problem(problem.as_function(), problem.point(), Request())
    trace, slots = flat.traced
    outputs = [trace.values[slot] for slot in slots]
    seeds = [np.cos(np.asarray(output)) if np.shape(output) else 0.7 for output in outputs]
    adjoint = adjoint_program(flat.program, flat.leaves, seeds)
    tangent = tangent_program(flat.program, flat.leaves, flat.leaves)
    pulled = execute(adjoint, [*flat.leaves, *seeds], NUMPY)
    pushed = execute(tangent, [*flat.leaves, *flat.leaves], NUMPY)
    for ours, theirs in zip(pulled, [*outputs, *sweeps.pull(trace, slots, seeds)], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for ours, theirs in zip(pushed, [*outputs, *sweeps.push(trace, flat.leaves, slots)], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def by_halves(x):
    if x[0] > 0:
        return np.sum(np.sin(x) * x)
    return np.sum(x)


def test_a_derived_program_keeps_guards_and_the_users_lines():
    flat = FlatFunction(function_of(by_halves), {"x": np.array([1.0, 2.0])}, [("x",)])
    gradient = gradient_program(flat.program, flat.leaves)
    assert [guard.outcome for guard in gradient.guards] == [True]
    assert gradient.instructions[gradient.guards[0].slot].primitive.name == "greater"
    texts = {i.location.text for i in gradient.instructions if i.location is not None}
    assert texts == {"if x[0] > 0:", "return np.sum(np.sin(x) * x)"}
    marked = [i.location for i in gradient.instructions if i.primitive is not None]
    assert None not in marked[: len(marked) - 1]


def test_a_gradient_in_single_precision_is_single_all_through():
    x = np.linspace(0.1, 0.9, 5, dtype=np.float32)
    flat = FlatFunction(function_of(lambda x: np.sum((x[1:] - x[:-1] ** 2) ** 2)), {"x": x}, [("x",)])
    program, abstracts = shaped_gradient(flat.program, flat.leaves)
    assert [abstracts[slot].dtype for slot in program.outputs] == ["float32", "float32"]


def test_a_derivative_program_can_be_differentiated_again():
    flat = FlatFunction(function_of(lambda x: np.sum(x**3)), {"x": np.array([1.0, 2.0])}, [("x",)])
    gradient = gradient_program(flat.program, flat.leaves)
    direction = np.array([1.0, 10.0])
    second = tangent_program(gradient, flat.leaves, [direction])
    assert execute(second, [flat.leaves[0], direction], NUMPY)[-1].tolist() == [6.0, 120.0]


def test_a_replay_keeps_the_slots_of_its_program():
    flat = FlatFunction(function_of(lambda x: 2.0 * x + 1.0), {"x": 3.0}, [("x",)])
    trace = replay(flat.program, [5.0])
    assert trace.instructions == list(flat.program.instructions)
    assert [trace.values[slot] for slot in flat.program.outputs] == [11.0]
