"""Whatever becomes of a cell is its own row, and the others go on."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from adcli_benchmarks import worker
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.measures import MEASURES, Measure
from adcli_benchmarks.outcomes import OUTCOMES, RefusedError, WrongError
from adcli_benchmarks.request import MEBIBYTE, BenchRequest
from adcli_benchmarks.runner import run
from adcli_methods.errors import AdcliError, OperatorError, UnavailableError

REQUEST = BenchRequest(("swell",), timeout_seconds=2.0, memory_bytes=400 * MEBIBYTE)
ENDS = {
    "fine": ("ok", ""),
    "segfault": ("crashed", "SIGSEGV"),
    "exit": ("exited", "sys.exit(7)"),
    "quit": ("exited", "without a result"),
    "hang": ("timeout", "no result after 2 s"),
    "flood": ("ok", ""),
    "bomb": ("out_of_memory", "more than the 419 MB"),
    "raise": ("failed", "ValueError: no such luck"),
    "not JSON": ("failed", "not JSON"),
    "fine too": ("ok", ""),
}


@pytest.fixture(autouse=True)
def _odd_cells(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def sweep(cells, request=REQUEST, **options):
    return run(cells, request, {"cpu": "ours"}, entry="odd_cells:run_cell", **options)


def test_each_misfortune_is_its_own_row_and_the_rest_goes_on(capfd):
    cells = [Cell("swell", "p", method) for method in ENDS]
    started = []
    records = {record.cell.method: record for record in sweep(cells, started=started.append)}
    assert started == cells
    for method, (outcome, reason) in ENDS.items():
        assert records[method].outcome == outcome
        assert reason in records[method].reason
    assert math.isnan(records["fine"].values["error"])
    assert records["hang"].worker_seconds == pytest.approx(2.0, abs=0.5)
    assert records["fine"].environment["threads"]["OMP_NUM_THREADS"]
    assert len(capfd.readouterr().err) < 10**6


def test_what_counts_runs_side_by_side_and_what_is_timed_alone():
    cells = [Cell(measure, "p", str(k)) for measure in ("speed", "swell") for k in range(4)]
    records = list(sweep(cells))
    assert [record.cell.measure for record in records] == ["swell"] * 4 + ["speed"] * 4
    spans = [(record.values["begin_seconds"], record.values["end_seconds"]) for record in records]
    assert overlaps(spans[:4]) <= 2
    assert overlaps(spans[4:]) == 1
    assert max(end for _, end in spans[:4]) <= min(begin for begin, _ in spans[4:])


def overlaps(spans):
    """The most spans that hold one instant."""
    return max(sum(begin <= instant < end for begin, end in spans) for instant, _ in spans)


def test_closing_the_sweep_ends_what_is_running(tmp_path):
    pid_file = tmp_path / "pid"
    hang = Cell("swell", "p", "hang", settings=(("pid_file", str(pid_file)),))
    request = BenchRequest(("swell",), timeout_seconds=60.0)
    records = sweep([Cell("swell", "p", "fine"), hang], request)
    assert next(records).outcome == "ok"
    records.close()
    pid = int(eventually(pid_file.read_text if pid_file.exists() else lambda: pid_file.read_text()))
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))


def eventually(holds, seconds=10.0):
    """What becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := holds():
                return found
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("not in time")


ERRORS = [
    (WrongError("entry 3 is -1 where 1 is right", {"norm_relative_error": math.nan}), "wrong", "entry 3"),
    (RefusedError("all but zero"), "refused", "all but zero"),
    (OperatorError("no hessian"), "unsupported", "no hessian"),
    (UnavailableError("method jax needs"), "unavailable", "jax"),
    (MemoryError("no more"), "out_of_memory", "no more"),
    (AdcliError("the size is 0"), "failed", "the size is 0"),
    (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero (test_runner.py:"),
]


@pytest.mark.parametrize(("error", "outcome", "reason"), ERRORS, ids=[kind for _, kind, _ in ERRORS])
def test_what_a_measure_raises_is_an_outcome(error, outcome, reason, monkeypatch):
    class Raises:
        def measure(self, cell):
            raise error

    monkeypatch.setattr(worker, "measure_named", lambda name: Raises())
    monkeypatch.setattr(worker.warnings, "simplefilter", lambda action: None)
    answer = worker.run_cell(Cell("swell", "p", "m").to_json())
    assert answer["outcome"] == outcome
    assert outcome in OUTCOMES
    assert reason in answer["reason"]
    assert answer["values"] == ({"norm_relative_error": "nan"} if outcome == "wrong" else {})


def test_every_measure_of_the_table_has_its_file():
    from adcli_benchmarks.measures import measure_named

    for name in MEASURES:
        assert callable(measure_named(name).cells)
        assert callable(measure_named(name).measure)
    assert all(isinstance(measure, Measure) and measure.summary for measure in MEASURES.values())


def test_what_torch_compiles_in_one_cell_is_no_business_of_another():
    first, second = sweep([Cell("swell", "any", "cache", 1), Cell("swell", "any", "cache", 2)])
    assert first.values["found"] == second.values["found"] == []
    assert first.values["folder"] != second.values["folder"]
    assert not Path(first.values["folder"]).exists()
