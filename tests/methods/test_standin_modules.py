"""The stand-ins themselves: like the real ones on plain values, and with their exceptions."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
import pytest

from .tracing import gradient


def derivative(function, point):
    """f'(x)."""
    return gradient(function, point)[0]


def test_isinstance_takes_traced_values_for_what_they_stand_for():
    def function(x):
        a = np.zeros(2)
        assert isinstance(x, float)
        assert isinstance(x, (int, float))
        assert isinstance(x, int | float)
        assert isinstance(x, Real)
        assert isinstance(x, np.floating)
        assert isinstance(x, np.float64)
        assert isinstance(a, np.ndarray)
        assert isinstance(x > 0, bool)
        assert isinstance(math.floor(x), int)
        assert not isinstance(x, (np.ndarray, str, int))
        assert not isinstance(a, float)
        assert isinstance(3.0, float)
        assert np.isscalar(x)
        assert not np.isscalar(a)
        assert np.ndim(x) == 0
        assert np.shape([x, x]) == (2,)
        assert type(np.ones(1, dtype=int)) is np.ndarray
        assert issubclass(x.dtype.type, np.float64)
        assert np.issubdtype(a.dtype, np.float64)
        return x * 1.0

    assert derivative(function, 2.5) == 1.0
    assert isinstance.__module__ == "builtins"


DOMAINS = {
    "sqrt of a negative number": (lambda x: math.sqrt(x), -1.0),
    "log of 0": (lambda x: math.log(x), 0.0),
    "an overflow": (lambda x: math.exp(x), 1e4),
    "pow of 0": (lambda x: math.pow(x, -1), 0.0),
    "acos out of range": (lambda x: math.acos(x), 1.5),
    "floor of infinity": (lambda x: math.floor(x), math.inf),
    "fmod by 0": (lambda x: math.fmod(1.0, x), 0.0),
    "an array": (lambda x: math.sin(np.array([x, x])), 1.0),
}


@pytest.mark.parametrize("case", DOMAINS)
def test_math_raises_what_it_raises_on_plain_numbers(case):
    function, point = DOMAINS[case]
    with pytest.raises(Exception) as expected:  # noqa: PT011  # compared below
        function(point)
    with pytest.raises(expected.type) as caught:
        derivative(function, point)
    assert case == "an array" or str(caught.value) == str(expected.value)


def test_math_on_plain_numbers_is_the_real_one():
    def function(x):
        assert math.sqrt(4) == 2.0
        assert type(math.floor(2.5)) is int
        assert math.gcd(12, 18) == 6
        assert math.factorial(5) == 120
        assert math.pi == 3.141592653589793
        with pytest.raises(ValueError, match="domain"):
            math.log(-1)
        with pytest.raises(TypeError):
            math.sin("a")
        return x * math.inf if x > 1 else x

    assert derivative(function, 0.5) == 1.0


def test_stand_ins_are_like_the_real_ones():
    def function(x):
        assert np.sin.nin == 1
        assert np.sum.__name__ == "sum"
        assert np.sin == REAL[0]
        assert {REAL[0]: 1}[np.sin] == 1
        assert np.float64 == REAL[1]
        assert np.float64.__name__ == "float64"
        assert type(np.float64(1)) is REAL[1]
        assert np.zeros(2, dtype=np.float64).dtype == np.float64
        assert np.__name__ == "numpy"
        assert "linalg" in dir(np)
        assert np.linalg.LinAlgError is REAL[2]
        assert np.finfo(float).eps == np.finfo(x.dtype).eps
        with pytest.raises(AttributeError):
            np.no_such_function  # noqa: B018
        return x

    assert derivative(function, 0.5) == 1.0


REAL = (np.sin, np.float64, np.linalg.LinAlgError)
