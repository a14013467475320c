"""Findings of a check as lines of text: what is wrong, by how much, the likely cause, how to see it again."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli.checking.finding import Finding, NotCheckedError
from adcli.report.numbers import count, error
from adcli_methods.checking.report import Cause, CheckReport, Entry, PointReport, Verdict

MOST_ENTRIES = 8
MOST_CAUSES = 3
WIDEST = 120
LONGEST_POINT = 150
_LABEL = 10
_STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNCLEAR": "bold yellow"}


class Line(NamedTuple):
    """A line, the part of it that is styled, and rich's name of the style."""

    text: str
    marked: str = ""
    style: str = ""


def print_findings(findings: Iterable[Finding], is_alone: bool) -> list[Finding]:
    """Print each finding as soon as it is there, then a summary; gives the findings back.

    Raises: NotCheckedError where the only claim could not be checked.
    """
    seen: list[Finding] = []
    for finding in findings:
        if is_alone and finding.report is None:
            raise NotCheckedError(finding)
        _print([*([Line("")] if seen else []), *finding_lines(finding, _width())])
        seen.append(finding)
    if len(seen) > 1:
        _print([Line(""), Line(summary(seen))])
    return seen


def report_text(finding: Finding, width: int = 80) -> str:
    """A finding as plain text."""
    return "\n".join(line.text for line in finding_lines(finding, width))


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each verdict."""
    verdicts = Counter(finding.verdict for finding in findings)
    return f"{len(findings)} checked: " + ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())


def finding_lines(finding: Finding, width: int) -> Iterator[Line]:
    """The report of one claim."""
    for position, text in enumerate(_wrap(_title(finding), "", width, indent="  ")):
        yield Line(text, *(() if position else (finding.verdict, _STYLES.get(finding.verdict, "bold magenta"))))
    if finding.report is None:
        yield from _labelled("error", finding.error, width)
        return
    yield from _report(finding.report, width)


def _title(finding: Finding) -> str:
    """The verdict on which claim about what; the file is named once where it is one."""
    title = f"{finding.verdict}  {finding.claim or finding.function}"
    if finding.report is None:
        return title
    if finding.claim == finding.function:
        return f"{title}  value and gradient"
    place, _, name = finding.function.rpartition(":")
    is_near = place != "" and finding.claim.startswith(f"{place}:")
    return f"{title}  {finding.report.operator.replace('_', ' ')} of {name if is_near else finding.function}"


def _report(report: CheckReport, width: int) -> Iterator[Line]:
    passed = report.verdict is Verdict.PASS
    if report.reason:
        yield from (Line(text) for text in _wrap(report.reason, "  ", width))
    wrong = [entry for entry in report.entries if entry.verdict is not Verdict.PASS]
    if wrong and not passed:
        yield from _table(wrong[:MOST_ENTRIES], width)
    for position, cause in enumerate(report.causes[:MOST_CAUSES] if not passed else ()):
        yield from _cause(cause, "also" if position else "cause", width)
    if report.points:
        shown = max(report.points, key=lambda point: point.verdict.severity)
        if not passed and (place := _place(shown.point)):
            yield from _labelled("at", place, width)
        yield from _labelled("checked", _extent(report, shown), width)
    for note in report.notes:
        yield from list(_labelled("note", note, width))[: 2 if passed else None]
    if report.reproduce and not passed:
        yield from _command(report.reproduce, width)


def _place(point: Any) -> str:
    """A point in one line, empty where it is too long for that."""
    inputs = point if isinstance(point, dict) else {"": point}
    text = ", ".join(f"{name}={_number(value)}" if name else _number(value) for name, value in inputs.items())
    return text if len(text) <= LONGEST_POINT else ""


def _number(value: Any) -> str:
    if isinstance(value, (list, tuple)) or np.ndim(value):
        return "[" + ", ".join(_number(part) for part in value) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _extent(report: CheckReport, point: PointReport) -> str:
    parts = [count(point.entry_count, "entry").replace("entrys", "entries")]
    if len(report.points) > 1:
        bad = sum(each.verdict is not Verdict.PASS for each in report.points)
        parts.append(f"{len(report.points)} points" + (f", {bad} of them not PASS" if bad else ""))
    if point.methods:
        parts.append("by " + ", ".join(point.methods))
    return "; ".join(parts)


def _table(entries: Sequence[Entry], width: int) -> Iterator[Line]:
    numbers = [(*_apart(e.claim, e.reference), error(e.error), error(e.noise_floor)) for e in entries]
    heads = ("claim", "reference", "error", "noise")
    widths = [max(len(head), *(len(row[k]) for row in numbers)) for k, head in enumerate(heads)]
    room = max(8, width - 2 - sum(widths) - 2 * len(widths))
    names = [_cut(entry.path, room) for entry in entries]
    first = max(len("entry"), *(len(name) for name in names))
    yield Line(
        f"  {'entry':<{first}}  " + "  ".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True)), style="dim"
    )
    for name, row in zip(names, numbers, strict=True):
        yield Line(f"  {name:<{first}}  " + "  ".join(f"{text:>{w}}" for text, w in zip(row, widths, strict=True)))


def _apart(claim: float, reference: float) -> tuple[str, str]:
    """Both to ten digits, or to as many as tell them apart."""
    short, full = (f"{claim:.10g}", f"{reference:.10g}"), (f"{claim:.17g}", f"{reference:.17g}")
    return full if short[0] == short[1] else short


def _cut(name: str, room: int) -> str:
    """The end of a name that is too long, for its index is there."""
    return name if len(name) <= room else "…" + name[1 - room :]


def _cause(cause: Cause, label: str, width: int) -> Iterator[Line]:
    text = f"{cause.kind}: {cause.text}" if not cause.text.startswith(cause.kind) else cause.text
    yield from _labelled(label, text, width, cause.kind, "yellow")
    if cause.location is not None:
        where, line = f"{_near(cause.location.filename)}:{cause.location.line}", cause.location.text
        yield from _labelled("", where if not line or line in cause.text else f"{where}: {line}", width)


def _near(filename: str) -> str:
    """A path as seen from this folder, where it is in it."""
    try:
        near = os.path.relpath(filename)
    except ValueError:  # another drive
        return filename
    return filename if near.startswith("..") else near


def _labelled(label: str, text: str, width: int, marked: str = "", style: str = "") -> Iterator[Line]:
    first = f"  {label:<{_LABEL - 2}}"
    for position, line in enumerate(_wrap(text, first, width)):
        yield Line(line, *(() if position else (marked or label, style or "dim")))


def _wrap(text: str, first: str, width: int, indent: str = "") -> list[str]:
    rest = indent or " " * len(first)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _command(text: str, width: int) -> Iterator[Line]:
    """The command, over several lines by backslashes where it is long: copied, it is one."""
    lines = textwrap.wrap(text, width - _LABEL - 2, break_long_words=False, break_on_hyphens=False)
    for position, line in enumerate(lines):
        label = "  again " if position == 0 else ""
        ending = " \\" if position < len(lines) - 1 else ""
        yield Line(f"{label:<{_LABEL}}{line}{ending}", *(("again", "dim") if position == 0 else ()))


def _width() -> int:
    return max(20, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def _print(lines: Sequence[Line]) -> None:
    if not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        print("\n".join(line.text for line in lines), flush=True)
        return
    from rich.text import Text

    from adcli.report.console import TableConsole

    console = TableConsole(soft_wrap=True)
    for line in lines:
        text = Text(line.text)
        if line.style:
            text.highlight_words([line.marked], line.style) if line.marked else text.stylize(line.style)
        console.print(text)
