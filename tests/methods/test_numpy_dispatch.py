"""Arrays that are written into, views, out=, and the errors of what cannot be traced."""

from __future__ import annotations

import math
import re
import time

import numpy as np
import pytest
import scipy.special
from adcli_methods import sweeps
from adcli_methods.errors import TraceError
from adcli_methods.standins import rebound
from adcli_methods.tracer import Trace, Tracer

PLAIN = np.zeros(3)
TABLE = np.arange(5.0)


def run(function, *points):
    """The value of a function under a trace, and its gradient by weights 1, 2, 3, ... of the entries."""
    trace = Trace(list(points))
    with np.errstate(all="ignore"), rebound(function):
        slot = trace.output_slot(function(*trace.tracers()))
    value = trace.values[slot]
    weights = 1.0 + np.arange(np.size(value)).reshape(np.shape(value)) if np.shape(value) else 1.0
    with np.errstate(all="ignore"):
        return value, sweeps.pull(trace, [slot], [weights]), trace


def check(function, *points):
    """Value as NumPy's, gradient as the central difference."""
    value, gradients, _ = run(function, *points)
    expected = function(*(np.copy(p) if np.ndim(p) else p for p in points))
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    weights = 1.0 + np.arange(np.size(expected)).reshape(np.shape(expected))
    for k, point in enumerate(points):
        found = np.empty(np.shape(point))
        for index in np.ndindex(np.shape(point)):
            moved = []
            for h in (1e-6, -1e-6):
                others = [np.array(p, dtype=float) for p in points]
                others[k][index] += h
                moved.append(np.sum(weights * function(*(p if p.ndim else float(p) for p in others))))
            found[index] = (moved[0] - moved[1]) / 2e-6
        np.testing.assert_allclose(gradients[k], found, rtol=1e-6, atol=1e-6)


def writes_entries(x):
    a = np.zeros(3)
    a[0], a[-1] = x[0] * x[1], x[2]
    a[1] += x[1]
    a[1] *= 3
    return a


def writes_slices(x):
    a = np.ones((3, 4))
    a[1:] = x
    a[:, 2] += x[0]
    a[0, ::2] = 5
    a[..., 0] -= 1.0
    return a


def a_row_writes_through(x):
    a = np.zeros((2, 3))
    row = a[1]
    row[2] = x[0]
    row += x[:3]
    a[0] = row
    row[0] = 9.0
    return a


def a_row_sees_later_writes(x):
    a = np.zeros((2, 3))
    row = a[1]
    a[1, 1] = x[0]
    a[1, 2] = x[1]
    return row * x[0]


def a_transpose_writes_through(x):
    a = np.zeros((3, 2))
    b = a.T
    b[0] = x[:3]
    b[1, 2] = x[3]
    return a


def a_reshape_writes_through(x):
    a = np.zeros((2, 3))
    a.ravel()[0] = x[0]
    a.reshape(3, 2)[1] = x[:2]
    a.flat[5] = x[2]
    np.squeeze(a[None])[1, 1] = x[3]
    return a


def a_flattened_copy_does_not_write_through(x):
    a = np.zeros((2, 3))
    a.flatten()[0] = x[0]
    a.T.ravel()[1] = x[1]
    a[:, 1].ravel()[0] = x[2]
    a.T.reshape(-1)[0] = x[3]
    a.T.flat[1] = x[3]
    return a + x[0]


def views_of_views_write_through(x):
    a = np.zeros((2, 3, 2))
    a[1].T[0][1:] = x[:2]
    np.split(a, 2)[0][0, 0] = x[2:4]
    np.swapaxes(a, 0, 2)[1, 2, :] = x[3]
    for plane in a:
        plane[0] += x[0]
    return a


def a_view_of_a_traced_result_writes_through(x):
    a = x.reshape(2, 2) * 2
    a[0][1] = x[3]
    a.T[1] *= 3
    return a


def an_argument_is_written_into(x):
    y = x[1:3]
    x[0] = x[2] ** 2
    y[1] = 7.0
    x *= 2
    return x


