"""`adcli diff --points`: a derivative per row."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from adcli import row_files

TRADES = """id,S,r,T,desk
A1,100,0.05,1,fx
A2,101.5,0.04,0.5,"fx, eu"
A3,99,0.05,2,"fx
us"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "trades.csv").write_text(TRADES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_rows_keep_their_columns_and_gain_value_and_derivatives(adcli, folder):
    ran = adcli("diff", "S*exp(-r*T)", "--points", "trades.csv", "--wrt", "S,r")
    assert ran.code == 0
    assert ran.err == "adcli: columns not used: id, desk\n"
    rows = rows_of(ran.out)
    assert list(rows[0]) == ["id", "S", "r", "T", "desk", "value", "d/dS", "d/dr"]
    assert [row["desk"] for row in rows] == ["fx", "fx, eu", "fx\nus"]
    for row in rows:
        S, r, T = (float(row[name]) for name in "SrT")
        discount = np.exp(-r * T)
        found = [float(row[name]) for name in ("value", "d/dS", "d/dr")]
        np.testing.assert_allclose(found, [S * discount, discount, -T * S * discount], rtol=1e-15)


def test_bad_rows_are_told_by_number_and_kept_as_nan(adcli, folder, monkeypatch):
    monkeypatch.setattr(row_files, "FILE_BLOCK_ROWS", 3)
    good = [f"{i}.5,2" for i in range(4)]
    lines = ["x,y", *good, "abc,2", "1", "1,2,3", "1_0,2", ",2", "4,", "nan,2", "inf,2", "-1,2", "9,2"]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n\n")
    ran = adcli("diff", "y*sqrt(x)", "--points", "rows.csv", "--wrt", "x")
    assert ran.code == 4
    assert ran.err.splitlines() == [
        "adcli: row 5: x is 'abc', no number",
        "adcli: row 6: 1 fields, and the header has 2",
        "adcli: row 7: 3 fields, and the header has 2",
        "adcli: row 8: x is '1_0', no number",
        "adcli: row 9: x is '', no number",
        "adcli: 9 of 14 rows are bad: their value and derivatives are nan",
    ]
    rows = rows_of(ran.out)
    assert [row["x"] for row in rows[4:7]] == ["abc", "1", "1"]
    assert rows[6]["y"] == "2,3"
    assert [row["value"] for row in rows[4:]] == ["nan"] * 9 + ["6.0"]
    assert [float(row["d/dx"]) for row in rows[:4]] == [2 / (2 * np.sqrt(i + 0.5)) for i in range(4)]


MODEL = """
import math
import numpy as np
def wrong(x): return undefined_name * x
def of_an_array(x): return sum(x[1:])
def vector(x): return np.array([x, x * x])
def root(x): return math.sqrt(x)
"""


@pytest.mark.parametrize(
    ("target", "cells", "reason", "values"),
    [
        ("log(x)/x", ["2", "-1", "0"], "row 2: NaN first arises in log(-1)", ["nan", "-inf"]),
        ("where(x > 0, 1, 0)/x", ["-1", "0"], "row 2: NaN first arises in divide(0, 0)", ["-0.0", "nan"]),
        ("1/x", ["0", "nan"], "row 2: x is not a number", ["inf", "nan"]),
        ("1/x", ["2", "1e400"], "row 2: x is '1e400', no finite number", ["0.5", "nan"]),
        ("1/x", ["2", "-inf"], "row 2: x is '-inf', no finite number", ["0.5", "nan"]),
        ("model.py:root", ["4", "-1"], "model.py:7: ValueError: math domain error (in root)", ["2.0", "nan"]),
        ("model.py:root", ["-1", "4"], "model.py:7: ValueError: math domain error (in root)", ["nan", "2.0"]),
    ],
)
def test_a_row_whose_value_is_not_a_number_is_a_bad_row(adcli, folder, target, cells, reason, values):
    (folder / "model.py").write_text(MODEL)
    ran = adcli("diff", target, "--points", "-", stdin="\n".join(["x", *cells, ""]))
    assert ran.code == 4
    assert reason in ran.err
    assert ran.err.splitlines()[1:] == [f"adcli: 1 of {len(cells)} rows are bad: their value and derivatives are nan"]
    assert [row["x"] for row in rows_of(ran.out)] == cells
    assert [row["value"] for row in rows_of(ran.out)][-2:] == values


def test_numbers_in_an_archive_that_are_not_finite_are_bad_rows(adcli, folder):
    np.savez("rows.npz", x=[1.0, np.nan, 2.0], y=[np.inf, 1.0, 2.0])
    ran = adcli("diff", "x*y", "--points", "rows.npz")
    assert ran.code == 4
    assert ran.err.splitlines()[:2] == ["adcli: row 1: y is 'inf', no finite number", "adcli: row 2: x is not a number"]
    assert [row["value"] for row in rows_of(ran.out)] == ["nan", "nan", "4.0"]


