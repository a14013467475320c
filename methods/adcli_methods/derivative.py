"""The result of a differentiation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Derivative:
    """A derivative, and how it came about.

    Arguments:
        value: the function's value, in the form that the function returned it.
        derivative: a number for one scalar input, an array for one array input, a dict by input name for several.
        function: the function's name or formula.
        operator: "derivative", "gradient", "jacobian", "hessian", "jvp", "vjp" or "hvp".
        order: how often the function was differentiated.
        method: the method's name.
        wrt: the names of the inputs differentiated by.
        dtype: the floating type of the computation.
        device: "cpu" or "cuda".
        primal_evaluations: how often the function was run.
        tangent_sweeps: forward sweeps of tangents.
        adjoint_sweeps: backward sweeps of adjoints.
        prepare_seconds: tracing, deriving or compiling.
        run_seconds: the evaluation after that.
        notes: kinks and the convention used, births of NaN and Inf, inputs without influence.
    """

    value: Any
    derivative: Any
    function: str
    operator: str
    order: int
    method: str
    wrt: tuple[str, ...]
    dtype: str
    device: str
    primal_evaluations: int
    tangent_sweeps: int
    adjoint_sweeps: int
    prepare_seconds: float
    run_seconds: float
    notes: tuple[str, ...] = field(default=())

    def _repr_html_(self) -> str:
        from adcli_methods.html_text import derivative_html

        return derivative_html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from adcli_methods.html_text import bundle

        return bundle(self._repr_html_(), repr(self), include, exclude)
