"""The benchmark of the GPU runs, with its results right; without a GPU in Triton's interpreter (see test_triton.py)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from ..methods.kernels.gpu import IS_INTERPRETED, torch_beside_triton  # noqa: TID252

torch_beside_triton()
DEVICE, N = ("cpu:0", "3000") if IS_INTERPRETED else ("cuda", "1e6")


@pytest.fixture
def script(monkeypatch):
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "regression"))
    import cuda_speed

    yield cuda_speed
    for name in ("cuda_speed", "compiled_speed", "tables"):
        sys.modules.pop(name, None)


def test_every_contender_has_a_row(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "ROUNDS", 1)
    script.main([str(tmp_path / "rows.csv"), "--n", N, "--device", DEVICE])
    with (tmp_path / "rows.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 2 * 3
    assert {row["contender"] for row in rows} == {"triton", "torch", "copy"}
    assert {row["kernels"] for row in rows if row["contender"] == "triton"} == {"1"}
    assert all(row["share_of_copy_bandwidth"] == "1.000" for row in rows if row["contender"] == "copy")
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


def test_a_program_of_another_size_is_the_one_that_would_be_traced_there(script):
    for function, _, _ in script.PROBLEMS.values():
        made = script.resized(script.gradient_at(function, 1009, "float64"), 1009, 2003)
        traced = script.gradient_at(function, 2003, "float64")
        assert str(made.program) == str(traced.program)
        assert made.abstracts == traced.abstracts


def test_a_wrong_gradient_is_never_timed(script, monkeypatch):
    monkeypatch.setattr(script, "by_triton", lambda function, point, device: (lambda: (1.0, point), None))
    with pytest.raises(AssertionError, match="relative error"):
        next(script.measure("rosenbrock", "float64", 100, DEVICE))
