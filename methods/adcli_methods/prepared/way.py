"""How a derived Program is to be run: what the user asks for."""

from __future__ import annotations

from typing import NamedTuple

from adcli_methods.errors import OperatorError

COMPILE = ("auto", "c", "numpy", "python")
"""What runs a derivative: the fastest by estimate, native kernels, NumPy, Python floats."""


class Way(NamedTuple):
    """How a derived Program is to run.

    Arguments:
        compile_with: one of COMPILE.
        strict: of native kernels, see `kernels.compile_program`.
        device: "cpu", or "cuda" for Triton's kernels.
    """

    compile_with: str = "auto"
    strict: bool = False
    device: str = "cpu"

    def check(self) -> None:
        """Raise OperatorError for an unknown way, or one that does not go together."""
        if self.compile_with not in COMPILE:
            raise OperatorError(f"compile={self.compile_with!r}: one of {', '.join(COMPILE)}")
        if self.strict and self.compile_with != "c":
            raise OperatorError(f"strict is for native kernels: compile='c', not {self.compile_with!r}")
        if self.device != "cpu" and self.compile_with != "auto":
            raise OperatorError(f"compile={self.compile_with!r} runs on the cpu: leave it out for {self.device}")


PICKED = Way()
