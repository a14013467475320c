"""Two runs of the same cells beside each other: counts exactly, times by ratios with intervals.

The names of values say how they compare:

exactly             *_evaluations, *_sweeps, *_operations, *_instructions, *_count, kept_bytes, imported_packages
by whole digits     correct_digits: less of them, and an error ten times larger, is worse
with 10 % of slack  peak_bytes
by their rounds     x_seconds where x_round_seconds stands beside it; a record's primal_round_seconds tells how far the
                    machine itself has moved

A file may hold a cell several times. The n-th of one file is then paired with the n-th of the other, as runs that took
turns on one machine leave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adcli_benchmarks.record import Record
from adcli_benchmarks.timing import interval_positions, middle

SAME, FASTER, SLOWER, UNCLEAR, BETTER, WORSE = "SAME", "FASTER", "SLOWER", "UNCLEAR", "BETTER", "WORSE"
EXACT_ENDINGS = ("_evaluations", "_sweeps", "_operations", "_instructions", "_count")
EXACT_NAMES = frozenset({"kept_bytes", "imported_packages"})
ROUNDS = "_round_seconds"
CONTROL = "primal"
USUAL_FAIL_ABOVE = 1.25
MATERIAL = 1.10
"""A time must have changed by more than this, with confidence, to be called faster or slower."""
BETWEEN_RUNS = 1.20
"""How far two runs of the same code lie apart, where there are too few of them to tell from themselves."""
LEAST_PAIRS = 5
MEMORY_SLACK = 1.10
EPSILONS = {"float64": 2.0**-52, "float32": 2.0**-23}
LEAST_SECONDS = 5e-8
"""Smaller differences are nobody's."""


@dataclass(frozen=True)
class Change:
    """One value of one cell, before and after.

    Arguments:
        cell: its key.
        name: of the value, with its unit; "outcome" for how the cell ended.
        base, head: before and after; None where there is none.
        verdict: SAME, FASTER, SLOWER, UNCLEAR of times, SAME, BETTER, WORSE of all else.
        is_failure: whether this change is one to fail for.
        low, high: of times, the interval of the ratio head / base.
    """

    cell: str
    name: str
    base: Any
    head: Any
    verdict: str
    is_failure: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def ratio(self) -> float | None:
        """The time after over the time before."""
        return None if self.low is None else self.head / self.base


@dataclass(frozen=True)
class RunComparison:
    """Two runs.

    Arguments:
        changes: every value that both have, and what one of them lacks.
        added: keys of cells that the base lacks.
        fail_above: the ratio from which on slower is a failure; None where times never are.
    """

    changes: tuple[Change, ...]
    added: tuple[str, ...]
    fail_above: float | None

    @property
    def worse(self) -> tuple[Change, ...]:
        """What to fail for."""
        return tuple(change for change in self.changes if change.is_failure)


class _Ratio(NamedTuple):
    """How a time has changed: the middle ratio, and the interval it lies in."""

    middle: float
    low: float
    high: float


def compare(base: Iterable[Record], head: Iterable[Record], fail_above: float | None = None) -> RunComparison:
    """Compare two runs.

    Arguments:
        base, head: records, before and after.
        fail_above: a time ratio, above 1, from which on slower is a failure; None: only counts are.
    """
    before, after = _by_cell(base), _by_cell(head)
    changes = [
        change for key, records in before.items() for change in _changes(key, records, after.get(key), fail_above)
    ]
    return RunComparison(tuple(changes), tuple(key for key in after if key not in before), fail_above)


def _by_cell(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.cell.key, []).append(record)
    return found


def _changes(key: str, base: list[Record], head: list[Record] | None, fail_above: float | None) -> Iterator[Change]:
    before, after = base[-1], head[-1] if head else None
    if head is None or after is None:
        yield Change(key, "outcome", before.outcome, None, WORSE, True)
        return
    was, is_ = before.is_ok, after.is_ok
    if before.outcome != after.outcome:
        verdict = WORSE if was else BETTER if is_ else UNCLEAR
        yield Change(key, "outcome", before.outcome, after.outcome, verdict, verdict == WORSE)
    if not (was and is_):
        return
    for name, value in before.values.items():
        if kind := _kind(name):
            new = after.values.get(name)
            found = (
                _digits(before.values, after.values, before.cell.dtype)
                if kind == "digits"
                else _verdict(kind, value, new)
            )
            yield Change(key, name, value, new, found, found == WORSE)
        elif name.endswith(ROUNDS) and name != CONTROL + ROUNDS and name in after.values:
            yield _time_change(key, name, base, head, fail_above)


def _kind(name: str) -> str:
    """How a value compares; empty for values that do not."""
    if name.endswith(EXACT_ENDINGS) or name in EXACT_NAMES:
        return "count"
    return "digits" if name == "correct_digits" else "memory" if name == "peak_bytes" else ""


