"""`adcli diff file.py:name`: a user's file."""

from __future__ import annotations

import json

import numpy as np
import pytest


def test_a_function_of_a_file_at_a_json_point(adcli, model, tmp_path):
    (tmp_path / "point.json").write_text('{"weights": [1.0, 2.0], "bias": 0.5}')
    ran = adcli("diff", "model.py:loss", "--at", "point.json", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["derivative"] == {"weights": [42.0, 78.0], "bias": 40.0}


def test_wrt_gives_the_bare_derivative_by_one_input(adcli, model, tmp_path):
    (tmp_path / "point.json").write_text('{"weights": [1.0, 2.0], "bias": 0.5}')
    ran = adcli("diff", "model.py:loss", "--at", "point.json", "--wrt", "weights", "--mode", "torch", "--json")
    assert json.loads(ran.out)["derivative"] == [42.0, 78.0]


def test_points_come_from_npz_and_csv_too(adcli, model, tmp_path):
    np.savez(tmp_path / "point.npz", weights=np.array([1.0, 2.0]), bias=0.5)
    (tmp_path / "row.csv").write_text("weights,bias\n1.0,0.5\n")
    (tmp_path / "columns.csv").write_text("weights,bias\n1.0,0.5\n2.0,0.5\n")
    derivative = json.loads(adcli("diff", "model.py:loss", "--at", "point.npz", "--json").out)["derivative"]
    assert derivative == {"weights": [42.0, 78.0], "bias": 40.0}
    derivative = json.loads(adcli("diff", "model.py:loss", "--at", "row.csv", "--json").out)["derivative"]
    assert derivative == {"weights": 42.0, "bias": 14.0}
    derivative = json.loads(adcli("diff", "model.py:loss", "--at", "columns.csv", "--json").out)["derivative"]
    assert derivative == {"weights": [42.0, 78.0], "bias": [14.0, 26.0]}


def test_the_hand_derivative_of_a_file_is_a_method(adcli, model, tmp_path):
    (tmp_path / "point.json").write_text('{"weights": [1.0, 2.0], "bias": 0.5}')
    ran = adcli("diff", "model.py:loss", "--at", "point.json", "--mode", "manual", "--derivative",
                "model.py:loss_grad", "--json")  # fmt: skip
    assert json.loads(ran.out)["derivative"] == {"weights": [42.0, 78.0], "bias": 40.0}


def test_sibling_modules_and_math_work_and_prints_go_to_stderr(adcli, model):
    ran = adcli("diff", "model.py:decay", "--at", "1", "-q")
    assert float(ran.out) == pytest.approx(np.exp(-1) * (np.cos(1) - np.sin(1)), rel=1e-14)
    assert "hello from the user's code" in ran.err


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("floats", ("model.py:23", "float()", "leave float() out")),
        ("broken", ("model.py:17", "eigvals")),
        ("raises", ("model.py:20", "IndexError")),
        ("endless", ("model.py:26", "RecursionError")),
        ("los", ("did you mean loss?",)),
        ("np", ("not a function",)),
    ],
)
def test_what_fails_in_a_file_names_the_line_and_the_reason(adcli, model, name, parts):
    ran = adcli("diff", f"model.py:{name}", "--at", "1")
    assert ran.code == 2
    for part in parts:
        assert part in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(x) return x", "SyntaxError"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("import nosuchmodule", "nosuchmodule"),
        ("1/0", "ZeroDivisionError"),
        ("def f():\n    return 1.0\n", "takes no inputs"),
        ("def f(x):\n    return None\n", "returned None"),
        ("def f(x):\n    return 'a'\n", "returned a str"),
        ("def f(x):\n    return x + 1j\n", ""),
        ("class f:\n    pass\n", "is a class"),
    ],
)
def test_a_file_that_cannot_serve_is_told_in_one_line(adcli, tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad_file.py").write_text(source)
    ran = adcli("diff", "bad_file.py:f", "--at", "1")
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_point_of_a_problem_is_its_own_unless_given(adcli):
    ran = adcli("diff", "problem:rosenbrock", "--n", "5", "--mode", "manual", "--json")
    by_hand = json.loads(ran.out)["derivative"]
    ran = adcli("diff", "problem:rosenbrock", "--n", "5", "--mode", "reverse", "--json")
    np.testing.assert_allclose(json.loads(ran.out)["derivative"], by_hand, rtol=1e-12)


def test_keyword_only_inputs_trees_and_objects_are_inputs_too(adcli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "forms.py").write_text(
        """import numpy as np

def only(a, b=2.0, *, c=3.0):
    return a * b * c

def parts(x):
    return {"sum": np.sum(x), "all": x * 2}

class Net:
    def __init__(self):
        self.w = np.array([1.0, 2.0])

    def loss(self, x):
        return np.sum((self.w * x) ** 2)

net = Net()

def singular(x):
    return np.linalg.svd(np.array([[x, 1.0], [2.0, x * x]]))[1][0]
"""
    )
    assert adcli("diff", "forms.py:only", "--at", "a=2", "-q").out == "6.0\n"
    assert json.loads(adcli("diff", "forms.py:only", "--at", "a=2,c=5", "--json").out)["derivative"] == {
        "a": 10,
        "c": 4,
    }
    assert adcli("diff", "forms.py:only", "--at", "a=2", "--wrt", "c", "-q").out == "4.0\n"
    assert "d(all)/dx" in adcli("diff", "forms.py:parts", "--at", "1,2").out
    assert adcli("diff", "forms.py:net.loss", "--at", "1,2", "-q").out == "2.0 16.0\n"
    by_differences = adcli("diff", "forms.py:singular", "--at", "1.5", "--mode", "cd")
    assert by_differences.code == 0
    assert "not traced" in by_differences.out
    compared = adcli("compare", "forms.py:singular", "--at", "1.5")
    assert "no reference" in compared.out
    assert "complex-step, symbolic, forward, reverse, torch:" in compared.out
