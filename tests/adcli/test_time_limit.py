"""Code of this process is stopped when its time is over, and whoever had the timer before has it again."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

from adcli import comparison
from adcli.time_limit import TimeLimitError, within
from adcli_methods.differentiate import Request
from adcli_methods.finite_difference import CentralDifference, ForwardDifference
from adcli_methods.function import function_of
from adcli_methods.reverse import Reverse

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer")


def spin():
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        try:
            time.sleep(0.001)
        except Exception:  # what a library might do
            continue


def test_a_block_is_stopped_though_it_catches_every_exception():
    started = time.monotonic()
    with pytest.raises(TimeLimitError), within(0.05):
        spin()
    assert time.monotonic() - started < 10.0


def test_the_former_handler_is_back_and_no_timer_runs():
    before = signal.getsignal(signal.SIGALRM)
    with within(30.0):
        assert signal.getsignal(signal.SIGALRM) is not before
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_a_timer_that_runs_already_is_left_alone():
    with within(30.0):
        outer = signal.getsignal(signal.SIGALRM)
        with within(0.01):
            assert signal.getsignal(signal.SIGALRM) is outer
            time.sleep(0.05)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 20.0


def test_other_threads_have_no_limit():
    done = []

    def work():
        with within(0.01):
            time.sleep(0.1)
            done.append(True)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert done == [True]


def slow(x):
    time.sleep(0.05)
    return np.sum(x**2)


def test_a_method_that_takes_too_long_has_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr(comparison, "installed_methods", lambda: [ForwardDifference, CentralDifference, Reverse])
    found = comparison.compare_methods(function_of(slow), np.ones(60), Request(), timeout_seconds=1.5)
    rows = {row.method: row for row in found.rows}
    assert rows["reverse"].outcome == "ok"
    for name in ("forward-difference", "central-difference"):
        assert rows[name].outcome == "timeout"
        assert rows[name].reason == "no result after 1.5 s (--timeout)"
    assert found.reference
    assert found.advice is not None


def test_a_function_that_never_ends_has_no_reference_and_no_advice(monkeypatch):
    monkeypatch.setattr(comparison, "installed_methods", lambda: [Reverse, CentralDifference])
    found = comparison.compare_methods(function_of(lambda x: spin() or x), 1.0, Request(), timeout_seconds=0.1)
    assert found.note == "no reference: it takes more than 0.1 s (--timeout)"
    assert found.advice is None
    assert [row.outcome for row in found.rows] == ["timeout", "timeout"]
