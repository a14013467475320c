"""Compiled Programs compute what NumPy computes with the same Program."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.execution import execute
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.kernels import compile_program, plan
from adcli_methods.optimiser import optimise
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction, Program
from adcli_methods.rewriting import gradient_program
from adcli_methods.shapes import abstract_values, shaped
from adcli_methods.targets.numpy_target import NUMPY

from .random_programs import random_gradient


def traced(function, *inputs):
    """The Program of a function, and its inputs."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    flat = FlatFunction(function_of(function), dict(zip(names, inputs, strict=True)), [(name,) for name in names])
    return flat.program, flat.leaves


def gradient_of(function, *inputs):
    """Its gradient Program, optimised, with its Abstracts, and its inputs."""
    program, leaves = traced(function, *inputs)
    return optimise(shaped(gradient_program(program, leaves), leaves)).shaped, leaves


def compiled(program, inputs, **options):
    """A Program compiled for these inputs."""
    return compile_program(program, abstract_values(program, inputs), **options)


def assert_same(ours, theirs, ulps=64.0, scale=0.0):
    """Equal within so many units in the last place of the largest entry, NaN and Inf in the same places.

    Arguments: scale: the size of what the entries were computed from, where that is larger.
    """
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert np.shape(a) == np.shape(b)
        a, b = np.asarray(a), np.asarray(b)
        kind = a.dtype if a.dtype.kind == "f" else np.dtype(float)
        largest = np.max(np.abs(b[np.isfinite(b)]), initial=scale)
        np.testing.assert_allclose(a, b, rtol=0, atol=float(ulps * np.finfo(kind).eps * largest))


def check(program, inputs, ulps=64.0):
    """Compare with NumPy; answers the compiled Program."""
    ready = compiled(program, inputs)
    assert_same(ready.run(inputs), execute(program, inputs, NUMPY), ulps)
    return ready


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_the_gradient_of_every_problem(problem):
    flat = flat_problem(problem.as_function(), problem.point(), Request())
    program = flat.program
    if len(program.outputs) == 1 and not np.shape(execute(program, flat.leaves, NUMPY)[0]):
        program = gradient_program(program, flat.leaves)
    check(program, flat.leaves)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("inline", [False, True], ids=["stored", "inline"])
def test_random_gradients(seed, inline, monkeypatch):
    if inline:  # as large arrays are planned
        monkeypatch.setattr(plan, "_SMALL", -1)
    program, inputs = random_gradient(seed, [(5,), (4, 3), (23,), (2, 3, 4), (1, 3)][seed % 5])
    check(program, inputs, ulps=512.0)


def stencil(x):
    inner = x[1:-1] * x[:-2] - np.sin(x[2:])
    return np.sum(inner**2) + np.sum(x[::-1] * x)


@pytest.mark.parametrize("extent", [2, 3, 7, 8, 9, 1023, 5000])
def test_overlapping_slices_of_any_extent(extent):
    (program, abstracts), inputs = gradient_of(stencil, np.random.default_rng(extent).normal(size=extent))
    assert_same(compile_program(program, abstracts).run(inputs), execute(program, inputs, NUMPY))


@pytest.mark.parametrize("extent", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 1023])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_of_any_extent(extent, dtype):
    def f(x):
        return np.sum(np.exp(-(x**2)) * x), np.tanh(x), np.sum(x > 0.0)

    program, _ = traced(f, np.linspace(-1.0, 1.0, extent).astype(dtype))
    inputs = [np.random.default_rng(extent).normal(size=extent).astype(dtype)]
    found = check(program, inputs, ulps=8.0).run(inputs)
    assert found[1].dtype == dtype


