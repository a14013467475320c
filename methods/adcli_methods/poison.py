"""Where NaN, infinities and kinks were born in an explained run, and what they reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adcli_methods.explanation import Explanation
from adcli_methods.primitive import Value


@dataclass(frozen=True)
class Birth:
    """A line at which something went wrong that was right before.

    Arguments:
        kind: "NaN", "Inf", "NaN slope", "Inf slope", "Inf adjoint", "NaN adjoint" or "kink".
        line: the line it was born at.
        what: what happened there, in words.
        values: the lines after it whose values are not finite either because of it.
        derivatives: the inputs whose derivatives it reached; of a kink those that its convention decides.
    """

    kind: str
    line: int
    what: str
    values: tuple[int, ...]
    derivatives: tuple[str, ...]


def births(explanation: Explanation) -> list[Birth]:
    """Every birth of a run, in the order of the primal sweep; then those of the adjoint sweep.

    Arguments:
        explanation: the run.

    >>> from adcli_methods.explaining import explain
    >>> from adcli_methods.formula import formula_function
    >>> [(b.kind, b.what, b.derivatives) for b in births(explain(formula_function("sqrt(x)*y"), {"x": 0.0, "y": 2.0}))]
    [('Inf slope', '∂v₁/∂v₋₁ = 0.5/√v₋₁ is infinite', ('x',))]
    """
    found = list(_value_births(explanation)) + list(_slope_births(explanation))
    told = {birth.line for birth in found}
    for index, convention in explanation.kinks:
        if index in told:
            continue
        found.append(Birth("kink", index, convention, (), _inputs_of(explanation, index)))
    found.sort(key=lambda birth: birth.line)
    return found + list(_adjoint_births(explanation, {birth.line for birth in found if birth.kind != "kink"}))


def kind_of(value: Value | None) -> str:
    """ "NaN" or "Inf", empty for what is finite."""
    if value is None:
        return ""
    array = np.asarray(value)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return ""
    return "NaN" if np.isnan(array).any() else "Inf"


def _value_births(explanation: Explanation) -> Iterator[Birth]:
    for line in explanation.lines:
        kind = kind_of(line.value)
        before = {kind_of(explanation.lines[operand].value) for operand in line.operands}
        if kind and kind not in before and not (kind == "Inf" and before - {""}):
            poisoned = tuple(i for i in _descendants(explanation, line.index) if kind_of(explanation.lines[i].value))
            what = (
                f"{line.name} = {line.formula} is {kind} of finite operands"
                if line.operands
                else f"{line.formula} is {kind}"
            )
            if before - {""}:
                what = f"{line.name} = {line.formula} makes NaN of infinities"
            yield Birth(
                kind, line.index, what, poisoned, _poisoned_inputs(explanation, _inputs_of(explanation, line.index))
            )


def _slope_births(explanation: Explanation) -> Iterator[Birth]:
    for line in explanation.lines:
        operands_are_finite = not any(kind_of(explanation.lines[i].value) for i in line.operands)
        if kind_of(line.value) or not operands_are_finite:
            continue
        for operand, partial, formula in zip(line.operands, line.partials, line.partial_formulas, strict=True):
            kind = kind_of(partial)
            if kind:
                symbol = f"∂{line.name}/∂{explanation.lines[operand].name}"
                what = f"{symbol} = {formula} is {'infinite' if kind == 'Inf' else 'NaN'}"
                inputs = _inputs_of(explanation, operand)
                yield Birth(f"{kind} slope", line.index, what, (), _poisoned_inputs(explanation, inputs))


def _adjoint_births(explanation: Explanation, known: set[int]) -> Iterator[Birth]:
    """Adjoints that are not finite though what they were made of is: an overflow, or infinities that cancel."""
    for line in reversed(explanation.lines):
        kind = kind_of(line.adjoint)
        sources = {term.source for term in line.terms}
        parts = [explanation.lines[source].adjoint for source in sources] + [term.partial for term in line.terms]
        if kind and not sources & known and not any(kind_of(part) for part in parts):
            bar = line.name.replace("v", "v\u0304", 1)
            what = f"{bar} = {line.adjoint_formula} is {kind} of finite terms"
            yield Birth(
                f"{kind} adjoint",
                line.index,
                what,
                (),
                _poisoned_inputs(explanation, _inputs_of(explanation, line.index)),
            )


def _descendants(explanation: Explanation, start: int) -> Iterator[int]:
    """The lines that are computed from a line."""
    reached = {start}
    for line in explanation.lines[start + 1 :]:
        if any(operand in reached for operand in line.operands):
            reached.add(line.index)
            yield line.index


def _inputs_of(explanation: Explanation, index: int) -> tuple[str, ...]:
    """The inputs that a line was computed from."""
    reached, waiting = set[int](), [index]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting.extend(explanation.lines[current].operands)
    return tuple(name for i, name in enumerate(explanation.inputs) if i in reached)


def _poisoned_inputs(explanation: Explanation, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if kind_of(explanation.derivative[name]))
