"""What a user may name as the function: a formula, a callable, "file.py:name", "problem:name"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adcli_methods.errors import PointError
from adcli_methods.formula import formula_function
from adcli_methods.function import Function, function_of
from adcli_methods.loading import load_python, names_python

PROBLEM = "problem:"


Target = str | Callable[..., Any] | Function
"""A formula, "file.py:name", "problem:name", a callable, or a Function."""


def resolve(target: Target, at: Any = None, derivative: Target | None = None) -> tuple[Function, Any]:
    """The Function that a target names, and the point (a problem's own where none is given).

    Raises: ExpressionError, FunctionError, PointError.
    """
    function, point = _function(target, at)
    if point is None:
        raise PointError(f"no point: say where to differentiate {function.name}, with at=... (--at x=2, or --n 10)")
    if derivative is None:
        return function, point
    return replace(function, derivative=_hand(derivative, function, point).call), point


def _hand(derivative: Target, function: Function, point: Any) -> Function:
    """The hand-written derivative, of the same inputs as the function."""
    if isinstance(derivative, Function):
        return derivative
    if not isinstance(derivative, str):
        return function_of(derivative)
    if names_python(derivative):
        return load_python(derivative)
    return formula_function(derivative, point, inputs=function.parameters)


def _function(target: Target, at: Any) -> tuple[Function, Any]:
    if isinstance(target, Function):
        return target, at
    if not isinstance(target, str):
        return function_of(target), at
    if target.startswith(PROBLEM):
        from adcli_benchmarks.problems import problem_named

        problem = problem_named(target.removeprefix(PROBLEM))
        return problem.as_function(), problem.point() if at is None else at
    if names_python(target):
        return load_python(target), at
    return formula_function(target, at), at
