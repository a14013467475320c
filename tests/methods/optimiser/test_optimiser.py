"""The optimiser's passes: they change how a Program computes, never what."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.execution import execute
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.optimiser import PASSES, operation_count, optimise
from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.program import Program
from adcli_methods.rewriting import gradient_program
from adcli_methods.shapes import abstract_of, shaped
from adcli_methods.targets import target
from adcli_methods.trace import Trace

NUMPY = target("numpy")
SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, math.inf, -math.inf, math.nan, 1e-310)
UNARY = ("negative", "positive", "square", "absolute", "reciprocal", "sqrt", "sign")
"""Rounded alike for a number and for an array; NumPy's exp of an array may be an ulp off Python's."""
BINARY = ("add", "subtract", "multiply", "divide", "maximum")
RANDOM_PROGRAMS = 400


def program_of(function: Callable[..., Any], *inputs: Any) -> Program:
    trace = Trace(inputs)
    outputs = function(*trace.tracers())
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return trace.program_of([trace.output_slot(output) for output in outputs])


def same_bits(a: Any, b: Any) -> bool:
    """Equal with the signs of zeros; any NaN is as good as another."""
    a, b = np.asarray(a), np.asarray(b)
    both_nan = np.isnan(a) & np.isnan(b)
    return a.shape == b.shape and bool(np.all(both_nan | ((a == b) & (np.signbit(a) == np.signbit(b)))))


def random_step(pick: np.random.Generator, values: list[Any]) -> Any:
    """One more value from earlier ones, constants and the kinds of operations that the identities know."""
    kind = pick.integers(7)
    a, b = (values[pick.integers(len(values))] for _ in range(2))
    if pick.integers(2):
        b = float(pick.choice(SPECIAL))
    if kind < 2:
        return P[str(pick.choice(UNARY))](a)
    if kind < 5:
        return P[str(pick.choice(BINARY))](*((a, b) if pick.integers(2) else (b, a)))
    if kind == 5:
        return P["power"](a, float(pick.choice([1.0, 2.0, -1.0, 0.0])))
    return _moved(pick, a)


def _moved(pick: np.random.Generator, a: Any) -> Any:
    if getattr(a, "shape", ()) == ():
        return P["broadcast_to"](a, shape=(4,))
    move = pick.integers(4)
    if move == 0:
        return P["reshape"](P["reshape"](a, shape=(2, 2)), shape=(4,))
    if move == 1:
        return P["reshape"](P["transpose"](P["reshape"](a, shape=(2, 2)), axes=(1, 0)), shape=(4,))
    if move == 2:
        written = P["index_update"](a, 7.0, index=(int(pick.integers(4)),))
        return P["getitem"](written, index=(int(pick.integers(4)),))
    return P["getitem"](a, index=(slice(None),))


def random_program(seed: int) -> tuple[Program, list[Any]]:
    pick = np.random.default_rng(seed)
    inputs = [pick.choice(SPECIAL, 4), float(pick.choice(SPECIAL))]

    def run(*given: Any) -> list[Any]:
        values = list(given)
        for _ in range(14):
            values.append(random_step(pick, values))
        return values[-4:]

    with np.errstate(all="ignore"):
        program = program_of(run, *inputs)
    if seed % 2:
        return program, inputs
    given = {**program.constants, 1: inputs[1]}  # the second input is known beforehand
    return Program(program.instructions, [0], given, program.outputs), inputs[:1]


@pytest.mark.parametrize("name", [*PASSES, "all"])
def test_a_pass_keeps_every_bit_of_random_programs(name):
    helped = 0
    for seed in range(RANDOM_PROGRAMS):
        program, inputs = random_program(seed)
        optimised = optimise(shaped(program, inputs), PASSES if name == "all" else (name,)).shaped
        for at in (inputs, [np.array([0.3, -1.2, 5.0, -0.0]), 1.7][: len(inputs)]):
            before, after = (execute(each, at, NUMPY) for each in (program, optimised.program))
            for x, y in zip(before, after, strict=True):
                assert same_bits(x, y), f"seed {seed}\n{program}\n->\n{optimised.program}"
        values = execute(
            Program(
                optimised.program.instructions,
                optimised.program.inputs,
                optimised.program.constants,
                range(len(optimised.abstracts)),
            ),
            inputs,
            NUMPY,
        )
        assert [abstract_of(value) for value in values] == list(optimised.abstracts)
        helped += operation_count(optimised.program) < operation_count(program)
    assert helped > RANDOM_PROGRAMS / 20


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_gradients_of_problems_keep_their_values_at_four_times_the_operations(problem):
    flat = flat_problem(problem.as_function(), problem.point(), Request())
    if len(flat(flat.leaves)) != 1 or np.shape(flat(flat.leaves)[0]):
        pytest.skip("the cheap-gradient bound is about scalar functions")
    gradient = gradient_program(flat.program, flat.leaves)
    optimised = optimise(shaped(gradient, flat.leaves))
    for ours, theirs in zip(
        execute(optimised.shaped.program, flat.leaves, NUMPY), execute(gradient, flat.leaves, NUMPY), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    primal = optimise(shaped(flat.program, flat.leaves)).shaped.program
    assert operation_count(optimised.shaped.program) <= 4 * operation_count(primal)
    assert operation_count(optimised.shaped.program) <= operation_count(gradient)
    assert [effect.name for effect in optimised.effects] == list(PASSES)


IDENTITIES = [
    (lambda x: x * 1.0, ["return v0"]),
    (lambda x: x + 0.0, ["v2 = add(v0, v1)"]),
    (lambda x: x - 0.0, ["return v0"]),
    (lambda x: x**2, ["v1 = multiply(v0, v0)"]),
    (lambda x: np.negative(-x), ["return v0"]),
    (lambda x: x * 0.0, ["v2 = multiply(v0, v1)"]),
    (lambda x: 3.0 - (-x), ["add(v1, v0)"]),
    (lambda x: np.exp(x) * np.exp(x), ["v1 = exp(v0)", "multiply(v1, v1)"]),
]


@pytest.mark.parametrize(("function", "wanted"), IDENTITIES)
def test_identities_hold_for_every_input_or_are_left_alone(function, wanted):
    flat = FlatFunction(function_of(function), {"x": 2.0}, [("x",)])
    text = str(optimise(shaped(flat.program, flat.leaves)).shaped.program)
    assert all(line in text for line in wanted), text


@pytest.mark.parametrize("exponent", [3.0, 4.0])
def test_small_whole_powers_round_at_most_twice_more(exponent):
    at = np.random.default_rng(0).uniform(-3.0, 3.0, 10_000)
    program = program_of(lambda x: P["power"](x, exponent), at)
    optimised = optimise(shaped(program, [at])).shaped.program
    assert "power" not in str(optimised)
    np.testing.assert_allclose(execute(optimised, [at], NUMPY)[0], at**exponent, rtol=3 * 2.0**-53 * 1.5)


def test_entries_written_and_read_again_leave_no_array_behind():
    def recurrence(x):
        a = np.zeros(6)
        a[0] = x
        for i in range(1, 6):
            a[i] = np.sin(a[i - 1])
        return a[5]

    flat = FlatFunction(function_of(recurrence), {"x": 0.4}, [("x",)])
    optimised = optimise(shaped(flat.program, flat.leaves)).shaped.program
    assert optimised.count() == {"sin": 5}


def test_guards_are_kept_alive():
    flat = FlatFunction(function_of(lambda x: x * 2.0 if np.exp(x) > 1.0 else x), {"x": 2.0}, [("x",)])
    optimised = optimise(shaped(flat.program, flat.leaves)).shaped.program
    assert optimised.instructions[optimised.guards[0].slot].primitive.name == "greater"


def test_the_cotangent_of_a_sum_multiplies_nothing():
    flat = FlatFunction(function_of(lambda x: np.sum(np.sin(x) * np.exp(x))), {"x": np.ones(4)}, [("x",)])
    optimised = optimise(shaped(gradient_program(flat.program, flat.leaves), flat.leaves)).shaped.program
    assert optimised.count() == {"sin": 1, "cos": 1, "exp": 1, "multiply": 3, "sum": 1, "add": 1}


def test_a_constant_cotangent_is_never_an_array():
    rosenbrock = next(problem for problem in PROBLEMS if problem.name == "rosenbrock")
    flat = flat_problem(rosenbrock.as_function(), rosenbrock.point(10), Request())
    optimised = optimise(shaped(gradient_program(flat.program, flat.leaves), flat.leaves)).shaped.program
    assert "broadcast_to" not in optimised.count()
    assert all(not np.shape(value) for value in optimised.constants.values())


def test_what_is_folded_is_what_numpy_computes():
    flat = FlatFunction(function_of(lambda x: x * np.power(7.0, x - x + 1.5)), {"x": 2.0}, [("x",)])
    known = Program(flat.program.instructions, [], {**flat.program.constants, 0: 2.0}, flat.program.outputs)
    (found,) = optimise(shaped(known, [])).shaped.program.constants.values()
    assert found == 2.0 * float(np.power(7.0, 1.5))


@pytest.mark.parametrize(("other", "stays"), [(0.0, False), (np.ones(4), False), (np.ones(4, np.float32), True)])
def test_a_picked_number_is_spread_by_the_condition_where_its_type_stays(other, stays):
    def pick(x, c):
        return P["where"](c, P["broadcast_to"](x, shape=(4,)), other)

    condition = np.array([True, False, True, True])
    program = program_of(pick, 2.0, condition)
    optimised = optimise(shaped(program, [2.0, condition])).shaped.program
    assert ("broadcast_to" in optimised.count()) == stays
    (found,), (expected,) = (execute(each, [2.0, condition], NUMPY) for each in (optimised, program))
    assert found.dtype == expected.dtype
    assert same_bits(found, expected)
