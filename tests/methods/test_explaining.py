"""Explanations: the textbooks' numbers, sums of contributions, and formulas that say what the numbers do."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import scipy.special

from adcli_methods.differentiate import Request, differentiate
from adcli_methods.explaining import explain
from adcli_methods.formula import formula_function
from adcli_methods.formula_text import BAR, DOT
from adcli_methods.function import function_of
from adcli_methods.poison import births
from adcli_methods.primitive import Partial
from adcli_methods.primitives import PRIMITIVES


def _explained(formula, at, **options):
    return explain(formula_function(formula, at), at, **options)


def test_the_textbooks_numbers_of_exp_of_a_square():
    lines = _explained("exp(x**2)", {"x": 2.0}).lines
    assert [line.name for line in lines] == ["v₀", "v₁", "v₂"]
    e4 = math.exp(4.0)
    assert [line.value for line in lines] == [2.0, 4.0, e4]
    assert [line.tangent for line in lines] == [1.0, 4.0, 4.0 * e4]
    assert [line.adjoint for line in lines] == [4.0 * e4, e4, 1.0]
    assert [line.formula for line in lines] == ["x", "v₀²", "exp(v₁)"]
    assert [line.kept for line in lines] == [True, False, True]


def test_a_value_used_twice_collects_from_both_successors():
    explanation = _explained("log(x1)+x1*x2-sin(x2)", {"x1": 2.0, "x2": 5.0})
    lines = explanation.lines
    assert [line.name for line in lines] == ["v₋₁", "v₀", "v₁", "v₂", "v₃", "v₄", "v₅"]
    v0 = lines[1]
    assert [(lines[term.source].name, term.partial_formula, term.partial) for term in v0.terms] == [
        ("v₄", "cos(v₀)", math.cos(5.0)),
        ("v₂", "v₋₁", 2.0),
    ]
    assert v0.adjoint_formula == f"v{BAR}₄·cos(v₀) + v{BAR}₂·v₋₁"
    assert v0.adjoint == 2.0 - math.cos(5.0)
    assert [line.tangent for line in lines] == [1.0, 0.0, 0.5, 5.0, 5.5, 0.0, 5.5]
    assert [line.adjoint for line in lines] == [5.5, 2.0 - math.cos(5.0), 1.0, 1.0, 1.0, -1.0, 1.0]
    assert lines[3].tangent_formula == f"v₀·v{DOT}₋₁ + v₋₁·v{DOT}₀"
    assert (explanation.passes.forward, explanation.passes.reverse) == (2, 1)


_CASES = [
    ("x1*x2+sin(x1)", {"x1": 2.0, "x2": 3.0}),
    ("x1**2+x2", {"x1": 2.0, "x2": 3.0}),
    ("x**x", {"x": 2.0}),
    ("x*x*x", {"x": 3.0}),
    ("exp(floor(x))*x", {"x": 2.5}),
    ("sum(x**2)*y", {"x": np.arange(3.0), "y": 2.0}),
    ("max(x)*norm(x)", {"x": np.arange(3.0)}),
    ("det([[x,y],[y,x]])", {"x": 1.0, "y": 2.0}),
    ("prod(x) + x[0]*x[1] - x[0]", {"x": np.array([1.0, 2.0, 3.0])}),
    ("where(x>1, x**0.5, x)+maximum(x,y)", {"x": 2.0, "y": 2.0}),
    ("x@y + sum(x + z)", {"x": np.arange(3.0), "y": np.ones(3), "z": 0.5}),
    ("sum((a@b)**2)", {"a": np.ones((2, 3)), "b": np.ones((3, 2))}),
    ("log(x)*0 + x", {"x": 0.5}),
    ("3", {"x": 0.5}),
    ("x", {"x": 0.5}),
]


@pytest.mark.parametrize(("formula", "at"), _CASES, ids=[formula for formula, _ in _CASES])
def test_contributions_add_up_to_the_derivative(formula, at):
    explanation = _explained(formula, at)
    derivative = differentiate(formula_function(formula, at), at, Request("reverse")).derivative
    expected = derivative if isinstance(derivative, dict) else {next(iter(at)): derivative}
    for name, part in expected.items():
        np.testing.assert_array_equal(explanation.derivative[name], part)
    for line in explanation.lines:
        if line.terms and all(np.shape(term.value) == np.shape(line.value) for term in line.terms):
            seed = 1.0 if line.index in explanation.outputs else 0.0
            np.testing.assert_allclose(sum(term.value for term in line.terms) + seed, line.adjoint, rtol=1e-14)
    # along the forward sweep's direction both sweeps agree
    products = [np.sum(line.tangent * line.adjoint) for line in explanation.lines[: len(explanation.inputs)]]
    np.testing.assert_allclose(sum(products), explanation.tangents[0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("tangent", "expected"), [("y", 3.0), ([2.0, 1.0], 13.0), ({"x": 1.0, "y": 0.0}, 5.0)])
def test_the_tangent_is_seeded_by_name_or_numbers(tangent, expected):
    explanation = _explained("x*y", {"x": 3.0, "y": 5.0}, tangent=tangent)
    assert explanation.tangents == (expected,)


def test_each_output_can_be_the_one_that_is_differentiated():
    at = {"x": 3.0, "y": 5.0}
    assert _explained("[x*y, x+y]", at).derivative == {"x": 5.0, "y": 3.0}
    assert _explained("[x*y, x+y]", at, cotangent=[0.0, 1.0]).derivative == {"x": 1.0, "y": 1.0}
    passes = _explained("[x*y, x+y, x]", at).passes
    assert (passes.forward, passes.reverse, passes.inputs, passes.outputs) == (2, 3, 2, 3)


def test_single_precision_stays_single():
    lines = _explained("sin(x)*x", {"x": 2.0}, dtype="float32").lines
    assert all(np.asarray(x).dtype == np.float32 for line in lines for x in (line.value, line.tangent, line.adjoint))


def test_loops_are_marked_where_the_source_line_comes_again():
    def powers(x):
        y = 1.0
        for _ in range(3):
            y = y * x
        return y if y > 2.0 else -y

    explanation = explain(function_of(powers), {"x": 2.0})
    marks = [(index, text.split(": ", 1)[1]) for index, text in explanation.branches]
    assert marks == [(2, "y = y * x → pass 2"), (3, "y = y * x → pass 3"), (4, "return y if y > 2.0 else -y → true")]


@pytest.mark.parametrize(
    ("formula", "at", "kinds"),
    [
        ("x**2", {"x": 1.0}, []),
        ("log(x)", {"x": 0.0}, ["Inf"]),
        ("log(x)", {"x": -1.0}, ["NaN"]),
        ("log(x) - log(y)", {"x": 0.0, "y": 0.0}, ["Inf", "Inf", "NaN"]),
        ("sqrt(x)", {"x": 0.0}, ["Inf slope"]),
        ("abs(x)", {"x": 0.0}, ["kink"]),
        ("exp(x)*exp(y)*0.5", {"x": 700.0, "y": 700.0}, ["Inf"]),
        ("exp(x)*exp(y) - 1e308", {"x": 354.0, "y": 355.0}, []),
    ],
)
def test_births_of_what_is_not_finite(formula, at, kinds):
    found = births(_explained(formula, at))
    assert [birth.kind for birth in found if "adjoint" not in birth.kind] == kinds


_NUMERIC = {
    "ln": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "abs": np.abs, "max": np.maximum,
    "min": np.minimum, "Γ": scipy.special.gamma, "lnΓ": scipy.special.gammaln, "ψ": scipy.special.digamma,
    "σ": scipy.special.expit, "Φ": scipy.special.ndtr, "lnΦ": scipy.special.log_ndtr, "π": math.pi, "inf": math.inf,
}  # fmt: skip
_EXPONENT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_INDEX = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋", "0123456789m")


def _value_of(text, names):
    """What a formula's text evaluates to: the other way round from how it was spelled."""
    text = re.sub("ln (2|10)", r"ln(\1)", text).replace("√(2π)", "sqrt(2*π)").replace("√π", "sqrt(π)")
    text = text.translate(_INDEX).replace("∛", "cbrt").replace("ψ⁽¹⁾", "trigamma").replace("∞", "inf")
    text = re.sub(r"√(\w+)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    text = re.sub("([⁰¹²³⁴-⁹⁻]+)", lambda match: f"**({match[1].translate(_EXPONENT)})", text)
    text = text.replace("·", "*").replace("−", "-").replace("^", "**")
    text = re.sub(r"(?<![\w.])([\d.]+)(?=[^\W\d]|\()", r"\1*", text)
    trigamma = {"trigamma": lambda x: scipy.special.polygamma(1, x)}
    table = {row.name: row for row in PRIMITIVES.values()} | _NUMERIC | trigamma | names
    return eval(text, {"__builtins__": {}}, table)  # a text that this package wrote


ELEMENTWISE = [
    row
    for row in PRIMITIVES.values()
    if row.domain and row.fixed and all(type(rule) is Partial for rule in row.fixed) and "bessel" not in row.name
    and row.name not in ("polygamma", "sinc")
]  # fmt: skip


@pytest.mark.parametrize("row", ELEMENTWISE, ids=str)
def test_the_text_of_every_row_evaluates_to_its_number(row):
    generator = np.random.default_rng(3)
    values = [generator.uniform(*interval) for interval in row.domain]
    call = (lambda a: row(a)) if len(values) == 1 else (lambda a, b: row(a, b))
    line = explain(function_of(call), dict(zip("ab", values, strict=False))).lines[-1]
    names = dict(zip(["v0"] if len(values) == 1 else ["vm1", "v0"], values, strict=True))
    np.testing.assert_allclose(_value_of(line.formula, names), line.value, rtol=1e-13)
    for text, partial in zip(line.partial_formulas, line.partials, strict=True):
        np.testing.assert_allclose(_value_of(text, names), partial, rtol=1e-5)  # constants have six digits
