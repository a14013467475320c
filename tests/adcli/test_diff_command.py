"""`adcli diff`, as a user types it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest


def test_it_prints_function_point_value_and_derivative(adcli):
    ran = adcli("diff", "exp(x**2)", "--at", "2", "--mode", "reverse")
    assert ran.code == 0
    for text in ("exp(x**2)", "54.598150033144236", "218.39260013257694", "1 primal evaluation, 1 adjoint sweep"):
        assert text in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("exp(x**2)", "--at", "2"), 218.39260013257694),
        (("log(x1) + x1*x2 - sin(x2)", "--at", "x1=2,x2=5"), {"x1": 5.5, "x2": 2 - math.cos(5)}),
        (("[x*y, sin(x) + y**2]", "--at", "x=1,y=2"), {"x": [2.0, math.cos(1)], "y": [1.0, 4.0]}),
        (("sin(x)*exp(x)", "--at", "1", "--order", "4"), -4 * math.exp(1) * math.sin(1)),
        (("x**2*y", "--at", "x=1,y=2", "--hessian"), {"x": {"x": 4.0, "y": 2.0}, "y": {"x": 2.0, "y": 0.0}}),
        (("x**2*y", "--at", "x=1,y=2", "--jacobian"), {"x": 4.0, "y": 1.0}),
        (("x**2*y", "--at", "x=1,y=2", "--jvp", "1,0"), 4.0),
        (("x**2*y", "--at", "x=1,y=2", "--jvp", "x=1,y=0"), 4.0),
        (("x**2*y", "--at", "x=1,y=2", "--vjp", "1"), {"x": 4.0, "y": 1.0}),
        (("x**2*y", "--at", "x=1,y=2", "--hvp", "1,0"), {"x": 4.0, "y": 2.0}),
        (("x**2*y", "--at", "x=1,y=2", "--wrt", "y"), 1.0),
        (("sum(x**2)", "--at", "1,2,3"), [2.0, 4.0, 6.0]),
        (("sum(x**2*y)", "--at", "x=[1,2,3],y=2", "--wrt", "x"), [4.0, 8.0, 12.0]),
        (("-x**2", "--at", "-1"), 2.0),
        (("sin(x)", "--at", "pi/3"), 0.5),
        (("e*x", "--at", "2"), math.e),
        (("e*x", "--at", "e=1,x=2"), {"e": 2.0, "x": 1.0}),
        (("x**2", "--at", "3", "--mode", "manual", "--derivative", "2*x"), 6.0),
        (("x*y", "--at", "x=3,y=4", "--mode", "manual", "--derivative", "[y, x]"), {"x": 4.0, "y": 3.0}),
    ],
)
def test_json_holds_the_derivative_in_the_form_of_the_inputs(adcli, arguments, expected):
    ran = adcli("diff", *arguments, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    _assert_close(found["derivative"], expected)
    assert set(found) == {
        "schema_version", "value", "derivative", "function", "operator", "order", "method", "wrt", "dtype", "device",
        "primal_evaluations", "tangent_sweeps", "adjoint_sweeps", "prepare_seconds", "run_seconds", "notes",
    }  # fmt: skip


def _assert_close(found, expected):
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            _assert_close(found[key], expected[key])
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_every_documented_json_key_is_there(adcli):
    text = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    for key in json.loads(adcli("diff", "x", "--at", "1", "--json").out):
        assert f"`{key}`" in text


@pytest.mark.parametrize(("mode", "digits"), [("fd", 6), ("cd", 8), ("cs", 14), ("symbolic", 14), ("forward", 14)])
def test_methods_answer_by_their_short_names(adcli, mode, digits):
    ran = adcli("diff", "exp(x**2)", "--at", "2", "--mode", mode, "-q")
    assert float(ran.out) == pytest.approx(218.39260013257694, rel=10.0**-digits)


def test_standard_input_is_the_formula(adcli):
    assert adcli("diff", "-", "--at", "2", "-q", stdin="x**3\n").out == "12.0\n"


def test_quiet_prints_the_bare_numbers(adcli):
    assert adcli("diff", "[x*y, x+y]", "--at", "x=1,y=2", "-q").out == "2.0 1.0\n1.0 1.0\n"
    assert adcli("diff", "x**2*y", "--at", "x=1,y=2", "-q").out == "4.0\n1.0\n"


def test_a_million_inputs_are_summarised(adcli, tmp_path):
    out = tmp_path / "all.npz"
    ran = adcli("diff", "sum(x**2 * sin(x))", "--n", "1e6", "--seed", "0", "--mode", "reverse", "--out", str(out))
    assert ran.code == 0
    assert "shape (1000000,), norm" in ran.out
    assert "..." in ran.out
    x = np.random.default_rng(0).random(10**6)
    with np.load(out) as archive:
        np.testing.assert_allclose(archive["derivative"], 2 * x * np.sin(x) + x**2 * np.cos(x), rtol=1e-13)


def test_nothing_is_left_of_an_out_file_that_cannot_be_written(adcli, tmp_path):
    ran = adcli("diff", "x", "--at", "1", "--out", str(tmp_path / "nowhere" / "a.npz"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("x^2", "--at", "1"), 2, "write ** for powers"),
        (("x+y", "--at", "x=1"), 2, "no value for 'y'; write --at y=..."),
        (("alpa*x", "--at", "alpha=1,x=2"), 2, "did you mean alpha?"),
        (("x", "--at", "x=1,z=2"), 2, "no input 'z'"),
        (("x*y", "--at", "1"), 2, "--at x=...,y=..."),
        (("x",), 2, "no point"),
        (("x", "--at", ""), 2, "nothing between the commas"),
        (("x", "--at", "1,2,"), 2, "nothing between the commas"),
        (("x", "--at", "1_0"), 2, "underscores"),
        (("x", "--at", "__import__('os')"), 2, "not a number"),
        (("x", "--at", "x=1,x=2"), 2, "given twice"),
        (("x", "--at", "point.json"), 2, "no file point.json"),
        (("x", "--at", "1", "--mode", "revers"), 2, "did you mean reverse?"),
        (("x", "--at", "1", "--wrt", "y"), 2, "no input 'y'"),
        (("x", "--at", "1", "--order", "0"), 2, "order 0"),
        (("x", "--at", "1", "--order", "x"), 2, "--order"),
        (("x", "--at", "1", "--odrer", "2"), 2, "--odrer"),
        (("x", "--at", "1", "--jvp", "1,2"), 2, "expected ()"),
        (("x", "--at", "1", "--jvp", "1", "--vjp", "1"), 2, "one operator at a time"),
        (("[x,x]", "--at", "1", "--hessian"), 2, "one scalar output"),
        (("x", "--at", "1", "--mode", "cs", "--order", "2"), 2, "up to order 1"),
        (("x", "--at", "1", "--mode", "cs", "--hessian"), 2, "gives no hessian"),
        (("x", "--at", "1", "--mode", "manual"), 2, "--derivative"),
        (("x", "--at", "1", "--dtype", "float16"), 2, "float32 or float64"),
        (("x", "--n", "1.5"), 2, "--n 1.5"),
        (("x", "--at", "1", "--device", "tpu"), 3, "tpu"),
        (("x", "--at", "1", "--mode", "symbolic", "--device", "cuda"), 3, "cuda"),
        (("nosuch.py:f", "--at", "1"), 2, "no file nosuch.py"),
        (("nosuch.module:f", "--at", "1"), 2, "no module"),
        (("problem:rosenbrok", "--n", "4"), 2, "rosenbrock"),
        (("-", "--at", "1"), 2, "standard input is empty"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_the_way_out(adcli, arguments, code, message):
    ran = adcli("diff", *arguments, stdin="")
    assert ran.code == code
    assert ran.out == ""
    first, *rest = ran.err.splitlines()
    assert first.startswith("adcli: error: ")
    assert message in first
    assert "Traceback" not in ran.err
    assert len(rest) <= 2  # the formula and its caret


def test_a_missing_gpu_is_told_with_exit_code_3(adcli):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    for options in (("--mode", "torch"), ("--mode", "reverse"), ("--mode", "forward"), ("--compile",)):
        ran = adcli("diff", "x", "--at", "1", *options, "--device", "cuda")
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
        assert "--device cpu" in ran.err


def test_a_missing_package_is_told_with_its_install_command(adcli, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ran = adcli("diff", "x", "--at", "1", "--mode", "torch")
    assert ran.code == 3
    assert 'pip install "adcli[torch]"' in ran.err


def test_notes_tell_of_kinks_nans_and_inputs_without_influence(adcli):
    ran = adcli("diff", "abs(x) + log(y) + 0*z", "--at", "x=0,y=-1,z=1", "--json")
    notes = " / ".join(json.loads(ran.out)["notes"])
    assert "abs'(0) = 0" in notes
    assert "NaN first arises in log(-1)" in notes
    ran = adcli("diff", "x + where(y > 0, 1, 2)", "--at", "x=0,y=1", "--json")
    assert "does not depend on z" not in ran.out
    assert json.loads(ran.out)["derivative"] == {"x": 1.0, "y": 0.0}


def test_nan_and_inf_are_strings_in_json(adcli):
    assert json.loads(adcli("diff", "sqrt(x)", "--at", "0", "--json").out)["derivative"] == "inf"
    assert json.loads(adcli("diff", "log(x)", "--at", "-1", "--json").out)["derivative"] == "nan"


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_tables_fit_the_terminal(adcli, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = adcli("diff", "log(x1) + x1*x2 - sin(x2)", "--at", "x1=2,x2=5")
    assert ran.code == 0
    if columns >= 80:
        assert max(len(line) for line in ran.out.splitlines()) <= columns


def test_words_are_wrapped_to_the_terminal_and_numbers_are_not(adcli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    lines = adcli(
        "diff", "abs(x) + log(y)", "--at", "x=0,y=[-1,-0.3333333333333333]", "--mode", "reverse"
    ).out.splitlines()
    assert "at y      [-1.0, -0.3333333333333333]" in lines
    start = next(place for place, line in enumerate(lines) if line.startswith("method"))
    assert max(map(len, lines[start:])) <= 30
    assert "notes     NaN first arises in" in lines
    assert all(line.startswith(" " * 10) for line in lines[lines.index("notes     NaN first arises in") + 1 :])


def test_there_are_no_colours_in_a_pipe(adcli):
    assert "\x1b" not in adcli("diff", "x**2", "--at", "2").out


@pytest.mark.parametrize("point", ["x=[[1,2],[3]]", "x=[1,[2,3]]", "x=[[1],[2,3],[4]]"])
def test_lists_of_unlike_lengths_are_no_point(adcli, point):
    ran = adcli("diff", "sum(x**2)", "--at", point)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "its lists are of unlike lengths" in ran.err
