"""`adcli bench` and `adcli report`, as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adcli.benchmarking import request_of
from adcli.report.bench_progress import LiveProgress, Progress, progress
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.run_files import read_records
from adcli_methods.errors import AdcliError

QUICK = ("bench", "swell", "--problems", "rosenbrock", "--sizes", "2", "--methods", "forward,reverse")


def record(method, outcome="ok", **values):
    cell = Cell("swell", "rosenbrock", method, 2)
    return Record(cell, outcome, "a reason" if outcome != "ok" else "", values, {}, "2025-01-01", 1.0, 0.25)


def written(path: Path, records):
    """A run's file, without a run."""
    path.write_text("".join(json.dumps(each.to_json()) + "\n" for each in records))
    return path


def test_a_run_leaves_its_files_and_its_report_can_be_made_again(adcli, tmp_path):
    ran = adcli(*QUICK, "--out", str(tmp_path / "new" / "run1"))
    assert (ran.code, "swell: operations, rosenbrock" in ran.out) == (0, True)
    assert "[2/2] swell rosenbrock" in ran.err
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"run1.jsonl", "run1.csv", "run1.md", "run1.html"} <= names
    before = (tmp_path / "new" / "run1.csv").read_bytes()
    (tmp_path / "new" / "run1.csv").unlink()
    again = adcli("report", str(tmp_path / "new" / "run1"))
    assert again.code == 0
    assert again.out == ran.out
    assert (tmp_path / "new" / "run1.csv").read_bytes() == before


def test_a_finished_run_resumes_without_measuring_anything(adcli, tmp_path):
    adcli(*QUICK, "--out", str(tmp_path / "run1"))
    before = (tmp_path / "run1.jsonl").read_bytes()
    ran = adcli("bench", "--resume", str(tmp_path / "run1.jsonl"))
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "run1.jsonl").read_bytes() == before


def test_a_users_own_function_is_measured(adcli, model):
    ran = adcli("bench", "accuracy", "--problems", "model.py:loss", "--sizes", "2", "--methods", "reverse")
    assert (ran.code, "model.py:loss, n = 2" in ran.out) == (0, True)