def masks(x):
    a = np.array([1.0, -2.0, 3.0, -4.0])
    a[a > 0] = x[0]
    a[x > 1.0] *= x[x > 1.0]
    a[np.array([0, 3])] += x[:2]
    return a


def adds_at(x):
    a = np.zeros(3)
    np.add.at(a, [0, 2, 0, 0], x)
    np.subtract.at(a, ([1, 1],), x[:2])
    b = np.ones((2, 2))
    np.add.at(b, (slice(None), [0, 0]), x[0])
    return a * b.sum()


def overlapping_slices(x):
    a = x * 1.0
    a[1:] = a[:-1]
    a[:-1] += a[1:]
    return a


def swaps(x):
    a = np.array([x, 2 * x])
    a[0, 0], a[1, 1] = a[1, 1], a[0, 0]
    a[[0, 1]] = a[[1, 0]]
    return a


def rows_from_rows(x):
    a = np.zeros((4, 4))
    a[0] = x
    for i in range(3):
        before = a[i]
        a[i + 1] = 0.5 * before + x[i]
    return a


def in_place_operators(x):
    a = x.copy()
    b = a
    a += 1
    a -= x[0]
    a *= x
    a /= 2
    a **= 2
    a %= 3.0
    a //= 0.001
    return b * x


def copies_stay_apart(x):
    a = np.zeros(4)
    a[0] = x[0]
    b, c = a.copy(), np.array(a)
    a[0] = x[1]
    b[1] = x[2]
    return a + 2 * b + 3 * c


def fills_and_sorts(x):
    a = np.empty(4)
    a.fill(x[0])
    a[1:] = x[1:]
    a.sort()
    b = np.zeros((3, 3))
    np.fill_diagonal(b, x[0])
    np.put(a, [0], x[1])
    np.copyto(a, x, where=x > 1)
    np.putmask(a, a < 0.5, x[3])
    return a * b[0, 0]


def writes_to_out(x):
    out, total = np.zeros(4), np.empty(1)
    np.multiply(x, 2, out=out)
    np.add(out, x, out=out)
    np.divide(1.0, x - x[0], out=out, where=x > 1)
    np.sum(x, keepdims=True, out=total)
    x.cumsum(out=out[:])
    return out * total


def guarded_division(x):
    return np.divide(x, x - x[0], out=np.zeros_like(x), where=x != x[0])


def constants_stay_numpy(x):
    a = np.linspace(0, 1, 4)
    b = np.array([[1, 2], [3, 4.0]])
    c = np.concatenate([a, np.sort(-a), b.T.ravel(), np.unique(b)])
    c[:4] = x
    c[2] = np.linalg.eigvalsh(b + b.T)[0]
    return c * a.max() * np.fft.rfft(a).real[0] * b.strides[0] * np.histogram(a)[0][0]


def whole_numbers_stay_numpy(x):
    order = np.zeros(4, dtype=int)
    order[:2] = [3, 1]
    where = np.arange(4)
    return x[order] * where * np.array([1, 2, 3, 4]) + x[np.argsort(x)] * TABLE[np.argsort(x)]


def written_by_traced_whole_numbers(x):
    count = np.zeros(3, dtype=int)
    count[np.argmax(x) % 3] = np.sum(x > 1)
    mask = np.zeros(4, dtype=bool)
    mask[0] = x[0] > 0
    return x * count.sum() * mask + float(np.argmax(x))


WRITING = [
    writes_entries, a_row_writes_through, a_row_sees_later_writes, a_transpose_writes_through,
    a_reshape_writes_through, a_flattened_copy_does_not_write_through, views_of_views_write_through,
    a_view_of_a_traced_result_writes_through, an_argument_is_written_into, masks, adds_at, overlapping_slices,
    swaps, rows_from_rows, in_place_operators, copies_stay_apart, fills_and_sorts, writes_to_out, guarded_division,
    constants_stay_numpy, whole_numbers_stay_numpy, written_by_traced_whole_numbers, writes_slices,
]  # fmt: skip


