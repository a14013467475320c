"""Hostile functions and gradients through the whole command: each ends in time, with a verdict or one line of error."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "cases" / "hostile.jsonl"
HEAD = "import os, sys, time\nimport numpy as np\nGRADIENT = lambda x: 2 * x\n"
TIMEOUT = 20.0

PROCESSES = {
    "hangs": ("def f(x):\n    while True: pass", 3, "no result after 2 s"),
    "hangs at import": ("while True: pass", 3, "no result after 2 s"),
    "sleeps at import": ("time.sleep(600)\ndef f(x): return x @ x", 3, "no result after 2 s"),
    "its gradient hangs": ("def f(x): return x @ x\ndef g(x): time.sleep(600)", 3, "no result after 2 s"),
    "crashes": ("import ctypes\ndef f(x): return ctypes.string_at(0)", 3, "crashed its process: SIGSEGV"),
    "ends the process": ("def f(x): os._exit(0)", 3, "ended its process: the process ended without a result"),
    "exits at import": ("sys.exit(0)", 2, "loading model.py failed: "),
    "fails at import": ("raise RuntimeError('no')", 2, "loading model.py failed: "),
    "does not parse": ("def f(x:", 2, "SyntaxError"),
    "recurses without end": ("def f(x): return f(x)", 1, "RecursionError"),
    "answers to any name": ("def __getattr__(name): raise KeyError(name)\ndef f(x): return x @ x", 0, "PASS"),
    "overwrites what others need": (
        "json = os = np = None\nsys.stdout = sys.stderr = sys.argv = None\ndef f(x): return (x * x).sum()", 0, "PASS"
    ),
}  # fmt: skip
"""What a file does, the exit code and what is said."""


@pytest.mark.parametrize(("source", "code", "said"), PROCESSES.values(), ids=PROCESSES)
def test_a_hostile_file_ends_in_time(source, code, said, adcli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    is_slow = "no result" in said
    gradient = "" if "def g(" in source else "\ndef g(x): return GRADIENT(x)"
    Path("model.py").write_text(f"{HEAD}{source}{gradient}\n")
    start = time.monotonic()
    options = ["--at", "[1.0,2.0]", "--timeout", "2" if is_slow else str(TIMEOUT)]
    ran = adcli("check", "model.py:f", "--grad", "model.py:g", *options)
    assert time.monotonic() - start < (6 if is_slow else TIMEOUT + 4)
    assert said in (ran.err + ran.out).replace("\n  ", " ")
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) <= 1


def test_gigabytes_of_print_are_dropped(adcli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(
        f"{HEAD}def f(x):\n    os.write(1, b'x' * (1 << 25))\n    return x @ x\ndef g(x): return 2 * x\n"
    )
    ran = adcli(
        "check", "model.py:f", "--grad", "model.py:g", "--at", "[1.0,2.0]", "--timeout", "60", "--format", "json"
    )
    assert (ran.code, json.loads(ran.out)["findings"][0]["verdict"]) == (0, "PASS")
    assert len(ran.err) < 100_000


FUNCTIONS = {
    "raises": ("def f(x): raise ValueError('no')", "", "ERROR"),
    "its gradient raises": ("def f(x): return x @ x", "def g(x): raise IndexError('no')", "ERROR"),
    "exits": ("def f(x): sys.exit(3)", "", "ERROR"),
    "returns nothing": ("def f(x): pass", "", "ERROR"),
    "returns text": ("def f(x): return 'one'", "", "ERROR"),
    "returns complex numbers": ("def f(x): return 1j * (x @ x)", "", "ERROR"),
    "returns objects": ("def f(x): return np.array([object()])", "", "ERROR"),
    "returns objects that are numbers": ("def f(x): return np.sum(x.astype(object) ** 2)", "", "PASS"),
    "returns NaN": ("def f(x): return np.nan * (x @ x)", "", "ERROR"),
    "returns float32": ("def f(x): return np.float32(x @ x)", "", ("PASS", "UNCLEAR")),
    "returns shape (1,)": ("def f(x): return np.array([x @ x])", "", "PASS"),
    "returns shape (1, 1)": ("def f(x): return np.array([[x @ x]])", "", "PASS"),
    "returns a list": ("def f(x): return [x @ x]", "", "PASS"),
    "gradient is None": ("def f(x): return x @ x", "def g(x): pass", "FAIL"),
    "gradient is too long": ("def f(x): return x @ x", "def g(x): return np.ones(3)", "FAIL"),
    "gradient is empty": ("def f(x): return x @ x", "def g(x): return []", "FAIL"),
    "gradient is NaN": ("def f(x): return x @ x", "def g(x): return x * np.nan", "FAIL"),
    "gradient is infinite": ("def f(x): return x @ x", "def g(x): return x / 0", "FAIL"),
    "gradient is text": ("def f(x): return x @ x", "def g(x): return 'one'", "FAIL"),
    "Jacobian is transposed": (
        "A = np.array([[1., 2.], [3., 4.]])\ndef f(x): return A @ x", "def g(x): return A.T", "FAIL"
    ),
    "changes its input": ("def f(x):\n    x *= 2\n    return x @ x", "def g(x): return 8 * x", "MUTATES"),
    "its gradient changes the input": ("def f(x): return x @ x", "def g(x):\n    x *= 2\n    return x", "MUTATES"),
    "is random": ("def f(x): return x @ x + np.random.rand()", "", "NON-DETERMINISTIC"),
    "remembers": ("calls = []\ndef f(x):\n    calls.append(1)\n    return x @ x + len(calls)", "", "NON-DETERMINISTIC"),
    "is at a kink": (
        "def f(x): return np.sum(np.abs(x - 1.0))", "def g(x): return np.sign(x - 1.0)", "NOT DIFFERENTIABLE"
    ),
    "has small inputs": ("def f(x): return np.sum(1 / (1e-4 * x))", "def g(x): return -1 / (1e-4 * x**2)", "PASS"),
    "takes any arguments": ("def f(*args): return args[0] @ args[0]", "def g(*args): return 2 * args[0]", "PASS"),
    "has keyword-only and default inputs": (
        "def f(x, power=2, *, scale=1.0): return scale * np.sum(x**power)",
        "def g(x, power=2, *, scale=1.0): return 2 * x",
        "PASS",
    ),
    "takes no inputs": ("def f(): return 1.0", "", "takes no inputs"),
    "is a class": ("class f:\n    pass", "", "is a class"),
    "is a number": ("f = 3.0", "", "not a function"),
    "warns": ("import warnings\ndef f(x):\n    warnings.warn('deprecated')\n    return x @ x", "", "PASS"),
    "counts a huge array": ("def f(x): return np.ones(10**13) @ x", "", "ERROR"),
}  # fmt: skip
"""What a function and a gradient do, and the verdict, or what the error says."""
ERRORS = ("takes no inputs", "is a class", "not a function")


@pytest.mark.parametrize(("function", "gradient", "verdict"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_hostile_function_has_its_verdict(function, gradient, verdict, tmp_path, monkeypatch):
    from adcli.checking.order import Order
    from adcli.checking.worker import findings
    from adcli_methods.errors import AdcliError

    path = tmp_path / "model.py"
    path.write_text(f"{HEAD}{function}\n{gradient or 'def g(x): return 2 * x'}\n")
    order = Order(f"{path}:f", f"{path}:g", at="[1.0,2.0]")
    if verdict in ERRORS:
        with pytest.raises(AdcliError, match=verdict):
            findings(order)
        return
    (finding,) = findings(order)
    assert finding.report is not None
    assert finding.verdict in ((verdict,) if isinstance(verdict, str) else verdict), finding.report.reason


def test_the_collected_hostile_cases_are_all_here():
    if not SHARED.exists():
        pytest.skip("the shared cases are not beside this checkout")
    rows = [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]
    told = {row["payload"] for row in rows if (row["cls"], row["arg"]) == ("userfn", "check")}
    here = {
        "infinite loop at import": "hangs at import",
        "f mutates its argument in place (x *= 2)": "changes its input",
        "f returns float32": "returns float32",
        "f returns shape (1,) or (1,1) or a list": "returns shape (1, 1)",
        "df returns None / wrong length / transposed / empty": "gradient is empty",
        "f(x) with |x| about 1e-4 (S2MPJ MISRA1CLS, VIBRBEAM)": "has small inputs",
        "f piecewise linear, point on a kink": "is at a kink",
        "module defines __getattr__ / heavy import of 10 s": "answers to any name",
        "f defined with *args, keyword-only or default parameters": "takes any arguments",
    }
    assert told == set(here)
    assert set(here.values()) <= {*PROCESSES, *FUNCTIONS}
