"""Torch functions and modules: their own autograd is the claim, differences are the evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adcli.checking.order import Order
from adcli.checking.worker import findings
from adcli_methods.errors import AdcliError

pytest.importorskip("torch")

FILE = """
import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(3, 4),
            torch.nn.Tanh(),
            torch.nn.Dropout(0.3),
            torch.nn.BatchNorm1d(4),
            torch.nn.Linear(4, 2),
        )

    def forward(self, x):
        return self.layers(x)

    def energy(self, x):
        return self(x).square().sum()


class NeedsArguments(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = torch.nn.Linear(width, 1)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return 2 * cotangent * x


class Wrong(Square):
    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return cotangent * x


def smooth(x, y):
    return (x.exp() * y).sum()


def pair(x):
    return x.sin(), x.cos().sum()


def detached(x):
    return (x * x.detach()).sum()


def cut(x):
    return x.detach().sum()


embedding = torch.nn.Embedding(4, 3)
lstm = torch.nn.LSTM(4, 3)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("torch") / "net_to_check.py"
    path.write_text(FILE)
    return str(path)


def checked(place, name, **options):
    (finding,) = findings(Order(f"{place}:{name}", is_torch=True, points=2, **options))
    return finding.report


@pytest.mark.parametrize(
    "name", ["Model.forward", "Model", "Model.energy", "Square", "smooth", "pair", "embedding", "lstm.forward"]
)
def test_autograd_passes(name, place):
    report = checked(place, name)
    assert str(report.verdict) == "PASS", report.reason
    assert report.claim == "autograd"


def test_inputs_and_parameters_are_both_checked(place):
    report = checked(place, "Model.forward")
    assert report.points[0].entry_count == 2 * 3 + (3 * 4 + 4) + (4 + 4) + (4 * 2 + 2)


@pytest.mark.parametrize("name", ["Wrong", "detached"])
def test_a_wrong_backward_is_found(name, place):
    report = checked(place, name)
    assert str(report.verdict) == "FAIL"
    assert report.causes[0].kind == "factor"


def test_a_point_may_be_given(place):
    report = checked(place, "smooth", at="x=[1,2,3],y=[0.5,1,2]")
    assert str(report.verdict) == "PASS"
    np.testing.assert_array_equal(report.points[0].point["x"], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("NeedsArguments", {}, "cannot be built without arguments"),
        ("Modle", {}, "did you mean Model"),
        ("torch", {}, "not a torch function or module"),
        ("smooth", {"at": "z=1"}, "no input 'z'"),
        ("Model.forward", {"at": "1,2"}, "does not run"),
    ],
)
def test_misuse_is_told_in_one_line(name, options, said, place):
    with pytest.raises(AdcliError, match=said):
        checked(place, name, **options)


def test_a_cut_graph_is_a_finding(place):
    assert str(checked(place, "cut").verdict) in ("ERROR", "FAIL")


def test_a_module_checks_out_of_the_box_from_the_command_line(adcli, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    ran = adcli("check", "examples/net.py:Network.forward", "--torch", "--points", "2")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("PASS  autograd  vjp of examples/net.py:Network.forward\n")
    ran = adcli("check", "examples/net.py:ClippedSquare", "--torch", "--at", "[0.5,1.5]")
    assert ran.code == 1
    assert "x[1]" in ran.out
    assert "--torch --at '[0.5,1.5]' --points 1 --seed 0" in " ".join(ran.out.replace("\\\n", "").split())
