"""Programs on other numbers: conversions, domains, laziness, and derivatives that the targets' libraries take."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from adcli_methods.errors import FunctionError, OperatorError
from adcli_methods.primitive import Primitive
from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.primitives.structural import ARRAY
from adcli_methods.targets import compile_template, index_text, literal, target, target_of

OUTSIDE = [
    ("sqrt", (-1.0,)), ("log", (-1.0,)), ("log1p", (-2.0,)), ("log2", (-1.0,)), ("arcsin", (1.5,)),
    ("arccos", (-1.5,)), ("arccosh", (0.5,)), ("arctanh", (2.0,)), ("power", (-8.0, 1 / 3)), ("arcsec", (0.5,)),
    ("arcsech", (2.0,)), ("arccoth", (0.5,)), ("logit", (1.5,)), ("xlogy", (1.0, -1.0)), ("erfinv", (1.5,)),
]  # fmt: skip
"""Points where a real function has no value though a complex one has."""


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, adcli_methods.targets, adcli_methods.execution, adcli_methods.emission, adcli_methods.reference\n"
        "from adcli_methods.targets import target\n"
        "target('numpy'), target('complex')\n"
        "print(sorted({'torch', 'sympy', 'mpmath', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_value_finds_its_target() -> None:
    sympy, torch = pytest.importorskip("sympy"), pytest.importorskip("torch")
    assert target_of(torch.ones(2)).name == "torch"
    assert target_of(torch.nn.Parameter(torch.ones(2))).name == "torch"
    assert target_of(mpmath.mpf(1)).name == "mpmath"
    assert target_of(sympy.Symbol("x")).name == "sympy"
    assert target_of(1j).name == target_of(np.complex128(1j)).name == "complex"
    assert target_of(Fraction(1, 3)).name == "numpy"
    for value in ("1", None, np.str_("1"), np.array(["a"]).view(np.recarray)):
        with pytest.raises(FunctionError, match="cannot be computed with"):
            target_of(value)
    with pytest.raises(FunctionError, match="numpy, torch"):
        target("fortran")


def test_primitives_called_on_foreign_values_compute_there() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, 4.0], dtype=torch.float64)
    assert P["sqrt"](x).tolist() == [1.0, 2.0]
    assert P["multiply"](np.array([2.0, 3.0]), x).tolist() == [2.0, 12.0]
    assert P["maximum"](x, 2.0).tolist() == [2.0, 4.0]
    assert P["sqrt"](Fraction(1, 4)) == P["sqrt"](np.longlong(1)) / 2 == 0.5
    assert P["add"]([1.0, 2.0], 1.0).tolist() == [2.0, 3.0]
    with mpmath.workdps(40):
        assert P["sqrt"](mpmath.mpf(2)) == mpmath.sqrt(2)
    assert P["exp"](0j) == 1


def test_templates_and_literals() -> None:
    function = compile_template("({0} - {1}) * {scale}", {})
    assert function(5, 3, scale=10) == 20
    assert literal((slice(None, None, -1), None, Ellipsis, 2.0)) == "(slice(None, None, -1), None, ..., 2.0)"
    assert literal((1,)) == "(1,)"
    assert literal(np.float64(-1.5)) == "-1.5"
    assert literal(math.inf) == "float('inf')"
    assert literal(np.dtype("float32")) == literal(np.float32) == "'float32'"
    assert index_text((1, slice(2, None), slice(None, None, 2), None, Ellipsis)) == "1, 2:, ::2, None, ..."
    assert index_text((ARRAY, slice(None)), ["v3"]) == "v3, :"
    assert index_text(()) == "()"


@pytest.mark.parametrize(("name", "point"), OUTSIDE)
def test_outside_the_real_domain_is_nan(name: str, point: tuple[float, ...]) -> None:
    assert mpmath.isnan(target("mpmath").call(P[name])(*map(mpmath.mpf, point)))
    stepped = target("complex").call(P[name])(*[x + 1e-100j for x in point])
    assert np.isnan(np.real(stepped))
    assert np.isnan(np.imag(stepped))


def test_mpmath_lifts_floats_exactly() -> None:
    with mpmath.workdps(50):
        third = target("mpmath").convert(np.array([1 / 3]), None)
        assert third[0] == mpmath.mpf(1) / 3 - (mpmath.mpf(1) / 3 - mpmath.mpf(1 / 3))
        assert target("mpmath").convert(0.1, None) == Fraction(0.1).numerator / mpmath.mpf(Fraction(0.1).denominator)
    assert target("mpmath").convert(np.array([1, 2]), None).dtype.kind == "i"
    assert target("mpmath").call(P["less"])(third, 1.0).dtype == bool


def test_sympy_numbers_are_exact_and_come_back() -> None:
    sympy = pytest.importorskip("sympy")
    from adcli_methods.targets.sympy_target import exact

    x = sympy.Symbol("x", real=True)
    assert target("sympy").call(P["power"])(x, 2.0) == x**2
    assert exact(0.5) == sympy.Rational(1, 2)
    assert exact(math.inf) is sympy.oo
    for number in (0.1, 1 / 3, 1e-300, math.pi, 1.7e308, 2.0**60):
        assert sympy.lambdify(x, exact(number) + 0 * x)(0.0) == number


def test_sympy_differentiates_abs_of_what_it_cannot_prove_real() -> None:
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", real=True)
    slope = P["absolute"](sympy.log(x)).diff(x)
    assert sympy.lambdify(x, slope, modules=["scipy", "numpy"])(np.float64(0.5)) == -2.0


def test_sympy_steps_have_derivative_zero() -> None:
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", real=True)
    assert all(P[name](x).diff(x) == 0 for name in ("floor", "ceil", "trunc", "rint", "sign"))


def nth_by_torch(row: Primitive, x: float, order: int, parameters: dict[str, Any]) -> float:
    torch = pytest.importorskip("torch")
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = target("torch").call(row)(at, **parameters)
    for _ in range(order):
        (value,) = torch.autograd.grad(value, at, create_graph=True)
    return float(value.detach())


@pytest.mark.parametrize(
    ("name", "x", "parameters"),
    [
        ("tanh", 8.0, {}), ("tanh", -20.0, {}), ("tanh", 0.3, {}), ("expm1", -30.0, {}), ("sigmoid", 40.0, {}),
        ("sigmoid", -700.0, {}), ("softplus", -40.0, {}), ("softplus", 1.0, {}), ("gammaln", 1.5, {}),
        ("gamma", 0.3, {}), ("digamma", 10.0, {}), ("sinc", 1e-5, {"order": 0}), ("sinc", 0.3, {"order": 2}),
        ("coth", 8.0, {}), ("erfc", 5.0, {}), ("cbrt", -2.0, {}), ("arctan", 100.0, {}), ("logit", 0.99, {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [1, 2, 8])
def test_torch_derivatives_keep_their_digits(name: str, x: float, parameters: dict[str, Any], order: int) -> None:
    function = target("mpmath").call(P[name])
    with mpmath.workdps(400):
        step, half = mpmath.mpf(10) ** -30, mpmath.mpf(order) / 2
        terms = [
            (-1) ** k * math.comb(order, k) * function(mpmath.mpf(x) + (half - k) * step, **parameters)
            for k in range(order + 1)
        ]
        exact = mpmath.fsum(terms) / step**order
        assert abs(nth_by_torch(P[name], x, order, parameters) - exact) <= 2e-14 * abs(exact)


@pytest.mark.parametrize("name", [name for name, row in P.items() if row.domain and name not in ("polygamma", "sinc")])
def test_torch_keeps_dtype_and_device(name: str) -> None:
    torch = pytest.importorskip("torch")
    row = P[name]
    parameters = {"order": 0} if name.startswith("bessel") else {}
    at = [torch.tensor([sum(interval) / 2], dtype=torch.float32, requires_grad=True) for interval in row.domain]
    try:
        value = target("torch").call(row)(*at, **parameters)
    except OperatorError:
        return
    assert value.dtype is torch.float32
    elsewhere = target("torch").call(row)(*[x.to("meta") for x in at], **parameters)
    assert elsewhere.device.type == "meta"


def test_torch_numbers_beside_a_condition_take_the_dtype_in_use() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([-1.0, 1.0], dtype=dtype)
        assert P["where"](P["greater"](x, 0.0), 0.1, 0.2).dtype is dtype


def test_torch_names_what_it_lacks() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(OperatorError, match="bessel_j"):
        P["bessel_j"](torch.ones(1), order=0)
    with pytest.raises(OperatorError, match="bessel_i of order 2"):
        P["bessel_i"](torch.ones(1), order=2)


def test_lift_and_lower() -> None:
    torch = pytest.importorskip("torch")
    from adcli_methods.targets.torch_target import lift, lower

    lifted = lift([1.5, np.ones(2, dtype=np.float32), np.arange(2)], "cpu")
    assert [x.dtype for x in lifted] == [torch.float64, torch.float32, torch.int64]
    number, array, _ = lower(lifted)
    assert number == 1.5
    assert type(number) is float
    assert array.dtype == np.float32


def test_complex_step_is_right_at_kinks_and_through_infinities() -> None:
    on = target("complex")
    h = 1e-100
    assert np.imag(on.call(P["absolute"])(-2 + 1j * h)) == -h
    assert np.imag(on.call(P["absolute"])(0 + 1j * h)) == 0
    assert np.imag(on.call(P["maximum"])(1 + 1j * h, 1.0)) == h / 2
    assert np.imag(on.call(P["sqrt"])(0 + 1j * h)) == math.inf
    assert np.imag(on.call(P["power"])(-2 + 1j * h, 3.0)) / h == pytest.approx(12.0, rel=1e-15)
    assert np.imag(on.call(P["power"])(0 + 1j * h, 2.0)) == 0
    assert np.imag(on.call(P["hypot"])(0 + 1j * h, 0.0)) == 0
    assert np.imag(on.call(P["arctan2"])(1e200 + 1j * h, 1e200)) == pytest.approx(h * 5e-201, rel=1e-15, abs=0)
    ties = on.call(P["max"])(np.array([1.0, 2 + 1j * h, 2.0]), axis=(0,), keepdims=False)
    assert np.imag(ties) == h / 2
