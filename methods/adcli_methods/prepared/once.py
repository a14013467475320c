"""A derivative at one point through native kernels: prepared, run once, and told as a Derivative."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, flat_problem, notes_at
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.function import FlatFunction, Function
from adcli_methods.methods import method_named
from adcli_methods.prepared.call import PRODUCTS
from adcli_methods.prepared.prepared import PreparedDerivative, prepare
from adcli_methods.prepared.report import PreparedReport, not_compiled
from adcli_methods.prepared.version import MATRICES
from adcli_methods.primitive import shape_of
from adcli_methods.structure import Tree, leaves_of, rebuild

_WAYS = {"jvp": ("auto", "forward"), "vjp": ("auto", "reverse"), "hvp": ("auto",)}
_BOTH_WAYS = ("auto", "reverse", "forward")


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
    start = time.perf_counter()
    request = replace(request, mode=method_named(request.mode).name)
    problem = flat_problem(function, at, request)
    operator = _checked(request, problem)
    if request.dtype is not None:
        at = _in_dtype(problem)
    prepared, note = _prepared(function, at, request, operator, strict)
    ready = time.perf_counter()
    value, derivative = _called(prepared, function, at, request, operator)
    done = time.perf_counter()
    leaves, version = problem.leaves, prepared.report.versions[-1]
    is_number = operator == "gradient" and len(leaves) == 1 and not shape_of(leaves[0])
    is_forward, is_reverse = version.tangent_sweeps > 0, version.adjoint_sweeps > 0
    parts = [np.asarray(leaf) for _, leaf in leaves_of(derivative)]
    return Derivative(
        value=value,
        derivative=derivative,
        function=function.formula or function.name,
        operator=request.operator or ("derivative" if is_number else operator),
        order=2 if operator in ("hvp", "hessian") else 1,
        method=" over ".join(["forward"] * is_forward + ["reverse"] * is_reverse),
        wrt=tuple(".".join(path) for path in problem.paths),
        dtype=str(np.result_type(*[getattr(leaf, "dtype", np.float64) for leaf in leaves])),
        device=request.device,
        primal_evaluations=version.primal_evaluations,
        tangent_sweeps=version.tangent_sweeps,
        adjoint_sweeps=version.adjoint_sweeps,
        prepare_seconds=ready - start,
        run_seconds=done - ready,
        notes=(*_account(prepared.report, note), *notes_at(problem, parts)),
    )


def _checked(request: Request, problem: FlatFunction) -> str:
    """The operator to prepare; the one that fits the function's shape where none is asked for."""
    operator = "gradient" if request.operator == "derivative" else request.operator or _fitting(problem)
    if request.order != 1 and operator not in ("hvp", "hessian"):
        raise OperatorError(f"order {request.order} is not compiled: --hessian is; or leave --compile out")
    ways = _WAYS.get(operator, _BOTH_WAYS)
    if request.mode not in ways:
        raise OperatorError(f"--compile gives the {operator} by mode {' or '.join(ways)}, not by {request.mode}")
    if request.chunk is not None and operator not in MATRICES:
        raise OperatorError(f"--chunk is for a jacobian or hessian, not for a {operator}: leave it out")
    if operator in PRODUCTS and request.vector is None:
        raise OperatorError(f"{operator} needs a vector: give --{operator} 1,0,...")
    return operator


def _in_dtype(problem: FlatFunction) -> Tree:
    """The inputs by name, those to differentiate by in the precision that was asked for."""
    leaves = dict(zip(problem.paths, problem.leaves, strict=True))
    return rebuild(problem.inputs, lambda path, leaf: leaves.get(path, leaf))


def _fitting(problem: FlatFunction) -> str:
    trace, slots = problem.traced
    return "jacobian" if len(slots) > 1 or shape_of(trace.values[slots[0]]) else "gradient"


def _prepared(
    function: Function, at: Any, request: Request, operator: str, strict: bool
) -> tuple[PreparedDerivative, str]:
    """The derivative, and what is to be said where there is no compiler."""
    given: dict[str, Any] = {"operator": operator, "wrt": request.wrt, "vector": request.vector, "chunk": request.chunk}
    if operator not in PRODUCTS:
        given["mode"] = request.mode
    if request.device != "cpu":
        return prepare(function, at, **given, device=request.device), ""
    try:
        return prepare(function, at, **given, compile="c", strict=strict), ""
    except UnavailableError as error:
        if strict:
            raise
        prepared = prepare(function, at, **given)
        version = prepared.report.versions[-1]
        return prepared, not_compiled(version.backend, version.kernels, error)


def _called(prepared: PreparedDerivative, function: Function, at: Any, request: Request, operator: str) -> Any:
    """One call at the point."""
    vector = (request.vector,) if operator in PRODUCTS else ()
    if isinstance(at, Mapping) and set(at) <= set(function.parameters):
        return prepared(*vector, **at)
    arguments = at if isinstance(at, tuple) and len(function.parameters) > 1 else (at,)
    return prepared(*arguments, *vector)


def _account(report: PreparedReport, note: str) -> list[str]:
    """What was optimised, fused and compiled, and how long that took."""
    version = report.versions[-1]
    told = [note] if note else []
    if version.kernels is not None:
        told.append(f"{'fused' if note else 'compiled'}: {version.kernels}")
    if version.optimised:
        told.append(f"optimised: {version.optimised}")
    if report.fallbacks:
        told.append("NaN or outside of the domain: swept without the kernels")
    return told
