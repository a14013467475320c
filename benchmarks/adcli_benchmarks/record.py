"""What was measured: one record for each cell, as it is written to a run's .jsonl file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.outcomes import OK

SCHEMA_VERSION = 1
Value = float | int | str | bool | list[Any]
"""A value; a list is a curve or the rounds of a timing."""
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True)
class Record:
    """One cell's outcome.

    Arguments:
        cell: what was measured.
        outcome: one of outcomes.OUTCOMES.
        reason: why there is no result, or none to be trusted.
        values: by names that end in their unit: run_seconds, peak_bytes, adjoint_sweeps, norm_relative_error.
        environment: where it was measured (environment.py).
        started_at: the date and time, ISO 8601, UTC.
        worker_seconds: what the measuring took.
        start_seconds: what starting the worker took.
        schema_version: of this layout.
    """

    cell: Cell
    outcome: str
    reason: str
    values: Mapping[str, Value]
    environment: Mapping[str, Any]
    started_at: str
    worker_seconds: float
    start_seconds: float
    schema_version: int = SCHEMA_VERSION

    @property
    def is_ok(self) -> bool:
        """Whether the values may be ranked."""
        return self.outcome == OK

    def to_json(self) -> dict[str, Any]:
        """The record for JSON; NaN and the infinities are the strings "nan", "inf" and "-inf"."""
        fields = {"schema_version": self.schema_version, **vars(self), "cell": self.cell.to_json()}
        return {name: plain(value) for name, value in fields.items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Record:
        """The record that `to_json` gave.

        Raises: KeyError, TypeError for something else.
        """
        cell, values = Cell.from_json(found["cell"]), {name: _value(value) for name, value in found["values"].items()}
        return cls(**{**found, "cell": cell, "values": values})


def plain(value: Any) -> Any:
    """A value of JSON's own types; NaN and the infinities are text.

    >>> plain({"errors": (1.0, math.inf)})
    {'errors': [1.0, 'inf']}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):  # of NumPy
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    return value


def _value(value: Any) -> Any:
    """A value as it was measured."""
    if isinstance(value, list):
        return [_value(entry) for entry in value]
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value
