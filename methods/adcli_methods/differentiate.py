"""From a function and a point to a Derivative: picks the operator and the method, runs it, keeps the account."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods import operators
from adcli_methods.derivative import Derivative
from adcli_methods.errors import OperatorError, TraceError
from adcli_methods.function import FlatFunction, Function, bind, selected_paths
from adcli_methods.method import OPERATORS, Method, Native, Settings
from adcli_methods.methods import method_named
from adcli_methods.notes import notes_of
from adcli_methods.primitive import Value, owned, shape_of
from adcli_methods.structure import Path, Tree, leaves_of, rebuild
from adcli_methods.trace import new_level, seen_from
from adcli_methods.tracer import Tracer

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Request:
    """What to differentiate and how.

    Arguments:
        mode: a method's name, or "auto".
        wrt: the inputs to differentiate by, None for all floating-point ones.
        order: how often; 2 of a scalar function of several inputs is the Hessian.
        operator: one of OPERATORS, None for the one that fits the shape.
        vector: the tangents of jvp and hvp, the cotangents of vjp.
        dtype: "float32" or "float64"; None keeps the inputs' own.
        device: "cpu" or "cuda".
        step: the step of differences; None for automatic.
        chunk: how many tangents or cotangents a sweep takes; None: as the method does by itself.
    """

    mode: str = "auto"
    wrt: Sequence[str | int] | str | int | None = None
    order: int = 1
    operator: str | None = None
    vector: Any = None
    dtype: str | None = None
    device: str = "cpu"
    step: float | None = None
    chunk: int | None = None


def flat_problem(function: Function, at: Any, request: Request) -> FlatFunction:
    """The function of the leaves that the request differentiates by."""
    if request.dtype not in (None, *DTYPES):
        raise OperatorError(f"unknown dtype {request.dtype!r}: float32 or float64")
    wrt = request.wrt
    names = [wrt] if isinstance(wrt, (str, int)) else wrt
    inputs = bind(function, at, names or ())
    given = [name for name in inputs if name not in function.defaults or _is_given(name, at, function)]
    problem = FlatFunction(function, inputs, selected_paths(inputs, given, names), request.dtype)
    return problem if names is not None else problem.without_counts()


def _is_given(name: str, at: Any, function: Function) -> bool:
    if isinstance(at, dict):
        return name in at
    count = len(at) if isinstance(at, tuple) else 1
    return name in function.parameters[:count]


def differentiate(function: Function, at: Any, request: Request, *, with_notes: bool = True) -> Derivative:
    """The derivative of a function at a point.

    Arguments:
        function, at: what to differentiate, and where.
        request: how.
        with_notes: whether to look for kinks and the like, which takes a trace of the function.
    Raises: PointError, FunctionError, OperatorError, UnavailableError.
    """
    problem = flat_problem(function, at, request)
    kind = method_named(request.mode)
    method = kind(Settings(request.device, request.step, request.chunk))
    operator, order = _operator(request)
    if operator is not None:
        method.check(operator, order)
    else:
        method.check("jacobian" if order == 1 else "derivative", order)
    check_device(request.device)
    with np.errstate(all="ignore"):
        start = time.perf_counter()
        native = method.prepare(problem, order)
        ready = time.perf_counter()
        values, blocks, operator = _run(method, native, problem, operator, order, request)
        done = time.perf_counter()
    tracing = method.tally.prepare_seconds
    dtype = _dtype(problem)
    values, blocks = ([_in_dtype(number, dtype) for number in numbers] for numbers in (values, blocks))
    return Derivative(
        value=_value(problem, values),
        derivative=shaped(problem, values, blocks, operator, order),
        function=function.formula or function.name,
        operator=operator,
        order=order,
        method=_name_used(method),
        wrt=tuple(".".join(path) for path in problem.paths),
        dtype=dtype,
        device=request.device,
        primal_evaluations=method.tally.primal_evaluations,
        tangent_sweeps=method.tally.tangent_sweeps,
        adjoint_sweeps=method.tally.adjoint_sweeps,
        prepare_seconds=ready - start + tracing,
        run_seconds=done - ready - tracing,
        notes=tuple(notes_at(problem, blocks)) if with_notes else (),
    )


def check_device(device: str) -> None:
    """Raise UnavailableError for a device that is not here."""
    if device == "cpu":
        return
    from adcli_methods.devices import require

    require(device)


def _operator(request: Request) -> tuple[str | None, int]:
    operator, order = request.operator, request.order
    if operator is not None and operator not in OPERATORS:
        raise OperatorError(f"unknown operator {operator!r}: {', '.join(OPERATORS)}")
    if order < 1:
        raise OperatorError(f"order {order}: a derivative has order 1 or more")
    if operator in ("hessian", "hvp"):
        return operator, 2
    return operator, order


def _run(
    method: Method, native: Native, problem: FlatFunction, operator: str | None, order: int, request: Request
) -> tuple[list[Value], list[Value], str]:
    """The function's values and the operator's blocks, as NumPy's; and the operator that was used."""
    function, leaves, level = native.function, native.leaves, new_level()
    outputs: list[Value] = [] if method.evaluates_point else function(leaves)

    def watched(at: Sequence[Value]) -> list[Value]:
        result = function(at)
        if not outputs:
            outputs.extend(result)
        return result

    names = [".".join(path) for path in problem.paths]
    if operator == "jvp":
        blocks = operators.jvp(method, watched, leaves, operators.as_vector(_vector(request), problem.leaves, names))
    elif operator == "vjp":
        vector = _vector(request)
        blocks = operators.vjp(method, watched, leaves, lambda values: operators.as_vector(vector, values, []))
    elif operator == "hvp":
        seeds = operators.as_vector(_vector(request), problem.leaves, names)
        blocks = operators.hvp(method, watched, leaves, seeds)
    else:
        blocks = operators.nth_derivative(method, watched, leaves, order)
    values = _primal(native, outputs, watched, level)
    operator = operator or _fitting(values, problem.leaves, order)
    if operator in ("hessian", "hvp", "gradient"):
        operators.require_scalar(values, operator)
    is_product = operator in ("jvp", "vjp", "hvp")
    blocks = [owned(block) for block in native.lower(blocks)] if is_product else native.results(blocks)
    is_traced = any(isinstance(number, Tracer) for number in (*values, *blocks))
    keeps = is_traced or operator in ("vjp", "hvp")
    return values, blocks if keeps else _undefined(values, blocks), operator


