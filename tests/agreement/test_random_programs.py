"""Forward and reverse mode on 2,000 random Programs.

Both sweeps multiply and add the same partial derivatives, evaluated at the same values, in different orders, so
they may differ by rounding alone. The condition is the sum over all paths of the products of the partials'
magnitudes: one sweep forward with |partial| for partial. The two must agree within 4 eps times that sum; where no
paths cancel, it is the derivative itself, and the bound is 4 units in its last place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adcli_methods.forward import Forward
from adcli_methods.inhouse import traced
from adcli_methods.operators import derivative_blocks
from adcli_methods.primitive import Partial, Primitive
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.elementary import add
from adcli_methods.reverse import Reverse
from adcli_methods.trace import Trace

DEPTH = 6
EPS = float(np.finfo(float).eps)
NEEDS_ORDER = {"polygamma", "bessel_j", "bessel_y", "bessel_i", "bessel_k", "sinc"}
INPUTS = (0.37, 1.21, -2.6)

Node = int | float | tuple[Any, ...]
"""An input's position, a constant, or a primitive and its operands."""


def is_elementwise(primitive: Primitive) -> bool:
    """Whether it is made of partial derivatives alone and says where it may be tried."""
    rules = primitive.rules
    return not callable(rules) and bool(primitive.domain) and all(isinstance(rule, Partial) for rule in rules)


CHOICES = [row for name, row in PRIMITIVES.items() if is_elementwise(row) and name not in NEEDS_ORDER]


def evaluate(node: Node, inputs: Sequence[Any]) -> Any:
    """The value of a tree on numbers or tracers."""
    if isinstance(node, tuple):
        primitive, *operands = node
        return primitive(*[evaluate(operand, inputs) for operand in operands])
    return inputs[node] if isinstance(node, int) else node


@st.composite
def trees(draw: Callable[..., Any], depth: int = DEPTH) -> Node:
    """Random trees of primitives; an operand outside its primitive's domain is moved into it by a constant."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([0, 1, 2, 0.75, -1.5]))
    primitive = draw(st.sampled_from(CHOICES))
    operands = [_within(draw, draw(trees(depth - 1)), bounds) for bounds in primitive.domain]
    return (primitive, *operands)


def _within(draw: Callable[..., Any], node: Node, bounds: tuple[float, float]) -> Node:
    value = float(evaluate(node, INPUTS))
    low, high = bounds
    if low <= value <= high:
        return node
    inside = low + draw(st.sampled_from([0.21, 0.5, 0.83])) * (high - low)
    return (add, node, inside - value)


def path_sums(trace: Trace, output: int) -> list[float]:
    """For each input, the sum over the paths to the output of the products of the partials' magnitudes."""
    sums = []
    for start in range(trace.input_count):
        totals = [float(slot == start) for slot in range(trace.input_count)]
        for slot in range(trace.input_count, len(trace.values)):
            totals.append(_through(trace, slot, totals))
        sums.append(totals[output])
    return sums


def _through(trace: Trace, slot: int, totals: list[float]) -> float:
    instruction = trace.instructions[slot]
    if instruction.primitive is None:
        return 0.0
    operands = [trace.values[operand] for operand in instruction.operands]
    total = 0.0
    for position, operand in enumerate(instruction.operands):
        if totals[operand]:
            rule = instruction.primitive.rule(position, len(operands))
            assert isinstance(rule, Partial)
            slope = rule.constant if rule.constant is not None else rule.function(*operands, trace.values[slot])
            total += abs(float(slope)) * totals[operand]
    return total


def disagreement(tree: Node) -> float:
    """The largest difference between the two modes, in eps times the condition."""

    def function(leaves: Sequence[Any]) -> list[Any]:
        return [evaluate(tree, leaves)]

    forward, reverse = (derivative_blocks(method(), function, INPUTS, 1) for method in (Forward, Reverse))
    trace, (output,) = traced(function, INPUTS)
    found = 0.0
    for a, b, condition in zip(forward, reverse, path_sums(trace, output), strict=True):
        assert np.isfinite(a)
        if a != b:
            found = max(found, abs(a - b) / (EPS * condition))
    return found


@settings(max_examples=2000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(trees())
@example((PRIMITIVES["multiply"], (PRIMITIVES["exp"], 0), (PRIMITIVES["sin"], (PRIMITIVES["multiply"], 0, 1))))
def test_forward_and_reverse_agree_to_rounding_on_random_programs(tree: Node) -> None:
    assert disagreement(tree) <= 4.0


def test_the_random_programs_use_every_elementwise_primitive_of_the_table() -> None:
    """A primitive that needs a parameter is left out by name, so that a new row is in by itself."""
    assert {row.name for row in CHOICES} | NEEDS_ORDER == {
        row.name for row in PRIMITIVES.values() if is_elementwise(row)
    }
    assert len(CHOICES) > 60


def test_the_condition_of_a_sum_of_products_is_that_of_its_parts() -> None:
    """x*x - x at 1.21: the paths are x, x and 1."""
    tree = (PRIMITIVES["subtract"], (PRIMITIVES["multiply"], 1, 1), 1)
    trace, (output,) = traced(lambda leaves: [evaluate(tree, leaves)], INPUTS)
    assert path_sums(trace, output) == [0.0, 1.21 + 1.21 + 1.0, 0.0]
