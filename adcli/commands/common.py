"""What commands share: the function and the point from the options, and where user code may print."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from adcli import point as points
from adcli.target import PROBLEM, resolve
from adcli_methods.errors import AdcliError, PointError
from adcli_methods.formula import formula_function, formula_inputs
from adcli_methods.function import Function
from adcli_methods.loading import load_python, names_python

LONGEST_TEXT = 1_000_000


def read_target(target: str) -> str:
    """The target itself, or for "-" the first line of standard input.

    Raises: AdcliError if standard input holds no formula.
    """
    if target != "-":
        return target
    text = sys.stdin.read(LONGEST_TEXT).strip()
    if not text:
        raise AdcliError("standard input is empty: pipe a formula in, as in echo 'x**3' | adcli diff - --at 2")
    return text


def function_at(target: str, at: str | None, n: str | None, seed: int, derivative: str | None) -> tuple[Function, Any]:
    """The function and the point that the options describe.

    Raises: AdcliError.
    """
    text = read_target(target)
    given = points.parse_point(at) if at is not None else None
    if n is None:
        return resolve(text, given, derivative)
    size = points.parse_size(n)
    if given is not None and not isinstance(given, dict):
        raise PointError("with --n, --at must name its inputs, as in --at y=2: the others are random")
    if text.startswith(PROBLEM):
        from adcli_benchmarks.problems import problem_named

        return resolve(text, problem_named(text.removeprefix(PROBLEM)).point(size, seed), derivative)
    bound: dict[str, Any] = given or {}
    if not names_python(text):
        free = tuple(name for name in formula_inputs(text, set(bound)) if name not in bound)
        return resolve(text, {**points.random_inputs(free, size, seed), **bound}, derivative)
    function = load_python(text)
    free = tuple(name for name in function.parameters if name not in bound and name not in function.defaults)
    return resolve(function, {**points.random_inputs(free, size, seed), **bound}, derivative)


def formula_without_point(target: str) -> Function | None:
    """The Function of a formula; None for any other target, which needs a point.

    Raises: ExpressionError.
    """
    if target == "-" or target.startswith(PROBLEM) or names_python(target):
        return None
    return formula_function(target)


@contextlib.contextmanager
def user_code() -> Iterator[None]:
    """While user code runs, what it prints goes to stderr, so that stdout holds the result alone."""
    with contextlib.redirect_stdout(sys.stderr):
        yield
