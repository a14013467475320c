"""Functions that return functions: gradient(f), jacobian(f), hessian(f), jvp(f), vjp(f), hvp(f).

They nest in each other and in the user's own functions, at any depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, update_wrapper
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from adcli_methods import operators
from adcli_methods.differentiate import Request, by_input, flat_problem, shaped
from adcli_methods.errors import OperatorError, PointError
from adcli_methods.function import FlatFunction, Function, function_of
from adcli_methods.method import Method, Native, Settings
from adcli_methods.methods import method_named
from adcli_methods.primitive import Value, owned
from adcli_methods.standins import rebound, standin_of
from adcli_methods.structure import Tree, rebuild
from adcli_methods.sweeps import pull
from adcli_methods.trace import Trace, new_level, seen_from
from adcli_methods.tracer import Tracer

Wrt = Sequence[str | int] | str | int | None
_PLAIN = {float, np.ndarray}
_OWN_CODE = {FunctionType, MethodType}


def _later(f: Callable[..., Any]) -> Callable[[], Function]:
    """The Function of a callable, found out at the first call and kept."""
    return cache(lambda: function_of(f))


def _problem(function: Function, arguments: tuple[Any, ...], keywords: dict[str, Any], wrt: Wrt) -> FlatFunction:
    """The function of the differentiated leaves at these arguments."""
    if len(arguments) > len(function.parameters):
        raise PointError(f"{function.name} takes {len(function.parameters)} inputs, got {len(arguments)}")
    at = dict(zip(function.parameters, arguments, strict=False)) | keywords
    return flat_problem(function, at, Request(wrt=wrt))


def _method(mode: str, operator: str, order: int) -> Method:
    method = method_named(mode)(Settings())
    method.check(operator, order)
    return method


def _derivative_of(f: Callable[..., Any], operator: str, order: int, wrt: Wrt, mode: str) -> Callable[..., Any]:
    function = _later(f)

    def derivative(*arguments: Any, **keywords: Any) -> Tree:
        return _evaluated(function(), arguments, keywords, operator, order, wrt, mode)[1]

    return update_wrapper(derivative, f, assigned=(), updated=())  # its inputs are named as f's


def _evaluated(
    function: Function,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    operator: str,
    order: int,
    wrt: Wrt,
    mode: str,
) -> tuple[Tree, Tree]:
    """The value and the derivative at the arguments."""
    problem = _problem(function, arguments, keywords, wrt)
    method = _method(mode, operator, order)
    outputs: list[Value] = []
    level = new_level()

    def watched(leaves: Sequence[Value]) -> list[Value]:
        result = native.function(leaves)
        if not outputs:
            outputs.extend(result)
        return result

    with np.errstate(all="ignore"):
        native = method.prepare(problem, order)
        if not method.evaluates_point:
            outputs.extend(native.function(native.leaves))
        blocks = operators.nth_derivative(method, watched, native.leaves, order)
        if operator in ("gradient", "hessian"):
            operators.require_scalar(outputs, operator)
        values = native.lower([seen_from(level, output) for output in outputs])
        derivative = shaped(problem, values, native.results(blocks), operator, order)
    numbers = iter(values)
    return rebuild(problem.output, lambda path, leaf: next(numbers)), derivative


def gradient(f: Callable[..., Any], wrt: Wrt = None, mode: str = "reverse") -> Callable[..., Any]:
    """The gradient of a function with one scalar output.

    Arguments:
        f: a Python function of numbers, arrays, or tuples, lists and dicts of them.
        wrt: names or positions of the inputs to differentiate by; None: all floating-point ones.
        mode: a method's name, or "auto".
    Result: a function of f's arguments that returns a number or an array for one input, a dict by name for several.
    Raises: OperatorError if the output is not one scalar.

    >>> gradient(lambda x: x**3)(2.0)
    12.0
    """
    general = _derivative_of(f, "gradient", 1, wrt, mode)
    if wrt is not None or mode != "reverse" or type(f) not in _OWN_CODE or standin_of(f) is not None:
        return general

    def derivative(*arguments: Any, **keywords: Any) -> Tree:
        if keywords or len(arguments) != 1 or type(arguments[0]) not in _PLAIN:
            return general(*arguments, **keywords)
        if type(arguments[0]) is float:  # Python's functions, which never warn
            result = _quick_gradient(f, arguments[0])
        else:
            with np.errstate(all="ignore"):
                result = _quick_gradient(f, arguments[0])
        return general(*arguments) if result is None else result

    return update_wrapper(derivative, f, assigned=(), updated=())  # its inputs are named as f's


def _quick_gradient(f: Callable[..., Any], x: Any) -> Value | None:
    """Reverse mode for one float or float64 array and a scalar result, without the general book-keeping."""
    if type(x) is np.ndarray and x.dtype != np.float64:
        return None
    trace = Trace((x,))
    try:
        with rebound(f):
            output = f(trace.wrap(0, x))
        if type(output) is not Tracer or output.trace is not trace:
            return None
        return owned(pull(trace, (output.slot,), (1.0,))[0])
    finally:
        trace.close()


def value_and_gradient(f: Callable[..., Any], wrt: Wrt = None, mode: str = "reverse") -> Callable[..., Any]:
    """A function of f's arguments that returns (value, gradient) of a function with one scalar output.

    >>> value_and_gradient(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """

    function = _later(f)

    def both(*arguments: Any, **keywords: Any) -> tuple[Tree, Tree]:
        return _evaluated(function(), arguments, keywords, "gradient", 1, wrt, mode)

    return both


def jacobian(f: Callable[..., Any], wrt: Wrt = None, mode: str = "auto") -> Callable[..., Any]:
    """The Jacobian, of shape output.shape + input.shape for each input; auto takes rows or columns, the fewer.

    >>> jacobian(lambda x: [x[0] * x[1], x[0]])(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 0.]])
    """
    return _derivative_of(f, "jacobian", 1, wrt, mode)


def hessian(f: Callable[..., Any], wrt: Wrt = None, mode: str = "auto") -> Callable[..., Any]:
    """The matrix of second derivatives of a function with one scalar output; auto is forward over reverse.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    return _derivative_of(f, "hessian", 2, wrt, mode)


