"""Triton kernels on a machine without a GPU: interpreted, and compiled for one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adcli_methods.errors import UnavailableError
from adcli_methods.kernels import c_expressions, triton_program
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.triton_expressions import TEMPLATES
from adcli_methods.kernels.triton_kernel import most_alive
from adcli_methods.kernels.triton_source import TritonSource
from adcli_methods.shapes import abstract_values

from .random_programs import random_gradient
from .test_kernels import gradient_of

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
INTERPRETED = (
    HERE / "test_triton_kernels.py",
    HERE.parent / "prepared" / "test_prepared_on_gpu.py",
    ROOT / "tests" / "benchmarks" / "test_cuda_speed.py",
)


@pytest.mark.parametrize("file", INTERPRETED, ids=lambda file: file.stem)
def test_the_kernels_compute_what_numpy_computes_in_tritons_interpreter(file):
    pytest.importorskip("torch")
    pytest.importorskip("triton", reason="Triton is not installed")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", str(file)],
        cwd=ROOT, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def fused_sum(x):
    return np.sum(np.exp(x**2) * np.sin(x) + np.log(1.0 + x**2))


def of_several_axes(x):
    return np.sum(np.max(np.reshape(x, (10, -1)), axis=0) ** 2) + np.log(np.sum(np.exp(x - np.max(x))))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", [rosenbrock, fused_sum, of_several_axes])
def test_the_kernels_compile_for_a_gpu_that_is_not_here(function, dtype):
    pytest.importorskip("triton", reason="Triton is not installed")
    from .hopper import for_hopper

    (program, abstracts), _ = gradient_of(function, np.linspace(0.1, 0.9, 1000).astype(dtype))
    texts = for_hopper(program, abstracts).values()
    assert all(".visible .entry" in text for text in texts)


def test_products_and_sums_are_not_contracted_and_small_numbers_are_not_flushed():
    pytest.importorskip("triton", reason="Triton is not installed")
    from .hopper import for_hopper

    for dtype, kind in ((np.float64, "f64"), (np.float32, "f32")):
        (program, abstracts), _ = gradient_of(rosenbrock, np.linspace(0.1, 0.9, 1000).astype(dtype))
        text = "".join(for_hopper(program, abstracts).values())
        assert f"mul.rn.{kind}" in text or f"mul.{kind}" in text
        assert not {word for word in ("fma", ".ftz", ".approx") if word in text}


def test_no_function_reads_what_it_stores_itself():
    # its threads do not wait for one another
    def of_totals(x):
        return np.sum(x, keepdims=True)[0] * np.max(x**2, keepdims=True)[0]

    programs = [gradient_of(of_totals, np.linspace(-1.0, 1.0, 50))[0]]
    for seed in range(12):
        program, inputs = random_gradient(seed, [(5,), (4, 3), (23,)][seed % 3])
        programs.append((program, abstract_values(program, inputs)))
    stored = 0
    for program, abstracts in programs:
        for function in TritonSource(Plan(program, abstracts)).functions:
            assert not function.mentioned("o") & function.mentioned("a")
            stored += len(function.mentioned("o"))
    assert stored > 12


def test_triton_has_every_operation_that_c_has():
    names = {*c_expressions._OF_FLOATS, *c_expressions._TESTS}
    assert set(TEMPLATES) == names


def test_values_alive_at_a_time_are_counted():
    assert most_alive(["v1 = tl.load(a0)", "v2 = v1 + 1", "tl.store(o2, v2)"]) == 1
    assert most_alive(["v1 = tl.load(a0)", "v2 = tl.load(a1)", "v3 = v1 + v2", "tl.store(o3, v3 + v1)"]) == 2


@pytest.mark.parametrize(
    ("installed", "message"),
    [(None, "pip install triton"), (SimpleNamespace(__version__="3.5.1"), "3.6 or newer, here is 3.5.1: pip install")],
)
def test_without_a_triton_that_can_the_way_to_it_is_told(monkeypatch, installed, message):
    monkeypatch.setitem(sys.modules, "triton", installed)
    with pytest.raises(UnavailableError, match=message):
        triton_program.triton_functions("")
