"""Whatever an entry does to its process, the parent gets one outcome in time."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adcli_methods import isolation
from adcli_methods.isolation import run_isolated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals")


@pytest.fixture(autouse=True)
def _entries(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def run(name, payload=None, seconds=60.0, **options):
    return run_isolated(f"isolated_entries:{name}", payload or {}, timeout_seconds=seconds, **options)


def test_a_result_comes_back_with_its_infinities():
    sent = {"a": [1, 2.5, math.inf, -math.inf], "b": {"c": None, "π": "é\n"}}
    outcome = run("echo", sent)
    assert (outcome.status, outcome.result, outcome.detail) == ("ok", sent, "")
    assert math.isnan(run("echo", {"a": math.nan}).result["a"])
    assert 0 < outcome.start_seconds <= outcome.seconds
    assert outcome.peak_resident_bytes > 1_000_000


@pytest.mark.parametrize(
    ("name", "payload", "status", "detail"),
    [
        ("raises", {}, "error", "ValueError: two lines ("),
        ("raises_unprintable", {}, "error", "BadError: (its message cannot be printed) ("),
        ("lacks", {}, "error", "method jax is not installed: pip install jax"),
        ("nothing_here", {}, "error", "AttributeError: module 'isolated_entries' has no attribute 'nothing_here'"),
        ("returns_an_object", {}, "error", "the result is not JSON: Object of type object"),
        ("returns_a_lot", {}, "error", "the result is 73,400,"),
        ("exits", {"code": 0}, "exited", "sys.exit(0)"),
        ("exits", {"code": "bye"}, "exited", "sys.exit('bye')"),
        ("exits_hard", {}, "exited", "the process ended without a result (exit code 7)"),
        ("segfaults", {}, "crashed", "SIGSEGV"),
        ("aborts", {}, "crashed", "SIGABRT"),
        ("asks_too_much", {}, "out_of_memory", "MemoryError"),
        ("closes_everything", {}, "exited", "the process ended without a result (exit code 0)"),
        ("forks", {}, "ok", ""),
    ],
)
def test_an_end_is_named(name, payload, status, detail):
    outcome = run(name, payload)
    assert outcome.detail.startswith(detail)
    assert outcome.status == status


def test_an_error_keeps_its_type_and_the_exit_code_of_ours():
    theirs, ours = run("raises").result, run("lacks").result
    assert (theirs["type"], theirs["message"], theirs["exit_code"]) == ("ValueError", "two lines", None)
    assert theirs["location"].partition("isolated_entries.py:")[2].isdigit()
    assert (ours["type"], ours["exit_code"]) == ("UnavailableError", 3)


@pytest.mark.parametrize("name", ["hangs", "hangs_holding_the_lock"])
def test_a_hang_ends_at_the_limit(name):
    outcome = run(name, seconds=2.0)
    assert (outcome.status, outcome.detail) == ("timeout", "no result after 2 s")
    assert 2.0 <= outcome.seconds < 4.0
    assert outcome.start_seconds < 2.0


def test_an_import_that_hangs_ends_at_the_limit(tmp_path, monkeypatch):
    (tmp_path / "hanging_module.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    outcome = run_isolated("hanging_module:f", {}, timeout_seconds=1.0)
    assert (outcome.status, outcome.start_seconds) == ("timeout", None)


def test_a_gigabyte_of_output_is_dropped_and_the_result_comes(capfd):
    outcome = run("floods", {"megabytes": 1000})
    shown = capfd.readouterr()
    assert (outcome.status, outcome.result) == ("ok", "done")
    assert shown.out == ""
    assert shown.err.count("x") == isolation.LONGEST_OUTPUT
    assert shown.err.endswith("[more than 64 kB: the rest is dropped]\n")


def test_what_it_prints_goes_to_standard_error_and_it_reads_nothing(capfd):
    assert run("prints").result == ""
    shown = capfd.readouterr()
    assert (shown.out, sorted(shown.err.split())) == ("", ["err", "out"])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc: memory is not watched here")
def test_a_memory_bomb_is_stopped():
    outcome = run("eats", memory_bytes=300_000_000)
    assert (outcome.status, outcome.detail) == ("out_of_memory", "more than the 300 MB of memory that were allowed")
    assert 300_000_000 < outcome.peak_resident_bytes < 2_000_000_000


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc: memory is not watched here")
def test_the_peak_is_the_childs_own():
    ballast = b"x" * 400_000_000
    assert run("echo").peak_resident_bytes < 100_000_000
    assert 200_000_000 < run("holds", {"bytes": 200_000_000}).peak_resident_bytes < 300_000_000
    del ballast


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def _wait_until(condition, seconds=10.0):
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to look for processes in")
@pytest.mark.parametrize(("waits", "status"), [(True, "timeout"), (False, "ok")])
def test_its_own_children_end_with_it(waits, status, tmp_path):
    file = tmp_path / "pids"
    assert run("starts_a_sleeper", {"file": str(file), "waits": waits}, seconds=3.0).status == status
    for pid in map(int, file.read_text().split()):
        assert _wait_until(lambda pid=pid: not _is_alive(pid))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to look for processes in")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_when_the_parent_is_stopped(how, tmp_path):
    file = tmp_path / "pids"
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from adcli_methods.isolation import run_isolated\n"
        f"run_isolated('isolated_entries:starts_a_sleeper', dict(file={str(file)!r}, waits=True), timeout_seconds=300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        assert _wait_until(lambda: file.exists() and len(file.read_text().split()) == 2, 30.0)
        parent.send_signal(how)
        parent.wait(10)
    finally:
        parent.kill()
        parent.wait()
    for pid in map(int, file.read_text().split()):
        assert _wait_until(lambda pid=pid: not _is_alive(pid))


def test_it_works_where_the_parents_streams_are_closed(tmp_path):
    script = (
        "import os, sys\n"
        "for stream in (0, 1, 2):\n    os.close(stream)\n"
        "sys.stdin = sys.stdout = sys.stderr = None\n"
        "from adcli_methods.isolation import run_isolated\n"
        f"text = repr(run_isolated('math:fsum', [1, 2], timeout_seconds=60).result)\n"
        f"open({str(tmp_path / 'result')!r}, 'w').write(text)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert (tmp_path / "result").read_text() == "3.0"


def test_it_imports_nothing_of_its_own():
    assert run("imports").result == []


def test_variables_are_set_beside_those_there_are(monkeypatch):
    monkeypatch.setenv("ADCLI_A", "1")
    outcome = run("environment", {"names": ["ADCLI_A", "ADCLI_B"]}, environment={"ADCLI_B": "2"})
    assert outcome.result == ["1", "2"]
    assert os.environ.get("ADCLI_B") is None


def test_a_large_payload_arrives():
    assert run("echo", {"x": [0.1] * 1_000_000}).result["x"][-1] == 0.1


def test_a_module_of_the_users_folder_named_as_one_of_pythons_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise RuntimeError('not this one')\n")
    (tmp_path / "threading.py").write_text("raise RuntimeError('not this one')\n")
    monkeypatch.chdir(tmp_path)
    assert run("echo", {"a": 1}).result == {"a": 1}