@pytest.mark.parametrize("function", WRITING, ids=lambda function: function.__name__)
def test_arrays_are_written_into_as_numpy_does(function):
    check(function, np.array([0.7, 1.9, 1.1, 1.6]))


def test_the_caller_s_array_is_never_modified():
    given = np.array([0.7, 1.9, 1.1, 1.6])
    for function in WRITING:
        run(function, given)
        np.testing.assert_array_equal(given, [0.7, 1.9, 1.1, 1.6])


def fills(x, n):
    a = np.zeros(n)
    a[0] = x
    for i in range(1, n):
        a[i] = 0.5 * a[i - 1] + x
    return a


def accumulates(x, n):
    a = np.zeros(n)
    for i in range(n):
        a[i] += x
        a[i] *= x
    return a


def fills_rows(x, n):
    a = np.zeros((n, 2))
    a[0] = x
    for i in range(1, n):
        a[i] = a[i - 1] * 0.5
        a[i] += x
    return a


def fills_entries_of_rows(x, n):
    a = np.zeros((n, 2))
    for i in range(n):
        a[i, 0] = x
        a[i, 1] = a[i, 0] * a[i - 1, 1]
    return a


LOOPS = [fills, accumulates, fills_rows, fills_entries_of_rows]


@pytest.mark.parametrize("function", LOOPS, ids=lambda function: function.__name__)
def test_a_loop_that_fills_an_array_takes_linear_time_and_memory(function):
    check(lambda x: function(x, 5), 0.9)
    seconds, sizes = [], []
    for n in (2_500, 10_000):
        start = time.perf_counter()
        _, _, trace = run(lambda x, n=n: function(x, n), 0.9)
        seconds.append(time.perf_counter() - start)
        sizes.append(sum(np.size(value) for value in trace.values))
    assert sizes[1] < 4.5 * sizes[0]
    assert seconds[1] < 10 * seconds[0]


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


def bits(x):
    return np.argsort(x) & 1


def a_repeated_index(x):
    a = np.zeros(3)
    a[[0, 0]] = x[:2]
    return a


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
    bits: "works on bits.*truth values",
    a_repeated_index: "names an entry twice.*np.add.at",
    whole_numbers_in_place: r"float64 is written into an array of int64.*a = a \+ x",
    a_fractional_index: "used as an index.*whole number",
    an_overwritten_condition: "where= without out=.*np.where",
    the_method_trace: r"trace\(\).*np.trace",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_cannot_be_traced_names_line_reason_and_way_out(function):
    with pytest.raises(TraceError) as caught:
        run(function, np.array([0.7, 1.9, 1.1, 1.6]))
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
    from fractions import Fraction

    check(lambda x: x * Fraction(1, 3) + [1, 2], np.array([1.0, 2.0]))


def test_floor_division_is_exact_as_python_s():
    assert run(lambda x: x // 0.1, 1.0)[0] == 1.0 // 0.1
    assert run(lambda x: np.floor_divide(x, 0.1), np.array([1.0]))[0] == np.floor_divide(1.0, 0.1)


def test_nested_traces_keep_their_values_apart():
    def inner(y):
        a = np.zeros(2)
        a[0] = y * y
        a[1] = y

        def outer(x):
            b = np.array([x, a[1]])
            b[0] *= a[0]
            return b.sum() * x

        _, (slope,), _ = run(outer, 3.0) if not isinstance(y, Tracer) else nested(outer, 3.0)
        return slope

    def nested(function, point):
        trace = Trace([point])
        slot = trace.output_slot(function(*trace.tracers()))
        return None, sweeps.pull(trace, [slot], [1.0]), None

    # d/dx (x y**2 + y) x = 2 x y**2 + y, whose slope in y is 4 x y + 1
    assert run(inner, 2.0)[1][0] == pytest.approx(25.0)
    assert math.isfinite(inner(2.0))
