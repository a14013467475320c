"""What a compiled Program tells of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KernelReport:
    """What was fused and compiled.

    Arguments:
        kernels: how many loops there are.
        fused_operations: how many operations run in them.
        numpy_operations: how many run as calls of NumPy and SciPy.
        compile_seconds: how long planning and compiling took.
        compiler: the compiler's version, or what runs in its place.
        cached: whether the machine code came from the cache on disk.
        threads: how many threads a large kernel uses.
        source: the C text.
    """

    kernels: int
    fused_operations: int
    numpy_operations: int
    compile_seconds: float
    compiler: str
    cached: bool
    threads: int
    source: str
