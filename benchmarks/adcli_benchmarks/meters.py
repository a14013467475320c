"""Meters of peak memory: each sees what its kind of library allocates, and is blind to others.

tracemalloc        every block of Python and NumPy, to the byte; nothing of torch, JAX or casadi
resident set       the process's memory as the system counts it, in pages: everything, with some noise
CUDA allocator     torch's own count of the memory on the device

The resident set's high-water mark is reset through /proc/self/clear_refs; glibc is told to give each large block
back to the system when it is freed, so that blocks freed before the measurement cannot hide those made in it.
Without /proc the high-water mark of `getrusage` is read, which cannot be reset.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from adcli_methods.method import Method

TRACEMALLOC = "tracemalloc"
RESIDENT = "resident set"
CUDA = "CUDA allocator"
_OWN_ALLOCATORS = frozenset({"torch", "jax", "casadi"})
_LARGE_BYTES = 1 << 16
_M_MMAP_THRESHOLD = -3  # of glibc's mallopt
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Peak(NamedTuple):
    """The most memory held at a time, above what was held before.

    Arguments:
        peak_bytes: how much.
        meter: who counted.
        result: what the call returned.
    """

    peak_bytes: int
    meter: str
    result: Any


def meter_for(method: Method) -> str:
    """The meter that sees what a method allocates."""
    if method.settings.device == "cuda":
        return CUDA
    return RESIDENT if method.needs in _OWN_ALLOCATORS else TRACEMALLOC


def peak_of(call: Callable[[], Any], meter: str) -> Peak:
    """Run a call and measure its peak memory.

    Arguments:
        call: what to run; its result is kept until the peak is read.
        meter: TRACEMALLOC, RESIDENT or CUDA.
    """
    gc.collect()
    return {TRACEMALLOC: _by_tracemalloc, RESIDENT: _by_resident_set, CUDA: _by_cuda}[meter](call)


def _by_tracemalloc(call: Callable[[], Any]) -> Peak:
    import tracemalloc

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Peak(max(0, peak - before), TRACEMALLOC, result)


def _by_resident_set(call: Callable[[], Any]) -> Peak:
    _return_freed_blocks()
    if not _reset_high_water():
        before = _highest_since_start()
        result = call()
        return Peak(_highest_since_start() - before, f"{RESIDENT}, since start", result)
    before = _status_bytes("VmRSS")
    result = call()
    return Peak(max(0, _status_bytes("VmHWM") - before), RESIDENT, result)


def _by_cuda(call: Callable[[], Any]) -> Peak:
    import torch

    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    result = call()
    torch.cuda.synchronize()
    return Peak(int(torch.cuda.max_memory_allocated() - before), CUDA, result)


def _return_freed_blocks() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim"):  # glibc
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.malloc_trim(0)


def _reset_high_water() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return _STATUS.exists()


def _status_bytes(name: str) -> int:
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} has no {name}")


def _highest_since_start() -> int:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
