"""Orders carried out: formulas here, the user's files in a process of their own with a time limit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adcli.checking.finding import NOT_CHECKED, Finding, from_record
from adcli.checking.names import functions_in, pairs
from adcli.checking.order import Order, command, nothing_found
from adcli_methods.errors import AdcliError
from adcli_methods.isolation import Outcome, run_isolated
from adcli_methods.loading import names_python

SHARE_OF_MEMORY = 0.75
"""Of this machine's memory, what the user's code may take."""


def orders_of(order: Order) -> list[Order]:
    """The order itself, or of a whole file one for each pair that its names tell of.

    Raises: FunctionError, NothingToCheckError.
    """
    if order.is_torch or not order.function.endswith(".py"):
        return [order]
    if order.claim is not None:
        raise AdcliError(f"{order.function}: --grad is the derivative of which function? write {order.function}:name")
    place = order.function
    found = pairs(functions_in(Path(place)))
    if not found:
        raise nothing_found(place)
    return [
        replace(order, function=f"{place}:{pair.function}", claim=f"{place}:{pair.claim}", kind=order.kind or pair.kind)
        for pair in found
    ]


def check_all(orders: Sequence[Order], timeout_seconds: float) -> Iterator[Finding]:
    """The findings of all orders, one after the other; an order that fails does not stop the next."""
    for order in orders:
        targets = [order.function] if order.claim is None else [order.function, order.claim]
        if not order.is_torch and not any(names_python(target) for target in targets):
            from adcli.checking.worker import findings

            found = findings(order)
        else:
            found = _isolated(order, timeout_seconds)
        for finding in found:
            yield _reproducible(finding, order)


def _isolated(order: Order, timeout_seconds: float) -> list[Finding]:
    payload = asdict(order)
    outcome = run_isolated(
        "adcli.checking.worker:run", payload, timeout_seconds=timeout_seconds, memory_bytes=_memory_bytes()
    )
    if outcome.status == "ok":
        return [from_record(record) for record in outcome.result]
    error, code = _told(outcome)
    file, line = _definition(order.claim or order.function)
    return [Finding(order.function, order.claim or "", error=error, exit_code=code, file=file, line=line)]


def _told(outcome: Outcome) -> tuple[str, int]:
    """Why there is no report, in one line, and the exit code."""
    if outcome.status == "error":
        code = outcome.result["exit_code"]
        return outcome.detail, NOT_CHECKED if code is None else code
    words = {
        "timeout": f"{outcome.detail}: give it more with --timeout",
        "out_of_memory": f"out of memory: {outcome.detail}",
        "crashed": f"the user's code crashed its process: {outcome.detail}",
        "exited": f"the user's code ended its process: {outcome.detail}",
    }
    return words[outcome.status], NOT_CHECKED


def _definition(target: str) -> tuple[str, int]:
    """The file and the line of what could not be run."""
    place, _, name = target.rpartition(":")
    try:
        found: Any = functions_in(Path(place)).get(name) if place.endswith(".py") else None
    except AdcliError:
        found = None
    return (place, found.line) if found is not None else ("", 0)


def _reproducible(finding: Finding, order: Order) -> Finding:
    if finding.report is None:
        return finding
    is_named = order.claim is not None or names_python(finding.claim)
    claim = finding.claim if is_named else None  # autograd and the derivative of a problem go without saying
    return replace(finding, report=replace(finding.report, reproduce=command(order, claim)))


def _memory_bytes() -> int | None:
    try:
        return int(SHARE_OF_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return None
