"""Which devices are here."""

from __future__ import annotations

from adcli_methods.errors import UnavailableError

DEVICES = ("cpu", "cuda")


def require(device: str) -> None:
    """Raise UnavailableError, with the way out, for a device that is not here."""
    if device == "cpu":
        return
    if device not in DEVICES:
        raise UnavailableError(f"unknown device {device!r}: cpu or cuda")
    try:
        import torch
    except ImportError:
        raise UnavailableError('device cuda needs torch: pip install "adcli[torch]"') from None
    if not torch.cuda.is_available():
        build = "a build of torch without CUDA" if torch.version.cuda is None else "no NVIDIA GPU that torch can use"
        raise UnavailableError(f"device cuda is not here ({build}): use --device cpu")
