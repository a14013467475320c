"""Operations of SymPy's expressions: `sympy.count_ops`, with each power, product, sum and function counted once.

A sum of k terms counts k - 1, a product of k factors k - 1, a minus sign or a quotient one. Of several expressions
(the entries of a gradient) it is the sum; "after CSE" are the common subexpressions, each counted once, and what is
left of the entries.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.operators import nth_derivative
from adcli_methods.symbolic import Symbolic
from adcli_methods.time_limit import within

Expressions = list[Any]


class Timed(NamedTuple):
    """Expressions, and the seconds that they took."""

    expressions: Expressions
    seconds: float


class Derived(NamedTuple):
    """A derivative as expressions, its blocks in numbers at the point, and the seconds to derive it."""

    expressions: Expressions
    values: list[Any]
    seconds: float


def function_of(flat: FlatFunction) -> Expressions:
    """The function's outputs as expressions."""
    native = Symbolic().prepare(flat, 1)
    return entries_of(native.function(native.leaves))


def derivative_of(flat: FlatFunction, order: int) -> Derived:
    """The entries of the derivative of an order, as `sympy.diff` leaves them."""
    method = Symbolic()
    native = method.prepare(flat, order)
    start = time.perf_counter()
    blocks = nth_derivative(method, native.function, native.leaves, order)
    seconds = time.perf_counter() - start
    return Derived(entries_of(blocks), native.lower(blocks), seconds)


def entries_of(values: Sequence[Any]) -> Expressions:
    """Every entry of numbers and arrays, as SymPy's expressions."""
    import sympy

    return [sympy.sympify(entry) for value in values for entry in (np.ravel(value) if np.ndim(value) else [value])]


def count(expressions: Sequence[Any]) -> int:
    """SymPy's count of the operations.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> count([4*x*(1 - x), sympy.exp(x**2)])
    5
    """
    import sympy

    return sum(int(sympy.count_ops(expression)) for expression in expressions)


def shared(expressions: Expressions) -> Timed:
    """The expressions with common subexpressions written once, those first."""
    import sympy

    start = time.perf_counter()
    common, rest = sympy.cse(expressions)
    seconds = time.perf_counter() - start
    return Timed([expression for _, expression in common] + list(rest), seconds)


def simplified(expressions: Expressions, limit_seconds: float) -> Timed:
    """`sympy.simplify` of each expression.

    Raises: TimeLimitError after the limit.
    """
    import sympy

    start = time.perf_counter()
    with within(limit_seconds):
        found = [sympy.simplify(expression) for expression in expressions]
    return Timed(found, time.perf_counter() - start)