@pytest.mark.parametrize("target", ["wrong", "of_an_array", "vector"])
def test_a_function_that_fails_in_all_rows_is_told_in_one_line(adcli, folder, target):
    (folder / "model.py").write_text(MODEL)
    ran = adcli("diff", f"model.py:{target}", "--points", "-", stdin="id,x\na,1\nb,2\n")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert {"wrong": "NameError", "of_an_array": "TypeError", "vector": "as by sum(...)"}[target] in ran.err


@pytest.mark.parametrize(("packed", "by"), [(gzip, "gzip -dc"), (bz2, "bzip2 -dc"), (lzma, "xz -dc")])
def test_a_compressed_file_is_told_with_what_unpacks_it(adcli, folder, packed, by):
    (folder / "rows.csv.packed").write_bytes(packed.compress(b"x\n1\n"))
    ran = adcli("diff", "x", "--points", "rows.csv.packed")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert f"as in {by} rows.csv.packed | adcli diff ... --points -" in ran.err


def test_a_zip_archive_is_told_with_what_unpacks_it(adcli, folder):
    with zipfile.ZipFile("rows.zip", "w") as archive:
        archive.writestr("rows.csv", "x\n1\n")
    assert "as in unzip -p rows.zip | adcli" in adcli("diff", "x", "--points", "rows.zip").err


@pytest.mark.parametrize("mode", ["fwd", "rev", "forward", "reverse", "auto"])
def test_modes_have_their_short_names(adcli, mode):
    assert adcli("diff", "x**2", "--points", "-", "--mode", mode, stdin="x\n3\n").out == "x,value,d/dx\n3,9.0,6.0\n"


def test_a_table_without_rows_has_a_header(adcli, folder):
    assert adcli("diff", "x**2", "--points", "-", stdin="x\n").out == "x,value,d/dx\n"
    adcli("diff", "x**2", "--points", "-", "--out", "out.csv", stdin="x\n")
    assert Path("out.csv").read_text() == "x,value,d/dx\n"


def test_rows_where_the_function_raises_are_bad_rows(adcli, folder):
    (folder / "model.py").write_text(
        "def f(S, r):\n    if S > 100:\n        raise ValueError('dear')\n    return S * r\n"
    )
    ran = adcli("diff", "model.py:f", "--points", "trades.csv")
    assert ran.code == 4
    assert "row 2: model.py:3: ValueError: dear" in ran.err.replace(str(folder) + "/", "")
    assert [row["d/dr"] for row in rows_of(ran.out)] == ["100.0", "nan", "99.0"]


@pytest.mark.parametrize("suffix", ["csv", "npz"])
@pytest.mark.parametrize("given", ["csv", "npz", "compressed"])
def test_all_pairs_of_formats_agree(adcli, folder, monkeypatch, suffix, given):
    monkeypatch.setattr(row_files, "FILE_BLOCK_ROWS", 7)
    columns = {"x": np.linspace(0.5, 2, 20), "y": np.arange(20)}
    if given == "csv":
        np.savetxt("rows.csv", np.stack(list(columns.values()), axis=1), delimiter=",", header="x,y", comments="")
    else:
        (np.savez if given == "npz" else np.savez_compressed)("rows.npz", **columns, other=np.eye(3))
    points = "rows.csv" if given == "csv" else "rows.npz"
    ran = adcli("diff", "x*sin(y)", "--points", points, "--out", f"out.{suffix}")
    assert (ran.code, ran.out) == (0, "")
    if suffix == "npz":
        with np.load("out.npz") as archive:
            found = {name: archive[name] for name in archive.files}
    else:
        rows = rows_of(Path("out.csv").read_text())
        found = {name.replace("d/d", "derivative."): np.array([float(row[name]) for row in rows]) for name in rows[0]}
        np.testing.assert_array_equal(found.pop("x"), columns["x"])
        np.testing.assert_array_equal(found.pop("y"), columns["y"])
    assert list(found) == ["value", "derivative.x", "derivative.y"]
    np.testing.assert_allclose(found["value"], columns["x"] * np.sin(columns["y"]), rtol=1e-15)
    np.testing.assert_allclose(found["derivative.x"], np.sin(columns["y"]), rtol=1e-15)
    assert {path.name for path in folder.iterdir()} == {"trades.csv", points, f"out.{suffix}"}


def test_standard_input_is_csv(adcli):
    ran = adcli("diff", "x**2", "--points", "-", stdin="\ufeffx\n3\n4\n".lstrip("\ufeff"))
    assert ran.out == "x,value,d/dx\n3,9.0,6.0\n4,16.0,8.0\n"


def test_a_column_may_be_called_like_a_constant(adcli):
    ran = adcli("diff", "e*x", "--points", "-", stdin="e,x\n3,4\n")
    assert ran.out == "e,x,value,d/de,d/dx\n3,4,12.0,4.0,3.0\n"
    assert adcli("diff", "e*x", "--points", "-", stdin="x\n0\n").out.startswith("x,value,d/dx\n0,0.0,2.718")


