"""Expression swell: operations of the derivative beside those of the function, as a formula and as a Program.

symbolic   SymPy's derivative as it comes, after sharing common subexpressions (CSE), after `simplify`
forward    the tangent Program of one sweep along one input; of higher orders, truncated Taylor series
reverse    the Program of value and gradient; of higher orders, the gradient of the series of one order less
compilers  only how long they take: torch.compile's time explodes with what an expression shares

Programs compute the function's value too, and are counted as derived and after the optimiser.

Formulas are counted by `expression_counts`, Programs by `operations`, which count alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from adcli_benchmarks import expression_counts
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.expected import by_differences, expected, judged
from adcli_benchmarks.operations import operations
from adcli_benchmarks.planning import cells_of, methods_of, problems_of, sizes_of
from adcli_benchmarks.problem import Array
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_benchmarks.subject import Subject, matrix, method_of, subject_of
from adcli_methods import taylor
from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.methods import method_named
from adcli_methods.optimiser import optimise
from adcli_methods.primitive import Value as Leaf
from adcli_methods.program import Program
from adcli_methods.rewriting import gradient_program, replay, tangent_program
from adcli_methods.shapes import Shaped, shaped
from adcli_methods.time_limit import TimeLimitError
from adcli_methods.trace import Trace

METHODS = ("symbolic", "forward", "reverse")
PROBLEMS = ("logistic-map", "speelpenning", "log-sum-exp", "helmholtz", "rosenbrock", "determinant-by-minors")
SIZES = {
    "logistic-map": tuple(range(1, 10)),
    "speelpenning": (2, 4, 8, 16, 32),
    "log-sum-exp": (2, 4, 8, 16),
    "helmholtz": (1, 2, 4, 8),
    "rosenbrock": (2, 10, 40),
    "determinant-by-minors": (2, 3, 4, 5),
}
COMPILERS = ("torch-compile", "jax-jit")
COMPILED_PROBLEM, COMPILED_SIZES = "logistic-map", (1, 2, 4, 8)
ORDER_PROBLEMS = ("exp-square", "nested-composition", "logistic-map")
ORDERS = tuple(range(1, 9))
SIMPLIFY_LIMIT_SECONDS = 20.0
SIMPLIFY_SHARE = 1 / 3
"""Of a cell's time limit that `simplify` may take at most, so that what was counted before is kept."""
TOUR_SIMPLIFY_LIMIT_SECONDS = 2.0


def cells(request: BenchRequest) -> list[Cell]:
    """By n and by order; the tour shows the logistic map alone."""
    return list(_cells(request))


def _cells(request: BenchRequest) -> Iterator[Cell]:
    asked = methods_of(request, METHODS)
    methods = [name for name in asked if name in METHODS] or [name for name in asked if name not in COMPILERS]
    most = TOUR_SIMPLIFY_LIMIT_SECONDS if request.is_tour else SIMPLIFY_LIMIT_SECONDS
    limit = min(most, round(SIMPLIFY_SHARE * request.timeout_seconds, 1))
    if request.is_tour:
        yield from cells_of("swell", request, ("logistic-map",), methods, (1, 3, 6), order=1, simplify_seconds=limit)
        return
    for problem in problems_of(request, PROBLEMS):
        own = sizes_of(request, problem)
        sizes = own if request.sizes else SIZES.get(problem, own)
        yield from cells_of("swell", request, (problem,), methods, sizes, order=1, simplify_seconds=limit)
        if problem == COMPILED_PROBLEM:
            yield from cells_of("swell", request, (problem,), _compilers(request), request.sizes or COMPILED_SIZES)
    for problem in ORDER_PROBLEMS:
        if request.problems is None and request.sizes is None:
            for order in ORDERS:
                size = (3,) if problem == "logistic-map" else (1,)
                yield from cells_of("swell", request, (problem,), methods, size, order=order, simplify_seconds=limit)


def _compilers(request: BenchRequest) -> list[str]:
    """Those that are asked for, else those that are here."""
    here = [name for name in COMPILERS if method_named(name).missing() is None]
    return [name for name in methods_of(request, here) if name in COMPILERS]


def measure(cell: Cell) -> dict[str, Value]:
    """Operations of the function and of its derivative, and the seconds to derive it.

    Result: function_operations, derivative_operations, derive_seconds, operation_ratio; of symbolic also
        cse_operations, cse_seconds, simplified_operations, simplify_seconds, simplify_outcome; of the others
        optimised_operations, optimise_seconds, sweeps_for_all_inputs. Of a compiler function_operations and
        derive_seconds alone, which are those of its set-up and first call.
    Raises: OperatorError for a method that writes no derivative down; WrongError, RefusedError.
    """
    if cell.method not in (*METHODS, *COMPILERS):
        raise OperatorError(f"method {cell.method} writes no derivative down: swell is of {', '.join(METHODS)}")
    subject, order = subject_of(cell), int(cell.setting("order", 1))
    if order > 1 and (subject.inputs, subject.outputs) != (1, 1):
        raise OperatorError("swell by order is of functions of one number")
    if cell.method in COMPILERS:
        values, found = _of_compiler(subject, cell)
    elif cell.method == "symbolic":
        limit = float(cell.setting("simplify_seconds", SIMPLIFY_LIMIT_SECONDS))
        values, found = _of_formula(subject.flat, order, limit)
    else:
        values, found = _of_program(subject, cell.method, order)
    return _judged(cell, subject, order, found, values)


