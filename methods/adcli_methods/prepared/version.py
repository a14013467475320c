"""One version of a prepared derivative: for one form of the inputs, and one way through the function's branches."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.operators import require_scalar
from adcli_methods.optimiser import operation_count, optimise
from adcli_methods.prepared.choice import runner_of
from adcli_methods.prepared.matrices import Passes, matrix_of, matrix_runner
from adcli_methods.prepared.report import VersionReport
from adcli_methods.prepared.runners import Runner
from adcli_methods.prepared.tensors import is_tensor
from adcli_methods.prepared.way import PICKED, Way
from adcli_methods.primitive import Value, shape_of
from adcli_methods.program import Program
from adcli_methods.rewriting import (
    adjoint_program,
    forward_gradient,
    gradient_program,
    shaped_gradient,
    tangent_program,
)
from adcli_methods.shapes import Shaped, abstract_of, shaped

MATRICES = ("jacobian", "hessian")
"""Operators whose result has an entry for each pair of an output and an input, or of two inputs."""


@dataclass(frozen=True)
class Version:
    """A derivative for one form of the inputs and one way through the branches."""

    runner: Runner
    branches: tuple[Any, ...]
    report: VersionReport


def prepare_version(
    problem: FlatFunction,
    moving: int,
    operator: str,
    seeds: Sequence[Value],
    way: Way = PICKED,
    mode: str = "reverse",
    chunk: int | None = None,
) -> Version:
    """Trace at the problem's point, differentiate, optimise and compile.

    Arguments:
        problem: the function of its leaves, those to differentiate by first.
        moving: how many those are.
        operator: "gradient", "jvp", "vjp", "hvp", "jacobian" or "hessian".
        seeds: example tangents or cotangents of the products.
        way: of running it.
        mode: "reverse", or "forward" for a gradient by tangents; of a Jacobian or Hessian, see `matrix_of`.
        chunk: how many seeds a sweep of a Jacobian or Hessian carries; None: as many as fit the cache.
    """
    start = time.perf_counter()
    program, leaves = problem.program, problem.leaves
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        trace, slots = problem.traced
        if operator in ("gradient", "hvp", "hessian"):
            require_scalar([trace.values[slot] for slot in slots], operator)
        with _collector_paused():
            primal = optimise(Shaped(program, tuple(map(abstract_of, trace.values)))).shaped
            if operator in MATRICES:
                matrix = matrix_of(primal, leaves, moving, operator, mode, chunk)
                runner, effects = matrix_runner(matrix, leaves, way)
                passes = matrix.passes
            else:
                derived, effects = optimise(derived_program(primal.program, leaves, moving, operator, seeds, mode))
                runner = runner_of(derived, way)
                passes = Passes(1, *_sweeps(operator, mode, moving))
    report = VersionReport(
        runner.backend,
        operation_count(primal.program),
        runner.operations,
        effects,
        len(primal.program.guards),
        runner.kernels,
        runner.note,
        time.perf_counter() - start,
        *passes,
    )
    return Version(runner, branches_of(program), report)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """While it lasts Python looks for no garbage in cycles: preparing makes none, and what it makes grows fast.

    To look through all of it again and again takes as long as half of the preparing of a long loop.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _sweeps(operator: str, mode: str, moving: int) -> tuple[int, int]:
    """The tangent and the adjoint sweeps of one run; the tangents of all entries of an input go together."""
    if operator == "gradient":
        return (moving, 0) if mode == "forward" else (0, 1)
    return {"jvp": (1, 0), "vjp": (0, 1), "hvp": (1, 1)}[operator]


def derived_program(
    primal: Program, leaves: Sequence[Value], moving: int, operator: str, seeds: Sequence[Value], mode: str
) -> Shaped:
    """The Program of the value and the operator's result."""
    if operator == "gradient" and mode == "forward":
        return forward_gradient(primal, leaves, moving)
    if operator == "gradient":
        return shaped_gradient(primal, leaves, moving)
    if operator == "jvp":
        return shaped(tangent_program(primal, leaves, seeds), [*leaves, *seeds])
    if operator == "vjp":
        return shaped(adjoint_program(primal, leaves, seeds, moving), [*leaves, *seeds])
    gradient = gradient_program(primal, leaves, moving)
    second = tangent_program(gradient, leaves, seeds)
    value, products = second.outputs[0], second.outputs[-moving:]
    made = Program(second.instructions, second.inputs, second.constants, (value, *products), second.guards)
    return shaped(made, [*leaves, *seeds])


def branches_of(program: Program) -> tuple[Any, ...]:
    """The decisions under which a Program holds, to be compared with another's."""
    return tuple(
        (guard.slot, guard.outcome.tobytes() if isinstance(guard.outcome, np.ndarray) else guard.outcome)
        for guard in program.guards
    )


def form_of(leaf: Value) -> Any:
    """What must be the same for a version to fit: a leaf's type, shape and dtype."""
    return (type(leaf), shape_of(leaf), getattr(leaf, "dtype", None))


def form_on_device(leaf: Value) -> Any:
    """The form of a leaf; that of a tensor is the NumPy array's that it could be."""
    if not is_tensor(leaf):
        return form_of(leaf)
    kind = np.dtype(str(leaf.dtype).rpartition(".")[2])
    if leaf.shape:
        return (np.ndarray, tuple(leaf.shape), kind)
    return (float, (), None) if kind == np.float64 else (kind.type, (), kind)