def test_inputs_without_a_column_are_fixed_by_at(adcli):
    ran = adcli("diff", "x*y", "--points", "-", "--at", "y=3", "--wrt", "x,y", stdin="x\n2\n")
    assert ran.out == "x,value,d/dx,d/dy\n2,6.0,3.0,2.0\n"


def test_quiet_leaves_the_notes_out(adcli, folder):
    assert adcli("diff", "S", "--points", "trades.csv", "-q").err == ""


@pytest.mark.parametrize(
    ("arguments", "stdin", "text"),
    [
        (["S*K"], "S,r\n1,2\n", "has no column K: its columns are S, r. Rename one, or fix the input"),
        (["S*K"], "S;K\n1;2\n", "columns are separated by commas, not by ';'"),
        (["S"], "", "standard input is empty: a header row is required, as in S,r,T"),
        (["S"], "1,2\n3,4\n", "holds numbers: a header row is required"),
        (["S"], "S,S\n1,2\n", "has 2 columns S: rename all but one"),
        (["S"], "S,value\n1,2\n", "there is a column value already: rename it, or write to --out result.npz"),
        (["3.0", "--at", "x=1"], "S\n1\n", "no column of standard input is an input: the inputs are x"),
        (["S", "--at", "S=1"], "S\n1\n", "S has a column in standard input and a value in --at"),
        (["S", "--at", "1"], "S\n1\n", "--at must name the inputs that it fixes"),
        (["S", "--wrt", "q"], "S\n1\n", "no input 'q' to differentiate by"),
        (["S", "--mode", "fd"], "S\n1\n", "rows are differentiated by mode auto, forward or reverse"),
        (["S", "--json"], "S\n1\n", "--points and --json together"),
        (["S", "--order", "2"], "S\n1\n", "--points and --order together"),
        (["S", "--hessian"], "S\n1\n", "--points and --hessian together"),
        (["[S, S]"], "S\n1\n", "scalar"),
        (["S", "--mode", "forwards"], "S\n1\n", "did you mean forward?"),
        (["S", "--out", "rows.txt"], "S\n1\n", "the name must end in .csv or .npz"),
        (["S", "--out", "nowhere/rows.csv"], "S\n1\n", "--out nowhere/rows.csv cannot be written: No such file"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(adcli, folder, arguments, stdin, text):
    ran = adcli("diff", *arguments, "--points", "-", stdin=stdin)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert text in ran.err


@pytest.mark.parametrize(
    ("save", "text"),
    [
        (lambda path: path.write_text("x"), "is no .npz file"),
        (lambda path: np.savez(path), "holds no arrays"),
        (lambda path: np.savez(path, x=np.eye(2)), "a column is a vector of numbers"),
        (lambda path: np.savez(path, x=np.array(["a"])), "a column is a vector of numbers"),
        (lambda path: np.savez(path, x=np.ones(2), y=np.ones(3)), "unlike lengths: x 2, y 3"),
        (lambda path: zipfile.ZipFile(path, "w").writestr("x.npy", b"rubbish"), "cannot be read"),
    ],
)
def test_an_archive_that_is_none_is_told(adcli, folder, save, text):
    save(folder / "rows.npz")
    ran = adcli("diff", "x*y" if "unlike" in text else "x", "--points", "rows.npz")
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err


@pytest.mark.parametrize("points", ["absent.csv", "."])
def test_a_file_that_is_not_there_is_told(adcli, folder, points):
    ran = adcli("diff", "x", "--points", points)
    assert ran.code == 2
    assert "a .csv or .npz file" in ran.err


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_an_interrupted_run_leaves_no_file(adcli, folder, monkeypatch, suffix):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("adcli_methods.row_function.RowFunction.__call__", interrupt)
    Path(f"out.{suffix}").write_text("before")
    ran = adcli("diff", "S", "--points", "trades.csv", "-q", "--out", f"out.{suffix}")
    assert ran.code == 130
    assert Path(f"out.{suffix}").read_text() == "before"
    assert {path.name for path in folder.iterdir()} == {"trades.csv", f"out.{suffix}"}


def test_a_closed_pipe_is_no_error(folder):
    np.savez("rows.npz", x=np.ones(200_000))
    command = [sys.executable, "-m", "adcli", "diff", "sin(x)", "--points", "rows.npz"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"x,value,d/dx\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_the_formula_may_come_from_standard_input_where_the_rows_do_not(adcli, folder):
    Path("x.csv").write_text("x\n3\n")
    assert adcli("diff", "-", "--points", "x.csv", stdin="x**2\n").out == "x,value,d/dx\n3,9.0,6.0\n"
    ran = adcli("diff", "-", "--points", "-", stdin="x\n3\n")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "cannot both come from standard input" in ran.err


def test_a_long_field_is_a_bad_row_and_not_fatal(adcli, folder):
    ran = adcli("diff", "x**2", "--points", "-", stdin=f"x\n{'9' * 150_000}x\n3\n")
    assert ran.code == 4
    assert ran.out.splitlines()[-1] == "3,9.0,6.0"
    assert "row 1: x is " in ran.err
    assert max(map(len, ran.err.splitlines())) < 200
