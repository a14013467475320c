"""What every table of a benchmark is made of, whatever it is printed as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from adcli.report.bench_numbers import power
from adcli_benchmarks.outcomes import REFUSED, UNAVAILABLE, UNSUPPORTED
from adcli_benchmarks.record import Record
from adcli_methods.methods import METHODS, PEERS

Part = TypeVar("Part")
QUIET = (UNSUPPORTED, UNAVAILABLE, REFUSED)
"""Outcomes that are no fault: they are said after the tables, not in them."""


@dataclass(frozen=True)
class Grid:
    """A table.

    Arguments:
        title: what it shows, with units.
        columns: their headings; the first is of names, the others of numbers.
        rows: texts.
        notes: what must be known to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def value(record: Record | None, name: str) -> Any:
    """A value of a cell that ended well; None without one."""
    return record.values.get(name) if record is not None and record.is_ok else None


def known(record: Record, name: str) -> Any:
    """A value that every cell of the measure that ended well has."""
    return record.values[name]


def order_of(record: Record) -> int:
    """The derivative's order."""
    return int(record.cell.setting("order", 1))


def is_curve(record: Record) -> bool:
    """Whether the cell is a curve over step sizes."""
    return bool(record.cell.setting("step") == "curve")


def passes_of(record: Record | None) -> int | None:
    """Evaluations of the function, sweeps of tangents and of adjoints together."""
    counts = [value(record, name) for name in ("primal_evaluations", "tangent_sweeps", "adjoint_sweeps")]
    return None if None in counts else sum(counts)


def grouped(records: Iterable[Record], key: Callable[[Record], Part]) -> dict[Part, list[Record]]:
    """Records by a key, in order of their first appearance."""
    found: dict[Part, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return found


def methods_in(records: Iterable[Record]) -> list[str]:
    """The methods, ours before the peers."""
    known = [*METHODS, *PEERS]
    names = dict.fromkeys(record.cell.method for record in records)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))


def subject(record: Record) -> str:
    """The problem with its size, and what else is not usual.

    >>> from adcli_benchmarks.cell import Cell
    >>> subject(Record(Cell("speed", "rosenbrock", "reverse", 10_000, "float32"), "ok", "", {}, {}, "", 0.0, 0.0))
    'rosenbrock, n = 1e4, float32'
    """
    cell = record.cell
    parts = [cell.problem, *([f"n = {power(cell.size)}"] if cell.size not in (None, 1) else [])]
    parts += [cell.dtype] if cell.dtype != "float64" else []
    parts += [cell.device] if cell.device != "cpu" else []
    return ", ".join(parts)


def where(record: Record) -> str:
    """The problem, and what else is not usual, without the size."""
    cell = record.cell
    return ", ".join([cell.problem, *([cell.dtype] if cell.dtype != "float64" else []),
                      *([cell.device] if cell.device != "cpu" else [])])  # fmt: skip


def by_method(records: Iterable[Record]) -> dict[str, Record]:
    """The last record of each method."""
    return {record.cell.method: record for record in records}


def outcome(record: Record | None, text: str) -> str:
    """A text for a cell that ended well, its outcome otherwise."""
    if record is None:
        return ""
    if record.is_ok:
        return text
    return "–" if record.outcome in QUIET else record.outcome.replace("_", " ")


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def complaints(records: Sequence[Record], most: int = 12) -> list[str]:
    """Why cells have no result: each reason once, with the methods, problems and number of cells it holds for."""
    reasons = grouped((record for record in records if not record.is_ok), lambda r: (r.outcome, r.reason))
    lines = []
    for (ended, reason), those in reasons.items():
        names, problems = methods_in(those), list(dict.fromkeys(record.cell.problem for record in those))
        cells = f" ({len(those)} cells)" if len(those) > max(len(names), len(problems)) else ""
        on = f"{ended.replace('_', ' ')} on {_listed(problems)}{cells}"
        lines.append(f"{', '.join(names)}: {on}{': ' + reason if reason else ''}")
    more = len(lines) - most
    return lines[:most] + ([f"and {more} more reasons: see the CSV"] if more > 0 else [])
