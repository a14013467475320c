"""The advice that `adcli compare` ends with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from adcli.advice import Reuse, _of_reuse, advise
from adcli.comparison import ComparisonRow, compare_methods
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of


def advice_of(text, at, **request):
    return compare_methods(formula_function(text, at), at, Request(**request)).advice


@pytest.mark.parametrize(
    ("text", "at", "method", "inputs", "outputs", "reason"),
    [
        ("sum(x**2)", {"x": np.ones(50)}, "reverse", 50, 1, "1 adjoint sweep for 50 inputs and 1 output"),
        ("sum(x**2)", {"x": np.ones(50)}, "reverse", 50, 1, "forward takes 50 tangent sweeps"),
        ("[x, 2*x, x**2]", {"x": 2.0}, "forward", 1, 3, "1 tangent sweep for 1 input and 3 outputs"),
        ("[x, 2*x, x**2]", {"x": 2.0}, "forward", 1, 3, "reverse takes 3 adjoint sweeps"),
        ("x*y", {"x": 2.0, "y": 3.0}, "reverse", 2, 1, "differences take 5 evaluations"),
    ],
)
def test_the_mode_with_the_fewest_sweeps_is_recommended(text, at, method, inputs, outputs, reason):
    advice = advice_of(text, at)
    assert (advice.method, advice.inputs, advice.outputs) == (method, inputs, outputs)
    assert reason in " ".join(advice.reasons)


ONE, TWO = "for 1 input and 1 output, in", "for 1 input and 2 outputs, in"


@pytest.mark.parametrize(
    ("text", "forward", "reverse", "method", "ours", "others"),
    [
        ("exp(x)", 140, 80, "reverse", f"1 adjoint sweep {ONE} 80 µs", "1 tangent sweep, in 140 µs: as many sweeps"),
        ("exp(x)", 80, 140, "forward", f"1 tangent sweep {ONE} 80 µs", "1 adjoint sweep, in 140 µs: as many sweeps"),
        (
            "exp(x)",
            90,
            80,
            "forward",
            f"1 tangent sweep {ONE} 90 µs",
            "1 adjoint sweep, in 80 µs: as many sweeps, about",
        ),
        ("[x, 2*x]", 80, 140, "forward", f"1 tangent sweep {TWO} 80 µs", "2 adjoint sweeps, in 140 µs"),
        ("[x, 2*x]", 90, 80, "forward", f"1 tangent sweep {TWO} 90 µs", "2 adjoint sweeps, in 80 µs: less here, but"),
    ],
)
def test_sweeps_decide_then_time_and_both_are_told(text, forward, reverse, method, ours, others):
    function = formula_function(text, 2.0)
    rows = []
    for mode, micros in (("forward", forward), ("reverse", reverse)):
        found = differentiate(function, 2.0, Request(mode))
        rows.append(
            ComparisonRow(mode, "ok", derivative=replace(found, prepare_seconds=0.0, run_seconds=micros * 1e-6))
        )
    advice = advise(function, 2.0, Request(), rows)
    other = "reverse" if method == "forward" else "forward"
    assert advice.method == method
    assert advice.reasons[0].startswith(f"{ours}; {other} takes {others}")


def test_a_kink_at_the_point_is_told():
    assert advice_of("abs(x)", {"x": 0.0}).reasons[-1] == "at this point absolute is at a kink: abs'(0) = 0"
    assert not any("at this point" in reason for reason in advice_of("abs(x)", {"x": 1.0}).reasons)


def test_the_inputs_that_count_are_those_differentiated_by():
    assert advice_of("sum(x**2)*y", {"x": np.ones(50), "y": 2.0}, wrt=["y"]).inputs == 1


def total(x):
    return np.sum(np.sin(x)) * np.sum(x)


@pytest.mark.parametrize(
    ("function", "at", "order"),
    [
        (formula_function("sum(x**2)", {"x": np.ones(50)}), np.ones(50), 1),
        (formula_function("[x*y, x, y]", {"x": 1.0, "y": 2.0}), {"x": 1.0, "y": 2.0}, 1),
        (formula_function("exp(x)", 1.0), 1.0, 2),
        (function_of(total), np.ones(5), 2),
    ],
    ids=["a gradient", "a Jacobian", "a second derivative", "a Hessian"],
)
def test_reuse_is_measured_for_what_can_be_prepared(function, at, order):
    reuse = compare_methods(function, at, Request(order=order)).advice.reuse
    assert reuse.backend in ("python", "numpy", "machine", "c")
    assert min(reuse.prepare_seconds, reuse.run_seconds, reuse.once_seconds) > 0
    if reuse.pays_after_calls is not None:
        calls = reuse.pays_after_calls
        assert reuse.prepare_seconds + calls * reuse.run_seconds < calls * reuse.once_seconds


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("exp(x)", Request(order=3)),
        ("[x, x**2]", Request(order=2)),
        ("exp(x)", Request(dtype="float32")),
    ],
)
def test_there_is_no_reuse_where_nothing_can_be_prepared(text, request_):
    advice = compare_methods(formula_function(text, 1.0), 1.0, request_).advice
    assert advice.method in ("forward", "reverse")
    assert advice.reuse is None


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (None, "no less than 1 ms"),
        (1, "adcli.prepare pays at once: 10 ms once and 2 ms a call (numpy), against 1 ms each time"),
        (12, "adcli.prepare pays from 12 calls on"),
    ],
)
def test_when_preparing_pays_is_said_in_calls(calls, text):
    assert text in _of_reuse(Reuse("numpy", 0.01, 0.002, 0.001, calls))


def untraceable(x):
    return float(x) ** 2


def test_without_sweeps_the_most_exact_method_is_recommended():
    comparison = compare_methods(function_of(untraceable), {"x": 2.0}, Request())
    assert comparison.advice.method == "central-difference"
    assert "forward and reverse cannot differentiate this function" in comparison.advice.reasons
    rows = [replace(row, relative_error=1e-9, ulp_error=1e7) for row in comparison.rows]
    better = [replace(row, relative_error=1e-12) if row.method == "forward-difference" else row for row in rows]
    assert advise(function_of(untraceable), {"x": 2.0}, Request(), better).method == "forward-difference"


def test_without_any_result_there_is_no_advice():
    assert advise(function_of(untraceable), {"x": 2.0}, Request(), []) is None


def test_compare_ends_with_the_advice(adcli):
    ran = adcli("compare", "sum(sin(x))", "--n", "100")
    lines = ran.out.splitlines()
    start = lines.index("recommended: reverse")
    assert lines[start + 1].startswith("  1 adjoint sweep for 100 inputs and 1 output, in ")
    assert max(map(len, lines[start:])) <= 80
    advice = json.loads(adcli("compare", "sum(sin(x))", "--n", "100", "--json").out)["advice"]
    assert set(advice) == {"method", "inputs", "outputs", "reasons", "reuse"}
    assert (advice["method"], advice["inputs"], advice["outputs"]) == ("reverse", 100, 1)
