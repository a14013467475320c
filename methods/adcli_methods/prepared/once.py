"""A derivative at one point through native kernels: prepared, run once, and told as a Derivative."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, flat_problem, notes_at
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.function import Function
from adcli_methods.prepared.prepared import PreparedDerivative, PreparedReport, prepare
from adcli_methods.primitive import shape_of
from adcli_methods.structure import leaves_of

_OPERATORS = {None: "gradient", "derivative": "gradient", "gradient": "gradient"} | {
    name: name for name in ("jvp", "vjp", "hvp")
}
_WAYS = {"gradient": ("auto", "reverse", "forward"), "jvp": ("auto", "forward"), "vjp": ("auto", "reverse")}


def differentiate_compiled(function: Function, at: Any, request: Request, *, strict: bool = False) -> Derivative:
    """As `differentiate`, by fused native kernels; by NumPy where there is no compiler, and a note says so.

    Arguments:
        function, at, request: as of `differentiate`.
        strict: of native kernels, see `kernels.compile_program`; NumPy does not take their place then.
    Raises: OperatorError for what cannot be compiled; UnavailableError for strict kernels without a compiler.

    >>> from adcli_methods.formula import formula_function
    >>> differentiate_compiled(formula_function("exp(x**2)"), 2.0, Request()).derivative
    218.39260013257694
    """
    operator = _checked(request)
    start = time.perf_counter()
    prepared, note = _prepared(function, at, request, operator, strict)
    ready = time.perf_counter()
    value, derivative = _called(prepared, function, at, request, operator)
    done = time.perf_counter()
    problem = flat_problem(function, at, request)
    leaves = problem.leaves
    is_number = len(leaves) == 1 and not shape_of(leaves[0])
    is_forward = operator in ("jvp", "hvp") or request.mode == "forward"
    parts = [np.asarray(leaf) for _, leaf in leaves_of(derivative)]
    return Derivative(
        value=value,
        derivative=derivative,
        function=function.formula or function.name,
        operator=request.operator or ("derivative" if is_number else "gradient"),
        order=2 if operator == "hvp" else 1,
        method={"jvp": "forward", "hvp": "forward over reverse"}.get(operator, "forward" if is_forward else "reverse"),
        wrt=tuple(".".join(path) for path in problem.paths),
        dtype=str(np.result_type(*[getattr(leaf, "dtype", np.float64) for leaf in leaves])),
        device="cpu",
        primal_evaluations=1,
        tangent_sweeps=is_forward * (1 if operator in ("jvp", "hvp") else len(leaves)),
        adjoint_sweeps=int(operator == "hvp" or not is_forward),
        prepare_seconds=ready - start,
        run_seconds=done - ready,
        notes=(*_account(prepared.report), *note, *notes_at(problem, parts)),
    )


def _checked(request: Request) -> str:
    """The operator to prepare."""
    operator = _OPERATORS.get(request.operator)
    if operator is None or (request.order != 1 and operator != "hvp"):
        what = f"order {request.order}" if operator else f"the {request.operator}"
        raise OperatorError(f"{what} is not compiled: gradient, jvp, vjp and hvp are; leave --compile out")
    ways = _WAYS.get(operator, ("auto",))
    if request.mode not in ways:
        raise OperatorError(f"--compile gives the {operator} by mode {' or '.join(ways)}, not by {request.mode}")
    if request.device != "cpu" or request.dtype not in (None, "float64") or request.chunk is not None:
        raise OperatorError("--compile is for float64 on the cpu, all tangents at once: leave the other options out")
    if operator != "gradient" and request.vector is None:
        raise OperatorError(f"{operator} needs a vector: give --{operator} 1,0,...")
    return operator


def _prepared(
    function: Function, at: Any, request: Request, operator: str, strict: bool
) -> tuple[PreparedDerivative, tuple[str, ...]]:
    given: dict[str, Any] = {"operator": operator, "wrt": request.wrt, "vector": request.vector}
    if operator == "gradient":
        given["mode"] = request.mode
    try:
        return prepare(function, at, **given, compile="c", strict=strict), ()
    except UnavailableError as error:
        if strict:
            raise
        return prepare(function, at, **given, compile="numpy"), (f"not compiled, NumPy instead: {error}",)


def _called(prepared: PreparedDerivative, function: Function, at: Any, request: Request, operator: str) -> Any:
    """One call at the point."""
    vector = () if operator == "gradient" else (request.vector,)
    if isinstance(at, Mapping) and set(at) <= set(function.parameters):
        return prepared(*vector, **at)
    arguments = at if isinstance(at, tuple) and len(function.parameters) > 1 else (at,)
    return prepared(*arguments, *vector)


def _account(report: PreparedReport) -> list[str]:
    """What was fused and compiled, and how long that took."""
    version = report.versions[-1]
    kernels = version.kernels
    told = []
    if kernels is not None:
        origin = "from the cache, in" if kernels.cached else "in"
        how = f"in {_count(kernels.kernels, 'fused kernel')}" if kernels.kernels else "on numbers in a row"
        told.append(
            f"compiled: {_count(kernels.fused_operations, 'operation')} {how}, {kernels.numpy_operations} by NumPy; "
            f"{kernels.compiler.splitlines()[0]}, {origin} {kernels.compile_seconds:.2g} s"
        )
    if report.fallbacks:
        told.append("NaN or outside of the domain: swept without the kernels")
    return told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