def _multiplied(method: Method, native: Native, problem: FlatFunction, operator: str, vector: Any) -> list[Value]:
    """The product of a derivative with a vector, one part for each output (jvp) or input."""
    function, leaves = native.function, native.leaves
    if operator == "vjp":
        parts = operators.vjp(method, function, leaves, lambda values: operators.as_vector(vector, values, []))
    else:
        names = [".".join(path) for path in problem.paths]
        run = operators.jvp if operator == "jvp" else operators.hvp
        parts = run(method, function, leaves, operators.as_vector(vector, problem.leaves, names))
    return [owned(part) for part in native.lower(parts)]


def _product(operator: str, order: int, f: Callable[..., Any], wrt: Wrt, mode: str) -> Callable[..., Any]:
    function = _later(f)

    def product(*arguments: Any, **keywords: Any) -> Tree:
        if len(arguments) < 1:
            raise OperatorError(f"{operator} takes the function's inputs and then the vector")
        *point, vector = arguments
        problem = _problem(function(), tuple(point), keywords, wrt)
        method = _method(mode, operator, order)
        with np.errstate(all="ignore"):
            native = method.prepare(problem, order)
            parts = _multiplied(method, native, problem, operator, vector)
        if operator == "jvp":
            numbers = iter(parts)
            return rebuild(problem.output, lambda path, leaf: next(numbers))
        return by_input(problem, dict(zip(problem.paths, parts, strict=True)))

    return product


def jvp(f: Callable[..., Any], wrt: Wrt = None, mode: str = "forward") -> Callable[..., Any]:
    """The Jacobian times a vector: a function of f's arguments and, last, the vector (one part for each input).

    >>> jvp(lambda x: x**2)(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 2., 40.])
    """
    return _product("jvp", 1, f, wrt, mode)


def vjp(f: Callable[..., Any], wrt: Wrt = None, mode: str = "reverse") -> Callable[..., Any]:
    """A vector times the Jacobian: a function of f's arguments and, last, the vector (shaped like the output).

    >>> vjp(lambda x: x**2)(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 2., 40.])
    """
    return _product("vjp", 1, f, wrt, mode)


def hvp(f: Callable[..., Any], wrt: Wrt = None, mode: str = "auto") -> Callable[..., Any]:
    """The Hessian times a vector: a function of f's arguments and, last, the vector.

    >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 4.])
    """
    return _product("hvp", 2, f, wrt, mode)
