"""`adcli compare` and `adcli methods`."""

from __future__ import annotations

import json
import re

import pytest

import adcli as library
from adcli_methods.methods import METHODS, PEERS


def test_compare_shows_every_method_with_its_error(adcli):
    ran = adcli("compare", "exp(x**2)", "--at", "2", "--derivative", "2*x*exp(x**2)")
    assert ran.code == 0, ran.err
    assert "218.39260013257695631244104481144351361116294815446" in ran.out
    for name in METHODS:
        assert name in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80


def test_compare_measures_errors_against_the_reference(adcli):
    rows = json.loads(adcli("compare", "exp(x**2)", "--at", "2", "--json").out)["rows"]
    outcome = {row["method"]: row for row in rows}
    assert outcome["manual"]["outcome"] == "unsupported"
    for name in ("complex-step", "symbolic", "forward", "reverse", "torch"):
        assert outcome[name]["ulp_error"] <= 4
    assert 1e-12 < outcome["central-difference"]["relative_error"] < 1e-7
    assert 1e-10 < outcome["forward-difference"]["relative_error"] < 1e-5


def test_a_wrong_hand_derivative_shows_a_large_error(adcli):
    rows = json.loads(adcli("compare", "x**3", "--at", "2", "--derivative", "2*x**2", "--json").out)["rows"]
    (manual,) = [row for row in rows if row["method"] == "manual"]
    assert manual["relative_error"] == pytest.approx(1 / 3)


def test_compare_of_many_inputs_samples_the_reference(adcli):
    found = json.loads(adcli("compare", "sum(sin(x))", "--n", "100", "--json").out)
    assert found["entries"] == 100
    assert found["entries_compared"] == 40
    assert len(found["reference"]) == 40


def test_methods_lists_what_is_here_and_what_is_not(adcli, monkeypatch):
    ran = adcli("methods")
    for name in (*METHODS, *PEERS):
        assert name in ran.out
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ran = adcli("methods")
    assert 'torch is not installed: pip install "adcli[torch]"' in ran.out
    listed = json.loads(adcli("methods", "--json").out)
    assert [method["name"] for method in listed if not method["available"]] == ["symbolic", "torch", *PEERS]


def test_compare_of_several_inputs_shows_errors_alone(adcli):
    ran = adcli("compare", "x*y + sin(x)", "--at", "x=1,y=2")
    assert ran.code == 0
    assert "errors over all 2 entries" in ran.out


def test_single_precision_is_measured_in_its_own_ulp_and_no_method_underflows(adcli):
    rows = json.loads(adcli("compare", "exp(x**2)", "--at", "2", "--dtype", "float32", "--json").out)["rows"]
    for row in rows:
        if row["method"] in ("complex-step", "symbolic", "forward", "reverse", "torch"):
            assert row["ulp_error"] <= 2
            assert row["result"]["dtype"] == "float32"


@pytest.mark.parametrize(
    ("body", "at", "code", "told"),
    [
        ("return undefined_name*x", "2", 2, "model2.py:4: NameError: name 'undefined_name' is not defined (in f)"),
        ("return [1][x.size]", "1,2", 2, "model2.py:4: IndexError: list index out of range (in f)"),
        ("return None", "2", 2, "f returned None: it must return a number, an array, or a tuple or list of them"),
    ],
)
@pytest.mark.parametrize("command", ["compare", "diff"])
def test_a_function_that_fails_at_the_point_is_told_in_one_line(adcli, model, command, body, at, code, told):
    (model.parent / "model2.py").write_text(f"import math\n\ndef f(x):\n    {body}\n")
    ran = adcli(command, "model2.py:f", "--at", at)
    assert (ran.code, ran.out) == (code, "")
    assert re.sub(r"\S*/", "", ran.err) == f"adcli: error: {told}\n"


def test_an_error_of_a_library_call_is_the_functions_own():
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        library.compare(fails, at=2.0)


def test_a_method_that_fails_with_an_error_is_told_from_one_that_cannot(adcli, model):
    (model.parent / "model2.py").write_text("import math\n\ndef f(x):\n    return math.sqrt(x) + 1\n")
    ran = adcli("compare", "model2.py:f", "--at", "0.0", "--json")
    outcome = {row["method"]: row for row in json.loads(ran.out)["rows"]}
    assert outcome["central-difference"]["outcome"] == "failed"
    assert outcome["central-difference"]["reason"].endswith("ValueError: math domain error (in f)")
    assert [outcome[name]["outcome"] for name in ("manual", "forward")] == ["unsupported", "ok"]
    assert ran.code == 4


def test_without_any_result_the_comparison_fails(adcli, model):
    ran = adcli("compare", "model.py:floats", "--at", "2", "--order", "7")
    assert "recommended" not in ran.out
    assert ran.code == 4


def test_a_device_that_is_not_here_is_told_once(adcli, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ran = adcli("compare", "x**2", "--at", "2", "--device", "cuda")
    assert (ran.code, len(ran.err.splitlines())) == (3, 1)


TIME = r"[\d.]+ [nµm]s"


@pytest.mark.parametrize(
    ("columns", "titles", "row"),
    [
        (
            100,
            "method derivative abs. error error ulp evals sweeps time",
            rf"218.39261484146118 1.5e-5 6.7e-8 5.2e8 2 0 {TIME}",
        ),
        (80, "method derivative error ulp evals sweeps time", rf"218.39261484146118 6.7e-8 5.2e8 2 0 {TIME}"),
        (60, "method derivative error time", rf"218.39261484146118 6.7e-8 {TIME}"),
        (40, "method error time", rf"6.7e-8 {TIME}"),
        (30, "method error", "6.7e-8"),
    ],
)
def test_a_narrow_terminal_leaves_out_columns_and_cuts_no_number(adcli, monkeypatch, columns, titles, row):
    monkeypatch.setenv("COLUMNS", str(columns))
    formula, reference, *lines = adcli("compare", "exp(x**2)", "--at", "2").out.splitlines()
    assert reference == "reference 218.39260013257695631244104481144351361116294815446"
    assert " ".join(lines[0].split()) == titles
    (shown,) = [line for line in lines if line.startswith("forward-difference ")]
    assert re.fullmatch(f"forward-difference {row}", " ".join(shown.split()))
    assert max(map(len, [formula, *lines])) <= columns
