"""SymPy simplifies a derivative, for a limited time, and what it gives is checked against what it was given."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Expression = Any
MOST_OPERATIONS = 400
"""Longer expressions are left as the rules gave them."""
MOST_SECONDS = 5.0
"""Of the processor, so that what comes out does not depend on what else the machine does."""
_TOLERANCE = 1e-9
_RANGES = ((0.1, 1.0), (1.0, 4.0), (-1.0, 1.0))

AGAIN_SECONDS = 0.1
"""An alarm that falls into a callback which swallows exceptions is followed by another."""


def simplified(expression: Expression, symbols: Sequence[Expression]) -> Expression:
    """The simplest form that SymPy finds in time, or the expression as it is.

    Arguments:
        expression: what to simplify.
        symbols: the variables in it.
    """
    import sympy

    if sympy.count_ops(expression) > MOST_OPERATIONS:
        return expression
    try:
        with _time_limit(MOST_SECONDS):
            simpler = sympy.simplify(expression)
            shortest = min((sympy.factor(simpler), simpler, expression), key=sympy.count_ops)
            if shortest is not expression and agree(expression, shortest, symbols):
                return shortest
    except Exception:  # SymPy raises anything; then the rules' own form stands
        return expression
    return expression


class _TimeUpError(Exception):
    pass


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise after so many seconds of the processor, where a signal can do it: in the main thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN_SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def agree(first: Expression, second: Expression, symbols: Sequence[Expression]) -> bool:
    """Whether two expressions have the same values at random points, where both have one."""
    import sympy

    both = sympy.lambdify(symbols, [first, second], modules=["scipy", "numpy"], cse=True)
    generator = np.random.default_rng(0)
    compared = 0
    with np.errstate(all="ignore"):
        for low, high in _RANGES:
            for _ in range(3):
                point = generator.uniform(low, high, len(symbols))
                a, b = (complex(value) for value in both(*point))
                if np.isfinite(a) and np.isfinite(b):
                    if abs(a - b) > _TOLERANCE * (1 + abs(a)):
                        return False
                    compared += 1
    return compared > 0
