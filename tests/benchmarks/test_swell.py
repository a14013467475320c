"""Operations of derivatives, as formulas and as Programs."""

from __future__ import annotations

import time

import numpy as np
import pytest

from adcli_benchmarks import swell
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.operations import operations
from adcli_benchmarks.outcomes import WrongError
from adcli_benchmarks.request import BenchRequest
from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.methods import method_named
from adcli_methods.shapes import shaped

LOGISTIC = {2: (3, 2, 2), 3: (8, 21, 12), 4: (18, 82, 27), 5: (38, 264, 45), 6: (78, 768, 67), 7: (158, 2096, 93)}
"""SymPy's counts of the map's n-th iterate (n = 1 is x itself): function, raw derivative, after CSE."""
SHORT = 0.05
"""Seconds that `simplify` has here."""


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# an alarm that falls into a callback of the garbage collector is swallowed there; another follows


def measured(problem: str, method: str, size: int, **settings):
    given = tuple({"simplify_seconds": SHORT, **settings}.items())
    return swell.measure(Cell("swell", problem, method, size, settings=given))


@pytest.mark.parametrize("n", LOGISTIC)
def test_raw_counts_of_the_logistic_map_are_those_of_the_literature(n):
    values = measured("logistic-map", "symbolic", n - 1)
    found = values["function_operations"], values["derivative_operations"], values["cse_operations"]
    assert found == LOGISTIC[n]


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_programs_grow_with_the_function_and_no_faster(method):
    ratios = [measured("logistic-map", method, size)["operation_ratio"] for size in (1, 4, 12)]
    assert ratios[0] == ratios[1] == ratios[2] < 5


def test_a_gradient_in_reverse_costs_a_small_multiple_of_the_function():
    values = measured("helmholtz", "reverse", 8)
    assert values["derivative_operations"] < 5 * values["function_operations"]
    assert values["optimised_operations"] <= values["derivative_operations"]
    assert values["sweeps_for_all_inputs"] == 1
    assert measured("helmholtz", "forward", 8)["sweeps_for_all_inputs"] == 8


@pytest.mark.parametrize("method", ["symbolic", "forward", "reverse"])
def test_every_order_is_counted_and_checked(method):
    counts = [measured("nested-composition", method, 1, order=k)["derivative_operations"] for k in (1, 2, 4)]
    assert counts[0] < counts[1] < counts[2]


def test_simplify_has_a_part_of_the_time_that_a_cell_has():
    def limits(seconds):
        request = BenchRequest(("swell",), timeout_seconds=seconds)
        return {cell.setting("simplify_seconds") for cell in swell.cells(request) if cell.method == "symbolic"}

    assert limits(60.0) == limits(600.0) == {20.0}
    assert limits(15.0) == {5.0}


def test_simplify_is_stopped_and_says_so():
    start = time.perf_counter()
    values = measured("logistic-map", "symbolic", 6)
    assert values["simplify_outcome"] == "stopped after 0.05 s"
    assert "simplified_operations" not in values
    assert time.perf_counter() - start < 10
    assert measured("exp-square", "symbolic", 1, simplify_seconds=20.0)["simplify_outcome"] == "done"


@pytest.mark.filterwarnings("ignore")  # a compiler's own
@pytest.mark.parametrize("method", swell.COMPILERS)
def test_a_compiler_tells_how_long_it_took(method):
    if method_named(method).missing():
        pytest.skip(f"{method} is not here")
    values = measured("logistic-map", method, 2)
    assert values["derive_seconds"] > 0.0
    assert values["function_operations"] == measured("logistic-map", "reverse", 2)["function_operations"]
    assert "derivative_operations" not in values


def test_compilers_are_planned_for_one_problem(monkeypatch):
    monkeypatch.setattr("adcli_methods.method.Method.missing", classmethod(lambda method: None))
    asked = [
        BenchRequest(("swell",)),
        BenchRequest(("swell",), methods=("jax-jit",), sizes=(3,)),
        BenchRequest(("swell",), problems=("helmholtz",)),
    ]
    cells = [[cell for cell in swell.cells(each) if cell.method in swell.COMPILERS] for each in asked]
    found = [[(cell.problem, cell.method, cell.size) for cell in those] for those in cells]
    assert found[0] == [("logistic-map", name, size) for size in (1, 2, 4, 8) for name in swell.COMPILERS]
    assert found[1:] == [[("logistic-map", "jax-jit", 3)], []]


def test_methods_that_write_nothing_down_are_refused():
    with pytest.raises(OperatorError, match="symbolic, forward, reverse"):
        measured("exp-square", "torch", 1)
    with pytest.raises(OperatorError, match="one number"):
        measured("rosenbrock", "forward", 2, order=2)


def test_a_wrong_program_is_not_counted(monkeypatch):
    right = swell.gradient_program
    monkeypatch.setattr(swell, "gradient_program", lambda program, leaves: _swapped(right(program, leaves)))
    with pytest.raises(WrongError):
        measured("log-product", "reverse", 1)


def _swapped(program):
    outputs = (program.outputs[0], *reversed(program.outputs[1:]))
    return type(program)(program.instructions, program.inputs, program.constants, outputs, program.guards)


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda x: np.sum(x * x), 6 + 5),
        (lambda x: x[1:] - x[:-1], 5),
        (lambda x: np.concatenate([x, x]), 0),
        (lambda x: np.eye(6) @ x, 6 * 11),
        (lambda x: np.einsum("i,j->ij", x, x), 6 * 6 * 2),
        (lambda x: np.where(x > 0, x, 0.0), 0),
        (lambda x: (np.sin(x), np.sin(x) + 1.0)[0], 6),
    ],
)
def test_operations_count_the_numbers_that_arithmetic_gives(function, count):
    flat = FlatFunction(function_of(function), {"x": np.linspace(0.1, 0.9, 6)}, [("x",)])
    assert operations(shaped(flat.program, flat.leaves)) == count
