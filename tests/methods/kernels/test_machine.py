"""The machine for numbers computes what NumPy computes, and is what runs long Programs on numbers."""

from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods import differentiate
from adcli_methods.differentiate import Request
from adcli_methods.execution import execute
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.kernels.c_expressions import expression, names
from adcli_methods.kernels.machine import MachineProgram
from adcli_methods.kernels.machine_code import CODES, VECTOR, WORDS, MachineCode, NotForTheMachineError
from adcli_methods.optimiser import optimise
from adcli_methods.prepared import choice
from adcli_methods.prepared.prepared import prepare
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import GIVEN, Instruction, Program
from adcli_methods.shapes import Shaped, abstract_values, shaped
from adcli_methods.targets.numpy_target import NUMPY

from .random_programs import random_gradient
from .test_kernel_accuracy import EDGES


def arity(name):
    return len(set(re.findall(r"\b[xyz]1\b", expression(name, ("x1", "y1", "z1"), "float64", None, False))))


def machine_of(program, inputs):
    return MachineProgram(MachineCode(Shaped(program, tuple(abstract_values(program, inputs))), 100_000))


@pytest.mark.parametrize("name", names())
def test_each_operation_is_numpys(name):
    count, parameters = arity(name), {"dtype": "float64"} if name == "astype" else {}
    instructions = [GIVEN] * count + [Instruction(PRIMITIVES[name], tuple(range(count)), parameters)]
    program = Program(instructions, range(count), {}, [count])
    machine = machine_of(program, [0.5, 0.25, 0.75][:count])
    points = [*EDGES, *np.random.default_rng(0).uniform(-3.0, 3.0, 40)]
    for shift in range(7):
        operands = [np.roll(points, shift * k) for k in range(count)]
        if name in ("where", "logical_and", "logical_or", "logical_xor", "logical_not"):
            operands[0] = np.nan_to_num(operands[0])  # that NaN is true is of no use to anybody
        with np.errstate(all="ignore"):
            expected = PRIMITIVES[name].numpy(
                *(operands if name != "where" else (operands[0] != 0, *operands[1:])), **parameters
            )
        found = [machine.run(entry)[0][0] for entry in zip(*operands, strict=True)]
        np.testing.assert_allclose(found, expected.astype(float), rtol=2e-15, atol=1e-322)


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0])
def test_powers_by_known_numbers(exponent):
    instructions = [GIVEN, GIVEN, Instruction(PRIMITIVES["power"], (0, 1))]
    machine = machine_of(Program(instructions, [0], {1: exponent}, [2]), [0.5])
    points = np.array([*EDGES, -3.0, 0.7])
    found = [machine.run([point])[0][0] for point in points]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(found, points**exponent, rtol=4e-16)


@pytest.mark.parametrize("seed", range(60))
def test_random_gradients_on_arrays(seed, monkeypatch):
    """In registers that hold NaN at first: none is read before it is written."""
    zeros = MachineCode.registers
    monkeypatch.setattr(MachineCode, "registers", lambda code: _nan_but(zeros(code), list(code._constants)))
    program, inputs = random_gradient(seed, [(5,), (4, 3), (20,), (1, 3), (7, 6), (2, 3)][seed % 6])
    expected = entries_of(execute(program, inputs, NUMPY))
    found, has_nan = machine_of(program, inputs).run(inputs)
    assert has_nan == np.isnan(expected).any()
    np.testing.assert_allclose(found, expected, rtol=0, atol=512 * 2.2e-16 * np.max(np.abs(expected)))


def _nan_but(registers, known):
    unset = np.full(len(registers), np.nan)
    unset[known] = registers[known]
    return unset


def entries_of(values):
    return np.concatenate([np.ravel(value) for value in values]).astype(float)


