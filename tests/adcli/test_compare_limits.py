"""A comparison goes on when a method, the reference or the advice takes too long."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from adcli import advice, comparison
from adcli_methods.differentiate import Request
from adcli_methods.finite_difference import CentralDifference, ForwardDifference
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of
from adcli_methods.reverse import Reverse

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer")


def slow(x):
    time.sleep(0.05)
    return np.sum(x**2)


def test_a_method_that_takes_too_long_has_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr(comparison, "installed_methods", lambda: [ForwardDifference, CentralDifference, Reverse])
    found = comparison.compare_methods(function_of(slow), np.ones(60), Request(), timeout_seconds=1.5)
    rows = {row.method: row for row in found.rows}
    assert rows["reverse"].outcome == "ok"
    for name in ("forward-difference", "central-difference"):
        assert rows[name].outcome == "timeout"
        assert rows[name].reason == "no result after 1.5 s (--timeout)"
    assert found.reference
    assert found.advice is not None


def test_what_takes_too_long_to_prepare_is_left_out_of_the_advice(monkeypatch):
    monkeypatch.setattr(advice, "prepare", lambda *_, **__: time.sleep(20.0))
    monkeypatch.setattr(comparison, "installed_methods", lambda: [Reverse])
    found = comparison.compare_methods(formula_function("x**2", 1.0), 1.0, Request(), timeout_seconds=0.5)
    assert (found.advice.method, found.advice.reuse) == ("reverse", None)


def test_a_short_method_shows_the_time_of_its_fastest_run(monkeypatch):
    waits = iter([0.02, 0.0, 0.01])
    monkeypatch.setattr(comparison, "installed_methods", lambda: [CentralDifference])
    real = comparison.differentiate

    def late(function, at, request):
        return replace(real(function, at, request), prepare_seconds=0.0, run_seconds=next(waits))

    monkeypatch.setattr(comparison, "differentiate", late)
    (row,) = comparison.compare_methods(formula_function("x**2", 1.0), 1.0, Request()).rows
    assert row.derivative.run_seconds == 0.0


def test_a_function_that_never_ends_has_no_reference_and_no_advice(monkeypatch):
    monkeypatch.setattr(comparison, "installed_methods", lambda: [Reverse, CentralDifference])
    found = comparison.compare_methods(
        function_of(lambda x: time.sleep(20.0) or x), 1.0, Request(), timeout_seconds=0.1
    )
    assert found.note == "no reference: it takes more than 0.1 s (--timeout)"
    assert found.advice is None
    assert [row.outcome for row in found.rows] == ["timeout", "timeout"]
