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

    def __str__(self) -> str:
        """In one line: what was fused, what was not, and by which compiler."""
        compiler = self.compiler.splitlines()[0]
        how = f"in {counted(self.kernels, 'fused kernel')}" if self.kernels else "in a row"
        others = f"{self.numpy_operations} by {'torch' if compiler.startswith('Triton') else 'NumPy'}"
        origin = "from the cache, in" if self.cached else "in"
        return (
            f"{counted(self.fused_operations, 'operation')} {how}, {others}; "
            f"{compiler}, {origin} {self.compile_seconds:.2g} s"
        )


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "kernel"), counted(2000, "kernel")
    ('1 kernel', '2,000 kernels')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
