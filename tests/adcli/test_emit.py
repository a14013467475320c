"""`adcli emit`, as a user would run it."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from adcli.cli import main

MODEL = """import numpy as np

def loss(x, scale=2.0):
    bend = x[1:] - x[:-1]
    return scale * np.sum(bend ** 2)
"""


def run(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["emit", *arguments])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def test_a_formula_needs_no_point(capsys):
    code, out, _ = run(["exp(x**2)", "--mode", "reverse"], capsys)
    namespace = {}
    exec(out, namespace)
    assert code == 0
    assert namespace["derivative"](2.0) == (54.598150033144236, 218.39260013257694)


def test_a_file_is_emitted_at_the_shapes_of_a_point(tmp_path, capsys):
    (tmp_path / "model.py").write_text(MODEL)
    target, out_file = f"{tmp_path}/model.py:loss", tmp_path / "loss_grad.py"
    code, out, err = run([target, "--at", "x=[1,2,4]", "--target", "numpy", "--out", str(out_file)], capsys)
    assert (code, err) == (0, "")
    assert "loss_grad.py" in out
    source = out_file.read_text()
    assert "# bend = x[1:] - x[:-1]" in source
    namespace = {}
    exec(source, namespace)
    import numpy as np

    value, gradient = namespace["loss_derivative"](np.array([1.0, 2.0, 4.0]))
    assert (value, gradient.tolist()) == (10.0, [-4.0, -4.0, 8.0])


def test_a_name_and_the_inputs_to_differentiate_by_can_be_chosen(capsys):
    code, out, _ = run(["a*x**2", "--wrt", "x", "--name", "slope", "--at", "a=3,x=2"], capsys)
    namespace = {}
    exec(out, namespace)
    assert code == 0
    assert namespace["slope"](2.0) == (12.0, 12.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x**2", "--target", "fortran"], "no target is called 'fortran'"),
        (["x**2", "--mode", "symbolic"], "mode forward or reverse"),
        (["x**2", "--name", "a b"], "is no name"),
        (["x**2", "--out", "/nowhere/f.py"], "cannot be written"),
        (["x**"], "formula"),
        (["missing.py:f", "--at", "1"], "missing.py"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message, capsys):
    code, out, err = run(arguments, capsys)
    assert code == 2
    assert out == ""
    assert err.startswith("adcli: error: ")
    assert message in err or message == "formula"


@pytest.mark.parametrize("command", ["diff 'x**2' --at 2", "check 'x**2' --grad '2*x' --at 2", "explain 'x**2' --at 2"])
def test_a_reader_that_has_gone_is_no_error(command):
    line = f"{shlex.quote(sys.executable)} -m adcli {command} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