def test_outputs_may_be_inputs_constants_or_one_another():
    instructions = [GIVEN, GIVEN, GIVEN, Instruction(PRIMITIVES["multiply"], (0, 1))]
    program = Program(instructions, [0, 1], {2: 7.0}, [3, 0, 2, 3, 1])
    machine = machine_of(program, [2.0, 3.0])
    first, _ = machine.run([2.0, 3.0])
    second, _ = machine.run([5.0, 0.5])
    assert first.tolist() == [6.0, 2.0, 7.0, 6.0, 3.0]
    assert second.tolist() == [2.5, 5.0, 7.0, 2.5, 0.5]


def test_a_register_is_taken_again_when_nothing_needs_its_value():
    instructions = [GIVEN, *[Instruction(PRIMITIVES["sin"], (slot,)) for slot in range(1000)]]
    machine = machine_of(Program(instructions, [0], {}, [1000]), [0.5])
    assert len(machine._initial) <= 4
    value = 0.5
    for _ in range(1000):
        value = math.sin(value)
    assert machine.run([0.5])[0][0] == pytest.approx(value, rel=1e-13)


def along(size, *steps):
    """The code of functions of an array."""

    def function(x):
        return {str(number): step(x) for number, step in enumerate(steps)}

    flat = FlatFunction(function_of(function), {"x": np.ones(size)}, [("x",)])
    return MachineCode(optimise(shaped(flat.program, flat.leaves)).shaped, 100_000)


def test_long_vectors_are_one_operation_and_short_ones_are_numbers():
    long, short = (along(size, lambda x: np.sin(x[::-1]) * x[0]) for size in (9, 8))
    assert long.code[:: 2 * WORDS].tolist() == [VECTOR + CODES["sin"], VECTOR + CODES["multiply"], 0]
    assert short.code[::WORDS].tolist() == 8 * [CODES["sin"]] + 8 * [CODES["multiply"]] + [0]
    assert (long.operations, short.operations) == (18, 16)


def test_entries_that_do_not_lie_evenly_are_taken_one_by_one():
    uneven = np.array([0, 1, 2, 3, 4, 5, 6, 8, 9])
    code = along(10, lambda x: np.sin(x[uneven])).code
    assert code[::WORDS].tolist() == 9 * [CODES["sin"]] + [0]
    assert code[2::WORDS].tolist()[:9] == (9 + uneven).tolist()


def sines(x):
    for _ in range(100):
        x = np.sin(x) + x[::-1]
    return x


@pytest.mark.parametrize("size", [3, 20])
def test_registers_of_arrays_are_taken_again(size):
    assert len(along(size, sines).registers()) <= 6 * size


def written(x):
    y = np.zeros(20)
    y[3:] = np.sin(x[3:])
    z = np.exp(y)
    y[:2] = z[4:6] * x[0]
    return y * z + np.sum(x) * np.stack([x, z])[1]


def reshaped(x):
    first = np.reshape(np.sin(x[0]), (1,))
    second = np.cos(x[1]) * np.exp(x[2])
    return np.concatenate([first, x[1:]]) * second


@pytest.mark.parametrize("function", [sines, written, reshaped, lambda x: np.outer(x, x)[3:, ::2] @ np.cos(x[::2])])
def test_a_register_is_not_taken_while_a_part_of_its_array_is_needed(function):
    def total(x):
        return np.sum(function(x) * function(np.cos(x)))

    x = np.linspace(0.1, 1.0, 20)
    found, _ = MachineProgram(along(20, total, lambda x: function(x) * 2.0)).run([x])
    np.testing.assert_allclose(found, [total(x), *function(x) * 2.0], rtol=1e-13)


def test_truth_values_are_added_as_numpy_adds_them():
    def count(x):
        return np.sum(((x > 0.2) + (x > 0.5)) * x * x + ((x > 0.2)[None, :] @ (x > 0.5)[:, None]) * x)

    x = np.linspace(0.1, 1.0, 20)
    assert MachineProgram(along(20, count)).run([x])[0] == pytest.approx(count(x), rel=1e-14)


