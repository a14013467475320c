"""What a compiled Program tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class KernelReport:
    """What was fused and compiled.

    Arguments:
        kernels: how many loops there are.
        fused_operations: how many operations run in them.
        numpy_operations: how many run as calls of NumPy and SciPy, on a GPU of torch.
        compile_seconds: how long planning and compiling took.
        compiler: the compiler's version, or what runs in its place.
        cached: whether the machine code came from the cache on disk; Triton has its own, and does not tell.
        threads: how many threads a large kernel uses; on a GPU, each program of it.
        source: the C or Triton text.
    """

    kernels: int
    fused_operations: int
    numpy_operations: int
    compile_seconds: float
    compiler: str
    cached: bool
    threads: int
    source: str = field(repr=False)


def joined(reports: Sequence[KernelReport]) -> KernelReport | None:
    """The report of Programs that run one after the other; None where there is none."""
    if len(reports) < 2:
        return reports[0] if reports else None
    return replace(
        reports[0],
        kernels=sum(report.kernels for report in reports),
        fused_operations=sum(report.fused_operations for report in reports),
        numpy_operations=sum(report.numpy_operations for report in reports),
        compile_seconds=sum(report.compile_seconds for report in reports),
        cached=all(report.cached for report in reports),
        source="\n".join(report.source for report in reports),
    )
