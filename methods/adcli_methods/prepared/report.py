"""What a prepared derivative tells of itself."""

from __future__ import annotations

from dataclasses import dataclass

from adcli_methods.kernels.report import KernelReport, counted
from adcli_methods.optimiser import PassEffect


@dataclass(frozen=True)
class VersionReport:
    """What became of one version.

    Arguments:
        backend: "python", "numpy", "machine", "c" or "triton".
        primal_operations: of the function, optimised.
        operations: of one run, which computes the value and the derivative.
        effects: what each pass of the optimiser did to the derivative.
        guards: how many decisions of the function are checked at each run.
        kernels: the report of the native kernels, or None.
        note: why there are none, where some would be worth it; else "".
        prepare_seconds: tracing, differentiating, optimising and compiling.
        primal_evaluations, tangent_sweeps, adjoint_sweeps: of one run.
    """

    backend: str
    primal_operations: int
    operations: int
    effects: tuple[PassEffect, ...]
    guards: int
    kernels: KernelReport | None
    note: str
    prepare_seconds: float
    primal_evaluations: int
    tangent_sweeps: int
    adjoint_sweeps: int

    def __str__(self) -> str:
        """What runs, what the optimiser did, what was fused and compiled."""
        counts = f"{counted(self.operations, 'operation')} (the function {self.primal_operations:,})"
        run = f"{self.backend}: {counts}, {counted(self.guards, 'guard')}, prepared in {self.prepare_seconds:.2g} s"
        lines = [run, f"optimiser: {self.optimised or 'nothing to do'}"]
        lines += [f"kernels: {self.kernels}"] if self.kernels is not None else []
        lines += [self.note] if self.note else []
        return "\n  ".join(lines)

    @property
    def optimised(self) -> str:
        """How many operations each pass did away with, in words; "" for none."""
        return ", ".join(f"{effect.name} {effect.operations}" for effect in self.effects if effect.operations)


def not_compiled(backend: str, kernels: KernelReport | None, reason: object) -> str:
    """What runs in place of kernels, and why."""
    words = {"python": "Python's floats", "numpy": "NumPy"}.get(backend, backend)
    if kernels is not None:
        words = kernels.compiler.removeprefix("none: ")
    return f"not compiled, {words} instead: {reason}"


@dataclass(frozen=True)
class PreparedReport:
    """What a prepared derivative consists of, and how often it had to be prepared again.

    Arguments:
        function: its name or formula.
        operator: one of OPERATORS.
        versions: one for each form of the inputs and way through the branches, the first one first.
        new_forms: preparations for inputs of another shape, type or static value.
        new_branches: preparations for decisions that fell otherwise.
        fallbacks: calls swept without a version: outside of the function's domain, with NaN in the result, or by a way
            through the branches that is met for the first time when there are some versions already.
    """

    function: str
    operator: str
    versions: tuple[VersionReport, ...]
    new_forms: int
    new_branches: int
    fallbacks: int

    def __str__(self) -> str:
        """The counts, then each version."""
        counts = ", ".join([
            counted(len(self.versions), "version"), f"new forms {self.new_forms}", f"new branches {self.new_branches}",
            f"fallbacks {self.fallbacks}",
        ])  # fmt: skip
        return "\n".join([f"{self.operator} of {self.function}: {counts}", *map(str, self.versions)])
