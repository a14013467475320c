"""Inputs of prepared derivatives that are on a GPU already."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from adcli_methods.primitive import Value
from adcli_methods.structure import Tree, leaves_of, rebuild


def is_tensor(value: Value) -> bool:
    """Whether a value is torch's; where torch is not imported, none is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def has_tensors(values: Tree) -> bool:
    """Whether any leaf is torch's."""
    return any(is_tensor(leaf) for _, leaf in leaves_of(values))


def lowered(value: Value) -> Value:
    """A tensor as a NumPy array, one without axes as a number; anything else as it is."""
    if not is_tensor(value):
        return value
    array = value.detach().cpu().numpy()
    return array if array.ndim else (array.item() if array.dtype == np.float64 else array[()])


def on_host(values: Tree) -> Tree:
    """All tensors as NumPy's arrays and numbers."""
    return rebuild(values, lambda path, leaf: lowered(leaf))


def on_device(values: Tree, device: str) -> Tree:
    """All arrays as tensors; numbers stay Python's."""
    import torch

    return rebuild(values, lambda path, leaf: torch.tensor(leaf, device=device) if np.ndim(leaf) else leaf)


def as_single(part: Value) -> Value:
    """A number, an array or a tensor in single precision."""
    return part.float() if is_tensor(part) else np.float32(part)


def lowered_outputs(outputs: Sequence[Value], kinds: Sequence[str]) -> list[Value]:
    """Outputs as NumPy's, of these types."""
    return [lowered(v).astype(kind, copy=False) if is_tensor(v) else v for v, kind in zip(outputs, kinds, strict=True)]
