"""What a request plans."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.measures import MEASURES, planned
from adcli_benchmarks.planning import Usual, methods_of, problems_of, sizes_of
from adcli_benchmarks.problems import problem_named
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.subject import matrix, subject_of
from adcli_methods.errors import FunctionError, OperatorError, PointError

TOUR = BenchRequest(("accuracy", "swell", "memory", "passes", "speed"), is_tour=True, timeout_seconds=20.0)


def test_the_tour_shows_every_measure_in_few_cells():
    counts = Counter(cell.measure for cell in planned(TOUR))
    assert list(counts) == list(TOUR.measures)
    assert sum(counts.values()) <= 100
    slow = [cell for cell in planned(TOUR) if cell.method.startswith(("torch", "jax"))]
    assert len(slow) <= 15  # each starts for seconds


OF_PROBLEMS = [name for name in MEASURES if name != "imports"]
"""The measures of problems by methods."""


@pytest.mark.parametrize("measure", OF_PROBLEMS)
def test_the_same_request_plans_the_same_cells_each_once(measure):
    for request in (BenchRequest((measure,)), BenchRequest((measure,), dtypes=("float32", "float64"), seed=3)):
        cells = planned(request)
        assert cells == planned(request)
        assert len({cell.key for cell in cells}) == len(cells)
        assert {cell.dtype for cell in cells} == set(request.dtypes)
        assert {cell.seed for cell in cells} == {request.seed}


@pytest.mark.parametrize("measure", OF_PROBLEMS)
def test_a_users_function_is_measured_at_the_sizes_asked_for(measure):
    request = BenchRequest((measure,), problems=("model.py:loss",), methods=("rev", "forward"), sizes=(10, 100))
    cells = [cell for cell in planned(request) if not cell.setting("step")]
    assert {(c.problem, c.size, c.method) for c in cells} == {
        ("model.py:loss", size, method) for size in (10, 100) for method in ("reverse", "forward")
    }


def test_names_are_known_by_their_short_forms_and_unknown_ones_are_told():
    request = BenchRequest(("speed",), problems=("problem:Rosenbrock",), methods=("fd", "forward-difference"))
    assert problems_of(request, ()) == ("rosenbrock",)
    assert methods_of(request, ()) == ("forward-difference",)
    with pytest.raises(FunctionError, match="did you mean rosenbrock"):
        problems_of(BenchRequest(("speed",), problems=("rosenbrok",)), ())
    with pytest.raises(OperatorError, match="did you mean reverse"):
        methods_of(BenchRequest(("speed",), methods=("revers",)), ())


def test_sizes_are_those_that_a_problem_has():
    asked = BenchRequest(("speed",), sizes=(1, 50))
    assert sizes_of(asked, "rosenbrock") == (50,)
    assert sizes_of(asked, "exp-square") == (1,)
    assert sizes_of(BenchRequest(("speed",), sizes=(1,)), "rosenbrock") == (2,)
    with pytest.raises(PointError, match="rosenbrock has size 2 or more, not 1"):
        sizes_of(BenchRequest(("speed",), problems=("rosenbrock",), sizes=(1,)), "rosenbrock")
    assert sizes_of(BenchRequest(("speed",)), "rosenbrock", Usual(100, 2)) == (10, 100)
    assert sizes_of(BenchRequest(("speed",)), "rosenbrock", Usual(1, 1)) == (2,)
    assert sizes_of(BenchRequest(("speed",)), "exp-square") == (1,)


@pytest.mark.parametrize("measure", ["accuracy", "speed"])
def test_all_problems_are_measured_at_fewer_sizes_than_one_asked_for_by_name(measure):
    alone = [BenchRequest((measure,), problems=(name,), methods=("reverse",)) for name in ("lstm", "gaussian-mixture")]
    for request in alone:
        every = planned(replace(request, problems=None))
        of_all = {cell.size for cell in every if cell.problem in request.problems}
        assert of_all < {cell.size for cell in planned(request)}


@pytest.mark.parametrize("measure", ["accuracy", "memory", "passes", "speed"])
def test_a_users_function_has_no_hand_written_derivative_to_measure(measure):
    request = BenchRequest((measure,), problems=("model.py:loss", "rosenbrock"), sizes=(10,))
    by_hand = [cell.problem for cell in planned(request) if cell.method == "manual"]
    assert by_hand == ["rosenbrock"]
    asked = planned(replace(request, methods=("manual",), problems=("model.py:loss",)))
    assert {cell.method for cell in asked} == {"manual"}


@pytest.mark.parametrize("measure", OF_PROBLEMS)
def test_every_planned_cell_has_a_size_that_its_problem_has(measure):
    for sizes in (None, (1,), (2, 10)):
        for cell in planned(BenchRequest((measure,), sizes=sizes)):
            problem_named(cell.problem).require(cell.size)


def test_a_users_function_gets_the_numbers_that_diff_gives_it(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("def loss(x, scale=2.0):\n    return scale * (x * x).sum()\n")
    subject = subject_of(Cell("speed", f"{path}:loss", "reverse", 4, seed=7))
    np.testing.assert_array_equal(subject.point["x"], np.random.default_rng(7).random(4))
    assert (subject.inputs, subject.outputs, subject.operator) == (4, 1, "gradient")
    with pytest.raises(PointError, match="--sizes"):
        subject_of(Cell("speed", f"{path}:loss", "reverse"))


def test_single_precision_is_measured_at_numbers_that_it_holds():
    point = subject_of(Cell("speed", "rosenbrock", "reverse", 10, "float32")).point["x"]
    np.testing.assert_array_equal(point, point.astype(np.float32))
    assert point.dtype == np.float64


def test_blocks_of_several_outputs_and_inputs_are_one_matrix():
    blocks = [np.full((2, 3), 1.0), np.full(2, 2.0), np.full(3, 3.0), 4.0]
    found = matrix(blocks, [np.zeros(3), 0.0])
    np.testing.assert_array_equal(found, [[1, 1, 1, 2], [1, 1, 1, 2], [3, 3, 3, 4]])
