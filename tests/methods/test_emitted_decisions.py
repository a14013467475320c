"""Emitted code of functions that decide on whole arrays: by masks, by np.nonzero, by their order."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from adcli_methods.derivative_source import TARGETS, derivative_source
from adcli_methods.derived import derived
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import OperatorError
from adcli_methods.function import function_of

from .emitted_code import LIBRARIES, problem_of, run_c, run_python


def masked(x):
    return np.sum(x[x > 0.5] ** 2)


def nonzero(x):
    return np.sum(x[np.nonzero(x > 0)[0]] ** 3)


def written(x):
    out = x.copy()
    out[out > 0.5] += 1
    out[np.argsort(x)[:2]] *= 3.0
    return np.sum(out**2)


def by_rows(x):
    square = np.reshape(x, (2, 2))
    return np.sum(square[square[:, 0] < square[:, 1]] * np.array([2.0, 3.0]))


def one_of_none(x):
    return np.sum(x) * (1.0 + np.sum(x[x > 100.0]))


AT = np.array([0.9, -0.4, 0.2, 1.7])
ELSEWHERE = -AT
FUNCTIONS = [masked, nonzero, written, by_rows, one_of_none]


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_masks_and_indices_hold_for_what_they_picked(function, target, mode, tmp_path):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    if target in ("python", "c") and function is written:
        pytest.skip("sorting takes whole arrays")
    problem, seed = problem_of(function, AT), np.array([1.0, 2.0, -1.0, 0.5])
    source = derivative_source(problem, mode, target, "f", "0")
    inputs = [AT, seed] if mode == "forward" else [AT]
    if target == "c":
        code, found = run_c(source, derived(problem, mode), inputs, tmp_path)
        assert code == 0
    else:
        found = run_python(source, inputs, target)
    known = differentiate(function_of(function), AT, Request("reverse"))
    slopes = [known.derivative @ seed] if mode == "forward" else known.derivative
    np.testing.assert_allclose(found, [known.value, *slopes], rtol=1e-13)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", FUNCTIONS[:2])
def test_another_mask_is_another_branch(function, target, tmp_path):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    problem = problem_of(function, AT)
    source = derivative_source(problem, "reverse", target, "f", "0")
    if target == "c":
        assert run_c(source, derived(problem, "reverse"), [ELSEWHERE], tmp_path)[0] == 1
        return
    with pytest.raises(ValueError, match="another branch"):
        run_python(source, [ELSEWHERE], target)


@pytest.mark.parametrize(
    ("target", "constant"),
    [
        ("numpy", "outcome0 = np.array([True, False, False, True], dtype=bool)"),
        ("torch", "outcome0 = torch.tensor([True, False, False, True], dtype=torch.bool)"),
        ("jax", "outcome0 = jnp.array([True, False, False, True], dtype=bool)"),
    ],
)
def test_what_a_mask_was_is_a_constant_of_the_module(target, constant, tmp_path):
    pytest.importorskip(target)
    source = derivative_source(problem_of(masked, AT), "reverse", target, "f", "0")
    assert constant in source.splitlines()
    path = tmp_path / "f.py"
    given = {"torch": "torch.tensor([0.9, -0.4, 0.2, 1.7])"}.get(target, "[0.9, -0.4, 0.2, 1.7]")
    path.write_text(f"{source}\nprint([round(float(each), 6) for each in f({given})[1]])\n")
    blocked = (
        "import sys, runpy; sys.modules['adcli'] = sys.modules['adcli_methods'] = None; runpy.run_path(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", blocked, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[1.8, 0.0, 0.0, 3.4]"


def test_a_mask_too_long_to_be_written_out_is_refused():
    with pytest.raises(OperatorError, match=r"decides on an array of 5000 entries: emit at a smaller point"):
        derivative_source(problem_of(masked, np.ones(5000)), "reverse", "numpy", "f", "0")
    with pytest.raises(OperatorError, match=r"decides on an array of 5000 entries: emit at a smaller point"):
        derivative_source(problem_of(masked, np.ones(5000)), "reverse", "c", "f", "0")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_arrays_without_entries_have_code(shape, target, tmp_path):
    pytest.importorskip(LIBRARIES.get(target, "numpy"))
    at = np.ones(shape)
    problem = problem_of(lambda x, y: np.sum(x**2) + 3.0 * y, at, 2.0)
    source = derivative_source(problem, "reverse", target, "f", "0")
    found = run_c(source, derived(problem, "reverse"), [at, 2.0], tmp_path)[1] if target == "c" else None
    assert (run_python(source, [at, 2.0], target) if found is None else found).tolist() == [6.0, 3.0]
