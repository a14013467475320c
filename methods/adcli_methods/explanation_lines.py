"""The lines of an explanation: each operation with its formula, its tangent, its adjoint and the terms of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods import formula_text as build
from adcli_methods.explanation import Line, Term
from adcli_methods.formula_text import BAR, DOT, Formula, given, named, subscript, text_of
from adcli_methods.primitive import Linear, Partial, Rule, Tangent, Value, shape_of
from adcli_methods.primitives.structural import getitem
from adcli_methods.program import Instruction, Location
from adcli_methods.rule_text import Rules, as_written, decided, index_text, operation, pushed, transposed
from adcli_methods.trace import Trace

LONGEST_RULE = 48
"""A tangent or adjoint of more characters (of a determinant, of a product) is written ∂v₃/∂v₁ instead."""


class Numbers(NamedTuple):
    """What the sweeps computed, slot by slot.

    Arguments:
        values: the primals.
        tangents: None where none arrives.
        adjoints: None where none arrives.
        terms: for each slot the contributions (source slot, position of the operand there, value).
    """

    values: list[Value]
    tangents: list[Value | None]
    adjoints: list[Value | None]
    terms: dict[int, list[tuple[int, int, Value]]]


def lines_of(
    trace: Trace,
    slots: Sequence[int],
    names: Sequence[str],
    outputs: set[int],
    kept: set[int],
    marks: Sequence[tuple[int, str]],
    numbers: Numbers,
) -> tuple[Line, ...]:
    """One Line for each of the slots.

    Arguments:
        trace: what was recorded.
        slots: the slots that are lines, inputs first.
        names: the inputs' names.
        outputs: the slots of the outputs.
        kept: the slots whose values the adjoint sweep reads.
        marks: what to tell before a line, by its position.
        numbers: what the sweeps computed.
    """
    writer = _Writer(trace, slots, names, numbers)
    told: dict[int, list[str]] = {}
    for position, text in marks:
        told.setdefault(position, []).append(text)
    return tuple(
        writer.line(index, slot, slot in outputs, slot in kept, "; ".join(told.get(index, [])) or None)
        for index, slot in enumerate(slots)
    )


class _Local(NamedTuple):
    """A local partial: as a formula, as text, and its value."""

    formula: Formula
    text: str
    value: Value | None


class _Writer:
    """Writes the lines of a trace."""

    def __init__(self, trace: Trace, slots: Sequence[int], names: Sequence[str], numbers: Numbers) -> None:
        self.trace, self.names, self.numbers = trace, names, numbers
        first = 1 - trace.input_count
        self.index = {slot: index for index, slot in enumerate(slots)}
        self.subscripts = {slot: subscript(first + index) for slot, index in self.index.items()}
        self.named = {slot: named(f"v{index}") for slot, index in self.subscripts.items()}
        self.locations: dict[Any, Location | None] = {None: None}
        self.rules = Rules()
        self.locals: dict[tuple[int, int], _Local] = {}

    def line(self, index: int, slot: int, is_output: bool, is_kept: bool, branch: str | None) -> Line:
        """The Line of a slot."""
        trace, numbers = self.trace, self.numbers
        instruction, value = trace.instructions[slot], trace.values[slot]
        is_input = slot < trace.input_count
        positions = [p for p, operand in enumerate(instruction.operands) if operand in self.index]
        locals_ = [self._partial(slot, position) for position in positions]
        flows = _is_real(numbers.values[slot]) and trace.active[slot]
        tangent, adjoint = ((n[slot] if n[slot] is not None else 0.0) for n in (numbers.tangents, numbers.adjoints))
        terms = tuple(self._term(slot, *term) for term in numbers.terms.get(slot, ()))
        return Line(
            index=index,
            slot=slot,
            name=f"v{self.subscripts[slot]}",
            kind="input" if is_input else "output" if is_output else "operation",
            operation="input" if is_input else instruction.primitive.name if instruction.primitive else "constant",
            formula=self.names[slot] if is_input else text_of(self._formula(slot, as_shown=True)),
            value=value,
            operands=tuple(self.index[instruction.operands[position]] for position in positions),
            partials=tuple(local.value for local in locals_),
            partial_formulas=tuple(local.text for local in locals_),
            tangent_formula=self._tangent_text(slot) if flows else "",
            tangent=plain_number(tangent) if flows else None,
            adjoint_formula=self._adjoint_text(slot, is_output, terms) if flows else "",
            adjoint=plain_number(adjoint) if flows else None,
            terms=terms,
            location=self._location(instruction),
            branch=branch,
            kept=is_kept,
        )

    def _location(self, instruction: Instruction) -> Location | None:
        mark = instruction.mark
        if mark not in self.locations:
            self.locations[mark] = instruction.location
        return self.locations[mark]

    def _names(self, slot: int) -> list[Formula | None]:
        """What the operands of an operation are called; None for a constant."""
        return [self.named.get(i) for i in self.trace.instructions[slot].operands]

    def _filled(self, slot: int) -> list[Formula]:
        """The operands as formulas, constants written out."""
        slots = self.trace.instructions[slot].operands
        return [self.named.get(i) or given(self.trace.values[i]) for i in slots]

    def _operands(self, slot: int) -> list[Value]:
        return [self.numbers.values[operand] for operand in self.trace.instructions[slot].operands]

    def _formula(self, slot: int, as_shown: bool = False) -> Formula:
        instruction = self.trace.instructions[slot]
        if instruction.primitive is None:
            return given(self.trace.values[slot])
        return (as_written if as_shown else operation)(
            instruction.primitive, self._filled(slot), instruction.parameters
        )

    def _rule(self, slot: int, position: int) -> Rule:
        instruction = self.trace.instructions[slot]
        assert instruction.primitive is not None
        is_active = self.trace.active[instruction.operands[position]]
        return instruction.primitive.rule(position, len(instruction.operands)) if is_active else None

    def _partial(self, slot: int, position: int) -> _Local:
        """The local partial; an empty one where the rule is not elementwise."""
        known = self.locals.get((slot, position))
        if known is None:
            known = self.locals[slot, position] = self._local(slot, position)
        return known

    def _local(self, slot: int, position: int) -> _Local:
        instruction, rule = self.trace.instructions[slot], self._rule(slot, position)
        if type(rule) is not Partial or instruction.primitive is None:
            return _Local(build.ONE, "", None)
        operands, result = self._operands(slot), self.numbers.values[slot]
        row, parameters = (instruction.primitive, position, rule), instruction.parameters
        formula = self.rules.partial(row, operands, result, self._names(slot), self._formula(slot), parameters)
        if rule.constant is not None:
            return _Local(formula, text_of(formula), float(rule.constant))
        return _Local(formula, text_of(formula), plain_number(rule.function(*operands, result, **parameters)))

    def _tangent_text(self, slot: int) -> str:
        """The tangent as a sum over the operands that move; for an input its seed."""
        instruction, tangents = self.trace.instructions[slot], self.numbers.tangents
        primitive = instruction.primitive
        if primitive is None:
            return "seed"
        moving = [tangents[i] is not None for i in instruction.operands]
        if not any(moving):
            return "0"
        dotted = [named(f"v{DOT}{self.subscripts[i]}") if i in self.index else None for i in instruction.operands]
        if primitive.joint:
            return text_of(self._joint(slot, [d if moves else None for d, moves in zip(dotted, moving, strict=True)]))
        total: Formula = ("number", 0)
        for position, moves in enumerate(moving):
            rule, name = self._rule(slot, position), dotted[position]
            if moves and rule is not None and name is not None:
                total = build.add(total, self._pushed(slot, position, rule, name))
        return text_of(total)

    def _joint(self, slot: int, dotted: Sequence[Formula | None]) -> Formula:
        """The tangent of an operation that is linear in all its operands: the operation on the tangents."""
        instruction, zero = self.trace.instructions[slot], build.given(0.0)
        primitive, operands = instruction.primitive, instruction.operands
        assert primitive is not None
        if primitive.name == "where" and (side := decided(self.trace.values[operands[0]])) is not None:
            return dotted[1 if side else 2] or zero
        is_fixed = [primitive.rule(position, len(operands)) is None for position in range(len(operands))]
        known = self._filled(slot)
        arguments = [k if fixed else d or zero for fixed, k, d in zip(is_fixed, known, dotted, strict=True)]
        return operation(primitive, arguments, instruction.parameters)

    def _pushed(self, slot: int, position: int, rule: Rule, dotted: Formula) -> Formula:
        """An operand's part of the tangent."""
        instruction = self.trace.instructions[slot]
        primitive, parameters = instruction.primitive, instruction.parameters
        assert primitive is not None
        names = self._names(slot)
        if type(rule) is Partial:
            return build.multiply(self._partial(slot, position).formula, dotted)
        if type(rule) is Linear:
            filled = self._filled(slot)
            filled[position] = dotted
            return operation(primitive, filled, parameters)
        assert type(rule) is Tangent
        operands, result = self._operands(slot), self.numbers.values[slot]
        whole = pushed(rule, operands, result, operands[position], names, self.named[slot], dotted, parameters)
        if len(text_of(whole)) <= LONGEST_RULE:
            return whole
        return build.multiply(self._symbol(slot, instruction.operands[position]), dotted)

    def _symbol(self, source: int, operand: int) -> Formula:
        """∂v₃/∂v₁, for a rule that is too long to be written out."""
        return named(f"∂v{self.subscripts[source]}/∂v{self.subscripts[operand]}")

    def _term(self, slot: int, source: int, position: int, value: Value) -> Term:
        """One contribution to the adjoint of a slot."""
        rule = self._rule(source, position)
        local, whole = self._partial(source, position), self._pulled(slot, source, position, rule)
        return Term(self.index[source], local.text, local.value, text_of(whole), plain_number(value))

    def _pulled(self, slot: int, source: int, position: int, rule: Rule) -> Formula:
        instruction = self.trace.instructions[source]
        barred = named(f"v{BAR}{self.subscripts[source]}")
        result, operands = self.numbers.values[source], self._operands(source)
        if type(rule) is Partial:
            whole = build.multiply(barred, self._partial(source, position).formula)
            return whole if shape_of(result) == shape_of(operands[position]) else ("call", "sum", whole)
        if instruction.primitive is getitem and len(operands) == 1:
            return ("call", "at", barred, named(index_text(instruction.parameters["index"])))
        if type(rule) is Linear:
            whole = transposed(rule, operands, result, self._names(source), barred, instruction.parameters)
            if len(text_of(whole)) <= LONGEST_RULE:
                return whole
        return ("multiply", barred, self._symbol(source, slot))

    def _adjoint_text(self, slot: int, is_output: bool, terms: Sequence[Term]) -> str:
        """The sum of all contributions, after the seed where the value is an output."""
        parts = [term.adjoint_formula for term in terms if term.adjoint_formula != "0"]
        if is_output:
            parts.insert(0, "seed")
        return " + ".join(parts).replace("+ −", "− ") or "0"


def _is_real(value: Value) -> bool:
    return np.asarray(value).dtype.kind == "f"


def plain_number(value: Value) -> Value:
    """NumPy's float64 as Python's float; anything else as it is."""
    return float(value) if isinstance(value, np.float64) else value
