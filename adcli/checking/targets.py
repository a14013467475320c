"""From what a user names or hands over to the function under check and the claim about it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from adcli.checking.names import Source, functions_in
from adcli.target import PROBLEM, Target
from adcli_methods.checking.claims import Claim
from adcli_methods.errors import FunctionError
from adcli_methods.formula import formula_function, formula_inputs
from adcli_methods.function import Function, function_of
from adcli_methods.loading import function_named, load_module, names_python

if TYPE_CHECKING:
    from adcli_benchmarks.problem import Problem

_TORCH_KINDS = ("torch.nn.modules.module.Module", "torch.autograd.function.Function")


@cache
def module_at(place: str) -> ModuleType:
    """A user's module, loaded once though the function and its claim are both in it.

    Raises: FunctionError.
    """
    return load_module(place)


def function_from(target: Target, at: Any) -> Function:
    """The function under check.

    Raises: ExpressionError, FunctionError, PointError.
    """
    if isinstance(target, Function):
        return target
    if not isinstance(target, str):
        return function_of(target)
    if target.startswith(PROBLEM):
        return problem_at(target).as_function()
    return _loaded(target) if names_python(target) else formula_function(target, at)


def problem_at(target: str) -> Problem:
    """The shipped problem that "problem:name" names.

    Raises: PointError, FunctionError for a name that there is not.
    """
    from adcli_benchmarks.problems import problem_named

    return problem_named(target.removeprefix(PROBLEM))


def claim_from(target: Target | Claim, at: Any, function: Function, kind: str | None) -> Claim:
    """The claim about a function; a formula has the function's inputs.

    Raises: ExpressionError, FunctionError.
    """
    if isinstance(target, Claim):
        return target
    if isinstance(target, Function):
        return Claim(target.name, target.call, kind)
    if not isinstance(target, str):
        return Claim(function_of(target).name, target, kind)
    if names_python(target):
        return Claim(target.rpartition(":")[2], _loaded(target).call, kind)
    bound = set(at) if isinstance(at, dict) else set()
    unknown = [name for name in formula_inputs(target, bound) if name not in function.parameters]
    if unknown:
        known = ", ".join(function.parameters)
        raise FunctionError(f"--grad: {unknown[0]!r} is no input of {function.name}, whose inputs are {known}")
    return Claim(target, formula_function(target, at, inputs=function.parameters).call, kind)


def random_size(function: Function) -> int:
    """How many entries random inputs have where nothing is said: a formula's variables are numbers.

    The engine varies scale, sign and shape around it.
    """
    return 1 if function.formula is not None else 4


def _loaded(target: str) -> Function:
    if target.endswith(".py"):
        raise FunctionError(f"{target}: which function? write {target}:name")
    place, _, name = target.rpartition(":")
    module = module_at(place)
    if _is_of_torch(getattr(module, name.partition(".")[0], None)):
        raise FunctionError(f"{target} is a torch module: add --torch, and its own autograd is checked")
    return function_named(module, name, place)


def _is_of_torch(found: Any) -> bool:
    """Whether it is a torch module, its class, or an autograd.Function; without importing torch."""
    kinds = found.__mro__ if isinstance(found, type) else type(found).__mro__
    return any(f"{kind.__module__}.{kind.__name__}" in _TORCH_KINDS for kind in kinds)


def sources_of(module: ModuleType) -> dict[str, Source]:
    """A module's functions, those that it imports included."""
    names = [key for key, value in vars(module).items() if callable(value) and not isinstance(value, type)]
    file = getattr(module, "__file__", None) or ""
    written = functions_in(Path(file)) if file.endswith(".py") else {}
    return {name: replace(written.get(name, Source()), is_own=True) for name in names}
