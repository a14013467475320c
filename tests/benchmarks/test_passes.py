"""Evaluations and sweeps, counted as they run."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks import passes
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.some_passes import Counts, measured
from adcli_benchmarks.subject import subject_of
from adcli_methods.errors import OperatorError
from adcli_methods.methods import method_named

COUNTS = {
    "forward-difference": lambda n: (n + 1, 0, 0),
    "central-difference": lambda n: (2 * n, 0, 0),
    "complex-step": lambda n: (n, 0, 0),
    "forward": lambda n: (1, n, 0),
    "reverse": lambda n: (1, 0, 1),
    "manual": lambda n: (1, 0, 0),
}


def cell_of(method: str, size: int, **settings):
    return Cell("passes", "trigonometric-sum", method, size, settings=tuple(settings.items()))


def counts_of(values):
    return values["primal_evaluations"], values["tangent_sweeps"], values["adjoint_sweeps"]


@pytest.mark.parametrize("method", COUNTS)
@pytest.mark.parametrize("size", [1, 2, 37])
def test_the_whole_derivative_is_counted_where_it_is_affordable(method, size):
    values = passes.measure(cell_of(method, size, budget_seconds=0.1))
    assert counts_of(values) == COUNTS[method](size)
    assert not values["is_projection"]
    assert values["measured_passes"] == values["all_passes"]


@pytest.mark.parametrize("method", ["forward-difference", "central-difference", "forward", "reverse"])
def test_a_million_inputs_are_measured_in_some_passes_and_projected_to_all(method):
    values = passes.measure(cell_of(method, 10**6, budget_seconds=0.0))
    assert counts_of(values) == COUNTS[method](10**6)
    assert values["is_projection"] == (method != "reverse")
    assert values["all_passes"] == (1 if method == "reverse" else 10**6)
    assert values["measured_passes"] == 1
    assert values["peak_bytes"] > 8 * 10**6
    assert values["norm_relative_error"] < (0.1 if "difference" in method else 1e-14)


@pytest.mark.parametrize("method", ["forward-difference", "forward", "complex-step", "symbolic"])
def test_a_projection_is_what_all_passes_would_have_counted(method):
    subject = subject_of(cell_of(method, 50))
    some, every = (measured(method_named(method), subject, budget, columns=(0, 10, 20, 30)) for budget in (0.0, 10.0))
    assert some.counts == every.counts
    assert some.is_projection
    assert not every.is_projection
    np.testing.assert_allclose(some.found, every.found[:, list(some.columns)], rtol=1e-14)


def test_passes_that_differ_are_not_projected():
    class Uneven(method_named("forward-difference")):
        def linearize(self, function, leaves, order):
            linear = super().linearize(function, leaves, order)
            return linear._replace(push=lambda tangents: self._twice(linear, function, leaves, tangents))

        def _twice(self, linear, function, leaves, tangents):
            if tangents[0][0] == 0:
                function(leaves)
            return linear.push(tangents)

    with pytest.raises(ArithmeticError, match="differ"):
        measured(Uneven, subject_of(cell_of("forward-difference", 50)), 1e-3, columns=range(20))


def test_counts_add_up():
    assert Counts(1, 2, 3).plus(Counts(1, 0, 1), 10) == Counts(11, 2, 13)
    assert Counts(11, 2, 13).minus(Counts(1, 2, 3)) == Counts(10, 0, 10)


def test_symbols_for_a_million_inputs_are_refused_at_once():
    with pytest.raises(OperatorError, match="measured up to 1,000 inputs"):
        passes.measure(cell_of("symbolic", 10**6))


def test_one_size_asks_for_every_method_at_that_size():
    cells = passes.cells(BenchRequest(("passes",), sizes=(10**6,)))
    assert {cell.size for cell in cells} == {10**6}
    assert {"reverse", "forward", "forward-difference", "central-difference", "torch"} <= {c.method for c in cells}
    on_gpu = passes.cells(BenchRequest(("passes",), sizes=(10**6,), device="cuda"))
    assert {cell.method for cell in on_gpu} == {"forward", "reverse", "torch"}
