"""Code of this process is stopped when its time is over, and whoever had the timer before has it again."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from adcli_methods.time_limit import TimeLimitError, within

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


def test_no_time_at_all_is_a_limit_too():
    with pytest.raises(TimeLimitError), within(0.0):
        spin()


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
