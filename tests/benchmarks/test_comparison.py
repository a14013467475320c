"""Verdicts between two runs: counts exactly, times only where noise cannot explain them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.comparison import compare
from adcli_benchmarks.record import Record

CELL = Cell("speed", "rosenbrock", "reverse", 10)
VALUES = {
    "primal_evaluations": 1,
    "adjoint_sweeps": 1,
    "derivative_operations": 40,
    "kept_bytes": 800,
    "imported_packages": 3,
    "correct_digits": 15,
    "peak_bytes": 10_000_000,
    "norm_relative_error": 1e-16,
    "derive_seconds": 0.5,
}


def record(values, cell=CELL, outcome="ok"):
    return Record(cell, outcome, "", values, {}, "2025-01-01T00:00:00+00:00", 1.0, 0.1)


def verdicts(base, head, fail_above=None):
    comparison = compare([record(base)], [record(head)], fail_above)
    return {change.name: change.verdict for change in comparison.changes if change.verdict != "SAME"}


def test_the_same_records_are_the_same():
    assert verdicts(VALUES, VALUES) == {}


@pytest.mark.parametrize(
    ("name", "head", "verdict"),
    [
        ("primal_evaluations", 2, "WORSE"),
        ("adjoint_sweeps", 2, "WORSE"),
        ("derivative_operations", 41, "WORSE"),
        ("derivative_operations", 39, "BETTER"),
        ("kept_bytes", 801, "WORSE"),
        ("imported_packages", 4, "WORSE"),
        ("imported_packages", 2, "BETTER"),
        ("peak_bytes", 10_900_000, None),
        ("peak_bytes", 11_100_000, "WORSE"),
        ("peak_bytes", 8_000_000, "BETTER"),
        ("norm_relative_error", 2e-16, None),
        ("derive_seconds", 5.0, None),
    ],
)
def test_counts_compare_exactly_and_what_depends_on_the_machine_does_not(name, head, verdict):
    assert verdicts(VALUES, {**VALUES, name: head}) == ({} if verdict is None else {name: verdict})


@pytest.mark.parametrize(
    ("base", "head", "verdict"),
    [
        ((15, 1e-15), (14, 1.1e-14), "WORSE"),
        ((15, 1.1e-15), (14, 0.9e-14), None),
        ((16, 0.0), (15, 2e-16), None),
        ((16, 0.0), (14, 5e-15), "WORSE"),
        ((8, 1e-8), (0, float("nan")), "WORSE"),
        ((8, 1e-8), (10, 1e-10), "BETTER"),
    ],
)
def test_a_digit_is_lost_where_the_error_grew_tenfold(base, head, verdict):
    base, head = (dict(zip(("correct_digits", "norm_relative_error"), side, strict=True)) for side in (base, head))
    assert verdicts(base, head) == ({} if verdict is None else {"correct_digits": verdict})


def test_a_count_that_is_gone_is_worse():
    assert verdicts(VALUES, {name: value for name, value in VALUES.items() if name != "kept_bytes"}) == {
        "kept_bytes": "WORSE"
    }


@pytest.mark.parametrize(
    ("base", "head", "verdict", "fails"),
    [
        ("ok", "wrong", "WORSE", True),
        ("ok", "timeout", "WORSE", True),
        ("timeout", "ok", "BETTER", False),
        ("timeout", "crashed", "UNCLEAR", False),
    ],
)
def test_an_outcome_that_got_worse_is_a_failure(base, head, verdict, fails):
    (change,) = compare([record({}, outcome=base)], [record({}, outcome=head)]).changes
    assert (change.name, change.verdict, change.is_failure) == ("outcome", verdict, fails)


def test_a_cell_that_is_gone_is_a_failure_and_a_new_one_is_not():
    other = replace(CELL, method="forward")
    comparison = compare([record({})], [record({}, other)])
    assert [change.is_failure for change in comparison.changes] == [True]
    assert comparison.added == (other.key,)


def timed(seconds, noise, generator, primal=None, rounds=25):
    """A record of a run whose rounds are noisy."""
    values = {"run_round_seconds": [seconds * noise(generator) for _ in range(rounds)]}
    if primal is not None:
        values["primal_round_seconds"] = [primal * noise(generator) for _ in range(rounds)]
    return record(values)


def quiet(generator):
    return generator.lognormvariate(0.0, 0.02)


def spiky(generator):
    return generator.lognormvariate(0.0, 0.1) * (3.0 if generator.random() < 0.1 else 1.0)


@pytest.mark.parametrize(("factor", "verdict"), [(2.0, "SLOWER"), (0.5, "FASTER"), (1.0, "SAME")])
@pytest.mark.parametrize("pairs", [1, 7])
@pytest.mark.parametrize("noise", [quiet, spiky])
def test_a_time_is_slower_faster_or_the_same(factor, verdict, pairs, noise):
    generator = random.Random(1)
    base = [timed(1e-3, noise, generator) for _ in range(pairs)]
    head = [timed(1e-3 * factor, noise, generator) for _ in range(pairs)]
    (change,) = compare(base, head).changes
    assert (change.name, change.verdict) == ("run_seconds", verdict)


def test_slower_fails_only_above_the_limit_that_was_given():
    generator = random.Random(2)
    base, head = timed(1e-3, quiet, generator), timed(1.6e-3, quiet, generator)
    assert [bool(compare([base], [head], limit).worse) for limit in (None, 1.25, 2.0)] == [False, True, False]


def test_a_time_between_the_limits_is_unclear():
    generator = random.Random(3)
    base, head = timed(1e-3, quiet, generator), timed(1.27e-3, quiet, generator)
    assert [change.verdict for change in compare([base], [head], 1.25).changes] == ["UNCLEAR"]


def test_a_machine_that_slowed_everything_is_no_slower_code():
    generator = random.Random(4)
    base = timed(1e-3, quiet, generator, primal=1e-4)
    head = timed(1.5e-3, quiet, generator, primal=1.5e-4)
    assert [change.verdict for change in compare([base], [head]).changes] == ["UNCLEAR"]


def test_nanoseconds_are_nobodys():
    generator = random.Random(5)
    base, head = timed(1e-8, quiet, generator), timed(3e-8, quiet, generator)
    assert [change.verdict for change in compare([base], [head]).changes] == ["SAME"]


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "UNCLEAR"), (2.0, "SLOWER")])
def test_a_run_that_was_disturbed_most_of_the_time_is_no_slower_code(factor, verdict):
    def disturbed(own):
        return quiet(own) * (2.0 if own.random() < 0.8 else 1.0)

    generator = random.Random(6)
    base, head = (
        timed(seconds, noise, generator, rounds=100) for seconds, noise in ((1e-3, quiet), (factor * 1e-3, disturbed))
    )
    assert [change.verdict for change in compare([base], [head]).changes] == [verdict]


def machine_of(generator, spread):
    """What a process adds to all of its times, and what drifts within it.

    On a quiet machine with 2 cores, processes of the same cell lay 1 to 3 % apart (standard deviation).
    """
    process = generator.lognormvariate(0.0, spread)
    return lambda own: process * own.lognormvariate(0.0, 0.05) * (2.5 if own.random() < 0.05 else 1.0)


@pytest.mark.parametrize(
    ("pairs", "spread", "least_same"),
    [(1, 0.02, 0.99), (5, 0.02, 0.99), (7, 0.02, 0.99), (1, 0.04, 0.9), (7, 0.04, 0.95), (7, 0.10, 0.8)],
)
def test_the_same_code_is_called_faster_or_slower_at_most_once_in_40_runs_of_20_cells(pairs, spread, least_same):
    generator = random.Random(pairs)
    cells = [replace(CELL, size=size) for size in range(1, 21)]
    false, same, total = 0, 0, 0
    for _ in range(40):
        sides = []
        for _ in range(2):
            runs = [machine_of(generator, spread) for _ in range(pairs)]
            sides.append(
                [replace(timed(1e-3, noise, generator, primal=1e-4), cell=cell) for noise in runs for cell in cells]
            )
        found = [change.verdict for change in compare(*sides).changes]
        false += any(verdict in ("FASTER", "SLOWER") for verdict in found)
        same, total = same + found.count("SAME"), total + len(found)
    assert false <= 1
    assert same >= least_same * total
