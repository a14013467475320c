"""At which points a claim is checked, and which requests have none."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.checking.check import check
from adcli_methods.checking.report import Verdict
from adcli_methods.errors import OperatorError, PointError

from .test_verdicts import X, squares, twice, wavy, wavy_jacobian


def test_points_vary_where_none_is_given():
    report = check(np.cosh, lambda x: np.where(np.abs(x) < 2, np.sinh(x), 0.0), size=5, points=6)
    assert report.verdict is Verdict.FAIL
    assert len(report.points) == 6
    lengths = {len(np.atleast_1d(point.point)) for point in check(squares, twice, size=4, points=9).points}
    assert len(lengths) > 1
    layouts = {np.asarray(point.point).flags.c_contiguous for point in check(squares, twice, size=4, points=9).points}
    assert layouts == {True, False}


def test_points_outside_of_the_domain_are_left_out():
    report = check(lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), size=4, points=6)
    assert report.passed
    assert any("left out" in note for note in report.notes)


def test_random_points_surround_the_given_one():
    report = check(squares, twice, X, points=4)
    assert report.passed
    assert len(report.points) == 4
    assert np.array_equal(report.points[0].point, X)


def test_the_same_seed_gives_the_same_report():
    first, second = (check(wavy, lambda x: 1.1 * wavy_jacobian(x), X, points=3, seed=4) for _ in range(2))
    assert first.entries == second.entries
    assert first.causes == second.causes


def test_requests_without_sense_are_errors():
    with pytest.raises(OperatorError, match="unknown kind"):
        check(squares, twice, X, kind="slope")
    with pytest.raises(OperatorError, match="0 points"):
        check(squares, twice, X, points=0)
    with pytest.raises(OperatorError, match="is no derivative"):
        check(squares, 3.0, X)
    with pytest.raises(PointError, match="size 0"):
        check(squares, twice, size=0)
