"""Cells, requests and records as text, and the files of a run."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.environment import here, one_thread
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.run_files import CSV_COLUMNS, create, ending, read_records, reopen, stem_of, write_csv
from adcli_methods.errors import AdcliError

CELL = Cell("accuracy", "model.py:loss", "reverse", 10, "float32", "cuda", 3, (("order", 2), ("step", 1e-8)))
REQUEST = BenchRequest(("accuracy", "swell"), problems=("rosenbrock",), sizes=(1, 10))
VALUES = {
    "norm_relative_error": math.nan,
    "worst_entry_error": -math.inf,
    "curve_errors": [1.0, math.inf, 2],
    "meter": "tracemalloc",
    "is_projection": False,
    "tangent_sweeps": 10**18,
    "run_round_seconds": [0.1, 0.2],
}


def record(cell=CELL, values=VALUES, outcome="ok", reason=""):
    return Record(cell, outcome, reason, values, {"cpu": "x", "commit": "abc"}, "2025-01-01T00:00:00+00:00", 1.5, 0.25)


def many(count):
    return [record(replace(CELL, size=size)) for size in range(count)]


def test_equal_cells_have_equal_keys_and_different_ones_different_keys():
    other = [
        replace(CELL, measure="swell"),
        replace(CELL, problem="model.py:other"),
        replace(CELL, problem="my model.py:loss"),
        replace(CELL, method="forward"),
        replace(CELL, size=None),
        replace(CELL, dtype="float64"),
        replace(CELL, device="cpu"),
        replace(CELL, seed=4),
        replace(CELL, settings=(("order", 3), ("step", 1e-8))),
        replace(CELL, settings=()),
        replace(CELL, problem="model.py:loss reverse", method="n=10"),
    ]
    assert len({cell.key for cell in [CELL, *other]}) == len(other) + 1
    assert replace(CELL, settings=CELL.settings[::-1]).key == CELL.key
    assert "\n" not in replace(CELL, problem="a\nb.py:f").key


def test_a_record_survives_json_its_infinities_included():
    text = json.dumps(record().to_json(), allow_nan=False)
    again = Record.from_json(json.loads(text))
    assert again.cell == CELL
    assert math.isnan(again.values["norm_relative_error"])
    assert again.values["worst_entry_error"] == -math.inf
    assert again.values["curve_errors"] == [1.0, math.inf, 2]
    assert again.values["tangent_sweeps"] == 10**18
    assert again.values["is_projection"] is False


def test_numpy_values_become_plain_ones():
    found = record(values={"errors": np.array([1.0, np.nan]), "count": np.int64(3)}).to_json()["values"]
    assert found == {"errors": [1.0, "nan"], "count": 3}
    assert type(found["count"]) is int


def test_a_run_is_read_back_as_it_was_written(tmp_path):
    file = create(tmp_path / "new" / "run1", REQUEST)
    for each in many(3):
        file.append(each)
    file.close()
    again, request, records = reopen(tmp_path / "new" / "run1")
    again.close()
    assert request == REQUEST
    assert [found.cell.size for found in records] == [0, 1, 2]


@pytest.mark.parametrize("lost_bytes", [1, 2, 30, 200])
def test_a_torn_last_line_is_passed_over_and_cut_off(tmp_path, lost_bytes):
    stem = tmp_path / "run1"
    file = create(stem, REQUEST)
    for each in many(3):
        file.append(each)
    file.close()
    path = ending(stem, ".jsonl")
    path.write_bytes(path.read_bytes()[:-lost_bytes])
    assert [found.cell.size for found in read_records(path)] == [0, 1]
    file, _, records = reopen(stem)
    file.append(many(3)[2])
    file.close()
    assert len(records) == 2
    assert [found.cell.size for found in read_records(path)] == [0, 1, 2]


def test_a_run_is_written_by_one_process_at_a_time(tmp_path):
    file = create(tmp_path / "run1", REQUEST)
    with pytest.raises(AdcliError, match="is being written by another"):
        reopen(tmp_path / "run1")
    file.close()
    reopen(tmp_path / "run1")[0].close()


def test_a_run_is_not_written_over(tmp_path):
    create(tmp_path / "run1", REQUEST).close()
    with pytest.raises(AdcliError, match=r"go on with adcli bench --resume .*run1, or give --out another name"):
        create(tmp_path / "run1", REQUEST)


@pytest.mark.parametrize("content", ["", "not json\n", '{"a": 1}\n', "[1]\n", '{"request": {"x": 1}}\n', "\xff\n"])
def test_another_file_is_no_run(tmp_path, content):
    path = tmp_path / "run1.jsonl"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(AdcliError, match=r"is not a record|has no request"):
        reopen(tmp_path / "run1")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AdcliError, match=r"cannot be written: .*: give --out a folder"):
        create(tmp_path / "file" / "run1", REQUEST)
    with pytest.raises(AdcliError, match="cannot be read"):
        reopen(tmp_path / "none")


_FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_record
file = test_record.create(Path(sys.argv[2]), test_record.REQUEST)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for each in test_record.many(10):
    file.append(each)
"""


def test_a_full_disk_keeps_what_is_finished_and_says_how_to_go_on(tmp_path):
    stem = tmp_path / "run1"
    command = [sys.executable, "-c", _FULL, os.path.dirname(__file__), str(stem)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert f"finished cells are kept; go on with adcli bench --resume {stem}" in ran.stderr
    file, _, records = reopen(stem)
    assert 0 < len(records) < 10
    assert ending(stem, ".jsonl").read_bytes().endswith(b"}\n")
    file.append(many(10)[-1])
    file.close()
    assert len(read_records(ending(stem, ".jsonl"))) == len(records) + 1


def test_the_csv_has_a_row_for_each_value(tmp_path):
    path = tmp_path / "run1.csv"
    write_csv([record(), record(values={}, outcome="timeout", reason='no result,\n"after" 2 s')], path)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == len(VALUES) + 2 - 1 + 1
    assert [row["value"] for row in rows if row["name"] == "curve_errors"] == ["1.0", "inf", "2"]
    assert [row["index"] for row in rows if row["name"] == "curve_errors"] == ["0", "1", "2"]
    assert rows[0]["settings"] == "order=2 step=1e-08"
    assert rows[-1]["outcome"] == "timeout"
    assert rows[-1]["reason"] == 'no result,\n"after" 2 s'
    assert os.listdir(tmp_path) == ["run1.csv"]


@pytest.mark.parametrize("text", ["results/run1", "results/run1.jsonl"])
def test_a_run_is_named_with_or_without_its_ending(text):
    assert stem_of(text).as_posix() == "results/run1"


def test_the_environment_says_where(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = here(seed=7)
    assert found["seed"] == 7
    assert found["threads"]["OMP_NUM_THREADS"] == "3"
    assert found["versions"]["numpy"] == np.__version__
    assert found["cores"] >= 1
    assert found["cpu"]
    assert one_thread()["OMP_NUM_THREADS"] == "3"
    assert one_thread()["MKL_NUM_THREADS"] == os.environ.get("MKL_NUM_THREADS", "1")
    json.dumps(found, allow_nan=False)
