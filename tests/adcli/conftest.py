"""Runs the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adcli.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def adcli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `adcli` with these arguments, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, stdin: str | None = None) -> Ran:
        if stdin is not None:
            import io

            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as exit_:
            main(list(arguments))
        captured = capsys.readouterr()
        return Ran(int(exit_.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's file in the current folder."""
    (tmp_path / "helpers_of_model.py").write_text("import math\n\ndef damp(x):\n    return math.exp(-x)\n")
    path = tmp_path / "model.py"
    path.write_text(
        """import numpy as np
import math
from helpers_of_model import damp

def loss(weights, bias, scale=2.0):
    return scale * np.sum((weights * 3.0 + bias) ** 2)

def loss_grad(weights, bias, scale=2.0):
    r = weights * 3.0 + bias
    return {"weights": 6.0 * scale * r, "bias": 2.0 * scale * np.sum(r)}

def decay(x):
    print("hello from the user's code")
    return damp(x) * math.sin(x)

def broken(x):
    return np.linalg.eigvals(np.array([[x, 1.0], [1.0, x]]))

def raises(x):
    return [1, 2][7] * x

def floats(x):
    return float(x) ** 2

def endless(x):
    return endless(x + 1) * x
"""
    )
    monkeypatch.chdir(tmp_path)
    return path
