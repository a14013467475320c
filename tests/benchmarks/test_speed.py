"""Times of derivatives beside the function's."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_benchmarks import speed
from adcli_benchmarks.bandwidth import LEAST_BYTES, copy_rate, share_of_copy_rate
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.outcomes import WrongError
from adcli_benchmarks.planning import inputs_of
from adcli_benchmarks.request import BenchRequest
from adcli_methods.methods import method_named
from adcli_methods.prepared import version


def measured(problem: str, method: str, size: int, seconds: float = 0.02):
    return speed.measure(Cell("speed", problem, method, size, settings=(("seconds", seconds),)))


@pytest.mark.parametrize("method", ["manual", "forward-difference", "reverse"])
def test_set_up_first_call_and_steady_state_are_apart(method):
    values = measured("rosenbrock", method, 10)
    for name in ("prepare", "first_call", "run", "primal", "manual"):
        assert values[f"{name}_seconds"] > 0
    assert values["run_low_seconds"] <= values["run_seconds"] <= values["run_high_seconds"]
    assert len(values["run_round_seconds"]) == len(values["primal_round_seconds"]) == values["rounds_count"]
    assert values["time_over_primal"] == values["run_seconds"] / values["primal_seconds"]
    assert values["time_over_manual"] == values["run_seconds"] / values["manual_seconds"]


def test_the_hand_written_derivative_takes_as_long_as_itself():
    assert 0.5 < measured("rosenbrock", "manual", 10_000, seconds=0.2)["time_over_manual"] < 2.0


def test_the_operation_ratio_stands_beside_the_ratio_of_times():
    assert 2 < measured("rosenbrock", "reverse", 100)["operation_ratio"] < 5
    assert "operation_ratio" not in measured("rosenbrock", "manual", 100)


def test_a_wrong_derivative_is_not_timed(monkeypatch):
    reverse = method_named("reverse")
    right = reverse.prepared

    def wrong(self, problem, operator):
        prepared = right(self, problem, operator)

        def run(leaves):
            outputs, blocks = prepared.run(leaves)
            return outputs, [0.0 * block for block in blocks]

        return prepared._replace(run=run)

    monkeypatch.setattr(reverse, "prepared", wrong)
    with pytest.raises(WrongError, match="zero") as caught:
        measured("rosenbrock", "reverse", 10)
    assert "run_seconds" not in caught.value.values


def test_a_users_function_needs_no_hand_written_derivative(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("import numpy as np\ndef loss(x):\n    x[0] = 2.0 * x[0]\n    return np.sum(np.sin(x) * x)\n")
    values = measured(f"{path}:loss", "forward-difference", 5)
    assert values["correct_digits"] >= 5
    assert "manual_seconds" not in values


def test_moving_what_must_be_moved_is_set_beside_a_copy():
    x = np.ones(LEAST_BYTES)
    assert 1e8 < copy_rate(x, lambda: None) < 1e12
    share = share_of_copy_rate([x], [x], 1e-3, lambda: None)
    assert share["moved_bytes"] == 2 * x.nbytes
    assert share["copy_rate_share"] == pytest.approx(2 * x.nbytes / 1e-3 / share["copy_bytes_per_second"])
    assert share_of_copy_rate([1.0], [2.0], 1e-3, lambda: None) == {}


def test_an_array_that_cannot_be_written_to_is_copied_by_numpy():
    class Frozen:
        nbytes = 8 * 10**6

        def __array__(self, dtype=None, copy=None):
            return np.zeros(10**6)

        def clone(self):
            return self

        copy = clone

    assert 1e8 < copy_rate(Frozen(), lambda: None) < 1e12


def test_a_device_is_waited_for_before_and_after_each_copy():
    calls = []

    class Tensor:
        nbytes = 2 * LEAST_BYTES
        is_cuda = True

        def clone(self):
            return self

        def __setitem__(self, place, value):
            calls.append("copy")

    copy_rate(Tensor(), lambda: calls.append("wait"), rounds=2)
    assert calls == ["wait", "copy", "wait"] * 2


def test_methods_of_a_pass_per_input_are_left_out_at_large_sizes_unless_asked_for():
    counts = {(c.problem, c.size): inputs_of(c.problem, c.size) for c in speed.cells(BenchRequest(("speed",)))}
    large = {where for where, count in counts.items() if count > speed.MOST_INPUTS}
    assert {problem for problem, _ in large} >= {"rosenbrock", "gaussian-mixture", "perceptron"}
    usual = {c.method for c in speed.cells(BenchRequest(("speed",))) if (c.problem, c.size) in large}
    assert "reverse" in usual
    assert not usual & speed.PASS_PER_INPUT
    asked = speed.cells(BenchRequest(("speed",), methods=("fd",), problems=("rosenbrock",), sizes=(10_000,)))
    assert [cell.method for cell in asked] == ["forward-difference"]


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_a_jacobian_is_timed_as_a_compiled_program(method, monkeypatch):
    made = []
    right = version.prepare_version
    monkeypatch.setattr(version, "prepare_version", lambda *given, **how: made.append(how) or right(*given, **how))
    assert measured("rosenbrock-residuals", method, 10)["correct_digits"] >= 14
    assert {how["mode"] for how in made} == {method}
