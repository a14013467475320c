"""The steps of a derivation: for each operation the name of its rule, the rule itself, and what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods import formula_text as build
from adcli_methods.formula_text import Formula, given, named, text_of
from adcli_methods.primitive import Partial, shape_of
from adcli_methods.rule_text import Rules, operation
from adcli_methods.trace import Trace

Expression = Any
"""A SymPy expression."""
_SUMS = ("add", "subtract", "negative", "positive")
_LETTERS = ("u", "v", "w")
_CONSTANT = "c"
LONGEST_NUMBER = 5
"""A number of more digits is called c in a rule."""


@dataclass(frozen=True)
class Step:
    """One rule used.

    Arguments:
        rule: its name: "product rule", "chain rule", ...
        statement: the rule itself as text, read from its row: "(u·v)′ = v·u′ + u·v′"; empty for the plainest.
        formula: what is differentiated.
        result: its derivative.
        parts: the steps for the operands.
    """

    rule: str
    statement: str
    formula: Expression
    result: Expression
    parts: tuple[Step, ...]


_OF_ONE = {
    "square": "power rule", "sqrt": "square root rule", "cbrt": "cube root rule", "reciprocal": "reciprocal rule",
    "exp": "exponential rule", "exp2": "exponential rule", "log": "logarithm rule", "where": "piece by piece",
}  # fmt: skip
_BY_MOVING: dict[str, tuple[str, str, str]] = {
    "multiply": ("product rule", "constant multiple rule", "constant multiple rule"),
    "divide": ("quotient rule", "constant multiple rule", "reciprocal rule"),
    "power": ("general power rule", "power rule", "exponential rule"),
}
"""The rule where both operands depend on the variable, the first alone, the second alone."""


class Steps:
    """Writes the steps of a Program whose derivatives are known slot by slot.

    Arguments:
        trace: a run of the Program, which decides nothing but the shapes.
        values: the expression in each slot.
        tangents: its derivative, None where it does not depend on the variable.
    """

    def __init__(self, trace: Trace, values: Sequence[Expression], tangents: Sequence[Expression | None]) -> None:
        self.trace, self.values, self.tangents = trace, values, tangents
        self.rules = Rules(at_point=False)

    def step(self, output: int) -> Step:
        """The outermost step; the steps of operands come before it."""
        steps: dict[int, Step] = {}
        for slot in range(output + 1):
            if self.tangents[slot] is not None:
                steps[slot] = self._step(slot, steps)
        return steps[output]

    def _step(self, slot: int, steps: dict[int, Step]) -> Step:
        primitive = self.trace.instructions[slot].primitive
        value, tangent = self.values[slot], self.tangents[slot]
        if primitive is None:
            return Step("variable", "", value, tangent, ())
        moving = self._moving(slot)
        parts: list[Step] = []
        for operand in dict.fromkeys(moving):
            is_sum = primitive.name in _SUMS and steps[operand].rule in ("sum rule", "difference rule")
            parts += steps[operand].parts if is_sum else [steps[operand]]
        return Step(self._name(slot, moving, steps), self._statement(slot), value, tangent, tuple(parts))

    def _moving(self, slot: int) -> list[int]:
        """The operands that depend on the variable."""
        return [operand for operand in self.trace.instructions[slot].operands if self.tangents[operand] is not None]

    def _name(self, slot: int, moving: Sequence[int], steps: dict[int, Step]) -> str:
        instruction = self.trace.instructions[slot]
        assert instruction.primitive is not None
        name, count = instruction.primitive.name, len(moving)
        if name in ("add", "subtract"):
            return "sum rule" if name == "add" else "difference rule"
        if name in ("negative", "positive"):
            return "constant multiple rule"
        if name in _BY_MOVING:
            both, first, second = _BY_MOVING[name]
            rule = both if count > 1 else first if moving[0] == instruction.operands[0] else second
        else:
            rule = _OF_ONE.get(name, f"derivative of {name}")
        is_inner = any(steps[operand].rule != "variable" for operand in moving)
        is_composite = name not in ("multiply", "divide", "where") and is_inner
        return f"chain rule, {rule}" if is_composite else rule

    def _statement(self, slot: int) -> str:
        """The rule of an elementwise operation, with letters for what depends on the variable."""
        instruction = self.trace.instructions[slot]
        primitive, slots = instruction.primitive, instruction.operands
        assert primitive is not None
        values = [_floating(self.trace.values[operand]) for operand in slots]
        if len(slots) > len(_LETTERS) or any(shape_of(value) for value in values):
            return ""
        rules = [primitive.rule(position, len(slots)) for position in range(len(slots))]
        if any(type(rule) is not Partial for rule in rules):
            return ""
        names = self._letters(slot)
        filled = [given(value) if name is None else name for value, name in zip(values, names, strict=True)]
        whole = operation(primitive, filled, instruction.parameters)
        total: Formula = given(0.0)
        result = _floating(self.trace.values[slot])
        for position, rule in enumerate(rules):
            if self.tangents[slots[position]] is not None and type(rule) is Partial:
                row, name = (primitive, position, rule), names[position]
                partial = self.rules.partial(row, values, result, names, whole, instruction.parameters)
                assert name is not None
                total = build.add(total, build.multiply(partial, named(f"{name[1]}′")))
        return f"({text_of(whole)})′ = {text_of(total)}"

    def _letters(self, slot: int) -> list[Formula | None]:
        """u, v, ... for what depends on the variable, c for what does not, None for a number."""
        instructions = self.trace.instructions
        letters: dict[int, Formula] = {}
        names: list[Formula | None] = []
        for operand in instructions[slot].operands:
            if self.tangents[operand] is not None:
                letters.setdefault(operand, named(_LETTERS[len(letters)]))
                names.append(letters[operand])
            else:
                is_given = instructions[operand].primitive is None and operand >= self.trace.input_count
                is_short = is_given and len(text_of(given(self.trace.values[operand]))) <= LONGEST_NUMBER
                names.append(None if is_short else named(_CONSTANT))
        return names


def _floating(value: Any) -> Any:
    return np.float64(value) if type(value) is float else value
