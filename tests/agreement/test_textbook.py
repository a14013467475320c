"""The examples that every introduction works through, number for number, by every method that can."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adcli
from adcli_methods.derivative import Derivative
from adcli_methods.methods import METHODS

from .comparing import require, tolerance

NETWORK = Path(__file__).parent / "models" / "network.py"
SHAPES = {"W1": (3, 2), "b1": (3,), "W2": (1, 3), "b2": (1,)}
LAYERS = {"layer1.weight": "W1", "layer1.bias": "b1", "layer2.weight": "W2", "layer2.bias": "b2"}
BY_ITSELF = [mode for mode in METHODS if mode != "manual"]
methods = pytest.mark.parametrize("mode", ["auto", *METHODS])

EXAMPLES: dict[str, tuple[dict[str, float], float, dict[str, float], dict[str, str]]] = {
    "exp(x**2)": ({"x": 2.0}, 54.598150033144236, {"x": 218.39260013257694}, {"x": "2*x*exp(x**2)"}),
    "log(x1) + x1*x2 - sin(x2)": (
        {"x1": 2.0, "x2": 5.0},
        11.652071455223084,
        {"x1": 5.5, "x2": 2.0 - math.cos(5.0)},
        {"x1": "1/x1 + x2", "x2": "x1 - cos(x2)"},
    ),
    "x1*x2 + sin(x1)": (
        {"x1": 0.5, "x2": 4.2},
        0.5 * 4.2 + math.sin(0.5),
        {"x1": 4.2 + math.cos(0.5), "x2": 0.5},
        {"x1": "x2 + cos(x1)", "x2": "x1"},
    ),
    "x1**2 + x2": ({"x1": 2.0, "x2": 3.0}, 7.0, {"x1": 4.0, "x2": 1.0}, {"x1": "2*x1", "x2": "1 + 0*x2"}),
}
"""Each formula: the point, the value, the derivatives, and their formulas for the manual method."""


def by_name(result: Derivative) -> dict[str, Any]:
    """The derivative by input name."""
    return result.derivative if isinstance(result.derivative, dict) else {result.wrt[0]: result.derivative}


def hand_written(formulas: dict[str, str]) -> str:
    """The derivative's formula: a list where there are several inputs."""
    texts = list(formulas.values())
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


@methods
@pytest.mark.parametrize("formula", EXAMPLES)
def test_every_method_gives_the_textbook_numbers(formula: str, mode: str) -> None:
    if mode != "auto":
        require(mode)
    point, value, derivatives, formulas = EXAMPLES[formula]
    hand = hand_written(formulas) if mode == "manual" else None
    result = adcli.diff(formula, at=point, mode=mode, derivative=hand)
    found = by_name(result)
    assert result.value == pytest.approx(value, rel=1e-15)
    assert found.keys() == derivatives.keys()
    for name, exact in derivatives.items():
        assert found[name] == pytest.approx(exact, rel=tolerance(mode, 1))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("formula", EXAMPLES)
def test_forward_and_reverse_give_the_textbook_numbers_to_the_last_digit(formula: str, mode: str) -> None:
    point, value, derivatives, _ = EXAMPLES[formula]
    result = adcli.diff(formula, at=point, mode=mode)
    assert result.value == value
    assert by_name(result) == derivatives


def test_forward_takes_a_sweep_for_each_input_and_reverse_one_for_each_output() -> None:
    point = {"x1": 2.0, "x2": 3.0}
    forward, reverse = (adcli.diff("x1**2 + x2", at=point, mode=mode) for mode in ("forward", "reverse"))
    assert (forward.tangent_sweeps, forward.adjoint_sweeps) == (2, 0)
    assert (reverse.tangent_sweeps, reverse.adjoint_sweeps) == (0, 1)


def weights() -> dict[str, Any]:
    """Random parameters of the network."""
    generator = np.random.default_rng(1)
    return {name: generator.uniform(-0.7, 0.7, shape) for name, shape in SHAPES.items()}


def backpropagated(W1: Any, b1: Any, W2: Any, b2: Any) -> dict[str, Any]:
    """The network's gradients by hand, at the sample (1, 2) with target 0.5."""
    sample = np.array([1.0, 2.0])
    hidden = np.tanh(W1 @ sample + b1)
    error = 2.0 * (W2 @ hidden + b2 - 0.5)
    inner = (W2.T @ error) * (1.0 - hidden**2)
    return {"W1": np.outer(inner, sample), "b1": inner, "W2": np.outer(error, hidden), "b2": error}


def assert_gradients(found: dict[str, Any], exact: dict[str, Any], mode: str) -> None:
    """Fail where a gradient has another shape or is off."""
    largest = max(np.max(np.abs(part)) for part in exact.values())
    assert list(found) == list(exact)
    for name, part in exact.items():
        assert found[name].shape == part.shape, name
        np.testing.assert_allclose(found[name], part, rtol=0, atol=tolerance(mode, 1) * largest, err_msg=name)


@pytest.mark.parametrize("mode", ["auto", *BY_ITSELF])
def test_the_network_of_a_file_has_gradients_for_all_its_parameters(mode: str) -> None:
    if mode != "auto":
        require(mode)
    result = adcli.diff(f"{NETWORK}:loss", at=weights(), mode=mode)
    assert_gradients(result.derivative, backpropagated(**weights()), mode)
    assert {name: part.shape for name, part in result.derivative.items()} == SHAPES


@pytest.mark.parametrize("mode", ["auto", *BY_ITSELF])
def test_the_network_takes_its_parameters_as_one_dict_too(mode: str) -> None:
    if mode != "auto":
        require(mode)
    parameters = {layer: weights()[name] for layer, name in LAYERS.items()}
    exact = backpropagated(**weights())
    result = adcli.diff(f"{NETWORK}:loss_of", at={"parameters": parameters}, mode=mode)
    assert_gradients(result.derivative, {layer: exact[name] for layer, name in LAYERS.items()}, mode)


def test_a_hand_written_gradient_serves_the_manual_method() -> None:
    result = adcli.diff(f"{NETWORK}:loss", at=weights(), mode="manual", derivative=backpropagated)
    assert_gradients(result.derivative, backpropagated(**weights()), "manual")


@pytest.mark.parametrize(
    ("mode", "evaluations"), [("forward-difference", 14), ("central-difference", 27), ("reverse", 1), ("forward", 1)]
)
def test_the_networks_thirteen_parameters_cost_what_the_textbooks_say(mode: str, evaluations: int) -> None:
    result = adcli.diff(f"{NETWORK}:loss", at=weights(), mode=mode)
    assert result.primal_evaluations == evaluations
    assert result.tangent_sweeps == (13 if mode == "forward" else 0)
    assert result.adjoint_sweeps == (1 if mode == "reverse" else 0)


def test_torchs_own_network_has_the_same_gradients() -> None:
    torch = pytest.importorskip("torch")
    leaves = {name: torch.tensor(part, requires_grad=True) for name, part in weights().items()}
    sample, target = torch.tensor([[1.0, 2.0]]).double(), torch.tensor([[0.5]]).double()
    hidden = torch.tanh(torch.nn.functional.linear(sample, leaves["W1"], leaves["b1"]))
    output = torch.nn.functional.linear(hidden, leaves["W2"], leaves["b2"])
    torch.nn.functional.mse_loss(output, target).backward()
    found = adcli.diff(f"{NETWORK}:loss", at=weights(), mode="reverse").derivative
    assert_gradients(found, {name: leaf.grad.numpy() for name, leaf in leaves.items()}, "reverse")
