"""`adcli check` as it is typed: what it finds, what it prints, how it exits."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = """import numpy as np
from math import exp

def loss(x, scale=2.0):
    print("hello")
    return scale * np.sum(x**3)

def loss_grad(x, scale=2.0):
    return 3 * scale * x**2

def energy(a, b):
    return np.sum(a * b**2)

def energy_grad(a, b):
    return {"a": b**2, "b": a * b}

def both(x):
    grad = np.cos(x)
    return np.sum(np.sin(x)), grad

def sized(x):
    return x @ np.arange(3.0)

def sized_grad(x):
    return np.arange(3.0)

sized_at = np.ones(3)
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("exp(x**2)", "--grad", "2*x*exp(x**2)", "--at", "2"), 0, "PASS  2*x*exp(x**2)  derivative of exp(x**2)"),
        (("exp(x**2)", "--grad", "x*exp(x**2)", "--at", "2"), 1, "factor: the claim is ½ times"),
        (("-x**2", "--grad", "-2*x"), 0, "PASS  -2*x"),
        (("-x**2", "--grad", "-2*x", "--n", "50", "--points", "7", "--seed", "3"), 0, "7 points"),
        (("x*y", "--grad", "[y, x]", "--at", "x=1,y=2"), 0, "PASS"),
        (("x*y", "--grad", "y", "--at", "x=1,y=2", "--wrt", "x"), 0, "PASS"),
        (("x**3", "--grad", "6*x", "--at", "2", "--kind", "hessian"), 0, "hessian of x**3"),
        (("x**2", "--grad", "2.001*x", "--at", "2", "--rtol", "0.01"), 0, "PASS"),
        (("x**2", "--grad", "2.001*x", "--at", "2", "--atol", "1"), 0, "UNCLEAR"),
        (("x**2", "--grad", "2.001*x", "--at", "2", "--atol", "1", "--strict"), 1, "UNCLEAR"),
        (("abs(x)", "--grad", "sign(x)", "--at", "0"), 1, "NOT DIFFERENTIABLE"),
        (("problem:rosenbrock", "--n", "6"), 0, "PASS  its derivative  gradient of problem:rosenbrock"),
        (("problem:rosenbrok",), 2, "unknown problem 'rosenbrok'"),
        (("x**2",), 3, "no function with its derivative in the formula x**2"),
        (("x**2", "--grad", "2*y", "--at", "2"), 2, "'y' is no input of x**2"),
        (("x**2", "--grad", "2*x", "--at", "y=2"), 2, "no value for 'x'"),
        (("x**2", "--grad", "__import__('os')", "--at", "2"), 2, "error"),
        (("x**2", "--grad", "2*x", "--format", "xml"), 2, "rich, json, github or junit"),
        (("x**2", "--grad", "2*x", "--kind", "slope"), 2, "--kind slope: "),
        (("x**2", "--grad", "2*x", "--points", "0"), 2, "points"),
        (("x**2", "--grad", "2*x", "--torch"), 2, "leave --grad out"),
        (("no_such.py",), 2, "no file no_such.py"),
        (("no_such.py:f", "--grad", "2*x"), 2, "no file no_such.py"),
        (("model.py", "--grad", "model.py:loss_grad"), 2, "write model.py:name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_each_form_of_the_command(arguments, code, said, adcli, file):
    ran = adcli("check", *arguments)
    assert said in ran.out + ran.err
    assert ran.code == code
    if code > 1:
        assert ran.out == ""
        assert len(ran.err.splitlines()) <= 3


def test_a_whole_file_is_checked_pair_by_pair(adcli, file):
    ran = adcli("check", "model.py", "--format", "json")
    told = json.loads(ran.out)
    assert ran.code == told["exit_code"] == 1
    assert [(one["function"], one["claim"], one["verdict"], one["line"]) for one in told["findings"]] == [
        ("model.py:loss", "model.py:loss_grad", "PASS", 8),
        ("model.py:energy", "model.py:energy_grad", "FAIL", 14),
        ("model.py:both", "model.py:both", "PASS", 17),
        ("model.py:sized", "model.py:sized_grad", "PASS", 24),
    ]
    fault = told["findings"][1]
    assert fault["causes"][0]["kind"] in ("factor", "block", "chain factor")
    assert "hello" in ran.err
    again = adcli(*shlex.split(fault["reproduce"])[1:], "--format", "json")
    assert again.code == 1
    assert json.loads(again.out)["findings"][0]["entries"] == fault["entries"]


def test_a_named_function_finds_its_gradient(adcli, file):
    ran = adcli("check", "model.py:loss", "--at", "x=[1,2],scale=3", "--wrt", "x")
    assert ran.code == 0
    assert ran.out.startswith("PASS  model.py:loss_grad  gradient of loss\n")


def test_github_and_junit_name_the_line_of_the_gradient(adcli, file):
    ran = adcli("check", "model.py:energy", "--format", "github")
    assert ran.out.startswith("::error file=model.py,line=14,title=adcli check%3A FAIL::")
    assert 'line="14"' in adcli("check", "model.py:energy", "--format", "junit").out


def test_a_mistake_is_json_too_where_json_is_asked_for(adcli, file):
    ran = adcli("check", "model.py:los", "--grad", "model.py:loss_grad", "--format", "json")
    (finding,) = json.loads(ran.out)["findings"]
    assert (ran.code, finding["error"]) == (2, "model.py has no 'los': did you mean loss?")


def test_a_point_may_be_a_file(adcli, file):
    Path("point.json").write_text('{"a": [1.0, 2.0], "b": [0.5, -1.0]}')
    ran = adcli("check", "model.py:energy", "--grad", "model.py:energy_grad", "--at", "point.json")
    assert ran.code == 1
    assert "b[1]" in ran.out


def test_scipys_rosen_checks_out_of_the_box(adcli):
    ran = adcli("check", "scipy.optimize:rosen", "--n", "10", "--format", "json")
    assert ran.code == 0
    told = {one["claim"]: (one["verdict"], one["operator"]) for one in json.loads(ran.out)["findings"]}
    assert told == {
        "scipy.optimize:rosen_der": ("PASS", "gradient"),
        "scipy.optimize:rosen_hess": ("PASS", "hessian"),
        "scipy.optimize:rosen_hess_prod": ("PASS", "hvp"),
    }


@pytest.mark.parametrize(
    ("name", "gradient", "kinds"),
    [
        ("logistic_loss", "d_logistic_loss", {"missing term"}),
        ("gp_loss", "d_gp_loss", {"factor", "block", "chain factor"}),
        ("kmeans_loss", "d_kmeans_loss", {"factor"}),
        ("cross_entropy", "d_cross_entropy", {"factor", "mean instead of sum"}),
        ("lstm_energy", "d_lstm_energy", {"sign", "block"}),
        ("reprojection", "d_reprojection", {"permuted", "block", "shifted"}),
    ],
)
def test_the_wrong_examples_are_found_with_their_causes(name, gradient, kinds, monkeypatch):
    from adcli.checking.order import Order
    from adcli.checking.worker import findings

    path = ROOT / "examples" / "gradients" / "wrong.py"
    (finding,) = findings(Order(f"{path}:{name}", f"{path}:{gradient}"))
    assert finding.report is not None
    assert finding.verdict == "FAIL", finding.report.reason
    assert finding.report.causes[0].kind in kinds, finding.report.causes


EXAMPLES = sorted(path for path in (ROOT / "examples" / "gradients").glob("*.py") if path.name != "wrong.py")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_right_examples_pass(path):
    from adcli.checking.order import Order
    from adcli.checking.run import orders_of
    from adcli.checking.worker import findings

    orders = orders_of(Order(str(path)))
    assert orders
    for order in orders:
        (finding,) = findings(order)
        assert finding.verdict == "PASS", (order.claim, finding.report)


_MAIN = [sys.executable, "-c", "import sys; from adcli.cli import main; main(sys.argv[1:])"]


def test_control_c_ends_the_command_and_the_users_code(file):
    file.write_text(
        "import time, os\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\ndef f(x): return x\ndf = f\n"
    )
    process = subprocess.Popen(
        [*_MAIN, "check", "model.py:f", "--grad", "model.py:df"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    limit = time.monotonic() + 60
    while not (Path("pid").exists() and Path("pid").read_text()) and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "adcli: interrupted\n")
    child = int(Path("pid").read_text())
    limit = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_closed_pipe_is_no_error(file):
    ran = subprocess.run(
        f"{shlex.join([*_MAIN, 'check', 'model.py:loss'])} 2>err | head -c 4",
        shell=True, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ran.stdout, Path("err").read_text().replace("hello\n", "")) == ("PASS", "")
