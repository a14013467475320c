"""A function to differentiate, and its flat form: a list of leaves in, a list of leaves out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from importlib import import_module
from typing import Any

import numpy as np

from adcli_methods.errors import AdcliError, FunctionError, PointError
from adcli_methods.expression_errors import suggestion
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.structure import Path, Tree, as_input, is_differentiable, leaves_of, output_tree, rebuild
from adcli_methods.trace import Trace, buffer
from adcli_methods.tracer import Tracer
from adcli_methods.user_code import ENTRIES


@dataclass(frozen=True)
class Function:
    """A function of named inputs.

    Arguments:
        name: what to call it in messages.
        call: takes the inputs by position, in the order of `parameters`.
        parameters: the inputs' names.
        defaults: the values of inputs that need not be given.
        derivative: the hand-written derivative, of the same inputs, if there is one.
        formula: the formula's text, if the function is one.
        is_file: whether it comes from a file that the user named, so that its errors are the user's.
    """

    name: str
    call: Callable[..., Tree]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    derivative: Callable[..., Tree] | None = None
    formula: str | None = None
    is_file: bool = False


def function_of(call: Callable[..., Tree], *, is_file: bool = False) -> Function:
    """A Function from any Python callable.

    Raises: FunctionError if it is not callable, or has parameters that cannot be given by position.
    """
    name = getattr(call, "__qualname__", None) or type(call).__name__
    if not callable(call):
        raise FunctionError(f"{call!r} is not a function: give a formula, 'file.py:name' or a callable")
    if isinstance(call, np.ufunc):
        return Function(name, call, ("x",) if call.nin == 1 else tuple(f"x{i + 1}" for i in range(call.nin)))
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):
        return Function(name, call, ("x",), is_file=is_file)
    names, defaults, keyword_only = [], {}, []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        names.append(parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            keyword_only.append(parameter.name)
        if parameter.default is not parameter.empty:
            defaults[parameter.name] = parameter.default
    has_varargs = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    if not names and not has_varargs:
        raise FunctionError(f"{name} takes no inputs: there is nothing to differentiate by")
    if keyword_only:
        call = _by_keyword(call, names, keyword_only)
    return Function(name, call, tuple(names) or ("x",), defaults, is_file=is_file)


def _by_keyword(call: Callable[..., Tree], names: list[str], keyword_only: list[str]) -> Callable[..., Tree]:
    """The callable with its keyword-only parameters given by position."""
    positional = len(names) - len(keyword_only)

    def by_position(*arguments: Tree) -> Tree:
        return call(*arguments[:positional], **dict(zip(keyword_only, arguments[positional:], strict=False)))

    return update_wrapper(by_position, call, assigned=(), updated=())  # stand-ins look for the user's module there


def bind(function: Function, at: Any, wrt: Sequence[str | int] = ()) -> dict[str, Tree]:
    """The inputs by name, from a dict of them, a tuple of them, or the only (or first) one.

    Inputs left at their default are there only where one after them is given, or `wrt` asks for them.

    Raises: PointError for a missing or an unknown input, or an unknown one in `wrt`.
    """
    names = function.parameters
    _refuse_unknown(wrt, names)
    if isinstance(at, Mapping) and (set(at) & set(names) or len(names) > 1 or function.formula is not None):
        given = dict(at)
    elif isinstance(at, tuple) and len(names) > 1 and not hasattr(at, "_fields"):
        if len(at) > len(names):
            raise PointError(f"{function.name} takes {len(names)} inputs ({', '.join(names)}), got {len(at)}")
        given = dict(zip(names, at, strict=False))
    else:
        given = {names[0]: at}
    for name in given:
        if name not in names:
            raise PointError(f"{function.name} has no input {name!r}: its inputs are {_listed(name, names)}")
    missing = [name for name in names if name not in given and name not in function.defaults]
    if missing:
        example = ",".join(f"{name}=..." for name in names if name not in function.defaults)
        raise PointError(f"no value for {', '.join(missing)}: {function.name} needs --at {example}")
    wanted = {names[item] if isinstance(item, int) and item < len(names) else str(item).split(".")[0] for item in wrt}
    if any(isinstance(item, int) and item < 0 for item in wrt):
        wanted.add(names[-1])  # they are counted from the end, so all inputs must be there
    last = max(position for position, name in enumerate(names) if name in given or name in wanted)
    return {name: as_input(given[name] if name in given else function.defaults[name]) for name in names[: last + 1]}


def _refuse_unknown(wrt: Sequence[str | int], names: Sequence[str]) -> None:
    for item in wrt:
        name = str(item)
        if name.split(".")[0] not in names and item not in range(-len(names), len(names)):
            raise PointError(f"no input {name!r} to differentiate by: the inputs are {_listed(name, names)}")


def _listed(name: str, names: Sequence[str]) -> str:
    """The names there are, and the one that was perhaps meant."""
    return ", ".join(names) + suggestion(name, names)


def selected_paths(inputs: Mapping[str, Tree], given: Sequence[str], wrt: Sequence[str | int] | None) -> list[Path]:
    """The paths of the leaves to differentiate by: those asked for, else every float among the given inputs.

    Raises: PointError if `wrt` names no input, or none can be differentiated by.
    """
    names = list(inputs)
    if wrt is None:
        paths = [path for path, leaf in leaves_of(inputs) if path[0] in given and is_differentiable(leaf)]
        if not paths:
            paths = [path for path, leaf in leaves_of(inputs) if path[0] in given and _is_whole(leaf)]
        if not paths:
            raise PointError(f"none of the inputs {', '.join(names)} holds floating-point numbers")
        return paths
    paths = []
    for item in wrt:
        name = names[item] if isinstance(item, int) and item < len(names) else str(item)
        wanted = tuple(name.split("."))
        found = [path for path, leaf in leaves_of(inputs) if path[: len(wanted)] == wanted and not _is_static(leaf)]
        if not found:
            known = [".".join(path) for path, leaf in leaves_of(inputs) if not _is_static(leaf)]
            near = suggestion(name, known)
            raise PointError(f"no input {name!r} to differentiate by: the inputs are {', '.join(names)}{near}")
        paths += [path for path in found if path not in paths]
    return paths


def _is_whole(leaf: Any) -> bool:
    return getattr(getattr(leaf, "dtype", None), "kind", "") in "iu" and getattr(leaf, "dtype", None) is not None


def _is_static(leaf: Any) -> bool:
    return not (is_differentiable(leaf) or _is_whole(leaf))


def as_leaf(leaf: Value, dtype: str | None) -> Value:
    """A leaf as floating-point numbers of the type asked for, or of its own."""
    if isinstance(leaf, Tracer):
        return leaf
    if type(leaf) is int:
        try:
            leaf = float(leaf)
        except OverflowError:
            raise PointError(f"{str(leaf)[:20]}... is too large for a float") from None
    if isinstance(leaf, float):
        return leaf if dtype in (None, "float64") else np.dtype(dtype).type(leaf)
    if isinstance(leaf, (np.ndarray, np.generic)):
        kind = dtype or ("float64" if leaf.dtype.kind in "iu" else leaf.dtype.name)
        converted = leaf.astype(kind, copy=False)
        return converted.item() if converted.ndim == 0 and kind == "float64" else converted
    import_module("adcli_methods.targets")  # which know how to compute on it
    return leaf


class FlatFunction:
    """A function of the differentiated leaves alone.

    Arguments:
        function: the function.
        inputs: every input's value, by name.
        paths: the leaves to differentiate by.
        dtype: the floating type of all inputs, or None for their own.

    After a call, `output` holds the form of the result.
    """

    def __init__(
        self, function: Function, inputs: dict[str, Tree], paths: Sequence[Path], dtype: str | None = None
    ) -> None:
        self.function = function
        self.inputs = inputs
        self.paths = list(paths)
        self.dtype = dtype
        self.output: Tree = None
        known = dict(leaves_of(inputs))
        self.leaves: list[Value] = [as_leaf(known[path], dtype) for path in self.paths]
        self._position = {path: position for position, path in enumerate(self.paths)}

    def without_counts(self) -> FlatFunction:
        """The same, differentiating no more by whole numbers that the function used as an index or in range."""
        whole = dict(leaves_of(self.inputs))
        suspects = {slot for slot, path in enumerate(self.paths) if type(whole[path]) is int}
        if self.function.formula is not None or not suspects or len(suspects) == len(self.paths) == 1:
            return self
        with np.errstate(all="ignore"):
            guards = self.traced[0].guards
        counts = {guard.slot for guard in guards if type(guard.outcome) is int} & suspects
        if not counts or len(counts) == len(self.paths):
            return self
        paths = [path for slot, path in enumerate(self.paths) if slot not in counts]
        return FlatFunction(self.function, self.inputs, paths, self.dtype)

    @cached_property
    def traced(self) -> tuple[Trace, list[int]]:
        """One run at the point with the user's lines: the trace, and the slots of its outputs."""
        trace = Trace(self.leaves, locate=True)
        try:
            return trace, [trace.output_slot(output) for output in self(trace.tracers())]
        finally:
            trace.close()

    @property
    def program(self) -> Program:
        """The function as a Program, valid where its branches fall as at the point."""
        trace, slots = self.traced
        return trace.program_of(slots)

    def __call__(self, leaves: Sequence[Value]) -> list[Value]:
        result = self.evaluate(self.function.call, leaves)
        self.output = output_tree(result, self.function.name)
        return [leaf for _, leaf in leaves_of(self.output)]

    def evaluate(self, call: Callable[..., Tree], leaves: Sequence[Value]) -> Tree:
        """Call a callable of the function's inputs with these leaves in them."""
        is_traced = any(isinstance(leaf, Tracer) for leaf in leaves)
        with_rebinding = is_traced and self.function.formula is None

        def argument(path: Path, leaf: Value) -> Value:
            position = self._position.get(path)
            if position is not None:
                given = leaves[position]
                return given.copy() if type(given) is np.ndarray else given
            return self._constant(leaf, is_traced)

        arguments = list(rebuild(self.inputs, argument).values())
        try:
            return _rebound_call(call, arguments) if with_rebinding else call(*arguments)
        except AdcliError:
            raise
        except Exception as error:
            if not self.function.is_file:
                raise
            raise FunctionError(describe(error, self.function.name)) from error

    def _constant(self, leaf: Value, traced: bool) -> Value:
        """An input that is not differentiated by, which the user's code may write into without harm."""
        if type(leaf) is not np.ndarray:
            return leaf
        leaf = leaf.astype(self.dtype) if self.dtype and leaf.dtype.kind == "f" else leaf
        return buffer(leaf) if traced and leaf.dtype.kind == "f" else leaf.copy()


def _rebound_call(call: Callable[..., Tree], arguments: list[Tree]) -> Tree:
    from adcli_methods.standins import rebound, standin_of  # here, for a formula starts without them

    with rebound(call):
        return (standin_of(call) or call)(*arguments)


ENTRIES.update((FlatFunction.evaluate.__code__, FlatFunction.__call__.__code__))


def describe(error: BaseException, name: str) -> str:
    """An exception of the user's code in one line, with the innermost line of a file of theirs."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if "site-packages" not in filename and "adcli_methods" not in filename and not filename.startswith("<"):
            place = f"{filename}:{trace.tb_lineno}: "
        trace = trace.tb_next
    lines = str(error).splitlines()
    return f"{place}{type(error).__name__}{': ' + lines[0] if lines else ''} (in {name})"
