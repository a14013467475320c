"""torch.compile: the function and its derivative as one graph of fused kernels."""

from __future__ import annotations

from typing import Any

from adcli_methods.peers.torch_func import TorchFunc


class TorchCompile(TorchFunc):
    """torch.compile of what TorchFunc runs; the first call compiles."""

    name = "torch-compile"
    aliases = ("inductor",)
    summary = "torch.compile of torch.func transforms, on code emitted from the Program"

    def staged(self, function: Any) -> Any:
        import torch

        return torch.compile(function, dynamic=False)
