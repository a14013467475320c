"""Timings on a clock of our own, so that noise is what the test says; on the real one for the harness's cost."""

from __future__ import annotations

import gc
import random
import time

import pytest

from adcli_benchmarks import timing
from adcli_benchmarks.timing import interval_positions, once, time_interleaved, timing_of


class Clock:
    """A clock that only work moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def work(self, seconds, log=None, name=""):
        def call():
            self.now += seconds() if callable(seconds) else seconds
            if log is not None:
                log.append(name)

        return call


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_the_median_of_one_call_is_found_whatever_the_repeats(clock):
    found = time_interleaved({"quick": clock.work(1e-6), "slow": clock.work(0.01)}, seconds=0.5)
    assert found["quick"].median_seconds == pytest.approx(1e-6)
    assert found["slow"].median_seconds == pytest.approx(0.01)
    assert found["quick"].inner_repeats * 1e-6 >= timing.SHORTEST_ROUND_SECONDS
    assert found["slow"].inner_repeats == 1


def test_rounds_take_turns_and_turn_around(clock):
    log: list[str] = []
    calls = {name: clock.work(1.0, log, name) for name in "abc"}
    time_interleaved(calls, seconds=1.0)
    assert "".join(log[6:]) == "abccbaabccbaabc"  # after two calls each of warm-up


def test_a_slowdown_halfway_hits_everything_alike(clock):
    half = clock.work(lambda: 0.001 if clock.now < 0.1 else 0.003)
    found = time_interleaved({"a": half, "b": half}, seconds=0.3)
    ratio = [a / b for a, b in zip(found["a"].round_seconds, found["b"].round_seconds, strict=True)]
    assert sum(r == pytest.approx(1.0) for r in ratio) >= len(ratio) - 1
    assert "noisy" in found["a"].warning


def test_rounds_are_bounded(clock):
    assert time_interleaved({"slow": clock.work(100.0)}, seconds=0.1)["slow"].rounds == timing.LEAST_ROUNDS
    assert time_interleaved({"quick": clock.work(1e-3)}, seconds=100.0)["quick"].rounds == timing.MOST_ROUNDS


def test_a_device_is_waited_for_inside_of_every_round(clock):
    queue: list[float] = []

    def wait():
        clock.now += sum(queue)
        queue.clear()

    assert once(lambda: queue.append(0.25), wait) == pytest.approx(0.25)
    found = time_interleaved({"launch": lambda: queue.append(0.01)}, 0.1, wait)
    assert found["launch"].median_seconds == pytest.approx(0.01)


def test_garbage_is_not_collected_inside_of_a_timing(clock):
    seen = []
    once(lambda: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()


@pytest.mark.parametrize("count", [6, 10, 25, 60, 200])
def test_the_interval_holds_the_true_median_19_times_in_20(count):
    generator = random.Random(count)
    held, tries = 0, 1000
    for _ in range(tries):
        ordered = sorted(generator.lognormvariate(0.0, 0.5) for _ in range(count))
        low, high = interval_positions(count)
        held += ordered[low] <= 1.0 <= ordered[high]
    assert held >= 0.94 * tries


def test_steady_rounds_have_no_warning_and_noisy_ones_say_what_to_do():
    assert timing_of([1.0, 1.01, 1.0, 0.99, 1.0, 1.02], 1).warning == ""
    assert "end other programs" in timing_of([1.0, 1.5, 2.0, 3.0, 1.2, 1.9], 1).warning
    assert "times the fastest" in timing_of([1.0, *[2.0] * 20], 1).warning


@pytest.fixture
def _small_heap():
    """As in a cell's own process: what the tests have loaded is no garbage to look through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_small_heap")
def test_the_harness_costs_at_most_a_twentieth_of_a_call_of_100_ms():
    seconds, inside_cpu_seconds = [], 0.0

    def call():
        nonlocal inside_cpu_seconds
        cpu, start = time.thread_time(), time.perf_counter()
        while time.perf_counter() - start < 0.1:
            pass
        seconds.append(time.perf_counter() - start)
        inside_cpu_seconds += time.thread_time() - cpu

    cpu = time.thread_time()
    found = time_interleaved({"call": call}, seconds=0.1)["call"]
    assert time.thread_time() - cpu - inside_cpu_seconds <= 0.05 * 0.1 * len(seconds)
    assert found.median_seconds <= 1.05 * sorted(seconds)[len(seconds) // 2]
