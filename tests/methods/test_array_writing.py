"""Arrays that are written into while they are traced, and views of them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from adcli_methods import sweeps

from .tracing import check, traced

TABLE = np.arange(5.0)


def writes_entries(x):
    a = np.zeros(3)
    a[0], a[-1] = x[0] * x[1], x[2]
    a[1] += x[1]
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


def the_last_write_to_an_entry_counts(x):
    a = np.zeros(3)
    a[[0, 2, 0]] = x[:3]
    a[[1, 1]] = x[3]
    a[[2, 2]] += x[:2]
    b = np.ones((2, 2))
    b[[0, 0]] = [x[:2], x[2:]]
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
    the_last_write_to_an_entry_counts,
    swaps, rows_from_rows, in_place_operators, copies_stay_apart, fills_and_sorts, writes_to_out, guarded_division,
    constants_stay_numpy, whole_numbers_stay_numpy, written_by_traced_whole_numbers, writes_slices,
]  # fmt: skip


@pytest.mark.parametrize("function", WRITING, ids=lambda function: function.__name__)
def test_arrays_are_written_into_as_numpy_does(function):
    check(function, np.array([0.7, 1.9, 1.1, 1.6]))


def test_the_caller_s_array_is_never_modified():
    given = np.array([0.7, 1.9, 1.1, 1.6])
    for function in WRITING:
        traced(function, [given])
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


def traced_and_pulled(function, n):
    """The seconds of a trace with its adjoint sweep, the better of two, and the entries that it holds."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        trace, slots = traced(lambda x: function(x, n), [0.9])
        sweeps.pull(trace, slots, [np.ones(np.shape(trace.values[slots[0]]))])
        seconds.append(time.perf_counter() - start)
    return min(seconds), sum(np.size(value) for value in trace.values)


@pytest.mark.parametrize("function", LOOPS, ids=lambda function: function.__name__)
def test_a_loop_that_fills_an_array_takes_linear_time_and_memory(function):
    check(lambda x: function(x, 5), 0.9)
    small, large = (traced_and_pulled(function, n) for n in (2_500, 10_000))
    assert large[1] < 5 * small[1]
    assert large[0] < 12 * small[0]  # quadratic would be 16
