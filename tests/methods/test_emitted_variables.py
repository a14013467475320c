"""The user's variables in emitted code: they keep their names, made distinct where these are taken."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pytest

from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.function import function_of
from adcli_methods.variables import traced_variables

from .emitted_code import LIBRARIES, problem_of, run_c, run_python


def plain(x0, x1):
    product = x0 * x1
    total = product + np.sin(product)
    total += x0
    return total * 2.0


def looped(x0, x1):
    a = x0
    for _ in range(3):
        a = a * x1
    return a


def taken(x0, x1):
    exp = x0 * x1
    x1 = exp + 1.0
    v2 = math.exp(x1)
    c0 = v2 * 2.0
    y = c0 + x1
    return y * exp


def called(x0, x1):
    inner = helped(x0 * x1)
    return inner + x0


def helped(given):
    return math.sin(given)


def chosen(x0, x1):
    larger = max(x0 * 2.0, x1)
    number = int(3.7)
    return larger * number


def answered(x0, x1):
    y = x0 * x1
    return 1.0 * y


def reserved(x0, x1):
    register = x0 * x1
    λ = register + x0
    work = λ * 2.0
    return work + x1


def shared(x0, x1):
    first = x0 * x1
    second = x0 * x1
    return first + second


CASES = [
    (plain, "python", ["product = x0 * x1", "total = product + v3", "total_2 = total + x0"]),
    (looped, "python", ["a = x0 * x1", "a_2 = a * x1", "a_3 = a_2 * x1"]),
    (taken, "python", ["exp_2 = x0 * x1", "x1_2 = exp_2 + 1.0", "v2 = exp(x1_2)", "c0 = v2 * 2.0", "y_2 = c0 + x1_2"]),
    (taken, "numpy", ["exp = x0 * x1", "v2 = np.exp(x1_2)"]),
    (called, "python", ["given = x0 * x1", "inner = sin(given)"]),
    (chosen, "python", ["larger = x0 * 2.0", "v6 = larger * 3"]),
    (answered, "python", ["y = x0 * x1", "return y, (x1, x0)"]),
    (reserved, "python", ["register = x0 * x1", "λ = register + x0", "work = λ * 2.0"]),
    (reserved, "c", ["double register_2 = x0 * x1;", "double work_2 = v3 * 2.0;"]),
    (shared, "numpy", ["first = x0 * x1", "v3 = first + first"]),
]


@pytest.mark.parametrize(("function", "target", "lines"), CASES)
def test_variables_keep_their_names(function, target, lines):
    source = derivative_source(problem_of(function, 1.3, 0.7), "reverse", target, "f", "0")
    found = [line.strip() for line in source.splitlines()]
    for line in lines:
        assert line in found, source


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", [plain, looped, taken, called, chosen, answered, reserved, shared])
def test_code_with_names_computes_the_derivative(function, target, mode, tmp_path):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    problem, at = problem_of(function, 1.3, 0.7), [1.3, 0.7]
    source = derivative_source(problem, mode, target, "f", "0")
    inputs = [*at, 1.0, 10.0] if mode == "forward" else at
    if target == "c":
        found = run_c(source, derived(problem, mode), inputs, tmp_path)[1]
    else:
        found = run_python(source, inputs, target)
    known = differentiate(function_of(function), tuple(at), Request("reverse"))
    slopes = list(known.derivative.values())
    slopes = [slopes[0] + 10.0 * slopes[1]] if mode == "forward" else slopes
    np.testing.assert_allclose(found, [known.value, *slopes], rtol=1e-13)


def arrays(x0):
    scaled = x0 * 2.0
    scaled = scaled + 1.0
    total = np.sum(scaled)
    return total * total


def test_entries_of_arrays_are_numbered():
    source = derivative_source(problem_of(arrays, np.ones(2)), "reverse", "python", "f", "0")
    names = re.findall(r"^    (\w+) =", source, re.MULTILINE)
    assert names[:5] == ["scaled_0", "scaled_1", "scaled_0_2", "scaled_1_2", "total"]
    source = derivative_source(problem_of(arrays, np.ones(2)), "reverse", "numpy", "f", "0")
    assert re.findall(r"^    (\w+) = ", source, re.MULTILINE)[1:4] == ["scaled", "scaled_2", "total"]


def test_a_debugger_goes_on_after_the_look_at_variables():
    def debugger(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(debugger)
    try:
        traced_variables(problem_of(plain, 1.3, 0.7))
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(before)
