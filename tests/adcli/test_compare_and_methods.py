"""`adcli compare` and `adcli methods`."""

from __future__ import annotations

import json

import pytest

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
