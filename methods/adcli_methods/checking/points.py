"""Points for a function where none is given: scales, signs, lengths and strides as varied as real data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adcli_methods.checking.report import Verdict
from adcli_methods.errors import AdcliError, PointError
from adcli_methods.function import Function

TRIES_PER_POINT = 4
Draw = Callable[[np.random.Generator, Any], Any]
_SCALES: tuple[Draw, ...] = (
    lambda g, n: g.uniform(0.5, 1.5, n),
    lambda g, n: g.standard_normal(n),
    lambda g, n: 10.0 * g.standard_normal(n),
    lambda g, n: -g.uniform(0.5, 1.5, n),
    lambda g, n: g.uniform(0.05, 0.95, n),
    lambda g, n: 1e-3 * g.standard_normal(n),
    lambda g, n: g.choice([-1.0, 1.0], n) * 10.0 ** g.uniform(-3, 3, n),
    lambda g, n: 100.0 * g.standard_normal(n),
    lambda g, n: g.uniform(1.5, 5.0, n),
    lambda g, n: 1e3 * g.uniform(0.5, 1.5, n),
)
"""How the entries of a point are drawn, one way after the other."""


def random_points(
    function: Function, run: Callable[[Any], Any], points: int, size: int, generator: np.random.Generator
) -> tuple[list[Any], list[str]]:
    """The checks at points where the function has a value, and notes on those where it has none.

    Raises: PointError for a size below 1.
    """
    if size < 1:
        raise PointError(f"size {size}: inputs have at least one entry")
    names = [name for name in function.parameters if name not in function.defaults] or [function.parameters[0]]
    kept: list[Any] = []
    left: list[Any] = []
    form: int | None = None
    for at, asked, own_form in _candidates(names, size, points, generator):
        if len(kept) >= points:
            break
        if form not in (None, own_form):
            continue
        try:
            checked = run(at)
        except AdcliError:
            continue
        if _says_nothing(checked.report, asked):
            left.append(checked)
        else:
            kept.append(checked)
            form = own_form
    notes = [f"{len(left)} random points were left out, as: {left[0].report.reason}"] if left and kept else []
    if not kept and not left:
        raise PointError(f"{function.name} takes no inputs of {size} entries each: give it a point (at)")
    return kept or left[:1], notes


def _says_nothing(report: Any, asked: bool) -> bool:
    """Whether the function has no value there, or the claim does not take inputs of a length that nobody asked for."""
    if report.verdict is Verdict.ERROR:
        return True
    misfit = any(cause.kind in ("shape", "transposed") for cause in report.causes)
    return not asked and report.verdict is Verdict.FAIL and misfit


def _candidates(
    names: list[str], size: int, points: int, generator: np.random.Generator
) -> Iterator[tuple[dict[str, Any], bool, int]]:
    """Points by input name, whether they have the length asked for, and how many of the last inputs are numbers."""
    for number in range(TRIES_PER_POINT * points + len(_SCALES)):
        draw = _SCALES[number % len(_SCALES)]
        lap = number // len(_SCALES)
        length = size if number % 3 < 2 or size == 1 else (size + 1, max(1, size // 2), 2 * size + 1)[lap % 3]
        for scalars in range(len(names) + 1):
            at = {name: draw(generator, length) for name in names}
            for name in names[len(names) - scalars :]:
                at[name] = float(at[name][0])
            if number % 4 == 3:
                at = {name: _strided(value) for name, value in at.items()}
            yield at, length == size, scalars


def _strided(value: Any) -> Any:
    """The same numbers, every second place of a longer array."""
    if not isinstance(value, np.ndarray):
        return value
    room = np.zeros(2 * len(value))
    room[::2] = value
    return room[::2]
