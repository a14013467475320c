"""What came of checking one claim: its report, or why there is none; as JSON and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from adcli.report.as_json import plain
from adcli_methods.checking.report import Cause, CheckReport, Entry, PointReport, Verdict
from adcli_methods.errors import AdcliError
from adcli_methods.program import Location

MOST_POINT_ENTRIES = 100
"""Arrays of a point with more entries are told by shape and first entries: the seed makes them again."""
NOT_CHECKED = 3


@dataclass(frozen=True)
class Finding:
    """One claim, checked or not.

    Arguments:
        function, claim: as the user names them, "model.py:loss", "model.py:loss_grad" or formulas.
        report: the engine's, None where it could not be made.
        error: why it could not, in one line.
        exit_code: of that error.
        file, line: where the claim is defined, if it is in a file.
    """

    function: str
    claim: str
    report: CheckReport | None = None
    error: str = ""
    exit_code: int = NOT_CHECKED
    file: str = ""
    line: int = 0

    @property
    def verdict(self) -> str:
        """The report's verdict; "NOT CHECKED" without one."""
        return "NOT CHECKED" if self.report is None else str(self.report.verdict)


class NotCheckedError(AdcliError):
    """The only claim could not be checked; the exit code is that of its error."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.error)
        self.exit_code = finding.exit_code


def is_fault(finding: Finding, strict: bool) -> bool:
    """Whether a finding makes the command fail with exit code 1."""
    if finding.report is None:
        return False
    allowed = {Verdict.PASS} if strict else {Verdict.PASS, Verdict.UNCLEAR}
    return finding.report.verdict not in allowed | {Verdict.NOT_TRACED}


def exit_code(findings: Sequence[Finding], strict: bool) -> int:
    """0 all pass, 1 a fault, 4 some could not be checked, 3 (or 2, a wrong input) none could."""
    if any(is_fault(finding, strict) for finding in findings):
        return 1
    unchecked = [finding for finding in findings if finding.report is None or not _was_compared(finding.report)]
    if not unchecked:
        return 0
    if len(unchecked) < len(findings):
        return 4
    return min(finding.exit_code for finding in unchecked)


def _was_compared(report: CheckReport) -> bool:
    return report.verdict is not Verdict.NOT_TRACED


def to_record(finding: Finding) -> dict[str, Any]:
    """A Finding as JSON has it; `docs/json.md` describes the keys."""
    report = finding.report
    record = {"function": finding.function, "claim": finding.claim, "verdict": finding.verdict,
              "error": finding.error, "exit_code": finding.exit_code if report is None else None,
              "file": finding.file, "line": finding.line}  # fmt: skip
    if report is None:
        return record
    told = asdict(replace(report, points=()))
    told["points"] = [asdict(replace(point, point=None)) | {"point": _short(point.point)} for point in report.points]
    for part in (told, *told["points"]):
        for cause in part["causes"]:
            cause["location"] = None if cause["location"] is None else dict(cause["location"]._asdict())
    told["reason"] = report.reason
    record |= {"function_name": told.pop("function"), "claim_name": told.pop("claim")} | plain(_verdicts(told))
    return record


def _verdicts(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _verdicts(part) for key, part in told.items()}
    if isinstance(told, (list, tuple)):
        return [_verdicts(part) for part in told]
    return told.value if isinstance(told, Verdict) else told


def _short(point: Any) -> Any:
    if isinstance(point, dict):
        return {str(key): _short(part) for key, part in point.items()}
    if isinstance(point, (list, tuple)):
        return [_short(part) for part in point[:MOST_POINT_ENTRIES]]
    if isinstance(point, np.ndarray) and point.size > MOST_POINT_ENTRIES:
        return {"shape": list(point.shape), "first": plain(point.ravel()[:10])}
    if isinstance(point, (np.ndarray, np.generic, int, float, str, bool, type(None))):
        return plain(point)
    return repr(point)[:200]


def from_record(record: dict[str, Any]) -> Finding:
    """The Finding that a record tells of."""
    kept = {name: record[name] for name in ("function", "claim", "error", "file", "line")}
    if "operator" not in record:
        return Finding(**kept, exit_code=record["exit_code"])
    report = CheckReport(
        function=record["function_name"],
        claim=record["claim_name"],
        points=tuple(_point(point) for point in record["points"]),
        **_findings(record),
        **{name: record[name] for name in ("operator", "evaluations", "claim_evaluations", "seconds", "reproduce")},
    )
    return Finding(**kept, report=report)


def _point(record: dict[str, Any]) -> PointReport:
    return PointReport(
        point=record["point"],
        methods=tuple(record["methods"]),
        **_findings(record),
        **{name: record[name] for name in ("entry_count", "wrong_count", "directions", "reason")},
    )


def _findings(record: dict[str, Any]) -> dict[str, Any]:
    """What reports of points and of all points have in common."""
    return {
        "verdict": Verdict(record["verdict"]),
        "causes": tuple(_cause(cause) for cause in record["causes"]),
        "entries": tuple(_entry(entry) for entry in record["entries"]),
        "notes": tuple(record["notes"]),
    }


def _cause(record: dict[str, Any]) -> Cause:
    location = record["location"]
    return Cause(**record | {"location": None if location is None else Location(**location)})


def _entry(record: dict[str, Any]) -> Entry:
    numbers = {name: float(record[name]) for name in ("claim", "reference", "error", "noise_floor")}
    index = tuple(record["index"])
    return Entry(index=index, path=record["path"], verdict=Verdict(record["verdict"]), **numbers)
