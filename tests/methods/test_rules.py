"""Every elementwise row of the table: its value and its partials, against mpmath, complex step, torch and SymPy."""

from __future__ import annotations

import functools
import zlib
from typing import Any

import mpmath
import numpy as np
import pytest

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Linear, Partial, Primitive, shape_of
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.reference import relative_error, ulp_error
from adcli_methods.targets import target
from adcli_methods.targets.complex_target import BORROWED_RULES

SAMPLES = 40
STEP = 1e-100
ORDERS = {
    "polygamma": (0, 1, 2), "sinc": (0, 1, 2), "bessel_j": (0, 1, 2.5), "bessel_y": (0, 2.5),
    "bessel_i": (0, 1, 2.5), "bessel_k": (0, 2.5),
}  # fmt: skip
ULPS = 4.0
LOOSE = {
    "erfinv": (8.0, 0.0, "exp(y**2) magnifies the rounding of the result y by up to 2 y**2"),
    "gamma": (8.0, 0.0, "SciPy's gamma is 4 ulp off"),
    "gammaln": (20.0, 1.0, "the C library loses relative digits at the zeros 1 and 2"),
    "digamma": (6.0, 0.1, "SciPy's zeta is 4 ulp off; digamma is 0 at 1.46"),
    "polygamma": (8.0, 0.1, "SciPy's zeta is 4 ulp off; polygamma(0) is 0 at 1.46"),
    "bessel_j": (16.0, 0.1, "SciPy's jv is 5 ulp off, and the rule is a difference of two of them"),
    "bessel_y": (16.0, 0.1, "SciPy's yv is 5 ulp off, and the rule is a difference of two of them"),
    "bessel_i": (20.0, 0.0, "SciPy's iv is 12 ulp off"),
    "bessel_k": (16.0, 0.0, "SciPy's kv is 8 ulp off"),
    "sinc": (16.0, 1.0, "differences of terms of the size of 1 near its zeros"),
    "ndtr": (6.0, 0.0, "the density is a square, which doubles the error of its root"),
    "log_ndtr": (8.0, 0.0, "it divides by ndtr, which is 5 ulp off"),
    "erfc": (5.0, 0.0, "SciPy's erfcx is 2 ulp off, times a compensated exponential"),
}
"""Rows with a bound of their own: units in the last place, of the value or of this size at least, and why."""

ROWS = [
    pytest.param(row, {"order": order} if order is not None else {}, id=name if order is None else f"{name}-{order}")
    for name, row in PRIMITIVES.items()
    if row.domain
    for order in ORDERS.get(name, (None,))
]
every_row = pytest.mark.parametrize(("row", "parameters"), ROWS)


@functools.cache
def sample(row: Primitive) -> list[tuple[float, ...]]:
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    return [tuple(float(rng.uniform(*interval)) for interval in row.domain) for _ in range(SAMPLES)]


def columns(row: Primitive) -> list[Any]:
    return [np.array(column) for column in zip(*sample(row), strict=True)]


def positions(row: Primitive) -> list[int]:
    return [i for i in range(len(row.domain)) if isinstance(row.rule(i, len(row.domain)), Partial)]


def partial(row: Primitive, position: int, operands: Any, result: Any, parameters: dict[str, Any]) -> Any:
    rule = row.rule(position, len(operands))
    assert isinstance(rule, Partial)
    return rule.constant if rule.constant is not None else rule.function(*operands, result, **parameters)


@functools.cache
def _exact(row: Primitive, order: float | None, position: int) -> list[Any]:
    """The values (position -1) or partials at the sample, to 60 digits, by central differences."""
    function = target("mpmath").call(row)
    parameters = {} if order is None else {"order": order}
    with mpmath.workdps(120):
        step = mpmath.mpf(10) ** -30
        found = []
        for point in sample(row):
            at = [mpmath.mpf(x) for x in point]
            if position < 0:
                found.append(function(*at, **parameters))
                continue
            above, below = list(at), list(at)
            above[position] += step
            below[position] -= step
            found.append((function(*above, **parameters) - function(*below, **parameters)) / (2 * step))
        return found


def exact(row: Primitive, parameters: dict[str, Any], position: int = -1) -> list[Any]:
    return _exact(row, parameters.get("order"), position)


def assert_within_ulps(row: Primitive, found: Any, truth: list[Any]) -> None:
    allowed, floor, _ = LOOSE.get(row.name, (ULPS, 0.0, ""))
    for point, value, true in zip(sample(row), np.broadcast_to(found, SAMPLES), truth, strict=True):
        error = ulp_error(float(value), true)
        if floor > abs(true):
            error *= float(np.spacing(abs(float(true))) / np.spacing(floor))
        assert error <= allowed, f"{row.name}{point}: {value!r} is {error:.1f} ulp off {mpmath.nstr(true, 20)}"