def test_a_failed_cell_is_exit_code_4(adcli):
    ran = adcli(*QUICK[:-2], "--methods", "reverse", "--timeout", "0.01")
    assert ran.code == 4
    assert "timeout: no result after 0.01 s" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench", "acuracy"), "did you mean accuracy?"),
        (("bench", "swell", "--problems", "rosenbrok"), "did you mean rosenbrock"),
        (("bench", "swell", "--methods", "revers"), "did you mean reverse?"),
        (("bench", "swell", "--problems", ","), "names nothing"),
        (("bench", "swell", "--dtype", "float16"), "float64 or float32"),
        (("bench", "swell", "--n", "1.5"), "a whole number"),
        (("bench", "--n", "10", "--sizes", "10"), "give one of them"),
        (("bench", "--timeout", "0"), "must be above 0"),
        (("bench", "--fail-above", "1.25"), "goes with adcli bench compare"),
        (("bench", "--resume", "nothing/here"), "cannot be read"),
        (("bench", "swell", "--resume", "run1"), "give it alone"),
        (("bench", "compare", "one.jsonl"), "give two runs"),
        (("bench", "problems", "rosenbrock"), "give nothing else"),
        (("bench", "swell", "--sizes", "x"), "--sizes x: a whole number"),
        (("bench", "swell", "--problems", "rosenbrock", "--sizes", "1"), "has size 2 or more, not 1"),
        (("bench", "swell", "--problems", "missing.py:loss"), "no file missing.py"),
        (("bench", "swell", "--problems", "math:nothing"), "math has no 'nothing'"),
        (("bench", "swell", "--out", ""), "names no run"),
        (("bench", "swell", "--out", "results/"), "names no run"),
        (("bench", "--resume", ""), "names no run"),
        (("bench", "--seed", "-1"), "--seed"),
        (("report", ""), "names no run"),
        (("bench", "swell", "--out", "/proc/run1"), "cannot be written"),
        (("report", "nothing/here"), "cannot be read"),
    ],
)
def test_a_mistake_is_one_line_with_its_way_out(arguments, said, adcli):
    ran = adcli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_gpu_that_is_not_here_is_one_line_and_exit_code_3(adcli, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ran = adcli("bench", "--n", "1e6", "--device", "cuda")
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert "device cuda is not here" in ran.err


def test_options_make_the_request():
    assert request_of(()).is_tour
    assert request_of((), n="1e6") == BenchRequest(("passes",), sizes=(10**6,))
    assert not request_of((), problems="rosenbrock").is_tour
    chosen = request_of(
        ("speed",), methods="reverse, jax", sizes="10,1e3", dtype="float32,float64", timeout_seconds=5.0
    )
    assert chosen == BenchRequest(
        ("speed",), None, ("reverse", "jax"), (10, 1000), ("float32", "float64"), timeout_seconds=5.0
    )
    assert request_of(("speed",), memory_megabytes=100).memory_bytes == 100 * 2**20
    with pytest.raises(AdcliError):
        request_of((), sizes="0")


def test_compare_tells_what_got_worse_and_ends_with_1(adcli, tmp_path):
    base = written(tmp_path / "base.jsonl", [record("reverse", derivative_operations=10), record("forward")])
    head = written(tmp_path / "head.jsonl", [record("reverse", derivative_operations=12), record("forward", "timeout")])
    ran = adcli("bench", "compare", str(base), str(head), "--fail-above", "1.25")
    assert ran.code == 1
    assert "derivative_operations" in ran.out
    assert "2 values got worse" in ran.out
    assert adcli("bench", "compare", str(base), str(base)).out == "1 SAME\n"
    assert "a ratio above 1" in adcli("bench", "compare", str(base), str(base), "--fail-above", "0.5").err


def test_problems_are_listed_with_formula_sizes_and_source(adcli):
    ran = adcli("bench", "problems")
    assert ran.code == 0
    assert "exp(x**2)" in ran.out
    assert "[r*cos(theta)," in ran.out  # brackets are not markup
    assert "rosenbrock" in ran.out


def test_plain_lines_tell_what_is_done_failed_and_left(capsys):
    shown = Progress()
    with shown.shown(3, [record("manual")]):
        shown.started(record("forward").cell)
        shown.finished(record("forward", "timeout"))
        shown.finished(record("reverse"))
    assert capsys.readouterr().err.splitlines() == [
        "[2/3] swell rosenbrock forward n=2  timeout: a reason  1.25 s, 0 s left",
        "[3/3] swell rosenbrock reverse n=2  ok  1.25 s",
    ]
    assert shown.summary() == "3 of 3 cells, 1 failed, about 0 s left"


@pytest.mark.parametrize(
    ("is_terminal", "term", "kind"),
    [(True, "xterm", LiveProgress), (True, "dumb", Progress), (False, "xterm", Progress)],
)
def test_lines_are_told_where_nothing_can_be_redrawn(is_terminal, term, kind, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.setenv("TERM", term)
    assert type(progress()) is kind


def test_the_live_display_shows_what_is_running():
    from rich.console import Console

    shown = LiveProgress()
    shown.total = 3
    shown.started(record("forward").cell)
    console = Console(width=80, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    console.print(shown)
    console.file.close()
    text = console.export_text()
    first, second = text.splitlines()
    assert first.endswith("0 of 3 cells")
    assert second == "  swell rosenbrock forward n=2"


def _started(folder: Path) -> subprocess.Popen[str]:
    (folder / "model.py").write_text("import time\ndef slow(x):\n    time.sleep(60)\n    return x\n")
    arguments = [
        "bench",
        "swell",
        "--problems",
        "rosenbrock,model.py:slow",
        "--sizes",
        "2",
        "--methods",
        "reverse,forward",
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "adcli", *arguments, "--out", "run1"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_control_c_keeps_what_is_finished_and_says_how_to_go_on(tmp_path):
    process = _started(tmp_path)
    assert process.stderr is not None
    lines = [process.stderr.readline(), process.stderr.readline()]
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert all("rosenbrock" in line for line in lines)
    assert process.returncode == 130
    assert "2 of 4 cells are finished and kept in run1.jsonl: go on with adcli bench --resume run1" in err
    assert "Traceback" not in err
    assert "swell: operations" in out
    assert len(read_records(tmp_path / "run1.jsonl")) == 2


def test_a_closed_pipe_is_no_error(tmp_path):
    command = (
        f"{sys.executable} -m adcli {' '.join(QUICK)} --out {tmp_path}/run1 2>&1 | head -c 5; echo ${{PIPESTATUS[0]}}"
    )
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert ran.stdout == "[1/2]0\n"
    assert ran.stderr == ""
    assert len(read_records(tmp_path / "run1.jsonl")) == 2