def _undefined(values: list[Value], blocks: list[Value]) -> list[Value]:
    """Where the function has no value, it has no derivative: NaN, whatever its rules answer there."""
    if not any(np.isnan(value).any() for value in values):
        return blocks
    count = len(blocks) // len(values)
    return [block + _where_nan(values[position // count], block) for position, block in enumerate(blocks)]


def _where_nan(value: Value, block: Value) -> Value:
    """NaN in the rows of the entries that are NaN, 0 elsewhere."""
    nan = np.where(np.isnan(value), np.nan, 0.0)
    return nan.reshape(nan.shape + (1,) * (np.ndim(block) - nan.ndim)) if np.ndim(block) else float(nan)


def _vector(request: Request) -> Any:
    if request.vector is None:
        raise OperatorError(f"{request.operator} needs a vector: give --{request.operator} 1,0,...")
    return request.vector


def _primal(native: Native, outputs: list[Value], function: Any, level: int) -> list[Value]:
    """The function's values, already at hand from the run."""
    if not outputs:
        function(native.leaves)
    return native.lower([seen_from(level, output) for output in outputs])


def _fitting(values: Sequence[Value], leaves: Sequence[Value], order: int) -> str:
    if len(values) == 1 and not shape_of(values[0]):
        if len(leaves) == 1 and not shape_of(leaves[0]):
            return "derivative"
        return {1: "gradient", 2: "hessian"}.get(order, "derivative")
    return "jacobian" if order == 1 else "derivative"


def _in_dtype(block: Value, dtype: str) -> Value:
    """A result in the precision that was asked for, where a method computes in double."""
    if dtype == "float64" or isinstance(block, Tracer) or getattr(block, "dtype", np.float64) != np.float64:
        return block
    return np.asarray(block, dtype=dtype)[()]


def _value(problem: FlatFunction, values: list[Value]) -> Tree:
    numbers = iter(values)
    return rebuild(problem.output, lambda path, leaf: owned(next(numbers)))


def shaped(problem: FlatFunction, values: list[Value], blocks: list[Value], operator: str, order: int) -> Tree:
    """The blocks in the form of the inputs: a number, an array, or a dict by input name.

    Where the function returns a tree, each entry has that tree's form; of a Hessian each entry again has the inputs'.
    """
    paths, count = problem.paths, len(problem.paths)
    if operator == "jvp":
        numbers = iter(blocks)
        return rebuild(problem.output, lambda path, leaf: next(numbers))
    if operator in ("vjp", "hvp"):
        return by_input(problem, dict(zip(paths, blocks, strict=True)))
    is_tree = len(values) > 1
    for _ in range(order - is_tree):
        rows = [blocks[start : start + count] for start in range(0, len(blocks), count)]
        blocks = [by_input(problem, dict(zip(paths, row, strict=True))) for row in rows]
    if not is_tree:
        return blocks[0]

    def of_input(i: int) -> Tree:
        parts = iter(blocks[i::count])
        return rebuild(problem.output, lambda path, leaf: next(parts))

    return by_input(problem, {path: of_input(i) for i, path in enumerate(paths)})


def by_input(problem: FlatFunction, parts: dict[Path, Tree]) -> Tree:
    """Parts by leaf as a tree like the inputs': the part itself for one input, a dict for several."""
    names = list(dict.fromkeys(path[0] for path in parts))
    trees = {}
    for name in names:
        own = {path[1:]: part for path, part in parts.items() if path[0] == name}
        trees[name] = own[()] if () in own else _subtree(problem.inputs[name], own)
    return trees[names[0]] if len(problem.function.parameters) == 1 or len(trees) == 1 else trees


def _subtree(tree: Tree, parts: dict[Path, Tree]) -> Tree:
    """The input's tree with the parts in place of its leaves; leaves that were not differentiated by are left out."""
    if {path for path, _ in leaves_of(tree)} == set(parts):
        return rebuild(tree, lambda path, leaf: parts[path])
    return {".".join(path): part for path, part in parts.items()}


def _dtype(problem: FlatFunction) -> str:
    return str(np.result_type(*[getattr(leaf, "dtype", np.float64) for leaf in problem.leaves]))


def _name_used(method: Method) -> str:
    if method.name != "auto":
        return method.name
    sweeps = (method.tally.tangent_sweeps, method.tally.adjoint_sweeps)
    if all(sweeps):
        return "forward over reverse"
    return "reverse" if sweeps[1] else "forward"


def notes_at(problem: FlatFunction, blocks: Sequence[Value]) -> list[str]:
    """What there is to say of the point: kinks, births of NaN, inputs without influence."""
    if any(isinstance(number, Tracer) for number in (*problem.leaves, *blocks)):
        return []  # inside of another derivative there is nobody to read them
    try:
        with np.errstate(all="ignore"):
            trace, outputs = problem.traced
    except TraceError as error:
        return [f"not traced, so no notes on kinks: {error}"]
    return notes_of(trace, outputs, problem.paths, all(np.isfinite(block).all() for block in blocks))
