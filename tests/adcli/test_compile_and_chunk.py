"""`adcli diff --compile` and `--chunk`."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from adcli_methods.errors import UnavailableError

DIAGONAL = [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]
HAS_COMPILER = any(map(shutil.which, ("cc", "gcc", "clang")))


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
@pytest.mark.parametrize(
    ("arguments", "expected", "passes"),
    [
        (("sum(x**2*y)", "--at", "x=[1,2],y=3"), {"x": [6.0, 12.0], "y": 5.0}, (1, 0, 1)),
        (("sum(x**2*y)", "--at", "x=[1,2],y=3", "--mode", "forward"), {"x": [6.0, 12.0], "y": 5.0}, (1, 2, 0)),
        (("sum(x**2*y)", "--at", "x=[1,2],y=3", "--wrt", "y"), 5.0, (1, 0, 1)),
        (("sum(x**2*y)", "--at", "x=[1,2],y=3", "--wrt", "y", "--mode", "rev"), 5.0, (1, 0, 1)),
        (("x*x", "--at", "3"), 6.0, (1, 0, 1)),
        (("x**2", "--at", "x=[1,2]", "--jvp", "1,1"), [2.0, 4.0], (1, 1, 0)),
        (("x**2", "--at", "x=[1,2]", "--vjp", "1,1"), [2.0, 4.0], (1, 0, 1)),
        (("sum(x**3)", "--at", "x=[1,2]", "--hvp", "1,1"), [6.0, 12.0], (1, 1, 1)),
        (("[x*y,y**2]", "--at", "x=1,y=2"), {"x": [2.0, 0.0], "y": [1.0, 4.0]}, (1, 2, 0)),
        (("[x*y,y**2]", "--at", "x=1,y=2", "--mode", "reverse"), {"x": [2.0, 0.0], "y": [1.0, 4.0]}, (1, 0, 1)),
        (("x**2", "--at", "x=[1,2,3]", "--jacobian"), DIAGONAL, (1, 1, 0)),
        (("x**2", "--at", "x=[1,2,3]", "--jacobian", "--chunk", "2"), DIAGONAL, (2, 2, 0)),
        (("sum(x**3)/3", "--at", "x=[1,2,3]", "--hessian"), DIAGONAL, (1, 1, 1)),
        (("sum(x**3)/3", "--at", "x=[1,2,3]", "--hessian", "--chunk", "2"), DIAGONAL, (2, 2, 2)),
    ],
)
def test_a_compiled_derivative_says_what_was_compiled(adcli, arguments, expected, passes):
    ran = adcli("diff", *arguments, "--compile", "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["derivative"] == expected
    assert found["notes"][0].startswith("compiled: ")
    assert (found["primal_evaluations"], found["tangent_sweeps"], found["adjoint_sweeps"]) == passes
    plain = json.loads(adcli("diff", *arguments, "--json").out)
    for name in ("value", "operator", "order", "wrt", "dtype", "device"):
        assert found[name] == plain[name]


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
@pytest.mark.parametrize("formula", ["sum(x**2*y)", "[x*y, x]"])
def test_single_precision_is_compiled(adcli, formula):
    asked = ("diff", formula, "--at", "x=[1,0.1],y=3", "--dtype", "float32", "--json")
    found, plain = (json.loads(adcli(*asked, *more).out) for more in (("--compile",), ()))
    assert found["notes"][0].startswith("compiled: ")
    for name in ("value", "derivative", "dtype"):
        assert found[name] == plain[name]


def test_without_a_compiler_numpy_does_it_and_a_note_says_so(adcli, monkeypatch):
    def missing(*_, **__):
        raise UnavailableError("no C compiler: install gcc or clang")

    monkeypatch.setattr("adcli_methods.kernels.compile_program", missing)
    found = json.loads(adcli("diff", "exp(x**2)", "--at", "2", "--compile", "--json").out)
    assert found["derivative"] == 218.39260013257694
    assert found["notes"][0] == "not compiled, Python's floats instead: no C compiler: install gcc or clang"
    found = json.loads(adcli("diff", "sum(exp(x) * sin(x))", "--n", "100000", "--compile", "--json").out)
    assert found["notes"][0].startswith("not compiled, NumPy in blocks of 8192 entries instead: no C compiler")


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
def test_strict_kernels_give_the_numbers_of_the_c_library(adcli, tmp_path):
    points = [i / 100 for i in range(-300, 300)]
    ran = adcli("diff", "sum(exp(x))", "--at", f"x={points}", "--compile", "--strict", "--json")
    assert json.loads(ran.out)["derivative"] == [math.exp(x) for x in points]
    table = tmp_path / "points.csv"
    table.write_text("\n".join(["x", *map(str, points)]))
    ran = adcli("diff", "exp(x)", "--points", str(table), "--compile", "--strict")
    assert [float(line.split(",")[-1]) for line in ran.out.splitlines()[1:]] == [math.exp(x) for x in points]


@pytest.mark.parametrize("more", [(), ("--points", "-")])
def test_strict_is_about_native_kernels(adcli, more):
    ran = adcli("diff", "exp(x)", "--at", "2", "--strict", *more)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "adcli: error: --strict is about native kernels: give --compile too\n"


def test_strict_kernels_need_a_compiler(adcli, monkeypatch):
    def missing(*_, **__):
        raise UnavailableError("no C compiler: install gcc or clang")

    monkeypatch.setattr("adcli_methods.kernels.compile_program", missing)
    ran = adcli("diff", "exp(x)", "--at", "2", "--compile", "--strict")
    assert (ran.code, ran.err) == (3, "adcli: error: no C compiler: install gcc or clang\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--order", "2"), "order 2 is not compiled: --hessian is"),
        (("--chunk", "2"), "--chunk is for a jacobian or hessian, not for a gradient"),
        (("--mode", "symbolic"), "gives the gradient by mode auto or reverse or forward, not by symbolic"),
        (("--jvp", "1", "--mode", "reverse"), "gives the jvp by mode auto or forward, not by reverse"),
    ],
)
def test_what_is_not_compiled_is_told(adcli, arguments, text):
    ran = adcli("diff", "exp(x)", "--at", "2", "--compile", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err


def test_a_chunk_is_how_many_tangents_a_sweep_takes(adcli):
    def sweeps(*arguments):
        found = json.loads(adcli("diff", "[x, 2*x]", "--n", "10", "--jacobian", *arguments, "--json").out)
        return found["tangent_sweeps"] + found["adjoint_sweeps"]

    assert sweeps("--mode", "forward") == 10
    assert sweeps("--mode", "forward", "--chunk", "4") == 3
    assert sweeps("--mode", "forward", "--chunk", "10") == 1


def test_a_chunk_is_for_sweeps(adcli):
    ran = adcli("diff", "x", "--at", "2", "--mode", "fd", "--chunk", "2")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "a chunk is for auto, forward and reverse" in ran.err
    assert adcli("diff", "x", "--at", "2", "--chunk", "0").code == 2
