"""A check of a long gradient costs little more than the function and the gradient themselves."""

import subprocess
import sys
import time

import numpy as np

from adcli_methods.checking.check import check
from adcli_methods.checking.report import Verdict

COUNT = 10**6
ROUNDS, MOST = 6, 1.5
"""The bound is 1; the machine may be busy with other work, so the test asks for 1.5 in the best of some rounds."""


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def slope(x):
    gap, result = x[1:] - x[:-1] ** 2, np.zeros_like(x)
    result[:-1] = -400 * x[:-1] * gap - 2 * (1 - x[:-1])
    result[1:] += 200 * gap
    return result


def cpu_seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def ratios():
    """The check's time over that of 20 evaluations and 5 gradients, until one is small enough."""
    x, found = np.random.default_rng(0).normal(size=COUNT), []
    while len(found) < ROUNDS and min(found, default=2.0) > MOST:
        plain = cpu_seconds(lambda: [*(rosenbrock(x) for _ in range(20)), *(slope(x) for _ in range(5))])
        reports = []
        checked = cpu_seconds(lambda into=reports: into.append(check(rosenbrock, slope, at=x)))
        assert reports[0].verdict is Verdict.PASS
        found.append(checked / plain)
    return found


def test_a_million_inputs_are_checked_in_the_time_of_20_evaluations_and_5_gradients():
    """In a process of its own, whose memory no other test has cut into pieces."""
    told = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True, timeout=120).stdout
    assert min(map(float, told.split())) <= MOST, told


def test_one_wrong_entry_of_a_million_is_found():
    def wrong(x):
        result = slope(x)
        result[777_777] *= -1
        return result

    report = check(rosenbrock, wrong, at=np.random.default_rng(0).normal(size=COUNT))
    assert report.verdict is Verdict.FAIL
    assert [entry.index for entry in report.entries] == [(777_777,)]


def test_a_long_function_that_is_not_repeatable_is_told_of():
    calls = []

    def drifting(x):
        calls.append(None)
        return rosenbrock(x) * (1 + 1e-9 * len(calls))

    report = check(drifting, slope, at=np.random.default_rng(0).normal(size=10**5))
    assert report.verdict is Verdict.NON_DETERMINISTIC


if __name__ == "__main__":
    print(*ratios())
