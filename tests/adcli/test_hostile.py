"""Hostile input through the whole command: one line, no traceback, nothing executed, in time."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

resource = pytest.importorskip("resource")  # a Unix module

CASES = Path(__file__).parents[3] / "shared" / "cases" / "hostile.jsonl"
SECONDS, MEGABYTES = 2.0, 256


def _cases(*classes: str) -> list[dict[str, str]]:
    if not CASES.exists():
        return []
    lines = CASES.read_text(encoding="utf-8").splitlines()
    return [case for case in map(json.loads, lines) if case["cls"] in classes]


def _text(case: dict[str, str]) -> str:
    text = case["payload"] if "payload" in case else eval(case["gen"])  # our own test data
    assert isinstance(text, str)
    return text


pytestmark = pytest.mark.skipif(not CASES.exists(), reason=f"{CASES} is not here")


@pytest.mark.parametrize("case", _cases("code", "resource", "syntax"), ids=lambda case: case["id"])
def test_a_hostile_formula_is_answered_or_refused_in_time(adcli, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    ran = adcli("diff", _text(case), "--at", case.get("at", "x=2"), "--json")
    assert time.perf_counter() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err + ran.out
    if case["expect"].startswith("reject"):
        assert ran.code in (2, 3)
    if ran.code:
        first, *picture = ran.err.splitlines()
        assert first.startswith("adcli: error: ")
        assert len(first) < 700
        assert len(picture) <= 2
    else:
        assert "derivative" in json.loads(ran.out)


@pytest.mark.parametrize("case", _cases("at"), ids=lambda case: case["id"])
def test_a_hostile_point_is_answered_or_refused(adcli, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    ran = adcli("diff", "x**2", "--at", _text(case), "--json")
    assert "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == []
    if ran.code:
        assert ran.code == 2
        assert ran.err.startswith("adcli: error: ")
        assert len(ran.err.splitlines()) in (1, 3)  # with the formula and its caret
    else:
        assert json.loads(ran.out)["derivative"] in ("nan", "inf")


EDGES = {
    "sqrt(x)": (math.inf,),
    "x**2": (0.0,),
    "0**x": (-math.inf,),
    "x**y": (12.0, math.nan),
    "x**(1/3)": (math.nan,),
    "acos(x)": (-math.inf,),
    "sin(x)/x": (math.nan,),
    "max(x,y)": (0.5, 0.5),
    "sign(x)*x": (0.0,),
    "1/(1+exp(-x))": (0.0,),
    "exp(x)/exp(x)": (math.nan,),
}
"""Our answers at the edges of the collection, by input."""


@pytest.mark.parametrize("case", _cases("edge"), ids=lambda case: case["id"])
def test_an_edge_is_answered_as_documented(adcli, case):
    at = case["at"] if "=" in case["at"] else f"x={case['at']}"
    ran = adcli("diff", case["payload"], "--at", at, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    if case["payload"] not in EDGES:
        return
    given = found["derivative"]
    answers = tuple(map(float, given.values() if isinstance(given, dict) else [given]))
    assert answers == pytest.approx(EDGES[case["payload"]], nan_ok=True)
    if any(not math.isfinite(answer) for answer in answers):
        assert found["notes"]


def test_no_formula_reaches_the_system(tmp_path):
    script = """
import io, json, sys
from adcli.cli import main
heard = []
def hook(event, arguments):
    if armed and event.split(".")[0] in ("os", "subprocess", "socket", "shutil", "ctypes") or armed and event in (
        "open", "import", "exec"):
        caller = sys._getframe(1).f_code.co_filename
        if not caller.endswith(("inspect.py", "typing.py")):  # typer reads our own annotations
            heard.append((event, str(arguments)[:80], caller))
armed = False
texts = json.loads(sys.stdin.read())
sys.addaudithook(hook)
sys.stderr = io.StringIO()
for armed in (False, True):  # the first time imports what messages need
    for text in texts:
        try: main(["diff", text, "--at", "x=2", "-q"])
        except SystemExit: pass
armed = False
print(heard)
"""
    texts = [_text(case) for case in _cases("code")]
    ran = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(texts), capture_output=True, text=True, timeout=120,
        cwd=tmp_path, env=os.environ,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"
