"""What preparing takes, and what it picks to run by."""

from __future__ import annotations

import gc
import math
import sys

import numpy as np
import pytest

from adcli_benchmarks.problems import PROBLEMS
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.prepared.prepared import prepare


def test_equal_minors_are_computed_once():
    determinant = next(problem for problem in PROBLEMS if problem.name == "determinant-by-minors")
    version = prepare(determinant.as_function(), determinant.point(6)).report.versions[0]
    assert version.primal_operations < 3 * 6 * 2**6
    assert version.operations <= 4 * version.primal_operations


def scalar_loop(steps):
    def loop(x):
        for _ in range(steps):
            x = x * 0.999 + 0.01 * math.sin(x)
        return x

    return loop, 0.3


def loop_over_an_array(length):
    def loop(x):
        y = 1.0
        for i in range(len(x)):
            y = y * x[i] + 0.3
        return y

    return loop, np.linspace(0.1, 0.9, length)


def array_steps(steps, size=100):
    def loop(x):
        for _ in range(steps):
            x = np.sin(x) * 0.9 + 0.1
        return np.sum(x)

    return loop, np.linspace(0.1, 0.9, size)


def small_array_steps(steps):
    return array_steps(steps, 10)


def large_array_steps(steps):
    return array_steps(steps, 1000)


@pytest.mark.parametrize(
    ("make", "compile_with", "most_calls"),
    [
        (scalar_loop, "python", 300),
        (loop_over_an_array, "python", 300),
        (array_steps, "numpy", 300),
        (small_array_steps, "auto", 350),
    ],
)
def test_calls_of_preparing_grow_with_the_operations_and_stay_few(make, compile_with, most_calls):
    calls = {steps: calls_of_preparing(*make(steps), compile_with) for steps in (100, 1000)}
    assert calls[1000] < 11 * calls[100]
    operations = 3 * 1000
    assert calls[1000] < most_calls * operations


def calls_of_preparing(function, at, compile_with):
    """How many calls, of Python's functions and of C's, it takes to prepare."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    prepare(function, at, compile=compile_with)  # what is imported and kept the first time is not counted
    sys.setprofile(count)
    try:
        prepare(function, at, compile=compile_with)
    finally:
        sys.setprofile(None)
    return calls


def test_without_a_compiler_long_loops_run_on_floats(monkeypatch):
    monkeypatch.setattr("adcli_methods.kernels.find_compiler", no_compiler)
    function, at = loop_over_an_array(2500)
    assert prepare(function, at).report.versions[0].backend == "python"


@pytest.mark.parametrize(
    ("make", "count", "backend"),
    [(large_array_steps, 1500, "numpy"), (array_steps, 1500, "machine"), (loop_over_an_array, 2500, "machine")],
)
def test_by_itself_a_long_program_is_not_given_to_a_compiler(make, count, backend, monkeypatch):
    monkeypatch.setattr("adcli_methods.kernels.compile_program", None)
    function, at = make(count)
    prepared = prepare(function, at)
    assert prepared.report.versions[0].backend == backend
    assert prepared(at)[0] == pytest.approx(function(at), rel=1e-13)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(is_enabled):
    (gc.enable if is_enabled else gc.disable)()
    try:
        prepare(scalar_loop(3)[0], 0.3)
        assert gc.isenabled() is is_enabled
        with pytest.raises(OperatorError):
            prepare(scalar_loop(3)[0], 0.3, compile="fortran")
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


def test_without_a_compiler_large_arrays_go_through_numpy_in_blocks(monkeypatch):
    monkeypatch.setattr("adcli_methods.kernels.compile_program", no_compiler)
    x = np.linspace(0.1, 1.0, 200_000)
    prepared = prepare(lambda x: np.sum(np.exp(x) * np.sin(x)), x)
    version = prepared.report.versions[0]
    assert version.backend == "numpy"
    assert "blocks" in version.kernels.compiler
    np.testing.assert_allclose(prepared(x)[1], np.exp(x) * (np.sin(x) + np.cos(x)), rtol=1e-13)


def no_compiler(*_, **__):
    raise UnavailableError("no C compiler here")
