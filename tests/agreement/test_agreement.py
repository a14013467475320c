"""Every problem, every method, every operator: each agrees with the reference or says why it cannot.

The reference of first derivatives is the hand-written one, which its own test holds against 50-digit differences.
The reference of Hessians is forward over reverse, held against 50-digit differences here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pytest

from adcli_benchmarks.problem import Problem
from adcli_benchmarks.problems import PROBLEMS, problem_named
from adcli_methods.differentiate import Request, differentiate, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.method import OPERATORS, Method
from adcli_methods.methods import METHODS, method_named

from .comparing import Matrix, as_matrix, assert_close, exact_hessian, require, rows, tolerance

SECOND = ("hessian", "hvp")
OF_SCALARS = ("gradient", *SECOND)
SEED = 5
SIZES = {"k-means": 2} | dict.fromkeys(
    ("gaussian-mixture", "bundle-adjustment", "lstm", "perceptron", "particle", "saddle"), 1
)
"""Where 3 is large for SymPy."""


@dataclass(frozen=True)
class Instance:
    """A problem at a small point, with its exact derivatives and vectors to multiply them by."""

    problem: Problem

    @cached_property
    def point(self) -> dict[str, Any]:
        """The inputs, of a small size."""
        size = None if len(self.problem.sizes) == 1 else SIZES.get(self.problem.name, 3)
        return self.problem.point(size, SEED)

    @cached_property
    def outputs(self) -> int:
        """How many numbers the function returns."""
        return int(np.size(self.problem.function(**self.point)))

    @property
    def is_scalar(self) -> bool:
        """Whether the function returns one number, not a vector of one."""
        return np.ndim(self.problem.function(**self.point)) == 0

    @cached_property
    def sizes(self) -> list[int]:
        """How many numbers each differentiated input has."""
        flat = flat_problem(self.problem.as_function(), self.point, Request())
        return [int(np.size(leaf)) for leaf in flat.leaves]

    @cached_property
    def jacobian(self) -> Matrix:
        """The hand-written derivative, outputs by inputs."""
        return rows(self.problem.derivative(**self.point), self.outputs)

    @cached_property
    def hessian(self) -> Matrix:
        """Forward over reverse."""
        return as_matrix(self.differentiate("auto", "hessian"), self.sizes)

    def vector(self, operator: str) -> Matrix | None:
        """The vector that the operator takes, if it takes one."""
        count = {"jvp": sum(self.sizes), "hvp": sum(self.sizes), "vjp": self.outputs}.get(operator)
        return None if count is None else np.random.default_rng(SEED).uniform(0.5, 1.5, count)

    def exact(self, operator: str) -> Matrix:
        """What the operator must give, as a matrix."""
        vector = self.vector(operator)
        if operator == "hessian":
            return self.hessian
        if vector is None:
            return self.jacobian
        product = {"jvp": self.jacobian.T, "vjp": self.jacobian}.get(operator)
        return (vector @ (self.hessian if product is None else product))[None, :]

    def differentiate(self, mode: str, operator: str) -> Any:
        """The library's answer."""
        request = Request(mode, operator=operator, vector=self.vector(operator))
        return differentiate(self.problem.as_function(), self.point, request)


@cache
def instance(name: str) -> Instance:
    """The problem of a name at its point; made once, so that references are computed once."""
    return Instance(problem_named(name))


def refusal(method: type[Method], operator: str, is_scalar: bool) -> str | None:
    """The message of what cannot be asked of a method and a function, None where it can."""
    if operator not in method.operators:
        return f"method {method.name} gives no {operator}: it gives derivative, gradient, jacobian, "
    if operator in OF_SCALARS and not is_scalar:
        return f"the {operator} is of a function with one scalar output; this one returns shape"
    return None


NAMES = [problem.name for problem in PROBLEMS]
SCALAR_NAMES = [name for name in NAMES if instance(name).is_scalar]


SWELLING = (
    "gaussian-mixture", "bundle-adjustment", "hand-tracking", "hand-tracking-surface", "lstm", "perceptron", "particle",
)  # fmt: skip
"""Problems whose formulas SymPy takes many seconds to differentiate at all."""


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("mode", list(METHODS))
@pytest.mark.parametrize("name", NAMES)
def test_methods_agree_with_the_reference_or_say_why_not(name: str, mode: str, operator: str) -> None:
    require(mode)
    if mode == "symbolic" and name in SWELLING:
        pytest.skip("SymPy's formula swells")
    one, method = instance(name), method_named(mode)
    message = refusal(method, operator, one.is_scalar)
    if message is not None:
        with pytest.raises(OperatorError, match=message):
            one.differentiate(mode, operator)
        return
    found = as_matrix(one.differentiate(mode, operator), one.sizes)
    allowed = tolerance(mode, 2 if operator in SECOND else 1)
    assert_close(found.reshape(one.exact(operator).shape), one.exact(operator), allowed)


@pytest.mark.parametrize("name", NAMES)
def test_auto_agrees_with_the_reference(name: str) -> None:
    one = instance(name)
    for operator in OPERATORS:
        if operator in OF_SCALARS and not one.is_scalar:
            continue
        found = as_matrix(one.differentiate("auto", operator), one.sizes)
        assert_close(found.reshape(one.exact(operator).shape), one.exact(operator), 1e-10)


@pytest.mark.parametrize("name", SCALAR_NAMES)
def test_the_reference_hessian_agrees_with_differences_of_fifty_digits(name: str) -> None:
    one = instance(name)
    assert_close(one.hessian, exact_hessian(one.problem.as_function(), one.point), 1e-12)


@pytest.mark.parametrize("mode", ["complex-step", "manual"])
def test_methods_of_first_order_refuse_a_higher_one(mode: str) -> None:
    problem = problem_named("exp-square")
    with pytest.raises(OperatorError, match=f"method {mode} gives derivatives up to order 1: forward, reverse, "):
        differentiate(problem.as_function(), problem.point(), Request(mode, order=2))
