"""What changed between two benchmark runs, for people."""

from __future__ import annotations

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from adcli.report.console import TableConsole
from adcli.report.numbers import count, duration
from adcli_benchmarks.comparison import BETTER, SAME, Change, RunComparison

STYLES = {"WORSE": "red", "SLOWER": "red", "FASTER": "green", "BETTER": "green", "UNCLEAR": "yellow"}


def print_run_comparison(comparison: RunComparison) -> None:
    """A table of what changed, failures first, and the verdicts counted."""
    console = TableConsole()
    changed = [change for change in comparison.changes if change.verdict != SAME]
    if changed:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
        table.add_column("cell", overflow="fold")
        table.add_column("value", overflow="fold")
        for name in ("base", "head", "ratio"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for change in sorted(changed, key=lambda change: not change.is_failure):
            verdict = Text(change.verdict, style=STYLES.get(change.verdict, ""))
            table.add_row(_short(change.cell), change.name, *_sides(change), verdict)
        console.print(table)
    for line in _said(comparison):
        console.print(line)


def _short(key: str) -> str:
    """A cell's key without what is usual."""
    return key.replace(" float64 cpu seed=0", "").replace(" n=least", "")


def _sides(change: Change) -> tuple[str, str, str]:
    if change.ratio is None:
        base, head = ("none" if side is None else str(side) for side in (change.base, change.head))
        return base, head, ""
    interval = f"{change.ratio:.2f} [{change.low:.2f}, {change.high:.2f}]"
    return duration(change.base), duration(change.head), interval


def _said(comparison: RunComparison) -> list[str]:
    verdicts = Counter(change.verdict for change in comparison.changes)
    lines = [", ".join(f"{verdicts[verdict]} {verdict}" for verdict in sorted(verdicts)) or "nothing to compare"]
    if comparison.added:
        lines.append(f"{count(len(comparison.added), 'cell')} that the base does not have")
    if verdicts[BETTER] and not comparison.worse:
        lines.append("some counts are better: make the head the new base")
    if comparison.worse:
        limit = "" if comparison.fail_above is None else f" (times: above {comparison.fail_above:g})"
        lines.append(f"{count(len(comparison.worse), 'value')} got worse{limit}")
    return lines
