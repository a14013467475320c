"""The way to a device: in-house modes on tensors, and what is said where there is no such device."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods import differentiate as module
from adcli_methods.devices import require
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import UnavailableError
from adcli_methods.formula import formula_function

torch = pytest.importorskip("torch")
X = np.array([0.5, 1.5, 2.5])
FORMULA = "sum(x**2 * sin(x)) + max(x) * norm(x) - logsumexp(x) + x[0] * prod(x)"


def _on(device: str, mode: str, **options):
    request = Request(mode=mode, device=device, **options)
    return differentiate(formula_function(FORMULA), X, request)


@pytest.fixture
def tensors_for_cuda(monkeypatch):
    """Where no GPU is, the path to it is walked with tensors on the CPU."""
    from adcli_methods.targets import torch_target

    if not torch.cuda.is_available():
        lift = torch_target.lift
        monkeypatch.setattr(torch_target, "lift", lambda leaves, device: lift(leaves, "cpu"))
        monkeypatch.setattr(module, "check_device", lambda device: None)


@pytest.mark.parametrize("options", [{}, {"operator": "hessian"}, {"operator": "jvp", "vector": [1.0, 2.0, 3.0]},
                                     {"operator": "hvp", "vector": [1.0, 2.0, 3.0]}])  # fmt: skip
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "torch"])
def test_modes_answer_on_a_device_as_on_the_cpu(tensors_for_cuda, mode, options):
    there, here = _on("cuda", mode, **options), _on("cpu", mode, **options)
    assert isinstance(there.value, float)
    np.testing.assert_allclose(there.value, here.value, rtol=1e-14)
    np.testing.assert_allclose(there.derivative, here.derivative, rtol=1e-11)
    assert there.device == "cuda"


@pytest.mark.parametrize("mode", ["forward", "reverse", "torch"])
def test_single_precision_stays_single_on_a_device(tensors_for_cuda, mode):
    found = _on("cuda", mode, dtype="float32")
    assert found.dtype == "float32"
    assert found.derivative.dtype == np.float32
    np.testing.assert_allclose(found.derivative, _on("cpu", mode).derivative, rtol=1e-5)


@pytest.mark.parametrize("mode", ["manual", "forward-difference", "complex-step", "symbolic"])
def test_methods_of_the_cpu_alone_say_so(mode):
    with pytest.raises(UnavailableError, match="not on cuda"):
        _on("cuda", mode)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_here_is_an_error_with_the_way_out():
    with pytest.raises(UnavailableError, match="--device cpu"):
        require("cuda")
    with pytest.raises(UnavailableError, match="cpu or cuda"):
        require("abacus")
