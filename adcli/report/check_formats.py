"""Findings of a check for machines: JSON, GitHub annotations, JUnit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from adcli.checking.finding import Finding, exit_code, is_fault, to_record
from adcli.report.as_json import SCHEMA_VERSION
from adcli.report.check_text import report_text, summary


def check_json(findings: Sequence[Finding], strict: bool) -> str:
    """All findings, as described in docs/json.md."""
    whole = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": exit_code(findings, strict),
        "findings": [to_record(finding) for finding in findings],
    }
    return json.dumps(whole, allow_nan=False)


def check_github(findings: Sequence[Finding], strict: bool) -> str:
    """A workflow command for each claim that is not right, on the line where it is defined, and a summary."""
    lines = []
    for finding in findings:
        if finding.verdict == "PASS":
            continue
        level = "error" if is_fault(finding, strict) or finding.report is None else "warning"
        place = f"file={_property(finding.file)},line={finding.line}," if finding.file and finding.line else ""
        title = _property(f"adcli check: {finding.verdict}")
        lines.append(f"::{level} {place}title={title}::{_data(report_text(finding))}")
    return "\n".join([*lines, summary(findings)])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def check_junit(findings: Sequence[Finding], strict: bool) -> str:
    """A test case for each claim."""
    faults = sum(is_fault(finding, strict) for finding in findings)
    errors = sum(finding.report is None for finding in findings)
    counts = f'tests="{len(findings)}" failures="{faults}" errors="{errors}"'
    cases = "\n".join(_case(finding, strict) for finding in findings)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="adcli check" {counts}>\n{cases}\n</testsuite>'


def _case(finding: Finding, strict: bool) -> str:
    seconds = 0.0 if finding.report is None else finding.report.seconds
    line = f' line="{finding.line}"' if finding.line else ""
    file = f" file={_attribute(finding.file)}{line}" if finding.file else ""
    head = f"  <testcase classname={_attribute(finding.function)} name={_attribute(finding.claim)}{file}"
    head += f' time="{seconds:.3f}"'
    if finding.verdict == "PASS":
        return head + "/>"
    tag = "error" if finding.report is None else "failure" if is_fault(finding, strict) else "skipped"
    text = escape(_printable(report_text(finding)))
    return f"{head}>\n    <{tag} message={_attribute(finding.verdict)}>{text}</{tag}>\n  </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?" for c in text
    )
