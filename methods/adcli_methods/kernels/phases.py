"""The phases of a compiled Program, and the loops of a phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adcli_methods.kernels.maps import Shape

_NEAR = 16
"""Shapes that differ by at most so much on each axis share a kernel."""


@dataclass
class KernelPlan:
    """One loop nest: the slots that it stores or reduces.

    Arguments:
        shape: what it runs over.
        stores: slots of arrays that it writes.
        reductions: slots of sums, maxima and minima.
    """

    shape: Shape
    stores: list[int] = field(default_factory=list)
    reductions: list[int] = field(default_factory=list)


@dataclass
class Phase:
    """What runs between two barriers, in this order.

    Arguments:
        by_numpy: slots that NumPy or SciPy computes.
        numbers: slots of numbers.
        stacks: slots of arrays that are filled with numbers.
        kernels: the loops.
    """

    by_numpy: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)
    kernels: list[KernelPlan] = field(default_factory=list)


def kernel_over(kernels: list[KernelPlan], shape: Shape) -> KernelPlan:
    """The kernel over a shape; a new one if there is none."""
    for kernel in kernels:
        if kernel.shape == shape:
            return kernel
    kernels.append(KernelPlan(shape))
    return kernels[-1]


def merged(kernels: Iterable[KernelPlan]) -> list[KernelPlan]:
    """Kernels over nearly the same shape as one, over the larger shape: x[1:] and x share one pass."""
    kept: list[KernelPlan] = []
    for kernel in sorted(kernels, key=lambda kernel: -sum(kernel.shape)):
        for larger in kept:
            if _fits(kernel.shape, larger.shape):
                larger.stores += kernel.stores
                larger.reductions += kernel.reductions
                break
        else:
            kept.append(kernel)
    return kept


def _fits(small: Shape, large: Shape) -> bool:
    return len(small) == len(large) and all(
        0 <= m - n <= _NEAR and n > _NEAR for n, m in zip(small, large, strict=True) if n != m
    )
