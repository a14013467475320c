"""The derivative of a function of numbers on whole columns, for the rows whose decisions fall as at one of them.

A Program on numbers that is elementwise throughout runs on columns as it stands. A decision becomes a column of its
outcomes, which tells the rows that the Program holds for.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.emission import compile_guarded
from adcli_methods.errors import AdcliError, FunctionError, OperatorError, TraceError
from adcli_methods.function import FlatFunction, Function, describe
from adcli_methods.operators import size_of
from adcli_methods.optimiser import operation_count, optimise
from adcli_methods.optimiser.scalarise import scalarise
from adcli_methods.primitive import Value
from adcli_methods.program import Guard, Program
from adcli_methods.rewriting import forward_gradient, replay, shaped_gradient
from adcli_methods.row_columns import Column
from adcli_methods.shapes import Abstract, Shaped, abstract_of
from adcli_methods.sweeps import pull, push
from adcli_methods.targets import target
from adcli_methods.trace import Trace

BLOCK_ROWS = 1 << 13
"""Rows that run together: their columns fit into a core's cache, and outweigh the cost of a call."""
MOST_OPERATIONS = 20_000
_BY_ENTRY = {"astype", "to_integer"}
"""Operations on each entry that the table does not call elementwise."""


class OfOneRowError(Exception):
    """An operation fails on a row's numbers: other rows whose decisions fall alike may have a value."""


