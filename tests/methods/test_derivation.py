"""Derivations: the rules that are named, what they give, and that simplifying does not change it."""

from __future__ import annotations

import signal

import pytest
import sympy

from adcli_methods import derivation_simplify
from adcli_methods.derivation import derivations
from adcli_methods.derivation_simplify import agree, simplified
from adcli_methods.derivation_symbols import constant
from adcli_methods.errors import AdcliError
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of

X, Y = sympy.symbols("x y", real=True)


def _rules(step):
    return [step.rule, *[rule for part in step.parts if part.rule != "variable" for rule in _rules(part)]]


@pytest.mark.parametrize(
    ("formula", "rules", "derivative"),
    [
        ("3*x", ["constant multiple rule"], sympy.Integer(3)),
        ("x**3", ["power rule"], 3 * X**2),
        ("x**x", ["general power rule"], X * X ** (X - 1) + X**X * sympy.log(X)),
        ("2**x", ["exponential rule"], 2**X * sympy.log(2)),
        ("x*sin(x)", ["product rule", "derivative of sin"], sympy.sin(X) + X * sympy.cos(X)),
        ("sin(x)/x", ["quotient rule", "derivative of sin"], sympy.cos(X) / X - sympy.sin(X) / X**2),
        ("2/x", ["reciprocal rule"], -2 / X**2),
        ("exp(x**2)", ["chain rule, exponential rule", "power rule"], 2 * X * sympy.exp(X**2)),
        ("log(x) + x**2 - x", ["difference rule", "logarithm rule", "power rule"], 1 / X + 2 * X - 1),
        ("x", ["variable"], sympy.Integer(1)),
        ("where(x > 1, x**2, 2*x)", ["piece by piece", "power rule", "constant multiple rule"],
         sympy.Piecewise((2 * X, X > 1), (2, True))),
    ],
)  # fmt: skip
def test_each_operation_is_derived_by_its_rule(formula, rules, derivative):
    (found,) = derivations(formula_function(formula))
    assert _rules(found.step) == rules
    assert found.derivative == derivative
    assert agree(found.derivative, found.simplified, [X])


def test_the_rule_is_stated_as_its_row_has_it():
    (found,) = derivations(formula_function("x**2*tanh(x)"))
    assert found.step.statement == "(u·v)′ = v·u′ + u·v′"
    assert [part.statement for part in found.step.parts] == ["(u²)′ = 2u·u′", "(tanh(u))′ = sech(u)²·u′"]


def test_by_one_input_the_others_are_constants():
    by_x, by_y = derivations(formula_function("x*exp(y) + 1"))
    assert (by_x.derivative, by_y.derivative) == (sympy.exp(Y), X * sympy.exp(Y))
    assert by_x.step.parts[0].statement == "(u·c)′ = c·u′"
    (alone,) = derivations(formula_function("x*exp(y) + 1"), wrt=["y"])
    assert alone.variable == "y"
    nothing = derivations(formula_function("x + 0*y"), {"x": 1.0, "y": 2.0})[1]
    assert nothing.derivative == 0


def test_a_python_functions_branch_is_that_of_the_point():
    def either(x):
        return x**3 if x > 1 else -x

    (above,), (below,) = derivations(function_of(either), 2.0), derivations(function_of(either), 0.5)
    assert (above.derivative, below.derivative) == (3 * X**2, -1)
    with pytest.raises(AdcliError, match="no point"):
        derivations(function_of(either))


def test_constants_have_their_names():
    assert constant(0.1) == sympy.Rational(1, 10)
    assert constant(2.0) == 2
    assert constant(float(2 * sympy.pi)) == 2 * sympy.pi
    assert constant(float(sympy.log(2))) == sympy.log(2)
    assert constant(0.123456789123) == sympy.Float(0.123456789123)
    assert constant(True) is sympy.true
    assert constant(1) == 1


def test_what_simplifies_to_something_else_is_left_as_derived(monkeypatch):
    monkeypatch.setattr(sympy, "simplify", lambda e: X)
    assert simplified(2 * X + 1, [X]) == 2 * X + 1


def test_simplifying_ends_in_time_and_gives_the_signal_back(monkeypatch):
    def endless(expression):
        while True:
            pass

    monkeypatch.setattr(sympy, "simplify", endless)
    monkeypatch.setattr(derivation_simplify, "MOST_SECONDS", 0.05)
    before = signal.getsignal(signal.SIGVTALRM)
    assert simplified(2 * X + 1, [X]) == 2 * X + 1
    assert signal.getsignal(signal.SIGVTALRM) is before
