"""The optimiser of Programs: small passes, each a Program in and a Program out that computes the same.

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

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adcli_methods.optimiser.folding import fold_constants, share_common
from adcli_methods.optimiser.identities import simplify
from adcli_methods.optimiser.rewrite import drop_dead
from adcli_methods.program import Program
from adcli_methods.shapes import Shaped

Pass = Callable[[Shaped], Shaped]

PASSES: dict[str, Pass] = {
    "constant folding": fold_constants,
    "identities": simplify,
    "common subexpressions": share_common,
    "dead code": drop_dead,
}
"""Each pass by its name, in the order in which they run."""


class PassEffect(NamedTuple):
    """The number of operations before and after a pass."""

    name: str
    operations_before: int
    operations_after: int


class Optimised(NamedTuple):
    """A Program after the passes, and what each pass did."""

    shaped: Shaped
    effects: tuple[PassEffect, ...]


def operation_count(program: Program) -> int:
    """How many operations a Program has."""
    return sum(instruction.primitive is not None for instruction in program.instructions)


def optimise(given: Shaped, passes: Sequence[str] = tuple(PASSES)) -> Optimised:
    """A Program after these passes, in their order."""
    effects = []
    for name in passes:
        before = operation_count(given.program)
        given = PASSES[name](given)
        effects.append(PassEffect(name, before, operation_count(given.program)))
    return Optimised(given, tuple(effects))
