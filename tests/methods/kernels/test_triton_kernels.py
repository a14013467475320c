"""Programs as Triton kernels compute what NumPy computes: the cases and tolerances of the C kernels.

On a GPU where there is one, else in Triton's interpreter, which `test_triton.py` starts in a process of its own.
"""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.execution import execute
from adcli_methods.kernels import BlockedProgram, triton_kernel, triton_source
from adcli_methods.kernels.triton_program import TritonProgram
from adcli_methods.targets.numpy_target import NUMPY

from . import test_kernels as cases
from .gpu import IS_INTERPRETED, torch_beside_triton
from .test_kernels import (  # noqa: F401 (they run here too)
    test_broadcasts_and_reductions_over_any_axis,
    test_inputs_that_are_views_with_gaps_or_backwards,
    test_nan_inf_and_zeros_come_out_as_numpys,
    test_numpy_operations_between_kernels,
    test_outputs_that_are_inputs_or_one_another_are_copies,
    test_overlapping_slices_of_any_extent,
    test_powers_by_known_numbers,
    test_random_gradients,
    test_sums_of_any_extent,
    test_the_gradient_of_every_problem,
    test_whole_numbers_and_truth_values,
)

torch = torch_beside_triton()
DEVICE = "cpu" if IS_INTERPRETED else "cuda"


class OnDevice:
    """A TritonProgram that answers NumPy's values."""

    def __init__(self, program, abstracts):
        self.program = TritonProgram(program, abstracts, DEVICE)
        self.report = self.program.report
        self.kinds = [abstracts[slot].dtype for slot in program.outputs]

    def run(self, inputs):
        with np.errstate(all="ignore"):
            found = self.program.run(inputs)
        return [
            value.cpu().numpy().astype(kind, copy=False) if isinstance(value, torch.Tensor) else value
            for value, kind in zip(found, self.kinds, strict=True)
        ]


@pytest.fixture(autouse=True)
def _by_triton(monkeypatch):
    monkeypatch.setattr(cases, "compile_program", OnDevice)


@pytest.fixture
def few_and_small(monkeypatch):
    """Few programs with small blocks, so that each goes over several."""
    monkeypatch.setattr(triton_kernel, "THREADS", 2)
    monkeypatch.setattr(triton_kernel, "MOST_PROGRAMS", 3)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic(x):
    for _ in range(20):
        x = 3.7 * x * (1.0 - x)
    return np.sum(x)


def fused_sum(x):
    return np.sum(np.exp(x**2) * np.sin(x) + np.log(1.0 + x**2))


def log_sum_exp(x):
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("function", "kernels"), [(rosenbrock, 1), (logistic, 1), (fused_sum, 1), (log_sum_exp, 4)])
def test_large_problems_are_few_kernels_without_torch(function, kernels, dtype):
    point = np.random.default_rng(0).uniform(0.1, 0.9, 3001).astype(dtype)
    (program, abstracts), inputs = cases.gradient_of(function, point)
    ready = OnDevice(program, abstracts)
    assert (ready.report.kernels, ready.report.numpy_operations) == (kernels, 0)
    found, expected = ready.run(inputs), BlockedProgram(program, abstracts).run(inputs)
    assert found[1].dtype == expected[1].dtype
    # the slope of a log-sum-exp at the largest entry has a difference of numbers near 1 in it
    for ours, theirs in zip(found, expected, strict=True):
        scale = max(1.0, float(np.max(np.abs(theirs))))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=8 * float(np.finfo(dtype).eps) * scale)


@pytest.mark.parametrize("seed", range(20))
def test_programs_that_go_over_several_blocks(few_and_small, seed):
    test_random_gradients(seed, True, pytest.MonkeyPatch())


@pytest.mark.parametrize("function", [np.max, np.min, np.sum])
@pytest.mark.parametrize("place", [0, 13, 57, None])
def test_reductions_over_several_blocks_keep_nan(few_and_small, function, place):
    x = np.random.default_rng(1).normal(size=58)
    if place is not None:
        x[place] = np.nan
    program, _ = cases.traced(lambda x: function(x * 2.0), x)
    cases.check(program, [x], ulps=4.0)


def test_the_sign_of_zero_is_kept():
    def f(x):
        return -x, x + -0.0, np.concatenate((x, -x)), np.where(x > 1.0, x, -0.0)

    program, inputs = cases.traced(f, cases.SPECIAL)
    for ours, theirs in zip(OnDevice(program, cases.abstract_values(program, inputs)).run(inputs),
                            execute(program, inputs, NUMPY), strict=True):  # fmt: skip
        assert np.array_equal(ours, theirs, equal_nan=True)
        assert np.array_equal(np.signbit(ours[theirs == 0]), np.signbit(theirs[theirs == 0]))


def test_many_numbers_are_computed_by_several_functions(monkeypatch):
    def f(a, b):
        for _ in range(10):
            a, b = np.sin(a) * b + 0.1, np.cos(b) - a * 0.5
        return a * b

    monkeypatch.setattr(triton_source, "_MOST_NUMBERS", 7)
    (program, abstracts), inputs = cases.gradient_of(f, 0.3, 0.7)
    ready = OnDevice(program, abstracts)
    assert ready.report.source.count("@triton.jit") > 10
    np.testing.assert_allclose(ready.run(inputs), execute(program, inputs, NUMPY), rtol=1e-12)


def test_addresses_beyond_31_bits_are_64_bits_wide(few_and_small, monkeypatch):
    (program, abstracts), inputs = cases.gradient_of(rosenbrock, np.random.default_rng(2).normal(size=100))
    narrow = OnDevice(program, abstracts)
    monkeypatch.setattr(triton_kernel, "_WIDEST", 99)
    wide = OnDevice(program, abstracts)
    assert "int64" not in narrow.report.source
    assert ".to(tl.int64) *" in wide.report.source
    assert "row * tl.full((), " in wide.report.source
    cases.assert_same(wide.run(inputs), narrow.run(inputs), ulps=0.0)


def test_tensors_on_the_device_stay_there_and_are_not_written():
    (program, abstracts), inputs = cases.gradient_of(fused_sum, np.linspace(-1.0, 1.0, 100))
    point = torch.tensor(inputs[0], device=DEVICE)
    value, slope = TritonProgram(program, abstracts, DEVICE).run([point])
    assert isinstance(value, float)
    assert slope.device.type == DEVICE
    assert np.array_equal(point.cpu().numpy(), inputs[0])
    cases.assert_same([value, slope.cpu().numpy()], execute(program, inputs, NUMPY), ulps=8.0)
