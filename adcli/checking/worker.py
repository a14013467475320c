"""The entry of the child process: loads what the order names, checks it, and tells of it as JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adcli import point as points
from adcli.checking.finding import Finding, to_record
from adcli.checking.names import pairs
from adcli.checking.order import Order, nothing_found
from adcli.checking.targets import claim_from, function_from, module_at, problem_at, random_size, sources_of
from adcli.target import PROBLEM
from adcli_methods.checking.check import check
from adcli_methods.checking.claims import Claim
from adcli_methods.errors import PointError
from adcli_methods.function import Function
from adcli_methods.loading import names_python


def run(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings of one order, each as `to_record` has it.

    Raises: AdcliError where the order cannot be followed.
    """
    return [to_record(finding) for finding in findings(Order(**payload))]


def findings(order: Order) -> list[Finding]:
    """Check what an order names, in this process.

    Raises: AdcliError where the order cannot be followed.
    """
    at = points.parse_point(order.at) if order.at is not None else None
    size = points.parse_size(order.n) if order.n is not None else None
    if order.is_torch:
        from adcli.checking.torch_claims import torch_subject

        subject = torch_subject(order.function, at, size, order.seed)
        return [_finding(order, subject.function, subject.claim, subject.point, None)]
    function = function_from(order.function, at)
    if order.function.startswith(PROBLEM) and order.claim is None:
        return [_finding(order, function, *_of_problem(order, at, size), None)]
    if at is None and size is None:
        at = _point_in_file(order.function)
        size = random_size(function) if at is None else None
    else:
        _require_known_names(order, at, function)
    point = _with_random(at, size, function, order.seed)
    checked = []
    for each in [order] if order.claim is not None else _orders_found(order):
        assert each.claim is not None
        checked.append(_finding(each, function, claim_from(each.claim, at, function, each.kind), point, size))
    return checked


def _finding(order: Order, function: Function, claim: Claim, at: Any, size: int | None) -> Finding:
    names = [name.strip() for name in order.wrt.split(",")] if order.wrt else None
    report = check(function, claim, at, kind=claim.kind, wrt=names, size=size, **order.settings())
    file, line = ("", 0) if order.is_torch else _definition(claim.call)
    return Finding(order.function, order.claim or claim.name, report, file=file, line=line)


def _orders_found(order: Order) -> list[Order]:
    """An order for each claim that the function's module has for it by name."""
    place, _, name = order.function.rpartition(":")
    if not place:
        raise nothing_found(f"the formula {order.function}")
    if order.kind == "value_and_gradient":
        return [replace(order, claim=order.function)]
    found = [pair for pair in pairs(sources_of(module_at(place))) if name == pair.function]
    if not found:
        raise nothing_found(f"{place} for {name}")
    return [replace(order, claim=f"{place}:{pair.claim}", kind=order.kind or pair.kind) for pair in found]


def _point_in_file(target: str) -> Any:
    """The point that a file has for a function f under the name f_at, or None."""
    place, _, name = target.rpartition(":")
    return getattr(module_at(place), f"{name}_at", None) if names_python(target) else None


def _of_problem(order: Order, at: Any, size: int | None) -> tuple[Claim, Any]:
    """The derivative that a shipped problem carries, and a point of it."""
    problem = problem_at(order.function)
    return Claim("its derivative", problem.derivative, order.kind), problem.point(
        size, order.seed
    ) if at is None else at


def _require_known_names(order: Order, at: Any, function: Function) -> None:
    """Raises: PointError for names of --at that the function does not have."""
    is_text = isinstance(at, dict) and "=" in (order.at or "")
    unknown = [name for name in at if name not in function.parameters] if is_text else []
    if unknown:
        known = ", ".join(function.parameters)
        raise PointError(f"--at: {function.name} has no input {unknown[0]!r}: its inputs are {known}")


def _with_random(at: Any, size: int | None, function: Function, seed: int) -> Any:
    """The point with random inputs beside those that it gives, where a size is given too."""
    if size is None or not isinstance(at, dict):
        return at
    free = tuple(name for name in function.parameters if name not in at and name not in function.defaults)
    return {**points.random_inputs(free, size, seed), **at}


def _definition(call: Callable[..., Any]) -> tuple[str, int]:
    """The file, relative to this folder where it is in it, and the line of a function's definition."""
    code = getattr(inspect.unwrap(call), "__code__", None)
    if code is None or code.co_filename.startswith("<") or "adcli_methods" in code.co_filename:
        return "", 0
    path = Path(code.co_filename)
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix(), code.co_firstlineno
    except (ValueError, OSError):
        return str(path), code.co_firstlineno
