"""Findings as text of any width, JSON, GitHub annotations and JUnit."""

from __future__ import annotations

import json
import math
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import adcli
from adcli.checking.finding import Finding, exit_code, from_record, to_record
from adcli.report.check_formats import check_github, check_json, check_junit
from adcli.report.check_text import print_findings, report_text
from adcli_methods.checking.report import Cause, CheckReport, Entry, PointReport, Verdict
from adcli_methods.program import Location


def finding(verdict=Verdict.FAIL, claim="model.py:loss_grad", point=None):
    entries = (
        Entry((3,), "weights.of.a.layer.with.a.long.name[3]", -1.25, math.inf, math.inf, 1e-12, Verdict.FAIL),
        Entry((0, 1), "x[0,1]", 1e-300, math.nan, math.nan, 0.0, Verdict.FAIL),
    )
    causes = (Cause("sign", "the claim is -1 times the derivative", Location("model.py", 12), 0.99),)
    is_pass = verdict is Verdict.PASS
    reason = "" if is_pass else "2 of 50 entries differ: " + "x[3] is claimed 1.25, and is inf; " * 3
    common = {"verdict": verdict, "entries": () if is_pass else entries, "causes": () if is_pass else causes,
              "notes": ("a note",)}  # fmt: skip
    at = PointReport(np.arange(3.0) if point is None else point, entry_count=50, wrong_count=2, methods=("reverse",),
                     directions=3, reason=reason, **common)  # fmt: skip
    command = f"adcli check model.py:loss --grad {claim} --at 'x=[1,2,3]' --n 50 --points 20 --seed 0"
    report = CheckReport(function="loss", claim="loss_grad", operator="gradient", points=(at,), evaluations=10,
                         claim_evaluations=2, seconds=0.5, reproduce=command, **common)  # fmt: skip
    return Finding("model.py:loss", claim, report, file="model.py", line=7)


FAILED, PASSED, UNCLEAR = finding(), finding(Verdict.PASS), finding(Verdict.UNCLEAR)
UNTRACED = finding(Verdict.NOT_TRACED)
BROKEN = Finding("model.py:loss", "model.py:hess", error="no result after 60 s", file="model.py", line=9)
MISUSED = Finding("model.py:loss", "model.py:hes", error="model.py has no 'hes'", exit_code=2)


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("verdict", Verdict)
def test_the_report_fits_its_width(verdict, width):
    lines = report_text(finding(verdict), width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith(f"{verdict}  model.py:loss_grad  gradient of loss")


def test_the_failure_tells_everything():
    text = " ".join(report_text(FAILED).split())
    for part in ("-1.25", "inf", "1.0e-12", "sign: the claim is -1 times", "model.py:12", "50 entries", "by reverse",
                 "a note", "at [0, 1, 2]"):  # fmt: skip
        assert part in text
    assert text.replace("\\ ", "").endswith(f"again {FAILED.report.reproduce}")


def test_a_pass_is_short():
    assert len(report_text(PASSED).splitlines()) <= 3


@pytest.mark.parametrize(
    ("findings", "strict", "code"),
    [
        ([PASSED], False, 0),
        ([PASSED, FAILED], False, 1),
        ([FAILED, BROKEN], False, 1),
        ([UNCLEAR], False, 0),
        ([UNCLEAR], True, 1),
        ([BROKEN], False, 3),
        ([UNTRACED], True, 3),
        ([PASSED, BROKEN], False, 4),
        ([MISUSED], False, 2),
        *(([finding(verdict)], False, 1) for verdict in Verdict if verdict.severity > Verdict.NOT_TRACED.severity),
        ([finding(Verdict.NOT_DIFFERENTIABLE)], False, 1),
    ],
)
def test_the_exit_code_says_what_was_found(findings, strict, code):
    assert exit_code(findings, strict) == code


@pytest.mark.parametrize("original", [FAILED, PASSED, UNCLEAR, BROKEN, MISUSED])
def test_a_finding_survives_json(original):
    back = from_record(json.loads(json.dumps(to_record(original), allow_nan=False)))
    assert repr(back).replace("nan", "NaN") == repr(back).replace("nan", "NaN")
    assert report_text(back) == report_text(original)
    assert to_record(back) == to_record(original)


def test_a_large_point_is_told_by_its_shape():
    record = to_record(finding(point={"x": np.zeros((100, 100)), "y": 2.0}))
    assert record["points"][0]["point"] == {"x": {"shape": [100, 100], "first": [0.0] * 10}, "y": 2.0}


def test_json_has_the_keys_that_are_documented():
    told = json.loads(check_json([FAILED, BROKEN], False))
    assert (told["schema_version"], told["exit_code"]) == (1, 1)
    assert told["findings"][0]["entries"][0]["reference"] == "inf"
    assert told["findings"][0]["causes"][0]["location"] == {"filename": "model.py", "line": 12}
    assert told["findings"][1]["verdict"] == "NOT CHECKED"


def test_github_annotates_the_gradient_functions_line():
    lines = check_github([FAILED, PASSED, UNCLEAR, BROKEN], False).splitlines()
    assert [line.split("::")[1] for line in lines[:-1]] == [
        "error file=model.py,line=7,title=adcli check%3A FAIL",
        "warning file=model.py,line=7,title=adcli check%3A UNCLEAR",
        "error file=model.py,line=9,title=adcli check%3A NOT CHECKED",
    ]
    assert "%0A" in lines[0]
    assert lines[-1] == "4 checked: 1 FAIL, 1 PASS, 1 UNCLEAR, 1 NOT CHECKED"


def test_github_commands_cannot_be_smuggled_in():
    hostile = Finding("f", "g\n::error::x", error="50%\r\n::stop-commands::", file="a,b:c.py", line=1)
    (line, _) = check_github([hostile], False).splitlines()
    assert line.startswith("::error file=a%2Cb%3Ac.py,line=1,title=")
    assert "50%25" in line


def test_junit_is_xml_with_a_case_for_each_claim():
    hostile = Finding('f<>"', "g&\x00\x1b[31m", error="<&>\ud800")
    suite = ElementTree.fromstring(
        check_junit([PASSED, FAILED, UNCLEAR, BROKEN, hostile], False).encode("utf-8", "strict")
    )
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "2")
    assert [child.tag for case in suite for child in case] == ["failure", "skipped", "error", "error"]
    assert suite[1].get("classname") == "model.py:loss"
    assert suite[0].get("time") == "0.500"


def test_colours_are_for_terminals(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    print_findings([FAILED, PASSED], is_alone=False)
    plain = capsys.readouterr().out
    assert "\x1b[" not in plain
    assert plain.endswith("2 checked: 1 FAIL, 1 PASS\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_findings([FAILED], is_alone=True)
    assert "\x1b[1;31mFAIL" in capsys.readouterr().out


def test_a_real_report_survives_json():
    report = adcli.check("exp(x**2)", "x*exp(x**2)", at=2.0)
    back = from_record(to_record(Finding("f", "g", report)))
    assert back.report is not None
    assert (back.report.entries, back.report.causes) == (report.entries, report.causes)