def _judged(cell: Cell, subject: Subject, order: int, found: Array, values: dict[str, Value]) -> dict[str, Value]:
    """The values, if what was derived is the derivative; forward gives its product with the inputs alone."""
    reference = expected(subject, cell.method) if order == 1 else by_differences(subject, (0,), order)
    if cell.method == "forward" and order == 1:
        leaves = np.concatenate([np.ravel(leaf) for leaf in subject.flat.leaves])
        if len(reference.columns) < len(leaves):
            return values
        reference = replace(reference, columns=(0,), matrix=(reference.matrix @ leaves)[:, None])
    return judged(found, range(found.shape[1]), reference, cell, values)


def _of_formula(flat: FlatFunction, order: int, limit_seconds: float) -> tuple[dict[str, Value], Array]:
    function = expression_counts.function_of(flat)
    derivative = expression_counts.derivative_of(flat, order)
    found = matrix(derivative.values, flat.leaves)
    shared = expression_counts.shared(derivative.expressions)
    primal, derived = expression_counts.count(function), expression_counts.count(derivative.expressions)
    values: dict[str, Value] = {
        "function_operations": primal,
        "derivative_operations": derived,
        "operation_ratio": derived / max(primal, 1),
        "cse_operations": expression_counts.count(shared.expressions),
        "derive_seconds": derivative.seconds,
        "cse_seconds": shared.seconds,
    }
    try:
        simple = expression_counts.simplified(derivative.expressions, limit_seconds)
    except TimeLimitError:
        return {**values, "simplify_outcome": f"stopped after {limit_seconds:g} s"}, found
    values["simplified_operations"] = expression_counts.count(simple.expressions)
    return {**values, "simplify_seconds": simple.seconds, "simplify_outcome": "done"}, found


def _of_compiler(subject: Subject, cell: Cell) -> tuple[dict[str, Value], Array]:
    method = method_of(cell)
    method.check(subject.operator, 1)
    start = time.perf_counter()
    prepared = method.prepared(subject.flat, subject.operator)
    _, blocks = prepared.run(prepared.leaves)
    seconds = time.perf_counter() - start
    values: dict[str, Value] = {
        "function_operations": operations(shaped(subject.flat.program, subject.flat.leaves)),
        "derive_seconds": seconds,
    }
    return values, matrix(prepared.lower(blocks), subject.flat.leaves)


def _of_program(subject: Subject, method: str, order: int) -> tuple[dict[str, Value], Array]:
    start = time.perf_counter()
    derived = derived_program(subject, method, order)
    seconds = time.perf_counter() - start
    optimised = optimise(derived).shaped
    values: dict[str, Value] = {
        **program_operations(subject, derived),
        "optimised_operations": operations(optimised),
        "optimise_seconds": time.perf_counter() - start - seconds,
        "derive_seconds": seconds,
        "sweeps_for_all_inputs": subject.inputs if method == "forward" else subject.outputs,
    }
    return values, _value_of(subject, method, optimised.program)


def _value_of(subject: Subject, method: str, program: Program) -> Array:
    """What a derived Program gives at the point: the gradient, or of a forward sweep along the inputs one column."""
    leaves = subject.flat.leaves
    results = replay(program, [*leaves, *leaves][: len(program.inputs)]).values
    outputs = [results[slot] for slot in program.outputs]
    if method == "reverse":
        return matrix(outputs[1:], leaves)
    column = np.concatenate([np.ravel(output) for output in outputs[-len(subject.flat.program.outputs) :]])
    return column[:, None].astype(float)


def program_operations(subject: Subject, derived: Shaped) -> dict[str, Value]:
    """Operations of a function, of its derivative's Program, and their ratio."""
    function, derivative = operations(shaped(subject.flat.program, subject.flat.leaves)), operations(derived)
    return {
        "function_operations": function,
        "derivative_operations": derivative,
        "operation_ratio": derivative / max(function, 1),
    }


def derived_program(subject: Subject, method: str, order: int) -> Shaped:
    """The derivative of an order as a Program: of one sweep forward, of the whole gradient in reverse.

    Raises: OperatorError for other methods, and in reverse for functions of several outputs.
    """
    program, leaves = subject.flat.program, subject.flat.leaves
    if method == "forward":
        derived = tangent_program(program, leaves, leaves) if order == 1 else _series(program, leaves, order)
    elif method == "reverse" and subject.outputs == 1:
        derived = gradient_program(program if order == 1 else _series(program, leaves, order - 1), leaves)
    else:
        raise OperatorError("Programs are derived by forward, and by reverse for functions with one number as output")
    return shaped(derived, [*leaves, *leaves][: len(derived.inputs)])


def _series(program: Program, leaves: Sequence[Leaf], order: int) -> Program:
    """The derivative of an order by one number as a Program, through truncated Taylor series."""
    outer = Trace(leaves)
    inner = replay(program, outer.tracers())
    derivatives = taylor.directional_derivatives(inner, [1.0], order, program.outputs)
    slots = [outer.output_slot(derivative) for derivative in derivatives]
    outer.close()
    return outer.program_of(slots)
