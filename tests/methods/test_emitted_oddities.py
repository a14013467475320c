"""Emitted code of functions that views, namespaces, names and print options could lead astray."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.function import FlatFunction, function_of

from .emitted_code import LIBRARIES, flat, problem_of, run_c, run_python

X = np.array([1.0, 2.0, 3.0, 4.0])


def held(x0):
    w = np.broadcast_to(x0[0] * x0[1], (4,))
    h = w[1:3]
    k = np.sin(x0)
    return np.sum(h * k[:2]) + np.sum(k * x0)


VIEWS = {
    "a copied reshape, backwards": lambda x0: np.sum((x0.reshape(2, 2).T).ravel()[::-1] * x0),
    "a part of a tile": lambda x0: np.sum(np.tile(x0, 2)[2:6] * x0),
    "a part of repeats": lambda x0: np.sum(np.repeat(x0, 2)[1:5] * np.sin(x0)),
    "a part of a spread number": held,
    "a view of a copy of a view": lambda x0: np.sum((np.exp(x0).reshape(2, 2).T.reshape(4)[1:] * x0[1:]) ** 2),
    "an empty matrix in front": lambda x0: np.sum(np.concatenate((np.zeros((0, 2)), x0.reshape(2, 2))) ** 2),
}


def seen_by_itself(x0, x1):
    given = locals()
    x0 = np.exp(x0)
    return given["x0"] * x0 * x1


def namespaces(x0, x1):
    space = {"x0": x0, "x1": x1, "lambda": x0 * x1, 1: x0}
    return eval("x0 * x1 + x1", {}, space) * space["lambda"]


def gone(x0, x1):
    class Thing:
        pass

    thing = Thing()
    proxy = weakref.proxy(thing)
    del thing
    product = x0 * x1
    return product * product if proxy is not None else x0


def whole(x0, x1):
    return x1 * int(x0 * 1e20)


NUMBERS = [seen_by_itself, namespaces, gone, whole]


def emitted(function, inputs, target, folder):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    problem = problem_of(function, *inputs)
    source = derivative_source(problem, "reverse", target, "f", "0")
    if target == "c":
        return run_c(source, derived(problem, "reverse"), inputs, folder)[1]
    return run_python(source, inputs, target)


def expected(function, inputs):
    known = differentiate(function_of(function), tuple(inputs) if len(inputs) > 1 else inputs[0], Request("reverse"))
    slopes = known.derivative.values() if isinstance(known.derivative, dict) else [known.derivative]
    return flat([known.value, *slopes])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", VIEWS.values(), ids=VIEWS)
def test_views_are_read_before_they_are_written_over(function, target, tmp_path):
    np.testing.assert_allclose(emitted(function, [X], target, tmp_path), expected(function, [X]), rtol=1e-13)


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
@pytest.mark.parametrize("function", NUMBERS)
def test_to_look_at_variables_changes_nothing(function, target, tmp_path):
    at = [1.3, 0.7]
    np.testing.assert_allclose(emitted(function, at, target, tmp_path), expected(function, at), rtol=1e-13)


def test_constants_stand_beside_inputs_and_functions_of_their_name():
    def number(c0):
        return {"a": 3.0, "b": np.sum(c0 * c0)}

    problem, space = FlatFunction(function_of(number), {"c0": X}, [("c0",)]), {}
    exec(derivative_source(problem, "reverse", "python", "f", "0"), space)
    assert space["f"](X.tolist(), 1.0, 1.0)[0] == (3.0, 30.0)
    data = np.array([2.0, 3.0, 4.0, 5.0])
    exec(derivative_source(problem_of(lambda x0: np.sum(x0 * data), X), "reverse", "numpy", "c0", "0"), space)
    assert space["c0"](X)[0] == float(X @ data)


def test_numbers_given_as_whole_ones_are_floats():
    source = derivative_source(problem_of(lambda x0, x1: x0**3 * x1, 2.5, 3.5), "reverse", "numpy", "f", "0")
    space = {}
    exec(source, space)
    value, slopes = space["f"](10**7, np.int64(10**7))
    assert value == 1e28
    assert slopes == pytest.approx([3e21, 1e21])


def test_the_users_print_options_do_not_matter():
    data = np.array([1.0 / 3.0, 2.0, np.inf, 1.0])
    problem = problem_of(lambda x0: np.sum(np.minimum(x0, data)), X)
    plain = derivative_source(problem, "reverse", "numpy", "f", "0")
    with np.printoptions(nanstr="NaN", infstr="Infinity", precision=3, legacy="1.13"):
        assert derivative_source(problem, "reverse", "numpy", "f", "0") == plain
