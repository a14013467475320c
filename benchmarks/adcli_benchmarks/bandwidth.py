"""How near a derivative comes to the memory's speed: it must read its inputs and write its result at the least."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LEAST_BYTES = 1 << 20
"""Of less the time is not that of moving it."""
ROUNDS = 9


def bytes_of(values: Sequence[Any]) -> int:
    """The bytes of NumPy's arrays or torch's tensors; a plain number has 8."""
    return sum(int(getattr(value, "nbytes", 8)) for value in values)


def copy_rate(value: Any, wait: Callable[[], None], rounds: int = ROUNDS) -> float:
    """Bytes read and written in a second by copying an array or a tensor, the median of some copies.

    Arguments:
        value: a NumPy array, a torch tensor on its device, or what NumPy takes for an array (jax's are not written to).
        wait: returns when the device has done its work.
        rounds: how many copies.
    """
    source: Any = value if hasattr(value, "is_cuda") else np.asarray(value)
    target = source.clone() if hasattr(source, "is_cuda") else source.copy()
    seconds = []
    for _ in range(rounds):
        wait()
        start = time.perf_counter()
        target[...] = source
        wait()
        seconds.append(time.perf_counter() - start)
    return 2 * bytes_of([value]) / statistics.median(seconds)


def share_of_copy_rate(
    leaves: Sequence[Any], blocks: Sequence[Any], run_seconds: float, wait: Callable[[], None]
) -> dict[str, float]:
    """The rate at which a derivative moves what it must, beside that of a copy of its largest input.

    Result: moved_bytes, copy_bytes_per_second, copy_rate_share (1 is as fast as copying); empty for small inputs.
    """
    largest = max(leaves, key=lambda leaf: bytes_of([leaf]))
    if bytes_of([largest]) < LEAST_BYTES:
        return {}
    moved, rate = bytes_of([*leaves, *blocks]), copy_rate(largest, wait)
    return {"moved_bytes": moved, "copy_bytes_per_second": rate, "copy_rate_share": moved / run_seconds / rate}