def _verdict(kind: str, base: Any, head: Any) -> str:
    if head is None:
        return WORSE
    slack = MEMORY_SLACK if kind == "memory" else 1.0
    return WORSE if head > base * slack else BETTER if head * slack < base else SAME


def _digits(base: Mapping[str, Any], head: Mapping[str, Any], dtype: str) -> str:
    """Digits lost or won, unless an error only crossed a power of ten, as rounding differs between machines."""
    digits, floor = "correct_digits", EPSILONS[dtype]
    if digits not in head:
        return WORSE
    before, after = (max(values.get("norm_relative_error", 0.0), floor) for values in (base, head))
    lost = base[digits] - head[digits]
    if lost > 0:
        return WORSE if not after < 10 * before else SAME
    return BETTER if lost < 0 and before > 10 * after else SAME


def _time_change(key: str, name: str, base: list[Record], head: list[Record], fail_above: float | None) -> Change:
    pairs = [(a.values, b.values) for a, b in zip(base, head, strict=False) if a.is_ok and b.is_ok]
    ratio, steadied = _ratios(pairs, name)
    before, after = (middle([middle(values[name]) for values in side]) for side in zip(*pairs, strict=True))
    limit = fail_above or USUAL_FAIL_ABOVE
    verdict = _agreed({time_verdict(found.low, found.high, len(pairs), limit) for found in (ratio, steadied)})
    if verdict in (FASTER, SLOWER) and abs(after - before) < LEAST_SECONDS:
        verdict = SAME
    is_failure = fail_above is not None and verdict == SLOWER and ratio.middle > fail_above
    return Change(key, name.replace(ROUNDS, "_seconds"), before, after, verdict, is_failure, ratio.low, ratio.high)


def time_verdict(low: float, high: float, pairs: int, fail_above: float) -> str:
    """FASTER, SLOWER, SAME or UNCLEAR.

    Arguments:
        low, high: the interval of the ratio head / base.
        pairs: of runs; below 5, what lies between two runs of the same code is allowed for.
        fail_above: an interval within this factor of 1 is SAME.

    >>> time_verdict(1.5, 1.6, 7, 1.25), time_verdict(0.9, 1.2, 7, 1.25), time_verdict(1.05, 1.4, 7, 1.25)
    ('SLOWER', 'SAME', 'UNCLEAR')
    """
    allowed = MATERIAL if pairs >= LEAST_PAIRS else MATERIAL * BETWEEN_RUNS
    if low > allowed:
        return SLOWER
    if high < 1 / allowed:
        return FASTER
    return SAME if 1 / fail_above <= low and high <= fail_above else UNCLEAR


def _agreed(verdicts: set[str]) -> str:
    """What the ratio and the steadied one say together: one that is unclear does not gainsay SAME."""
    decided = verdicts - {UNCLEAR}
    return decided.pop() if decided and (len(verdicts) == 1 or decided == {SAME}) else UNCLEAR


def _ratios(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], name: str) -> tuple[_Ratio, _Ratio]:
    """The ratio as it is, and over that of the function itself, timed beside it, which only the machine moves."""
    control = CONTROL + ROUNDS
    has_control = all(control in values for pair in pairs for values in pair)
    if len(pairs) >= LEAST_PAIRS:
        ratios = [min(head[name]) / min(base[name]) for base, head in pairs]
        moved = [min(head[control]) / min(base[control]) if has_control else 1.0 for base, head in pairs]
        return _paired(ratios), _paired([ratio / move for ratio, move in zip(ratios, moved, strict=True)])
    single = _single(pairs, name)
    move = _single(pairs, control).middle if has_control else 1.0
    return single, _Ratio(*(part / move for part in single))


def _paired(ratios: Sequence[float]) -> _Ratio:
    """Of runs that took turns: the ratios of each pair's fastest rounds, and the interval of their median."""
    ordered = sorted(ratios)
    low, high = interval_positions(len(ordered))
    return _Ratio(middle(ordered), ordered[low], ordered[high])


def _single(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], name: str) -> _Ratio:
    """Of single runs: the ratio of the medians of all rounds, and the ratios of the ends of their intervals.

    The interval holds the ratio of the fastest rounds too: what disturbs a run for most of its rounds moves its median,
    slower code moves both.
    """
    before, after = (sorted(seconds for pair in pairs for seconds in pair[side][name]) for side in (0, 1))
    (base_low, base, base_high), (low, median, high) = _interval(before), _interval(after)
    fastest = after[0] / before[0]
    return _Ratio(median / base, min(low / base_high, fastest), max(high / base_low, fastest))


def _interval(ordered: Sequence[float]) -> tuple[float, float, float]:
    low, high = interval_positions(len(ordered))
    return ordered[low], middle(ordered), ordered[high]
