"""Arrays that are written into, views, out=, and the errors of what cannot be traced."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import scipy.special

from adcli_methods.errors import TraceError
from adcli_methods.trace import Trace

from .tracing import check, gradient, traced

PLAIN = np.zeros(3)
TABLE = np.arange(5.0)


def plain_entry(x):
    PLAIN[0] = x[0]
    return x


def plain_slice(x):
    PLAIN[:2] = x[:2]
    return x


def plain_sum(x):
    a = PLAIN
    a += x[:3]
    return x


def plain_out(x):
    return np.add(x, 1, out=np.random.default_rng(0).random(4))


def plain_out_of_a_function(x):
    return np.sum(x, axis=0, keepdims=True, out=PLAIN[:1])


def plain_at(x):
    np.add.at(PLAIN, [0], x[:1])
    return x


def float_of_it(x):
    return float(x[0])


def complex_of_it(x):
    return np.exp(1j * x)


def fourier(x):
    return np.fft.fft(x)


def an_unknown_ufunc(x):
    return np.spacing(x)


def an_unknown_special_function(x):
    return scipy.special.ellipk(x)


def an_unknown_python_function(x):
    return scipy.special.comb(x[0], 2)


def a_dtype(x):
    return np.add(x, 1, dtype=int)


def an_unknown_argument(x):
    return np.mean(x, subok=True)


def an_unknown_attribute(x):
    return x.tobytes()


def a_column_order(x):
    return x.reshape((2, 2), order="F")


def a_spectral_norm(x):
    return np.linalg.norm(x.reshape(2, 2), 2)


def whole_numbers_in_place(x):
    a = np.argsort(x)
    a += x
    return a


def a_fractional_index(x):
    return TABLE[x[0]]


def an_overwritten_condition(x):
    return np.sqrt(x, where=x > 1)


def the_method_trace(x):
    return x.reshape(2, 2).trace()


REFUSED = {
    plain_entry: "plain array.*np.zeros or np.array",
    plain_slice: "plain array.*np.zeros or np.array",
    plain_sum: r"numpy.add writes.*plain array.*a = a \+ x",
    plain_out: "numpy.add writes.*drop out=",
    plain_out_of_a_function: "numpy.sum writes.*drop out=",
    plain_at: "numpy.add.at writes.*np.zeros",
    float_of_it: r"float\(\).*leave float\(\) out",
    complex_of_it: "complex.*leave complex numbers out",
    fourier: "numpy.fft.fft has no derivative.*write it with",
    an_unknown_ufunc: "numpy.spacing has no derivative",
    an_unknown_special_function: "scipy.special.ellipk has no derivative",
    an_unknown_python_function: "lose its derivative",
    a_dtype: "numpy.add is asked for int64.*leave dtype out",
    an_unknown_argument: "numpy.mean is called in a way.*subok.*leave that argument out",
    an_unknown_attribute: "no attribute 'tobytes'.*function of NumPy",
    a_column_order: "order='F'.*transpose",
    a_spectral_norm: "singular values.*Frobenius",
    whole_numbers_in_place: r"float64 is written into an array of int64.*a = a \+ x",
    a_fractional_index: "used as an index.*whole number",
    an_overwritten_condition: "where= without out=.*np.where",
    the_method_trace: r"trace\(\).*np.trace",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_cannot_be_traced_names_line_reason_and_way_out(function):
    with pytest.raises(TraceError) as caught:
        traced(function, [np.array([0.7, 1.9, 1.1, 1.6])])
    text = str(caught.value)
    start = function.__code__.co_firstlineno
    place = re.match(re.escape(__file__) + r":(\d+): ", text)
    assert place, text
    assert start < int(place[1]) <= start + 4
    assert re.search(REFUSED[function], text), text
    assert not PLAIN.any()


def test_a_missing_attribute_is_an_attribute_error_too():
    (x,) = Trace([np.ones(2)]).tracers()
    assert not hasattr(x, "detach")
    assert getattr(x, "units", None) is None


def test_comparison_with_none_and_text_is_false():
    (x,) = Trace([1.0]).tracers()
    assert (x == None) is False  # noqa: E711  # what users write
    assert (x != None) is True  # noqa: E711
    assert x != "auto"


def test_a_traced_value_in_a_fraction_or_list_operand():
    check(lambda x: x * Fraction(1, 3) + 2, 1.5)
    check(lambda x: [1, 2] * x - [1, 2], np.array([1.0, 2.0]))


def test_rounded_numbers_are_whole_numbers():
    def function(x):
        n = math.floor(x) + round(x)
        return [2.0, 3.0] * n + [TABLE[n // 2] * x + isinstance(n, int)]

    assert gradient(lambda x: function(x)[-1], 2.7) == [2.0]
    check(lambda x: np.array(function(x)), 2.7)


def test_floor_division_is_exact_as_python_s():
    check(lambda x: x // 0.1 + x, 1.0 + 1e-4)
    (x,) = Trace([1.0]).tracers()
    assert (x // 0.1).value == 1.0 // 0.1 == 9.0


def discrete_values(x):
    order = np.argsort(x)
    place = np.unravel_index(np.argmax(x), (2, 2))
    n = math.floor(x[1])
    odd = (order & 1) * x + (np.argmax(x) ^ 5) + np.bitwise_or(order, 4) * x
    return odd * np.unique(order).sum() * x.reshape(2, 2)[place] + np.repeat(x[:1], 4) * (~n) * np.gcd(order, 2)


def conditions_together(x):
    inside = np.logical_and.reduce([x > 0, x < 2, np.isfinite(x)])
    largest = np.maximum.reduce([x[0], 2 * x[1], x[2]])
    out = np.zeros(4)
    np.add(x, largest, out)
    return np.where(inside, out, 0.0) * np.add.outer([x[0], x[1]], [1.0, 2.0]).ravel()


@pytest.mark.parametrize("function", [discrete_values, conditions_together])
def test_discrete_values_and_lists_in_ufuncs(function):
    check(function, np.array([0.7, 1.9, 1.1, 1.6]))


def test_a_traced_number_is_no_sequence():
    from collections.abc import Iterable, Sized

    (x,) = Trace([1.0]).tracers()
    assert not isinstance(x, (Iterable, Sized))
    assert not hasattr(x, "__getitem__")
    assert not np.iterable(x)
    with pytest.raises(TypeError):
        len(x)


def test_nested_traces_keep_their_values_apart():
    def inner(y):
        a = np.zeros(2)
        a[0] = y * y
        a[1] = y

        def outer(x):
            b = np.array([x, a[1]])
            b[0] *= a[0]
            return b.sum() * x

        return gradient(outer, 3.0)[0]

    # d/dx (x y**2 + y) x = 2 x y**2 + y, whose slope in y is 4 x y + 1
    assert gradient(inner, 2.0) == [25.0]
