"""Strict native kernels call the C library's scalar functions, those of Python's `math`."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

import adcli
from adcli_methods.errors import OperatorError
from adcli_methods.kernels.compiler import vector_functions

pytestmark = pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler")
X = np.random.default_rng(0).uniform(-3.0, 3.0, 5000)
SLOPES = {"exp": math.exp, "sinh": math.cosh, "sin": math.cos}


@pytest.mark.parametrize("name", SLOPES)
def test_strict_gradients_are_those_of_math_to_the_last_bit(name):
    function = getattr(np, name)
    expected = np.array([SLOPES[name](x) for x in X])
    strict, vector = (adcli.prepare(lambda x: np.sum(function(x)), X, compile="c", strict=strict) for strict in (1, 0))
    np.testing.assert_array_equal(strict(X)[1], expected)
    np.testing.assert_array_max_ulp(vector(X)[1], expected, 4)


@pytest.mark.skipif("exp" not in vector_functions(), reason="no vector functions here")
def test_only_kernels_that_are_not_strict_declare_vector_functions():
    declared = {}
    for strict in (True, False):
        prepared = adcli.prepare(lambda x: np.sum(np.exp(x)), X, compile="c", strict=strict)
        declared[strict] = "VECTOR double exp(double);" in prepared.report.versions[0].kernels.source
    assert declared == {True: False, False: True}


def test_strict_rows_are_those_of_math_to_the_last_bit():
    found = adcli.diff_rows("exp(x)", {"x": X}, compile="c", strict=True)
    np.testing.assert_array_equal(found.derivatives["x"], [math.exp(x) for x in X])


@pytest.mark.parametrize(
    "ask",
    [
        lambda: adcli.prepare("exp(x)", 2.0, strict=True),
        lambda: adcli.prepare("exp(x)", 2.0, compile="numpy", strict=True),
        lambda: adcli.diff_rows("exp(x)", {"x": [2.0]}, strict=True),
        lambda: adcli.diff("exp(x)", 2.0, strict=True),
    ],
)
def test_strict_is_for_native_kernels_alone(ask):
    with pytest.raises(OperatorError, match="strict is for native kernels"):
        ask()
