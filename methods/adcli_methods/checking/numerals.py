"""Names for constant factors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

CLOSE = 1e-4
_CONSTANTS = {
    2.0: "2", 3.0: "3", 4.0: "4", 0.5: "½", 1 / 3: "1/3", 0.25: "¼", 10.0: "10", 0.1: "1/10",
    math.pi: "π", 2 * math.pi: "2π", 1 / math.pi: "1/π", 0.5 / math.pi: "1/(2π)", math.sqrt(2): "√2",
    math.sqrt(0.5): "1/√2", math.log(2): "log 2", 1 / math.log(2): "1/log 2", math.log(10): "log 10",
    1 / math.log(10): "1/log 10", 180 / math.pi: "180/π", math.pi / 180: "π/180", 0.0: "0",
}  # fmt: skip


def near(a: float, b: float, close: float = CLOSE) -> bool:
    """Whether two factors are the same."""
    return abs(a - b) <= close * max(abs(a), abs(b), 1e-300)


def name_of(factor: float) -> str | None:
    """The name of a well-known factor, with its sign."""
    for value, name in _CONSTANTS.items():
        if near(abs(factor), value):
            return f"−{name}" if factor < 0 and value else name
    return None


def lengths_of(case: Any) -> dict[int, str]:
    """The lengths that a mean could divide by: of inputs, outputs and of the data in the Program."""
    subject = case.subject
    found: dict[int, str] = {}

    def take(length: int, name: str) -> None:
        if length > 2:
            found.setdefault(int(length), name)

    take(subject.n, "the number of inputs")
    take(subject.m, "the number of outputs")
    for path, shape in zip(subject.problem.paths, subject.shapes, strict=True):
        for axis, length in enumerate(shape):
            take(length, f"the length of {'.'.join(path)} along axis {axis}")
    if case.tracing is not None:
        for value in case.tracing.trace.values:
            shape = np.shape(value)
            for length in (*shape, math.prod(shape)):
                take(length, f"the number of terms of a sum ({length})")
    return found


def length_named(factor: float, case: Any) -> tuple[str, int] | None:
    """Whether a factor is a length n ("n") or its inverse ("1/n"), and which n."""
    for length in lengths_of(case):
        for name, value in (("n", float(length)), ("1/n", 1.0 / length)):
            if near(abs(factor), value):
                return name, length
    return None


def input_named(factors: list[float], samples: list[Any]) -> str | None:
    """The scalar input whose value (or its inverse) the factor is at every sample."""
    subject = samples[0].case.subject
    if subject.n > 32 or len(samples) < 2:
        return None
    for j in range(subject.n):
        values = [sample.case.subject.x[j] for sample in samples]
        for power, name in ((1, "{}"), (-1, "1/{}"), (2, "{}²"), (-2, "1/{}²")):
            if all(value != 0 and near(f, value**power) for f, value in zip(factors, values, strict=True)):
                return name.format(subject.input_name(j))
    return None