def test_rosenbrock_is_one_pass_with_the_boundary_peeled_off():
    def rosenbrock(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    (program, abstracts), inputs = gradient_of(rosenbrock, np.random.default_rng(0).normal(size=10_000))
    ready = compile_program(program, abstracts)
    assert (ready.report.kernels, ready.report.numpy_operations) == (1, 0)
    assert ready.report.source.count("#pragma omp simd") == 1
    assert_same(ready.run(inputs), execute(program, inputs, NUMPY), ulps=4.0)


@pytest.mark.parametrize("shapes", [((7, 1), (1, 5)), ((4, 1, 3), (5, 1)), ((1,), (6, 2)), ((300, 1), (1, 300))])
def test_broadcasts_and_reductions_over_any_axis(shapes):
    def f(a, b):
        c = np.tanh(a * b + a)
        parts = [np.sum(c, axis=axis) for axis in range(c.ndim)]
        parts += [np.max(c, axis=axis) for axis in range(c.ndim)]
        return sum(np.sum(part**2) for part in parts)

    generator = np.random.default_rng(1)
    (program, abstracts), inputs = gradient_of(f, *(generator.normal(size=shape) for shape in shapes))
    assert_same(compile_program(program, abstracts).run(inputs), execute(program, inputs, NUMPY))


def test_inputs_that_are_views_with_gaps_or_backwards():
    program, _ = traced(lambda x: np.sum(np.sin(x) * x, axis=0), np.ones((6, 4)))
    ready = compiled(program, [np.ones((6, 4))])
    whole = np.random.default_rng(2).normal(size=(12, 8))
    for view in (whole[::2, ::2], whole[5::-1, 3::-1], np.asfortranarray(whole[:6, :4]), whole.T[:6, :4]):
        assert_same(ready.run([view]), execute(program, [view], NUMPY))


SPECIAL = np.array([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan, 5e-324, 1e308])


def test_nan_inf_and_zeros_come_out_as_numpys():
    names = [
        "maximum", "minimum", "less", "equal", "hypot", "arctan2", "copysign", "mod", "divide", "power", "logaddexp",
        "logical_and", "logical_or", "logical_xor", "multiply", "subtract", "greater_equal",
    ]  # fmt: skip
    single = [
        "sign", "absolute", "sqrt", "exp", "log", "log1p", "expm1", "floor", "rint", "isnan", "isfinite", "isinf",
        "relu", "sigmoid", "softplus", "tanh", "sin", "gaussian", "cbrt", "logical_not", "square",
    ]  # fmt: skip
    instructions = [Instruction(None), Instruction(None)]
    instructions += [Instruction(PRIMITIVES[name], (0, 1)) for name in names]
    instructions += [Instruction(PRIMITIVES[name], (0,)) for name in single]
    instructions += [Instruction(PRIMITIVES[name], (0,), {"axis": (1,), "keepdims": False}) for name in ("max", "min")]
    program = Program(instructions, [0, 1], {}, range(2, len(instructions)))
    inputs = [np.repeat(SPECIAL[:, None], 9, axis=1), np.repeat(SPECIAL[None, :], 9, axis=0)]
    ready = compiled(program, inputs)
    assert ready.report.numpy_operations == 0
    for name, ours, theirs in zip(names + single, ready.run(inputs), execute(program, inputs, NUMPY), strict=False):
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_allclose(ours, theirs, rtol=1e-15, err_msg=name)
        if theirs.dtype.kind == "f" and name not in ("maximum", "minimum", "relu"):
            assert np.array_equal(np.signbit(ours[theirs == 0]), np.signbit(theirs[theirs == 0])), name


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -1, 0.5, -2, 2.5, -0.5])
def test_powers_by_known_numbers(exponent):
    program, _ = traced(lambda x: x**exponent, np.ones(9))
    check(program, [np.array([*SPECIAL[2:], 3.7, -0.3])], ulps=1.0)


def test_whole_numbers_and_truth_values():
    def f(x, k):
        picked = np.where(k > 2, x, -x) * k
        return picked + (x > 0) * 2.0, k * k - 3, np.sum(np.logical_not(k == 4) * x)

    inputs = [np.linspace(-1.0, 1.0, 7), np.arange(7)]
    program, _ = traced(f, *inputs)
    found = check(program, inputs).run(inputs)
    assert [np.asarray(value).dtype.kind for value in found] == ["f", "i", "f"]


def test_numbers_alone_become_straight_code_even_when_there_are_thousands():
    def f(a, b):
        for _ in range(700):
            a, b = np.sin(a) * b + 0.1, np.cos(b) - a * 0.5
        return a * b

    (program, abstracts), inputs = gradient_of(f, 0.3, 0.7)
    ready = compile_program(program, abstracts)
    assert ready.report.fused_operations > 4000
    np.testing.assert_allclose(ready.run(inputs), execute(program, inputs, NUMPY), rtol=1e-9)


def test_numpy_operations_between_kernels():
    def f(A, b):
        x = np.linalg.solve(A @ A.T + 3.0 * np.eye(4), np.sin(b))
        return np.sum(np.log(1.0 + x**2)) + np.sum(np.sort(x)[:2]) + np.sum(x[np.array([0, 2, 2])])

    generator = np.random.default_rng(3)
    (program, abstracts), inputs = gradient_of(f, generator.normal(size=(4, 4)), generator.normal(size=4))
    assert_same(compile_program(program, abstracts).run(inputs), execute(program, inputs, NUMPY))


def test_a_long_body_runs_in_stages_with_the_very_same_result():
    def logistic(x):
        for _ in range(20):
            x = 3.7 * x * (1.0 - x)
        return np.sum(x)

    (program, abstracts), inputs = gradient_of(logistic, np.random.default_rng(5).uniform(0.1, 0.9, 1001))
    ready = compile_program(program, abstracts)
    assert ready.report.source.count("#pragma omp simd") > 5
    assert np.array_equal(ready.run(inputs)[1], execute(program, inputs, NUMPY)[1])


def test_outputs_that_are_inputs_or_one_another_are_copies():
    program, _ = traced(lambda x: (x, np.sin(x), np.reshape(np.sin(x), (3, 2)), x[::-1]), np.ones(6))
    inputs = [np.arange(6.0)]
    outputs = check(Program(program.instructions, program.inputs, program.constants, program.outputs * 2), inputs).run(
        inputs
    )
    for i, output in enumerate(outputs):
        assert not any(np.shares_memory(output, other) for other in [*outputs[:i], *inputs])
