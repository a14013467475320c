"""Batched sweeps: every member gets what it would get alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.batching import CACHE_ENTRIES, MOST_BATCH_ENTRIES, Batch, Batched, chunk_size
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.forward import Forward
from adcli_methods.inhouse import InHouse
from adcli_methods.method import Settings
from adcli_methods.operators import derivative_blocks, nth_derivative
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.reverse import Reverse

LARGEST_PROBLEM = 2000
"""Inputs; a full Jacobian of more takes too long here."""


def array_rules() -> ModuleType:
    """The operands with which the rows of the table are tried."""
    spec = importlib.util.spec_from_file_location("array_rules", Path(__file__).with_name("test_array_rules.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = array_rules().CASES


def members(operand, count=3):
    """The operand and others near it."""
    return np.stack([np.asarray(operand, dtype=float) * (1.0 + 0.03 * k) for k in range(count)])


def patterns(operands):
    """Which operands are batched: each floating one alone, and all of them."""
    floating = [np.asarray(operand).dtype.kind == "f" for operand in operands]
    for position, is_floating in enumerate(floating):
        if is_floating:
            yield [k == position for k in range(len(operands))]
    if sum(floating) > 1:
        yield floating


@pytest.mark.parametrize(
    ("name", "operands", "parameters"), CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)]
)
def test_a_primitive_on_a_batch_is_the_primitive_on_each_member(name, operands, parameters):
    primitive = PRIMITIVES[name]
    for own in patterns(operands):
        batch = Batch(3)
        stacked = [members(operand) if is_own else operand for operand, is_own in zip(operands, own, strict=True)]
        given = [batch.batched(s) if is_own else s for s, is_own in zip(stacked, own, strict=True)]
        result = primitive(*given, **parameters)
        assert isinstance(result, Batched)
        for k in range(3):
            alone = [s[k] if is_own else s for s, is_own in zip(stacked, own, strict=True)]
            expected = primitive(*alone, **parameters)
            np.testing.assert_allclose(result.value[k], expected, rtol=1e-13, atol=1e-13)
            assert result.shape == np.shape(expected)


@pytest.mark.parametrize("kind", [Forward, Reverse])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_jacobians_by_chunks_are_those_by_single_sweeps(problem, kind):
    flat = flat_problem(problem.as_function(), problem.point(), Request())
    if sum(np.size(leaf) for leaf in flat.leaves) > LARGEST_PROBLEM:
        pytest.skip("too many inputs for a whole Jacobian")
    alone = derivative_blocks(kind(Settings(chunk=1)), flat, flat.leaves, 1)
    for chunk in (2, 1000):
        chunked = derivative_blocks(kind(Settings(chunk=chunk)), flat, flat.leaves, 1)
        for ours, theirs in zip(chunked, alone, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13 * np.max(np.abs(theirs)))


def wave(x):
    return np.sin(x) * x[::-1]


@pytest.mark.parametrize(("chunk", "sweeps"), [(1, 10), (4, 3), (10, 1), (64, 1)])
def test_a_jacobian_costs_as_many_sweeps_as_chunks(chunk, sweeps):
    flat = flat_problem(wave_function(), np.linspace(0.1, 1.0, 10), Request())
    method = Forward(Settings(chunk=chunk))
    derivative_blocks(method, flat, flat.leaves, 1)
    assert method.tally.tangent_sweeps == sweeps


def wave_function():
    from adcli_methods.function import function_of

    return function_of(wave)


def test_modes_by_name_sweep_once_for_each_entry_and_auto_takes_chunks():
    flat = flat_problem(wave_function(), np.linspace(0.1, 1.0, 10), Request())
    counts = {}
    for kind in (Forward, Reverse, InHouse):
        method = kind(Settings())
        derivative_blocks(method, flat, flat.leaves, 1)
        counts[method.name] = method.tally.tangent_sweeps + method.tally.adjoint_sweeps
    assert counts == {"forward": 10, "reverse": 10, "auto": 1}


@pytest.mark.parametrize("chunk", [1, 3, None])
def test_hessians_take_chunks_too(chunk):
    def cubic(x):
        return np.sum(x[:-1] ** 2 * x[1:]) + np.prod(x)

    from adcli_methods.function import function_of

    x = np.array([1.0, 2.0, -1.0, 0.5])
    flat = flat_problem(function_of(cubic), x, Request())
    (found,) = nth_derivative(InHouse(Settings(chunk=chunk)), flat, flat.leaves, 2)
    expected = nth_derivative(Reverse(Settings()), flat, flat.leaves, 2)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def far_apart(x):
    return np.sum(x) * 1e-250 * np.full(4, 1e200) * np.full(4, 1e200)


def flat_of(function, x):
    from adcli_methods.function import function_of

    return flat_problem(function_of(function), x, Request())


def test_factors_that_overflow_alone_do_not_show_in_a_batch():
    flat = flat_of(far_apart, np.ones(3))
    for chunk in (1, 3, None):
        with np.errstate(over="ignore", invalid="ignore"):
            (found,) = derivative_blocks(Forward(Settings(chunk=chunk)), flat, flat.leaves, 1)
        np.testing.assert_allclose(found, np.full((4, 3), 1e150), rtol=1e-14)


def stencil(x):
    return 10.0 * (x[1:] - x[:-1] ** 2)


def network(x):
    weights = np.cos(np.arange(1000.0)[:, None] * np.arange(1000.0)) / 30.0
    return weights @ np.tanh(weights @ x)


@pytest.mark.parametrize(("function", "chunk", "sweeps"), [(stencil, None, 1), (stencil, 500, 2), (network, None, 8)])
def test_one_sweep_carries_all_seeds_that_stay_few_terms_unless_told_otherwise(function, chunk, sweeps):
    flat = flat_of(function, np.linspace(0.1, 1.0, 1000))
    method = InHouse(Settings(chunk=chunk))
    (found,) = derivative_blocks(method, flat, flat.leaves, 1)
    assert method.tally.tangent_sweeps + method.tally.adjoint_sweeps == sweeps
    (expected,) = derivative_blocks(InHouse(Settings(chunk=131)), flat, flat.leaves, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-16)


def test_chunks_fit_the_cache():
    assert chunk_size([np.zeros(500), np.zeros(1500)], None) == CACHE_ENTRIES // 1000
    assert chunk_size([np.zeros(10 * CACHE_ENTRIES)], None) == 1
    assert chunk_size([np.zeros(10**6), *[1.0] * 10**5], None) == MOST_BATCH_ENTRIES // 10**6
    assert chunk_size([1.0], 7) == 7