class RowVersion(NamedTuple):
    """The value and the derivatives on columns.

    Arguments:
        run: from the inputs' columns to the value, the derivatives, then what the guards decide on; an output that is
            the same in all rows may be a number.
        guards: the decisions under which it holds.
        primal: the function alone.
        moving: how many inputs, the first ones, it is differentiated by.
        mode: "forward" or "reverse".
        failure: what the function raises in these rows; empty where it has a value.
        operations: of one run.
        backend: "c" or "numpy".
    """

    run: Callable[[Sequence[Column]], Sequence[Value]]
    guards: tuple[Guard, ...]
    primal: Program
    moving: int
    mode: str
    failure: str
    operations: int
    backend: str

    def holds(self, decided: Sequence[Value], rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows it holds for."""
        found = np.ones(rows, dtype=bool)
        for guard, value in zip(self.guards, decided, strict=True):
            found &= np.equal(value, guard.outcome)
        return found

    def again(self, columns: Sequence[Column]) -> list[Value]:
        """The derivatives by sweeps that keep zeros strict (0 * inf = 0), as at a single point."""
        one = np.ones(len(columns[0]))
        with np.errstate(all="ignore"):
            trace = replay(self.primal, columns, moving=self.moving)
            if self.mode == "reverse":
                return pull(trace, self.primal.outputs, [one])[: self.moving]
            seeds = [[one if i == j else one * 0.0 for i in range(self.moving)] for j in range(self.moving)]
            return [push(trace, each, self.primal.outputs)[0] for each in seeds]


def row_version(
    problem: FlatFunction, moving: int, mode: str, is_compiled: Callable[[int], bool], *, strict: bool = False
) -> RowVersion | None:
    """Trace at the problem's point, differentiate, and make it run on columns.

    Arguments:
        problem: the function of its leaves, all of them numbers, those to differentiate by first.
        moving: how many those are.
        mode: "forward" or "reverse".
        is_compiled: whether a derivative of so many operations is worth native kernels.
        strict: of native kernels, see `kernels.compile_program`.
    Result: None where the function needs operations on whole arrays, or is too long.
    Raises: AdcliError where the function cannot be traced or its value is no number; what the function raises before
        any decision, as it does in all rows; OfOneRowError where it fails in this row only; UnavailableError where
        native kernels are wanted and there is no compiler.
    """
    traced, failure = _traced(problem)
    scalars = scalarise(optimise(traced).shaped, MOST_OPERATIONS)
    if scalars is None or operation_count(scalars.shaped.program) > MOST_OPERATIONS:
        return None
    primal = optimise(scalars.shaped).shaped
    made = primal if failure else _derived(primal.program, problem.leaves, moving, mode)
    derived = optimise(made).shaped
    if not _is_elementwise(derived.program) or not _is_elementwise(primal.program):
        return None
    operations = operation_count(derived.program)
    compiled = not failure and is_compiled(operations)
    run = _native(on_columns(derived), strict) if compiled else _on_numpy(on_columns(derived))
    guards, backend = derived.program.guards, "c" if compiled else "numpy"
    return RowVersion(run, guards, primal.program, moving, mode, failure, operations, backend)


def _traced(problem: FlatFunction) -> tuple[Shaped, str]:
    """The function's Program at the point; where it raises, its decisions up to there, and what it raises."""
    slots: list[int] = []
    trace, failure = Trace(problem.leaves), ""
    try:
        slots = [trace.output_slot(output) for output in problem(trace.tracers())]
        _require_number([trace.values[slot] for slot in slots], problem.function)
    except Exception as error:
        if isinstance(error, TraceError) or (isinstance(error, AdcliError) and error.__cause__ is None):
            raise
        if _hangs_on_numbers(error):
            raise OfOneRowError from error
        failure, slots = told(error, problem.function.name), []
        if not trace.guards and problem.function.is_file:  # a RecursionError, too, is told in one line
            raise FunctionError(failure) from error
        if not trace.guards:
            raise
    finally:
        trace.close()
    return Shaped(trace.program_of(slots), tuple(map(abstract_of, trace.values))), failure


def _require_number(outputs: Sequence[Value], function: Function) -> None:
    if len(outputs) != 1 or size_of(outputs) != 1:
        raise OperatorError(
            f"rows are of a function with one scalar value; {function.name} returns {size_of(outputs)} numbers: "
            "reduce them to one, as by sum(...), or take its Jacobian at one point at a time, as by adcli diff --at"
        )


def _hangs_on_numbers(error: Exception) -> bool:
    """Whether an operation raised it for the numbers that it was given, not for their shapes or types."""
    from adcli_methods.standin_modules import MathStandIn  # here, for a formula starts without them

    raised = error.__cause__ if isinstance(error, AdcliError) else error
    of_numbers = {
        Trace.record.__code__: (ArithmeticError, np.linalg.LinAlgError),
        MathStandIn._checked.__code__: (ArithmeticError, ValueError),
    }
    frames = traceback.walk_tb(raised.__traceback__ if raised else None)
    return any(isinstance(raised, of_numbers.get(frame.f_code, ())) for frame, _ in frames)


def told(error: Exception, name: str) -> str:
    """What a function of this name raised, in one line."""
    return str(error) if isinstance(error, AdcliError) else describe(error, name)


def _derived(primal: Program, leaves: Sequence[Value], moving: int, mode: str) -> Shaped:
    if mode == "reverse":
        return shaped_gradient(primal, leaves, moving)
    return forward_gradient(primal, leaves, moving)


def _is_elementwise(program: Program) -> bool:
    return all(
        instruction.primitive is None or instruction.primitive.elementwise or instruction.primitive.name in _BY_ENTRY
        for instruction in program.instructions
    )


def on_columns(given: Shaped) -> Shaped:
    """A Program on numbers as one on columns of BLOCK_ROWS, with what its guards decide on as outputs more."""
    program = given.program
    varies = [False] * len(program.instructions)
    for slot in program.inputs:
        varies[slot] = True
    for slot, instruction in enumerate(program.instructions):
        varies[slot] = varies[slot] or any(varies[operand] for operand in instruction.operands)
    abstracts = tuple(
        Abstract((BLOCK_ROWS,), abstract.dtype) if moves else abstract
        for abstract, moves in zip(given.abstracts, varies, strict=True)
    )
    outputs = (*program.outputs, *(guard.slot for guard in program.guards))
    return Shaped(Program(program.instructions, program.inputs, program.constants, outputs), abstracts)


def _on_numpy(given: Shaped) -> Callable[[Sequence[Column]], Sequence[Value]]:
    function = compile_guarded(given, target("numpy"), checked=False)

    def run(columns: Sequence[Column]) -> Sequence[Value]:
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            found = function(*columns)
        assert found is not None  # there are no guards to leave by
        return found

    return run


def _native(given: Shaped, strict: bool) -> Callable[[Sequence[Column]], Sequence[Value]]:
    """Native kernels for full blocks; a part of a block is filled up, so that a row's result depends on it alone."""
    from adcli_methods.kernels import compile_program

    compiled = compile_program(given.program, given.abstracts, strict=strict, threads=1)

    def run(columns: Sequence[Column]) -> Sequence[Value]:
        rows = len(columns[0])
        if rows == BLOCK_ROWS:
            return compiled.run(columns)
        filled = [np.append(column, np.full(BLOCK_ROWS - rows, column[-1])) for column in columns]
        return [value[:rows] if np.ndim(value) else value for value in compiled.run(filled)]

    return run
