"""Prepared derivatives on a GPU answer as on the CPU; without one, in Triton's interpreter (see test_triton.py)."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods import differentiate
from adcli_methods.differentiate import Request
from adcli_methods.errors import OperatorError
from adcli_methods.formula import formula_function
from adcli_methods.inhouse import InHouse
from adcli_methods.prepared import prepared as module
from adcli_methods.prepared.once import differentiate_compiled
from adcli_methods.prepared.prepared import prepare

from ..kernels.gpu import IS_INTERPRETED, torch_beside_triton  # noqa: TID252

torch = torch_beside_triton()
DEVICE = "cpu:0" if IS_INTERPRETED else "cuda"  # to torch the CPU, to this package not the one that it knows


@pytest.fixture(autouse=True)
def _device_is_here(monkeypatch):
    if IS_INTERPRETED:
        monkeypatch.setattr(module, "check_device", lambda device: None)
        monkeypatch.setattr(differentiate, "check_device", lambda device: None)
        monkeypatch.setattr(InHouse, "devices", (*InHouse.devices, DEVICE))


def loss(x, w):
    return np.sum(np.exp(-(x**2)) * np.sin(w * x)) + np.log(np.sum(x**2))


X = np.linspace(0.1, 0.9, 100)


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_with_numpys_inputs_the_results_are_numpys():
    there, here = prepare(loss, (X, 0.5), device=DEVICE), prepare(loss, (X, 0.5))
    assert there.report.versions[0].backend == "triton"
    (value, slopes), (known, expected) = there(X + 0.1, 1.5), here(X + 0.1, 1.5)
    assert (type(value), type(slopes["x"]), type(slopes["w"])) == (float, np.ndarray, float)
    same(value, known)
    same(slopes["x"], expected["x"])
    same(slopes["w"], expected["w"])


def test_tensors_stay_on_the_device_and_need_no_other_version():
    ready = prepare(loss, (X, 0.5), device=DEVICE)
    value, slopes = ready(torch.tensor(X, device=DEVICE), 0.5)
    assert isinstance(value, float)
    assert slopes["x"].device == torch.tensor(0.0, device=DEVICE).device
    same(slopes["x"].cpu().numpy(), ready(X, 0.5)[1]["x"])
    same(ready(torch.tensor(X, device=DEVICE), torch.tensor(0.5, device=DEVICE, dtype=torch.float64))[0], value)
    assert len(ready.report.versions) == 1


def test_tensors_that_are_given_by_name_come_back_as_tensors():
    ready = prepare(loss, (torch.tensor(X, device=DEVICE), 0.5), device=DEVICE)
    value, slopes = ready(x=torch.tensor(X, device=DEVICE), w=0.5)
    assert isinstance(slopes["x"], torch.Tensor)
    same(slopes["x"].cpu().numpy(), prepare(loss, (X, 0.5))(X, 0.5)[1]["x"])
    assert isinstance(value, float)


def test_single_precision_stays_single():
    ready = prepare(lambda x: np.sum(np.exp(x) * x), X.astype(np.float32), device=DEVICE)
    assert ready(X.astype(np.float32))[1].dtype == np.float32
    slope = ready(torch.tensor(X, dtype=torch.float32, device=DEVICE))[1]
    assert slope.dtype == torch.float32
    np.testing.assert_allclose(slope.cpu().numpy(), np.exp(X) * (1 + X), rtol=1e-5)


def test_a_branch_that_falls_otherwise_is_prepared_anew():
    def branched(x):
        return np.sum(x**2) if np.sum(x) > 0 else np.sum(x**3)

    ready = prepare(branched, X, device=DEVICE)
    same(ready(torch.tensor(-X, device=DEVICE))[1].cpu().numpy(), 3 * X**2)
    same(ready(X)[1], 2 * X)
    assert ready.report.new_branches == 1


def test_a_decision_on_a_whole_array_is_checked():
    def masked(x):
        return np.sum(x[x > 0.0] ** 2)

    ready = prepare(masked, X, device=DEVICE)
    same(ready(torch.tensor(X - 0.5, device=DEVICE))[1].cpu().numpy(), 2 * np.maximum(X - 0.5, 0.0))
    assert ready.report.new_branches == 1


@pytest.mark.parametrize(("operator", "vector"), [("jvp", X + 1.0), ("hvp", X - 1.0), ("vjp", 2.0)])
def test_products_take_their_vector_last(operator, vector):
    def f(x):
        return np.sum(np.sin(x) * x**2)

    there, here = prepare(f, X, operator=operator, device=DEVICE), prepare(f, X, operator=operator)
    for ours, theirs in zip(there(X, vector), here(X, vector), strict=True):
        same(ours, theirs)


def test_what_has_no_value_is_nan_as_on_the_cpu():
    def f(x):
        return np.sum(np.log(x))

    ready = prepare(f, X, device=DEVICE)
    with np.errstate(all="ignore"):
        value, slope = ready(X - 0.5)
        expected = prepare(f, X)(X - 0.5)[1]
    assert np.isnan(value)
    assert np.array_equal(np.isnan(slope), np.isnan(expected))
    assert ready.report.fallbacks == 1


def test_other_ways_to_compile_are_refused():
    with pytest.raises(OperatorError, match="compile='c' runs on the cpu"):
        prepare(loss, (X, 0.5), device=DEVICE, compile="c")


def test_a_derivative_that_is_compiled_once_says_what_was_fused():
    found = differentiate_compiled(formula_function("sum(x**2 * sin(x))"), X, Request(device=DEVICE))
    same(found.derivative, 2 * X * np.sin(X) + X**2 * np.cos(X))
    assert found.device == DEVICE
    assert found.notes[0].startswith("compiled: ")
    assert "in 1 fused kernel, 0 by torch; Triton" in found.notes[0]
