"""The collected formulas: what to differentiate, where, and the right answer to 30 digits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adcli_methods.differentiate import Request, differentiate
from adcli_methods.formula import formula_function

PATH = Path(__file__).parents[2].parent / "shared" / "cases" / "expressions.jsonl"
EXACT = Context(prec=60)


@dataclass(frozen=True)
class Case:
    """A formula at a point.

    Arguments:
        name: its id in the collection.
        formula: its text.
        at: the variables' values; a name bound here is a variable even where it is also a constant's.
        order: how often it is differentiated.
        expected: the exact derivative by each variable.
        second: the exact second partial derivatives by pairs of variables; empty where they are not given.
        rounding: the relative error of plain binary64 forward mode here, which tells the conditioning.
    """

    name: str
    formula: str
    at: Mapping[str, float]
    order: int
    expected: Mapping[str, Decimal]
    second: Mapping[tuple[str, ...], Decimal]
    rounding: float

    def derivative(self, mode: str, **request: Any) -> dict[str, Any]:
        """The derivative by name, as the library gives it."""
        wrt = tuple(self.expected)
        function = formula_function(self.formula, self.at)
        result = differentiate(function, dict(self.at), Request(mode, wrt=wrt, **request)).derivative
        return result if isinstance(result, dict) else {wrt[0]: result}

    def errors(self, mode: str) -> Iterator[float]:
        """The relative error of each derivative of the case's order."""
        found = self.derivative(mode, order=self.order)
        return relative_errors(found, self.expected)

    def second_errors(self, mode: str) -> Iterator[float]:
        """The error of each second partial derivative, relative to the largest of them."""
        rows = self.derivative(mode, operator="hessian")
        largest = max(abs(value) for value in self.second.values())
        found = {pair: entry_of(rows, pair) for pair in self.second}
        return relative_errors(found, self.second, largest)


def entry_of(rows: dict[str, Any], pair: tuple[str, ...]) -> float:
    """One second partial derivative of a Hessian by names; of one variable's it is the number itself."""
    row = rows[pair[0]]
    return float(row[pair[1]] if isinstance(row, dict) else row)


def relative_errors(
    found: Mapping[Any, float], exact: Mapping[Any, Decimal], scale: Decimal = Decimal(0)
) -> Iterator[float]:
    """|found - exact| over the scale, or over |exact| where none is given; infinite for what is not finite."""
    largest = max(abs(value) for value in exact.values())
    for key, value in exact.items():
        number = Decimal(float(found[key]))
        if not number.is_finite():
            yield float("inf")
            continue
        size = scale or EXACT.abs(value) or largest or Decimal(1)
        yield float(EXACT.divide(EXACT.abs(EXACT.subtract(number, value)), size))


def misses(cases: list[Case], errors: Callable[[Case], Iterator[float]], allowed: Callable[[Case], float]) -> list[str]:
    """A line for each case that is refused or misses its allowance: its name, the cause, the error."""
    lines = []
    for case in cases:
        try:
            worst = max(errors(case))
        except Exception as error:
            lines.append(f"{case.name}: {type(error).__name__}: {error}")
            continue
        if worst > allowed(case):
            lines.append(f"{case.name}: relative error {worst:.1e}, allowed {allowed(case):.1e}: {case.formula[:80]}")
    return lines


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case; none where the collection is not beside the working tree."""
    if not PATH.is_file():
        return ()
    with PATH.open(encoding="utf-8") as lines:
        return tuple(_case(json.loads(line)) for line in lines)


def _case(record: dict[str, Any]) -> Case:
    second = record.get("expected_hess30", {})
    return Case(
        record["id"],
        record["expr"],
        record["vars"],
        record.get("order", 1),
        {name: Decimal(text) for name, text in record["expected30"].items()},
        {tuple(pair.split(",")): Decimal(text) for pair, text in second.items()},
        record["dual64_relerr"],
    )


def groups(count: int) -> list[Any]:
    """Test parameters: the cases dealt out to `count` groups alike; one skipped group where there are none."""
    cases = all_cases()
    if not cases:
        return [pytest.param([], marks=pytest.mark.skip(reason=f"the collection is not at {PATH}"))]
    return [pytest.param(list(cases[first::count]), id=f"group {first + 1} of {count}") for first in range(count)]
