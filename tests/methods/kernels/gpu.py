"""Where tests of Triton's kernels run: on a GPU, or in Triton's interpreter (see test_triton.py)."""

from __future__ import annotations

import os
from typing import Any

import pytest

IS_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


def torch_beside_triton() -> Any:
    """The module torch; skips the file that asks where Triton has nothing to run on."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("triton", reason="Triton is not installed")
    if IS_INTERPRETED:
        from .interpreter import install  # here, for it imports Triton

        install()
    elif not torch.cuda.is_available():
        pytest.skip("no GPU here: test_triton.py runs this file in Triton's interpreter", allow_module_level=True)
    return torch
