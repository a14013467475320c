"""Arrays read in parts: their adjoints are put together once."""

from __future__ import annotations

import tracemalloc

import numpy as np

import adcli
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.rewriting import gradient_program

COUNT = 3000


def product(x):
    result = 1.0
    for i in range(len(x)):
        result = result * x[i]
    return result


def test_reading_every_entry_costs_memory_in_proportion_to_the_entries():
    x = np.linspace(0.9, 1.1, COUNT)
    tracemalloc.start()
    gradient = adcli.gradient(product)(x)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(gradient, np.prod(x) / x, rtol=1e-12)
    assert peak_bytes < 4000 * COUNT  # an array for each read would be 8 * COUNT**2 = 24 kB for each


def test_a_derived_program_adds_all_pieces_in_one_operation():
    flat = FlatFunction(function_of(product), {"x": np.linspace(0.9, 1.1, 5)}, [("x",)])
    counts = gradient_program(flat.program, flat.leaves).count()
    assert counts["scatter_sum"] == 1
    assert counts["scatter_add"] == 0


def test_pieces_and_whole_arrays_add_up():
    x = np.array([1.0, 2.0, 3.0])
    found = adcli.gradient(lambda x: np.sum(x**2) + x[0] * x[2] + np.sum(x[1:] * 5.0) + x[-1])(x)
    assert found.tolist() == [2.0 + 3.0, 4.0 + 5.0, 6.0 + 1.0 + 5.0 + 1.0]


def test_second_derivatives_pass_through_the_pieces():
    hessian = adcli.hessian(lambda x: x[0] * x[1] * x[2] + np.sum(x[:2] ** 3))(np.array([1.0, 2.0, 3.0]))
    assert hessian.tolist() == [[6.0, 3.0, 2.0], [3.0, 12.0, 1.0], [2.0, 1.0, 0.0]]
