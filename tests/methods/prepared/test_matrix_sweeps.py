"""What prepared Jacobians and Hessians take: sweeps, memory, operations."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import adcli
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.optimiser import optimise
from adcli_methods.prepared.prepared import prepare
from adcli_methods.rewriting import Seeded, jacobian_program

from .test_matrices import X, layer, residuals

N = 50
SQUARE = np.random.default_rng(1).normal(size=(N, N))


@pytest.mark.parametrize(
    ("mode", "chunk", "passes"),
    [
        ("forward", None, (1, 1, 0)),
        ("forward", 4, (1, 1, 0)),
        ("forward", 3, (2, 2, 0)),
        ("forward", 1, (4, 4, 0)),
        ("reverse", None, (1, 0, 1)),
        ("reverse", 2, (3, 0, 3)),
        ("auto", None, (1, 1, 0)),
    ],
)
def test_the_report_says_how_many_passes_a_jacobian_takes(mode, chunk, passes):
    version = prepare(layer, X, operator="jacobian", mode=mode, chunk=chunk).report.versions[0]
    assert (version.primal_evaluations, version.tangent_sweeps, version.adjoint_sweeps) == passes


def test_auto_takes_rows_where_there_are_fewer():
    version = prepare(lambda x: [np.sum(x), np.prod(x)], X, operator="jacobian").report.versions[0]
    assert (version.tangent_sweeps, version.adjoint_sweeps) == (0, 1)
    version = prepare(lambda x: np.prod(x), X, operator="hessian").report.versions[0]
    assert (version.tangent_sweeps, version.adjoint_sweeps) == (1, 1)


def test_by_itself_a_sweep_carries_as_many_seeds_as_fit_the_cache():
    prepared = prepare(residuals, np.zeros(1000), operator="jacobian")
    version = prepared.report.versions[0]
    assert 1 < version.tangent_sweeps < 20
    x = np.random.default_rng(0).normal(size=1000)
    jacobian = prepared(x)[1]
    expected = np.zeros((1998, 1000))
    rows = np.arange(999)
    expected[rows, rows], expected[rows, rows + 1], expected[rows + 999, rows] = -20.0 * x[:-1], 10.0, -1.0
    np.testing.assert_allclose(jacobian, expected, rtol=1e-14)


def test_memory_is_bounded_by_the_chunk():
    count = 3000
    x = np.linspace(0.1, 1.0, count)
    prepared = prepare(
        lambda x: np.sum(np.tanh(x[1:] * x[:-1])), x, operator="jacobian", mode="forward", compile="numpy"
    )
    tracemalloc.start()
    try:
        jacobian = prepared(x)[1]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * 2**20 < 8 * count**2  # all tangents together take 72 MB
    np.testing.assert_allclose(jacobian, adcli.gradient(lambda x: np.sum(np.tanh(x[1:] * x[:-1])))(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "most_entries", "products"),
    [
        (lambda x: np.sum(np.exp(x) * x - 2.0 * x / 3.0), N, 0),  # entry by entry: vectors alone
        (lambda x: x @ SQUARE @ x, N * N, 1),  # a matrix times unit vectors is the matrix: one product, the function's
    ],
    ids=["elementwise", "quadratic form"],
)
def test_nothing_is_spent_on_the_zeros_of_unit_seeds(function, most_entries, products):
    problem = FlatFunction(function_of(function), {"x": np.ones(N)}, [("x",)])
    made = optimise(jacobian_program(problem.program, problem.leaves, 1, [Seeded(0, N, False)], True)).shaped
    operations = [slot for slot, each in enumerate(made.program.instructions) if each.primitive is not None]
    assert max(made.abstracts[slot].size for slot in operations) <= most_entries
    matrix_products = [
        slot
        for slot in operations
        if made.program.instructions[slot].primitive.name == "matmul" and made.abstracts[slot].size > N
    ]
    assert matrix_products == []
    assert made.program.count()["matmul"] <= 2 * products
