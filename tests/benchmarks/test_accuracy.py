"""Errors against 50-digit references."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks import accuracy
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.expected import by_differences, by_hand, spread
from adcli_benchmarks.outcomes import RefusedError, WrongError
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.subject import subject_of
from adcli_methods import sweeps
from adcli_methods.errors import OperatorError


def measured(problem: str, method: str, size: int | None = None, dtype: str = "float64", **settings):
    return accuracy.measure(Cell("accuracy", problem, method, size, dtype, settings=tuple(settings.items())))


@pytest.mark.parametrize(
    ("method", "least_digits", "most_digits"),
    [("manual", 15, 16), ("reverse", 15, 16), ("forward", 15, 16), ("complex-step", 15, 16), ("symbolic", 15, 16),
     ("central-difference", 9, 12), ("forward-difference", 6, 9)],
)  # fmt: skip
def test_each_method_has_the_digits_that_its_theory_gives(method, least_digits, most_digits):
    assert least_digits <= measured("log-product", method)["correct_digits"] <= most_digits


def test_a_curve_is_a_v_for_differences_and_flat_for_the_complex_step():
    curves = {name: measured("exp-square", name, step="curve")["curve_errors"] for name in accuracy.STEPPED}
    steps = list(accuracy.STEPS)
    for name, best in (("forward-difference", 1e-8), ("central-difference", 1e-5)):
        least = int(np.argmin(curves[name]))
        assert best / 30 < steps[least] < best * 30
        assert curves[name][0] > 1e3 * curves[name][least] < curves[name][-1]
    assert max(curves["complex-step"][16:]) < 1e-14


def test_single_precision_is_judged_in_its_own_ulp():
    values = measured("rosenbrock", "reverse", 10, "float32")
    assert values["correct_digits"] >= 5
    assert values["worst_ulp"] < 1e3


@pytest.mark.parametrize("order", [2, 5, 8])
def test_higher_orders_keep_their_digits_by_forward_mode(order):
    assert measured("exp-square", "forward", order=order)["correct_digits"] >= 14


def test_a_method_says_that_it_does_not_go_so_far():
    with pytest.raises(OperatorError, match="order 4"):
        measured("exp-square", "forward-difference", order=8)
    with pytest.raises(OperatorError, match="has no step"):
        measured("exp-square", "reverse", step="curve")
    with pytest.raises(OperatorError, match="one number"):
        measured("rosenbrock", "forward", 10, order=2)


def test_a_wrong_gradient_is_no_row_of_the_ranking_but_keeps_its_error(monkeypatch):
    right = sweeps.pull
    monkeypatch.setattr(sweeps, "pull", lambda *given: [-part for part in right(*given)])
    with pytest.raises(WrongError) as caught:
        measured("rosenbrock", "reverse", 10)
    assert caught.value.values["norm_relative_error"] == pytest.approx(2.0)


def test_where_50_digits_would_take_too_long_the_hand_written_derivative_is_the_reference():
    values = measured("trigonometric-sum", "reverse", 100_000)
    assert values["reference"] == "hand-written derivative"
    assert values["correct_digits"] >= 15
    assert measured("trigonometric-sum", "manual", 100_000)["reference"] == "complex-step"


def test_a_users_function_has_a_reference_without_a_hand_written_derivative(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("import numpy as np\ndef loss(x):\n    return np.sum(np.sin(x) * x)\ndef flat(x):\n"
                    "    return np.sum(x - x)\n")  # fmt: skip
    assert measured(f"{path}:loss", "reverse", 5)["correct_digits"] >= 15
    with pytest.raises(RefusedError, match="zero"):
        measured(f"{path}:flat", "reverse", 5)


def test_the_two_references_agree_and_are_spread_over_the_inputs():
    subject = subject_of(Cell("accuracy", "helmholtz", "reverse", 50))
    columns = spread(50, 4)
    assert columns == (0, 16, 33, 49)
    np.testing.assert_allclose(
        by_differences(subject, columns).matrix, by_hand(subject).matrix[:, list(columns)], rtol=1e-12
    )


def test_cells_are_the_same_for_the_same_request_and_different_from_each_other():
    for request in (BenchRequest(("accuracy",)), BenchRequest(("accuracy",), is_tour=True)):
        keys = [cell.key for cell in accuracy.cells(request)]
        assert keys == [cell.key for cell in accuracy.cells(request)]
        assert len(set(keys)) == len(keys)