def assert_close(row: Primitive, found: Any, expected: Any, allowed: float) -> None:
    """Relative to the expected value, or to the row's floor where it is smaller."""
    floor = LOOSE.get(row.name, (ULPS, 0.0, ""))[1]
    found, expected = np.broadcast_arrays(np.asarray(found, dtype=float), np.asarray(expected, dtype=float))
    scale = np.maximum(np.abs(expected), floor)
    error = np.abs(found - expected) / np.where(scale == 0, 1.0, scale)
    worst = int(np.argmax(error))
    assert error.flat[worst] <= allowed, (row.name, found.flat[worst], expected.flat[worst])


@every_row
def test_values(row: Primitive, parameters: dict[str, Any]) -> None:
    truth = exact(row, parameters)
    assert_within_ulps(row, [row(*point, **parameters) for point in sample(row)], truth)
    assert_within_ulps(row, row(*columns(row), **parameters), truth)


@every_row
def test_partials(row: Primitive, parameters: dict[str, Any]) -> None:
    at = columns(row)
    result = row(*at, **parameters)
    for position in positions(row):
        truth = exact(row, parameters, position)
        assert_within_ulps(row, partial(row, position, at, result, parameters), truth)
        numbers = [partial(row, position, x, row(*x, **parameters), parameters) for x in sample(row)]
        assert_within_ulps(row, numbers, truth)


@every_row
def test_complex_step(row: Primitive, parameters: dict[str, Any]) -> None:
    if row.name in BORROWED_RULES and parameters != {"order": 0}:
        pytest.skip("the complex step borrows this rule")
    at = columns(row)
    result = row(*at, **parameters)
    for position in positions(row):
        moved = [x + 1j * STEP * (i == position) for i, x in enumerate(at)]
        stepped = target("complex").call(row)(*moved, **parameters)
        assert_close(row, np.imag(stepped) / STEP, partial(row, position, at, result, parameters), 1e-12)
        assert_close(row, np.real(stepped), result, 1e-12)


@every_row
def test_torch(row: Primitive, parameters: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    at = columns(row)
    result = row(*at, **parameters)
    tensors = [torch.tensor(x, requires_grad=True) for x in at]
    try:
        value = target("torch").call(row)(*tensors, **parameters)
    except OperatorError:
        assert row.name.startswith("bessel_")
        return
    assert_close(row, value.detach(), result, 1e-10)
    if not value.requires_grad:
        assert all(np.all(partial(row, i, at, result, parameters) == 0) for i in positions(row))
        return
    slopes = torch.autograd.grad(value.sum(), tensors, allow_unused=True, materialize_grads=True)
    for position in positions(row):
        assert_close(row, slopes[position], partial(row, position, at, result, parameters), 1e-10)


@every_row
def test_sympy(row: Primitive, parameters: dict[str, Any]) -> None:
    sympy = pytest.importorskip("sympy")
    at = columns(row)
    result = row(*at, **parameters)
    symbols = sympy.symbols(f"a:{len(at)}", real=True)
    expression = target("sympy").call(row)(*symbols, **parameters)
    formulas = [expression, *[expression.diff(symbols[i]) for i in positions(row)]]
    values = sympy.lambdify(symbols, formulas, modules=["scipy", "numpy"], cse=True)(*at)
    assert_close(row, values[0], result, 1e-10)
    for position, value in zip(positions(row), values[1:], strict=True):
        assert_close(row, value, partial(row, position, at, result, parameters), 1e-10)


def test_every_loose_bound_names_a_row_and_a_reason() -> None:
    assert all(name in PRIMITIVES and reason for name, (_, _, reason) in LOOSE.items())


def test_exact_partials_are_fifty_digits() -> None:
    row = PRIMITIVES["exp"]
    with mpmath.workdps(60):
        for point, slope in zip(sample(row), exact(row, {}, 0), strict=True):
            assert relative_error(float(slope), mpmath.exp(point[0])) < 2e-16
            assert abs(slope / mpmath.exp(mpmath.mpf(point[0])) - 1) < mpmath.mpf(10) ** -50


@pytest.mark.parametrize("name", ["numpy", "torch", "mpmath", "sympy", "complex"])
def test_every_target_knows_every_primitive(name: str) -> None:
    pytest.importorskip(name if name != "complex" else "numpy")
    missing = set(PRIMITIVES) - set(target(name).table)
    assert missing == ({"bessel_j", "bessel_y", "bessel_k"} if name == "torch" else set())


def test_where_is_linear_in_its_branches() -> None:
    row = PRIMITIVES["where"]
    condition = np.array([True, False])
    for position, expected in ((1, [3.0, 0.0]), (2, [0.0, 3.0])):
        rule = row.rule(position, 3)
        assert isinstance(rule, Linear)
        pulled = rule.pull(np.full(2, 3.0), condition, np.ones(2), np.zeros(2))
        assert shape_of(pulled) == (2,)
        np.testing.assert_array_equal(pulled, expected)