def test_whole_numbers_are_not_for_the_machine():
    instructions = [GIVEN, Instruction(PRIMITIVES["to_integer"], (0,), {"dtype": "int64"})]
    with pytest.raises(NotForTheMachineError):
        machine_of(Program(instructions, [0], {}, [1]), [2.5])


@pytest.fixture
def by_machine(monkeypatch):
    """Prepares on the machine whatever it can run, however short."""
    monkeypatch.setattr(
        choice, "_quickest", lambda given: choice._by_machine(given, 10**6, np.inf) or choice.on_arrays(given)
    )


SMALL = [problem for problem in PROBLEMS if problem.name not in ("perceptron", "lstm", "k-means")]


@pytest.mark.parametrize("problem", SMALL, ids=lambda problem: problem.name)
def test_gradients_of_problems_are_right_at_other_points(problem, by_machine):
    point = problem.point()
    outputs = problem.function(*point.values())
    if np.shape(outputs) or isinstance(outputs, (tuple, list)):
        pytest.skip("not a scalar function")
    prepared = prepare(problem.as_function(), point)
    if prepared.report.versions[0].backend != "machine":
        pytest.skip("too many numbers, or operations that the machine lacks")
    point = problem.point(seed=1)
    request = Request("reverse", operator="gradient")
    expected = differentiate.differentiate(problem.as_function(), point, request)
    value, gradient = prepared(*point.values())
    np.testing.assert_allclose(value, expected.value, rtol=1e-12)
    parts = gradient if isinstance(gradient, dict) else {"": gradient}
    theirs = expected.derivative if isinstance(expected.derivative, dict) else {"": expected.derivative}
    for name, part in parts.items():
        np.testing.assert_allclose(part, theirs[name], rtol=1e-10, atol=1e-12 * np.max(np.abs(theirs[name])))


def halvings(x, y):
    steps = 0
    while x > 1.0:
        x, steps = x * 0.5 * y, steps + 1
    return x * steps + y


def test_branches_and_loops_are_guarded(by_machine):
    prepared = prepare(halvings, (9.0, 1.0))
    assert prepared.report.versions[0].backend == "machine"
    assert prepared(9.0, 1.0) == (9.0 / 16 * 4 + 1.0, {"x": 0.25, "y": 10.0})
    assert prepared(3.0, 1.0) == (3.0 / 4 * 2 + 1.0, {"x": 0.5, "y": 4.0})
    assert prepared(9.5, 1.0)[1]["x"] == 0.25
    assert prepared.report.new_branches == 1
    assert len(prepared.report.versions) == 2


def test_a_slope_that_comes_out_as_nan_is_computed_again_with_strict_zeros(by_machine):
    prepared = prepare(lambda x: np.sum(np.where(x > 0.0, np.sqrt(x), 0.0)), np.ones(3))
    assert prepared.report.versions[0].backend == "machine"
    np.testing.assert_array_equal(prepared(np.array([4.0, 0.0, 1.0]))[1], [0.25, 0.0, 0.5])
    assert prepared.report.fallbacks == 1


def test_two_threads_may_run_the_same_program():
    def loop(x):
        for _ in range(2000):
            x = np.sin(x) + 0.5 * x[::-1]
        return np.sum(x)

    prepared = prepare(loop, np.array([0.1, 0.2]))
    assert prepared.report.versions[0].backend == "machine"
    points = [np.array([0.1, 0.2]) * k for k in range(1, 9)]
    expected = [prepared(point)[1].tolist() for point in points]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            assert [found[1].tolist() for found in threads.map(prepared, points)] == expected


def test_results_are_the_callers_own():
    function = function_of(lambda x: np.prod(np.sin(x)) + np.sum(x) * x[0])
    prepared = prepare(function, np.linspace(0.1, 1.0, 300))
    first = prepared(np.linspace(0.1, 1.0, 300))[1]
    kept = first.copy()
    second = prepared(np.linspace(0.2, 1.0, 300))[1]
    assert np.array_equal(first, kept)
    assert first.flags.writeable
    assert not np.shares_memory(first, second)
