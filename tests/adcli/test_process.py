"""What only a whole process shows: imports, pipes, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

_RUN = "import sys; from adcli.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n    "
_HEAVY = ("sympy", "torch", "matplotlib", "scipy", "mpmath", "jax", "autograd", "pandas")


def _adcli(*arguments: str, then: str = "pass", **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN + then, *arguments], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("diff", "--help"),
        ("diff", "exp(x**2)", "--at", "2", "--mode", "reverse"),
        ("diff", "sum(x*sin(x))", "--at", "1,2", "--mode", "forward", "--json"),
        ("diff", "exp(x**2)", "--at", "2", "--order", "3", "-q"),
        ("diff", "exp(x**2)", "--at", "2", "--mode", "cd"),
    ],
)
def test_heavy_packages_are_not_imported_by(arguments):
    then = f"print('HEAVY', [m for m in {_HEAVY!r} if m in sys.modules], file=sys.stderr)"
    assert "HEAVY []" in _adcli(*arguments, then=then).stderr


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -c '{_RUN}pass' diff 'sum(x)' --n 100000 --json | head -c 10"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert ran.stderr == ""
    assert ran.stdout == '{"schema_v'


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("emit", "x**2"),
        ("diff", "x**2", "--at", "2"),
        ("diff", "x**2", "--points", "-"),
        ("diff", "sum(x)", "--n", "100000", "--json"),
        ("compare", "x**2", "--at", "2", "--timeout", "0.1"),
        ("methods",),
        ("--help",),
    ],
)
def test_an_output_that_is_full_is_told_in_one_line(arguments, unbuffered):
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", _RUN + "pass", *arguments], input="x\n1\n2\n", stdout=full, stderr=subprocess.PIPE,
            text=True, timeout=120, env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    told = ran.stderr.splitlines()
    assert (told[-1], len(told)) == ("adcli: error: standard output cannot be written: No space left on device", 1)
    assert ran.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the stream")
@pytest.mark.parametrize(
    ("command", "code", "err"),
    [
        ("emit 'x**2' >&-", 0, ""),
        ("diff 'x**2' --at 2 >&-", 0, ""),
        ("methods >&-", 0, ""),
        ("diff 'x**' --at 2 2>&-", 2, ""),
    ],
)
def test_a_closed_stream_is_no_error(command, code, err):
    script = f"{sys.executable} -c '{_RUN}pass' {command}"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (code, err)


def test_a_mistake_keeps_its_exit_code_when_the_reader_has_gone():
    command = f"{sys.executable} -c '{_RUN}pass' diff 'x**' --at 2 | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", command], capture_output=True, timeout=120).returncode == 2


def test_control_c_ends_with_130_and_one_line(tmp_path):
    (tmp_path / "slow.py").write_text("import time\ndef f(x):\n    time.sleep(60)\n    return x\n")
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN + "pass", "diff", "slow.py:f", "--at", "1"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == ("", "adcli: interrupted\n")


def test_no_colour_wins_over_a_forced_terminal():
    environment = os.environ | {"NO_COLOR": "1", "FORCE_COLOR": "1"}
    assert "\x1b[3" not in _adcli("diff", "x**2", "--at", "2", env=environment).stdout


def test_it_works_in_the_plain_locale():
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"}
    ran = _adcli("diff", "x**2", "--at", "2", env=environment)
    assert ran.returncode == 0, ran.stderr
    ran = _adcli("compare", "x**2", "--at", "2", env=environment)
    assert ran.returncode == 0, ran.stderr
