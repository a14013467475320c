"""JSON, as described in docs/json.md. NaN and infinities are the strings "nan", "inf" and "-inf"."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.derivative import Derivative
from adcli_methods.method import OPERATORS, Method

if TYPE_CHECKING:
    from adcli.comparison import Comparison

SCHEMA_VERSION = 1


def plain(value: Any) -> Any:
    """Numbers, arrays and trees of them as JSON has them."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    return value


def _record(result: Derivative) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION} | {
        field.name: plain(getattr(result, field.name)) for field in fields(result)
    }


def diff_json(result: Derivative) -> str:
    """A Derivative, every field under its name."""
    return json.dumps(_record(result), allow_nan=False)


def comparison_json(comparison: Comparison) -> str:
    """A Comparison, a row for each method."""
    rows = []
    for row in comparison.rows:
        record = {field.name: plain(getattr(row, field.name)) for field in fields(row) if field.name != "derivative"}
        record["result"] = None if row.derivative is None else _record(row.derivative)
        rows.append(record)
    whole = {
        "schema_version": SCHEMA_VERSION,
        "function": comparison.function,
        "reference": list(comparison.reference),
        "entries": comparison.entries[0],
        "entries_compared": comparison.entries[1],
        "note": comparison.note,
        "rows": rows,
        "advice": None if comparison.advice is None else plain(asdict(comparison.advice)),
    }
    return json.dumps(whole, allow_nan=False)


def methods_json(methods: Sequence[type[Method]]) -> str:
    """What each method can do here."""
    return json.dumps(
        [
            {
                "name": method.name,
                "aliases": list(method.aliases),
                "summary": method.summary,
                "operators": [operator for operator in OPERATORS if operator in method.operators],
                "highest_order": method.highest_order,
                "devices": list(method.devices),
                "available": method.missing() is None,
                "install": method.missing(),
            }
            for method in methods
        ]
    )
