"""What a caller of a prepared derivative may rely on: own arrays, any form of input, pickling, no warnings."""

from __future__ import annotations

import functools
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adcli_methods.formula import formula_function
from adcli_methods.prepared.prepared import prepare

SHARED = [
    ("gradient", lambda x, y: np.sum(x) + np.sum(y)),
    ("gradient", lambda x, y: np.sum(np.sin(x + y))),
    ("gradient", lambda x, y: np.dot(x, y)),
    ("gradient", lambda x, y: np.sum(x[::-1] * y) + x[0]),
    ("jvp", lambda x, y: x * 1.0),
    ("jvp", lambda x, y: x[::-1]),
    ("vjp", lambda x, y: x * 1.0),
]


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@pytest.mark.parametrize(("operator", "function"), SHARED)
def test_results_share_no_memory_with_inputs_or_one_another(operator, function, compile_with):
    inputs = (np.arange(1.0, 5.0), np.arange(2.0, 6.0))
    seeds = {"gradient": (), "jvp": ({"x": np.ones(4), "y": np.ones(4)},), "vjp": (np.ones(4),)}[operator]
    prepared = prepare(function, inputs, operator=operator, compile=compile_with)
    found = [leaf for _ in range(2) for leaf in arrays_of(prepared(*inputs, *seeds))]
    others = [*inputs, *arrays_of(seeds)]
    for position, array in enumerate(found):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in (*found[:position], *others))


def arrays_of(tree):
    parts = tree.values() if isinstance(tree, dict) else tree
    if isinstance(tree, np.ndarray):
        return [tree]
    return [] if np.isscalar(tree) else [array for part in parts for array in arrays_of(part)]


def regression(w, X, y):
    return np.sum((X @ w - y) ** 2) / len(y)


def test_a_pickled_derivative_computes_the_same():
    w, X, y = np.ones(3), np.eye(4, 3), np.arange(4.0)
    for prepared, at in (
        (prepare(regression, (w, X, y), wrt="w"), (2 * w, X, y)),
        (prepare(formula_function("exp(x**2) * y"), {"x": 2.0, "y": 1.0}), (1.5, 2.0)),
    ):
        again = pickle.loads(pickle.dumps(prepared))
        np.testing.assert_equal(again(*at), prepared(*at))
        assert len(again.report.versions) == 1


def test_no_warning_of_numpy_comes_from_a_call_outside_of_the_domain():
    prepared = prepare(lambda x: np.sum(np.sin(x) / x), np.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(prepared(np.array([np.inf, 0.0]))[0])


def roots(x):
    return np.sum(np.where(x.T > 0.0, np.sqrt(x.T), 0.0))


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
def test_a_slope_that_comes_out_as_nan_is_computed_again_with_strict_zeros(compile_with):
    prepared = prepare(roots, np.ones((2, 3)), compile=compile_with)
    at = np.array([[4.0, 0.0, 1.0], [0.0, 0.25, 16.0]])
    np.testing.assert_array_equal(prepared(at)[1], [[0.25, 0.0, 0.5], [0.0, 1.0, 0.125]])
    assert prepared.report.fallbacks == 1


def test_infinite_slopes_of_both_signs_are_no_reason_to_compute_again():
    prepared = prepare(lambda x: np.sum(np.sqrt(x) * np.array([1.0, -1.0, 1.0])), np.ones(3), compile="numpy")
    np.testing.assert_array_equal(prepared(np.array([0.0, 0.0, 4.0]))[1], [np.inf, -np.inf, 0.25])
    assert prepared.report.fallbacks == 0


FORMS = {
    "list": list,
    "strided": lambda x: np.repeat(x, 2)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "a column of a matrix in Fortran order": lambda x: np.asfortranarray(np.stack([x, x]))[1],
    "read-only": lambda x: np.frombuffer(x.tobytes()),
    "unaligned": lambda x: np.frombuffer(b"." + x.tobytes(), dtype=np.uint8)[1:].view(float),
    "big-endian": lambda x: x.astype(">f8"),
    "float32": lambda x: x.astype(np.float32),
}


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@settings(max_examples=40, deadline=None)
@given(
    entries=st.lists(st.floats(-4, 4, allow_subnormal=False), min_size=3, max_size=3), form=st.sampled_from([*FORMS])
)
def test_any_array_gives_what_the_plain_function_gives(compile_with, entries, form):
    prepared = prepared_polynomial(compile_with)
    given_array = FORMS[form](np.array(entries))
    before = np.array(given_array)
    value, gradient = prepared(given_array)
    x = np.array(given_array, dtype=float)
    expected = np.sum(x * x[::-1]) if x[0] > 0 else np.sum(x**3)
    slopes = 2 * x[::-1] if x[0] > 0 else 3 * x**2
    loose = {"rtol": 1e-5, "atol": 1e-5} if form == "float32" else {"rtol": 1e-13, "atol": 1e-13}
    np.testing.assert_allclose(value, expected, **loose)
    np.testing.assert_allclose(gradient, slopes, **loose)
    assert np.array_equal(before, given_array)
    if value == value:
        gradient[...] = 7.0
        np.testing.assert_allclose(prepared(given_array)[1], slopes, **loose)


@functools.cache
def prepared_polynomial(compile_with):
    return prepare(polynomial, np.ones(3), compile=compile_with)


def polynomial(x):
    x[1] += 0.0  # a function may write into its inputs
    return np.sum(x * x[::-1]) if x[0] > 0 else np.sum(x**3)


def test_the_report_is_short_enough_to_be_read():
    report = prepare(lambda x: np.sum(np.exp(x) * np.sin(x)), np.ones(20_000)).report
    assert len(repr(report)) < 1200
    names = [effect.name for effect in report.versions[0].effects]
    assert names == ["constant folding", "identities", "common subexpressions", "dead code"]
    assert sum(effect.operations for effect in report.versions[0].effects) > 0


@pytest.mark.parametrize("compile_with", ["auto", "c", "numpy"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.where(x > 1.0, 1, 0),
        lambda x: (x > 1.0) + (x > 2.0),
        lambda x: {"value": x * 2.0, "is_large": x > 1.0},
    ],
)
def test_values_have_the_functions_own_types(function, compile_with):
    x = np.array([0.5, 1.5, 2.5])
    found = prepare(function, x, operator="jacobian", compile=compile_with)(x)[0]
    for own, expected in zip(arrays_of(found), arrays_of(function(x)), strict=True):
        assert own.dtype == expected.dtype
        np.testing.assert_array_equal(own, expected)
