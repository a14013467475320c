"""The optimiser of Programs: small passes that change how it computes, never what.

>>> from adcli_methods.function import FlatFunction, function_of
>>> from adcli_methods.shapes import shaped
>>> wasteful = FlatFunction(function_of(lambda x: x**2 * 1.0 + x**2), {"x": 3.0}, [("x",)])
>>> print(optimise(shaped(wasteful.program, [3.0])).shaped.program)
v0 = input 0
v1 = multiply(v0, v0)
v2 = add(v1, v1)
return v2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adcli_methods.optimiser.folding import fold_constants
from adcli_methods.optimiser.identities import simplify
from adcli_methods.optimiser.rewrite import Rule, drop_dead, rewrite
from adcli_methods.program import Program
from adcli_methods.shapes import Shaped

RULES: dict[str, Rule] = {"constant folding": fold_constants, "identities": simplify}
SHARING = "common subexpressions"
DEAD_CODE = "dead code"
PASSES = (*RULES, SHARING, DEAD_CODE)
"""The passes. All but the last go over the Program together, operation by operation."""


class PassEffect(NamedTuple):
    """How many operations a pass replaced by a constant, a simpler one or an earlier one, or left out."""

    name: str
    operations: int


class Optimised(NamedTuple):
    """A Program after the passes, and what each pass did."""

    shaped: Shaped
    effects: tuple[PassEffect, ...]


def operation_count(program: Program) -> int:
    """How many operations a Program has."""
    return len([i for i in program.instructions if i.primitive is not None])


def optimise(given: Shaped, passes: Sequence[str] = PASSES) -> Optimised:
    """A Program after these passes."""
    names = [name for name in RULES if name in passes]
    made, counts = rewrite(given, [RULES[name] for name in names], SHARING in passes)
    effects = [PassEffect(name, count) for name, count in zip([*names, SHARING], counts, strict=True)]
    if DEAD_CODE in passes:
        before = operation_count(made.program)
        made = drop_dead(made)
        effects.append(PassEffect(DEAD_CODE, before - operation_count(made.program)))
    return Optimised(made, tuple(effects))
