"""Row mode: each row's value and derivatives are those of the point by itself."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from adcli_methods import row_function
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import FunctionError, OperatorError, PointError, TraceError, UnavailableError
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of
from adcli_methods.row_function import RowFunction
from adcli_methods.row_versions import BLOCK_ROWS
from adcli_methods.rows import row_derivatives, stream_row_derivatives

HAS_COMPILER = any(map(shutil.which, ("cc", "gcc", "clang")))


def price(S, r, T):
    return S * np.exp(-r * T) * np.sin(S) + np.log(1 + S**2)


def branching(x, y):
    if x < 0:
        return -x * y
    if x > 1:
        z = x
        while z < 50:
            z = z * z * 1.1
        return z + y
    return math.sqrt(x) * y if y > 0.5 else np.where(x > 0.25, np.log(x), 0.0) * y


def of_small_arrays(x, y):
    return np.sum(np.array([x, y, x * y]) ** 2) + max(x, y) + np.max(np.array([x, 2 * y]))


def solved(x, y):
    return np.linalg.solve(np.array([[x, 1.0], [0.5, y + 3]]), np.array([1.0, x]))[0]


def zero_times_infinity(x, y):
    return np.where(x > 0, np.sqrt(x), 0.0) * y


def constant(x, y):
    return 3.0


def of_special_functions(x, y):
    return math.erf(x) * math.lgamma(y + 3)


FUNCTIONS = (of_special_functions, branching, of_small_arrays, solved, zero_times_infinity, constant)


def table(n, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 2.1, n)
    x[: min(n, 3)] = (0.0, np.nan, 1.0)[:n]
    return {"x": x, "y": generator.random(n)}


WAYS = [(function, mode, "numpy") for function in FUNCTIONS for mode in ("forward", "reverse")]


@pytest.mark.parametrize(("function", "mode", "compile_with"), [*WAYS, *([(branching, "reverse", "c")] * HAS_COMPILER)])
def test_each_row_is_the_derivative_at_that_point(function, mode, compile_with):
    columns = table(60)
    found = row_derivatives(function, columns, mode=mode, compile=compile_with)
    for row in range(60):
        at = {name: float(column[row]) for name, column in columns.items()}
        expected = differentiate(function_of(function), at, Request(mode))
        np.testing.assert_allclose(found.value[row], expected.value, rtol=1e-14)
        for name, slopes in found.derivatives.items():
            np.testing.assert_allclose(slopes[row], expected.derivative[name], rtol=1e-14)


def test_rows_beyond_a_block_are_the_same_as_alone():
    generator = np.random.default_rng(1)
    columns = {name: generator.random(2 * BLOCK_ROWS + 5) + 0.5 for name in ("S", "r", "T")}
    for compile_with in ("numpy", "c") if HAS_COMPILER else ("numpy",):
        whole = row_derivatives(price, columns, compile=compile_with)
        for rows in (slice(0, 1), slice(BLOCK_ROWS - 1, BLOCK_ROWS + 1), slice(-7, None)):
            part = row_derivatives(price, {name: c[rows] for name, c in columns.items()}, compile=compile_with)
            assert part.value.tolist() == whole.value[rows].tolist()
            assert part.derivatives["S"].tolist() == whole.derivatives["S"][rows].tolist()


def test_each_way_through_the_branches_is_traced_once():
    prepared = RowFunction(branching, ("x", "y"))
    first = prepared(table(5000))
    ways = len(prepared.versions)
    assert 5 <= ways <= 9
    prepared(table(5000, seed=1))
    assert len(prepared.versions) == ways
    assert prepared.single_rows == 0
    assert not first.failures


def test_rows_beyond_the_most_versions_go_one_by_one(monkeypatch):
    monkeypatch.setattr(row_function, "MOST_VERSIONS", 2)
    prepared = RowFunction(branching, ("x", "y"))
    found = prepared(table(200))
    assert len(prepared.versions) == 2
    assert prepared.single_rows > 20
    expected = row_derivatives(branching, table(200))
    np.testing.assert_allclose(found.derivatives["x"], expected.derivatives["x"], rtol=1e-14)


def raising(x, y):
    if x > 1:
        raise ValueError("too large")
    return x * y


@pytest.mark.parametrize("most", [64, 0])
def test_rows_where_the_function_raises_hold_nan_and_are_told(monkeypatch, most):
    monkeypatch.setattr(row_function, "MOST_VERSIONS", most)
    x = np.array([0.5, 2.0, 0.25, 3.0])
    found = row_derivatives(raising, {"x": x, "y": np.ones(4)})
    ((reason, rows),) = found.failures.items()
    assert "too large" in reason
    assert rows.tolist() == [1, 3]
    np.testing.assert_array_equal(found.value, [0.5, np.nan, 0.25, np.nan])
    np.testing.assert_array_equal(found.derivatives["y"], [0.5, np.nan, 0.25, np.nan])


def undefined(x):
    return undefined_name * x  # noqa: F821


def of_an_array(x):
    return np.sum(x[1:])


def of_shapes(x):
    return np.sum(np.array([x, x]) + np.ones(3))


def endless(x):
    return endless(x)


@pytest.mark.parametrize(
    ("function", "text"),
    [(undefined, "NameError"), (of_an_array, "TypeError"), (of_shapes, "ValueError"), (endless, "RecursionError")],
)
def test_what_is_raised_before_any_decision_ends_it(function, text):
    with pytest.raises(FunctionError, match=rf"test_rows.py:\d+: {text}: .* \(in {function.__name__}\)"):
        row_derivatives(function_of(function, is_file=True), {"x": [1.0, 2.0]})
    with pytest.raises((NameError, TypeError, ValueError, RecursionError)) as caught:
        row_derivatives(function, {"x": [1.0, 2.0]})
    assert type(caught.value).__name__ == text


def root(x, y):
    return math.sqrt(x) * y


def guarded_root(x, y):
    return math.sqrt(x) if y > 0 else y


def guarded_solve(x, y):
    return np.linalg.solve(np.array([[x, 1.0], [1.0, 1.0]]), np.ones(2))[0] if y > 0 else y


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize(
    ("function", "bad", "reason"),
    [
        (root, -1.0, "math domain error"),
        (guarded_root, -1.0, "math domain error"),
        (guarded_solve, 1.0, "Singular matrix"),
    ],
)
def test_a_first_row_on_which_an_operation_fails_takes_no_other_row_along(function, bad, reason, is_file):
    expected = differentiate(function_of(function), {"x": 4.0, "y": 2.0}, Request(wrt=("x",))).derivative
    found = row_derivatives(function_of(function, is_file=is_file), {"x": [bad, bad, 4.0], "y": [1.0, 1.0, 2.0]})
    assert found.derivatives["x"][2] == pytest.approx(expected)
    ((told, rows),) = found.failures.items()
    assert reason in told
    assert rows.tolist() == [0, 1]
    assert np.isnan(found.value[:2]).all()


@pytest.mark.parametrize(
    ("function", "at", "reason"),
    [
        (formula_function("log(x)/x"), {"x": -1.0}, "NaN first arises in log(-1)"),
        (formula_function("x*log(x)"), {"x": 0.0}, "NaN first arises in multiply(0, -inf)"),
        (formula_function("x"), {"x": math.nan}, "the value is nan"),
        (root, {"x": -1.0, "y": 1.0}, "math domain error"),
    ],
)
def test_the_reason_for_a_value_that_is_nan_is_that_of_its_row_alone(function, at, reason):
    assert reason in RowFunction(function, tuple(at)).why_nan(at)


@pytest.mark.parametrize(("short", "mode"), [("fwd", "forward"), ("rev", "reverse"), ("Forward", "forward")])
def test_a_mode_may_be_given_by_its_short_name(short, mode):
    prepared = RowFunction(price, ("S", "r", "T"), mode=short)
    prepared({"S": [1.0], "r": [1.0], "T": [1.0]})
    assert prepared.versions[0].mode == mode


def test_inputs_without_a_column_are_fixed_or_at_their_default():
    def scaled(x, weights, power=2, factor=3.0):
        return factor * np.sum(weights * x) ** power

    columns = {"x": [1.0, 2.0]}
    found = row_derivatives(scaled, columns, ["x", "factor"], fixed={"weights": np.array([1.0, 2.0])})
    assert found.value.tolist() == [27.0, 108.0]
    assert found.derivatives["x"].tolist() == [54.0, 108.0]
    assert found.derivatives["factor"].tolist() == [9.0, 36.0]
    assert row_derivatives(scaled, columns, fixed={"weights": 1.0}).derivatives.keys() == {"x"}


def test_a_value_that_is_nan_has_derivatives_that_are_nan():
    found = row_derivatives(formula_function("sqrt(x) + y"), {"x": [-1.0, 4.0], "y": [1.0, 1.0]})
    np.testing.assert_array_equal(found.derivatives["y"], [np.nan, 1.0])


def test_blocks_of_a_stream_share_what_was_prepared():
    calls = []

    def counted(x):
        calls.append(1)
        return x**2

    found = list(stream_row_derivatives(counted, ({"x": np.full(4, float(i))} for i in range(5))))
    assert [each.derivatives["x"][0] for each in found] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert len(calls) == 1


def test_no_rows_give_no_rows():
    found = row_derivatives(price, {"S": [], "r": [], "T": []})
    assert found.value.size == found.derivatives["S"].size == 0


def untraceable(x):
    return float(x) ** 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: row_derivatives(price, {"S": [1.0], "r": [1.0]}), PointError, "no value for T"),
        (lambda: row_derivatives(price, {"S": [1.0], "r": [1.0], "T": [1.0, 2.0]}), PointError, "one length"),
        (lambda: row_derivatives(price, {"q": [1.0]}), PointError, "no input 'q'"),
        (lambda: row_derivatives(np.sin, {"x": [1.0]}, wrt="z"), PointError, "no input 'z'"),
        (lambda: row_derivatives(np.sin, {"x": [1.0]}, fixed={"x": 1.0}), PointError, "leave one of them out"),
        (lambda: row_derivatives(np.sin, {"x": [1.0]}, mode="symbolic"), OperatorError, "not by 'symbolic'"),
        (lambda: row_derivatives(np.sin, {"x": [1.0]}, mode="forwards"), OperatorError, "did you mean forward?"),
        (lambda: row_derivatives(np.sin, {}), PointError, "no columns"),
        (lambda: row_derivatives(np.sin, {"x": ["1", "a"]}), PointError, "column x, row 1 .* is 'a', no number"),
        (lambda: row_derivatives(np.sin, {"x": [1.0, None]}), PointError, r"column x, row 1 \(from 0\) is None"),
        (lambda: row_derivatives(np.sin, {"x": [10**400]}), PointError, "too large for a float"),
        (lambda: row_derivatives(np.sin, {"x": [1j]}), PointError, "column x holds complex128: real numbers"),
        (lambda: row_derivatives(np.sin, {"x": [[1.0], [1.0, 2.0]]}), PointError, "column x is no vector"),
        (lambda: row_derivatives(np.sin, {"x": [1.0]}, compile="rust"), OperatorError, "compile='rust'"),
        (lambda: row_derivatives(lambda x: [x, x], {"x": [1.0]}), OperatorError, r"returns 2 numbers: .* sum\("),
        (lambda: row_derivatives(untraceable, {"x": [1.0]}), TraceError, "float"),
        (lambda: row_derivatives(price, {"S": [1.0], "r": [1.0]}, "T", fixed={"T": np.ones(2)}), PointError, "array"),
    ],
)
def test_what_does_not_fit_is_told(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_without_a_compiler_numpy_does_it(monkeypatch):
    def missing(*_, **__):
        raise UnavailableError("no C compiler")

    monkeypatch.setattr("adcli_methods.kernels.compile_program", missing)
    monkeypatch.setattr(row_function, "WORTH_COMPILING", 0)
    prepared = RowFunction(np.sin, ("x",))
    assert prepared({"x": [0.0]}).derivatives["x"].tolist() == [1.0]
    assert prepared.versions[0].backend == "numpy"
    with pytest.raises(UnavailableError):
        row_derivatives(np.sin, {"x": [0.0]}, compile="c")
