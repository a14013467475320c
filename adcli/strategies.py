"""Hypothesis strategies for points at which a function is defined. Needs hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from adcli.checking.targets import function_from
from adcli.target import Target
from adcli_methods.function import Function

SCALES = (1e-3, 1.0, 1e3)
"""Points are drawn at these scales: many gradients are wrong at one scale only."""
MOST_ENTRIES = 8


def points(
    function: Target,
    *,
    size: int | None = None,
    low: float = -1.0,
    high: float = 1.0,
    scales: Sequence[float] = SCALES,
    fixed: dict[str, Any] | None = None,
) -> st.SearchStrategy[dict[str, Any]]:
    """Points, by the inputs' names, at which a function gives finite numbers.

    Arguments:
        function: a callable, a formula or "file.py:name".
        size: entries of each input; 0 for numbers; None: numbers for a formula, else vectors of 1 to 8 entries,
            the same for all inputs.
        low, high: of the entries, before they are multiplied by one of the scales.
        fixed: inputs with values of their own.
    Result: a strategy of dicts, for `adcli.assert_gradient(function, claim, at=point)`.

    >>> sorted(points("log(x)*y").example())  # doctest: +SKIP
    ['x', 'y']
    """
    subject = function_from(function, None)
    given = fixed or {}
    names = [name for name in subject.parameters if name not in given and name not in subject.defaults]
    if size is None:
        sizes = st.just(0) if subject.formula is not None else st.integers(1, MOST_ENTRIES)
    else:
        sizes = st.just(size)

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Any]:
        count, scale = draw(sizes), draw(st.sampled_from(list(scales)))
        entries = st.floats(low, high, allow_subnormal=False).map(lambda entry: entry * scale)
        return {name: _input(draw, entries, count) for name in names} | given

    return drawn().filter(lambda point: _is_defined(subject, point))


def _input(draw: st.DrawFn, entries: st.SearchStrategy[float], count: int) -> Any:
    return draw(entries) if count == 0 else np.array(draw(st.lists(entries, min_size=count, max_size=count)))


def _is_defined(function: Function, point: dict[str, Any]) -> bool:
    """Whether the function gives finite numbers at a point."""
    arguments = [point[name] for name in function.parameters if name in point]
    copies = [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(function.call(*copies), dtype=float)
    except (ArithmeticError, ValueError):
        return False
    return bool(np.all(np.isfinite(result)))
