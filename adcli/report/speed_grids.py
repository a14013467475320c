"""The tables of speed: each problem, all problems together, and each method beside each peer."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from adcli.report.bench_grid import Grid, grouped, known, methods_in, subject, value
from adcli.report.bench_numbers import ratio, relative, span
from adcli_benchmarks.record import Record
from adcli_methods.methods import METHODS, PEERS

MOST_SUBJECTS = 4
MOST_OURS = 4
"""Columns of the table beside the peers."""


def speed_grids(records: Sequence[Record], is_short: bool) -> list[Grid]:
    """Each problem's table, or one for all where there are many; then ours over the peers."""
    by_subject = grouped(records, subject)
    found = []
    if len(by_subject) > MOST_SUBJECTS:
        found.append(_summed_up(records))
    if len(by_subject) <= MOST_SUBJECTS or not is_short:
        found += [_one(name, those) for name, those in by_subject.items()]
    beside = _beside_peers(by_subject)
    return [*found, beside] if beside is not None else found


def _one(name: str, records: Sequence[Record]) -> Grid:
    """Right results by their time over the function in the same rounds, the fastest first."""
    ranked = sorted((r for r in records if r.is_ok), key=lambda record: known(record, "time_over_primal"))
    rows = [
        (
            record.cell.method, span(value(record, "prepare_seconds")), span(value(record, "first_call_seconds")),
            span(value(record, "run_seconds")), ratio(value(record, "time_over_primal")),
            ratio(value(record, "time_over_manual")), ratio(value(record, "operation_ratio")),
            relative(value(record, "norm_relative_error")),
        )
        for record in ranked
    ]  # fmt: skip
    columns = ("method", "set-up", "first", "steady", "×f", "×hand", "×ops", "error")
    return Grid(f"speed: value and derivative, {name}", columns, tuple(rows), tuple(_notes(ranked)))


def _notes(records: Sequence[Record]) -> list[str]:
    primal = [known(record, "primal_seconds") for record in records]
    notes = []
    if primal:
        notes.append(
            f"×f: over the function in NumPy, {span(statistics.median(primal))}; ×hand: over the derivative by hand; "
            "×ops: operations, not time"
        )
    noisy = methods_in(record for record in records if record.values.get("warning"))
    if noisy:
        notes.append(f"noisy ({', '.join(noisy)}): end other programs and measure again")
    shares = [
        f"{record.cell.method} {100 * share:.0f} %"
        for record in records
        if (share := value(record, "copy_rate_share")) is not None
    ]
    if shares:
        notes.append(f"share of the memory's copy rate: {', '.join(shares)}")
    return notes


def _summed_up(records: Sequence[Record]) -> Grid:
    rows = []
    fastest = _fastest(records)
    for method in methods_in(records):
        those = [record for record in records if record.cell.method == method]
        good = [known(record, "time_over_primal") for record in those if record.is_ok]
        rows.append((
            method, f"{len(good)} of {len(those)}", ratio(_geometric_mean(good)), ratio(min(good, default=None)),
            ratio(max(good, default=None)), str(fastest.count(method)),
        ))  # fmt: skip
    columns = ("method", "right", "mean ×f", "least", "most", "fastest")
    note = "×f: time over the function's in NumPy, in the same rounds; the mean is geometric"
    return Grid("speed: value and derivative over the function", columns, tuple(rows), (note,))


def _fastest(records: Sequence[Record]) -> list[str]:
    """For each problem, who is the fastest of those that are right, the hand-written one aside."""
    winners = []
    for those in grouped(records, subject).values():
        good = [record for record in those if record.is_ok and record.cell.method != "manual"]
        if good:
            winners.append(min(good, key=lambda record: known(record, "time_over_primal")).cell.method)
    return winners


def _geometric_mean(values: Sequence[float]) -> float | None:
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def _beside_peers(by_subject: dict[str, list[Record]]) -> Grid | None:
    """Times of ours over times of each peer, both over the function's in their own rounds."""
    ratios: dict[tuple[str, str], list[float]] = {}
    for those in by_subject.values():
        times = {record.cell.method: known(record, "time_over_primal") for record in those if record.is_ok}
        for own in set(times) & set(METHODS):
            for peer in set(times) & {*PEERS, "torch"} - {own}:
                ratios.setdefault((own, peer), []).append(times[own] / times[peer])
    ours = [name for name in ("reverse", "forward", "complex-step", "forward-difference")
            if any(key[0] == name for key in ratios)][:MOST_OURS]  # fmt: skip
    peers = [name for name in ("torch", *PEERS) if any(key[1] == name for key in ratios)]
    if not ours or not peers:
        return None
    rows = [(peer, *(ratio(_geometric_mean(ratios.get((name, peer), ()))) for name in ours)) for peer in peers]
    note = "below 1 is faster than the peer; geometric means over the problems that both do right"
    return Grid("speed: our time over each peer's", ("peer", *ours), tuple(rows), (note,))
