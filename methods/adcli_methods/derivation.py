"""A derivative derived rule by rule: the primitives' rules run on symbols, one step for each operation.

Our rules derive, SymPy simplifies. The rules hold away from single points (x = 0 of x**x, a tie of a maximum).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods.derivation_steps import Step, Steps
from adcli_methods.derivation_symbols import constants, generic
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import OperatorError, PointError
from adcli_methods.explanation import output_symbol
from adcli_methods.function import FlatFunction, Function
from adcli_methods.liveness import ancestors
from adcli_methods.primitive import Partial, shape_of
from adcli_methods.program import Program
from adcli_methods.sweeps import push_one

Expression = Any
"""A SymPy expression."""
_SOMEWHERE = 0.7


@dataclass(frozen=True)
class Derivation:
    """How the derivative of a function by one input is derived.

    Arguments:
        symbol: what the output is called.
        function: the function's formula as an expression.
        variable: the input's name.
        step: the outermost step; None where the function does not depend on the input.
        derivative: what the rules give.
        simplified: the same, simplified by SymPy if it was able to in time.
    """

    symbol: str
    function: Expression
    variable: str
    step: Step | None
    derivative: Expression
    simplified: Expression


def derivations(function: Function, at: Any = None, wrt: Sequence[str] | None = None) -> tuple[Derivation, ...]:
    """The derivation by each input.

    Arguments:
        function: a function of numbers with one number as result.
        at: a point; it decides the branches of a Python function, and a formula needs none.
        wrt: the inputs to differentiate by, None for all.
    Raises: OperatorError for arrays or several outputs, PointError where a point is needed.

    >>> from adcli_methods.formula import formula_function
    >>> [print(d.variable, d.derivative) for d in derivations(formula_function("x*exp(y)"))]
    x exp(y)
    y x*exp(y)
    [None, None]
    """
    from adcli_methods.derivation_simplify import simplified

    problem = _problem(function, at, wrt)
    with np.errstate(all="ignore"):
        program = problem.program
    names = [".".join(path) for path in problem.paths]
    if len(program.outputs) != 1 or any(shape_of(leaf) for leaf in problem.leaves) or shape_of(problem.output):
        raise OperatorError(
            f"--steps derives formulas of numbers with one number as result: {function.name} has arrays"
        )
    values, symbols = run_on_symbols(program, names)
    symbol = output_symbol([*problem.inputs, function.name])
    partials, found = Partials(program, values), []
    for position, name in enumerate(names):
        tangents = partials.tangents(position)
        output = program.outputs[0]
        step = Steps(problem.traced[0], values, tangents).step(output) if tangents[output] is not None else None
        derivative = values[output] * 0 if tangents[output] is None else tangents[output]
        found.append(Derivation(symbol, values[output], name, step, derivative, simplified(derivative, symbols)))
    return tuple(found)


def _problem(function: Function, at: Any, wrt: Sequence[str] | None) -> FlatFunction:
    if at is None:
        if function.formula is None:
            raise PointError(f"no point: the branches of {function.name} depend on it, so give --at")
        at = dict.fromkeys(function.parameters, _SOMEWHERE)
    return flat_problem(function, at, Request(wrt=wrt))


def run_on_symbols(program: Program, names: Sequence[str]) -> tuple[list[Expression], list[Expression]]:
    """The value of every slot that the output needs as an expression, and the inputs' symbols."""
    import sympy

    from adcli_methods.targets.sympy_target import SYMPY

    symbols = [sympy.Symbol(name, real=True) for name in names]
    values: list[Expression] = [None] * len(program.instructions)
    values[: len(symbols)] = symbols
    for slot in sorted(ancestors(program, program.outputs)):
        instruction = program.instructions[slot]
        if instruction.primitive is not None:
            operands = [values[operand] for operand in instruction.operands]
            values[slot] = SYMPY.call(instruction.primitive)(*operands, **instruction.parameters)
        elif slot in program.constants:
            values[slot] = constants(program.constants[slot])
    return values, symbols


class Partials:
    """The local partials of a Program's operations as expressions.

    A rule is run once, on letters in place of its operands, and what it gave is filled in after that.

    Arguments:
        program: the primal.
        values: the expression in each slot.
    """

    def __init__(self, program: Program, values: Sequence[Expression]) -> None:
        self.program, self.values = program, values
        self._rules: dict[Any, tuple[Expression, list[Expression]]] = {}
        self._partials: dict[tuple[int, int], Expression] = {}

    def tangents(self, position: int) -> list[Expression | None]:
        """The tangent sweep on symbols: the derivative of every operation by one input, None where it is 0."""
        import sympy

        tangents: list[Expression | None] = [None] * len(self.values)
        tangents[position] = sympy.Integer(1)
        for slot in sorted(ancestors(self.program, self.program.outputs)):
            if self.program.instructions[slot].primitive is not None:
                tangents[slot] = self._tangent(slot, tangents)
        return tangents

    def _tangent(self, slot: int, tangents: list[Expression | None]) -> Expression | None:
        instruction = self.program.instructions[slot]
        slots, primitive = instruction.operands, instruction.primitive
        assert primitive is not None
        rules = [primitive.rule(position, len(slots)) for position in range(len(slots))]
        is_plain = all(rule is None or type(rule) is Partial for rule in rules)
        if not is_plain or any(shape_of(self.values[i]) for i in (*slots, slot)):
            moved = push_one(instruction, list(self.values), tangents, self.values[slot])
            return None if moved is None else generic(moved)
        parts = [
            self._partial(slot, position) * tangents[i]
            for position, i in enumerate(slots)
            if tangents[i] is not None and rules[position] is not None and getattr(rules[position], "constant", 1) != 0
        ]
        return sum(parts[1:], parts[0]) if parts else None

    def _partial(self, slot: int, position: int) -> Expression:
        known = self._partials.get((slot, position))
        if known is None:
            slots = self.program.instructions[slot].operands
            partial, letters = self._rule(slot, position)
            filled = [self.values[i] for i in (*slots, slot)]
            known = partial.xreplace(dict(zip(letters, filled, strict=True)))
            self._partials[slot, position] = known
        return known

    def _rule(self, slot: int, position: int) -> tuple[Expression, list[Expression]]:
        """The partial in letters, and the letters of (*operands, result); a number stands for itself."""
        import sympy

        instruction = self.program.instructions[slot]
        primitive, slots, parameters = instruction.primitive, instruction.operands, instruction.parameters
        assert primitive is not None
        numbers = tuple(self.values[i] if self.values[i].is_number else None for i in slots)
        key = (primitive, position, numbers, repr(parameters))
        if key not in self._rules:
            rule = primitive.rule(position, len(slots))
            assert type(rule) is Partial
            letters = [sympy.Dummy(real=True) for _ in (*slots, slot)]
            given = [
                letter if number is None else number for letter, number in zip(letters, (*numbers, None), strict=True)
            ]
            constant = rule.constant
            found = rule.function(*given, **parameters) if constant is None else sympy.Integer(constant)
            self._rules[key] = generic(found), letters
        return self._rules[key]
