"""Programs on Python's floats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcli_methods.emission import compile_guarded, emit
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.shapes import shaped
from adcli_methods.targets import target

MATH = target("math")
ROWS = sorted(name for name in MATH.table if PRIMITIVES[name].scalar is not None)
SPECIAL = (0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan, 700.0, -700.0)


def outcome(function, operands):
    try:
        return function(*operands)
    except (ArithmeticError, ValueError, TypeError):
        return "outside"


@pytest.mark.parametrize("name", ROWS)
def test_a_row_computes_what_the_primitive_computes_on_floats(name):
    primitive = PRIMITIVES[name]
    ours, count = MATH.call(primitive), len(primitive.fixed)
    inside = np.random.default_rng(0).uniform(0.05, 0.95, (50, count)).tolist()
    special = [[a, b, 2.0][:count] if count < 3 else [bool(a == a), b, 2.0] for a in SPECIAL for b in SPECIAL]
    for operands in inside + special:
        found, expected = outcome(ours, operands), outcome(primitive.scalar, operands)
        if "outside" in (found, expected):
            continue
        assert (
            found == expected
            or (found != found and expected != expected)
            or (math.isclose(found, expected, rel_tol=4e-16))
        ), operands
        assert type(found) is type(expected)


def test_every_row_belongs_to_a_primitive():
    assert set(MATH.table) <= set(PRIMITIVES)


def test_source_on_floats_reads_like_mathematics():
    flat = FlatFunction(function_of(lambda x: np.exp(x * x)), {"x": 2.0}, [("x",)])
    source = emit(flat.program, MATH, "f")
    assert source == "from math import exp\n\n\ndef f(x0):\n    v1 = x0 * x0\n    v2 = exp(v1)\n    return [v2]\n"


@pytest.mark.parametrize("at", [3.0, -3.0])
def test_a_guard_that_does_not_hold_ends_the_run(at):
    flat = FlatFunction(function_of(lambda x: x * 2.0 if x > 0 else -x), {"x": at}, [("x",)])
    run = compile_guarded(shaped(flat.program, flat.leaves), MATH, checked=True)
    assert run(at) == (6.0 if at > 0 else 3.0,)
    assert run(-at) is None
    assert run(math.nan) is None
