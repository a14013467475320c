"""What the sweeps keep: the values that the adjoint sweep reads, and the most that a tangent sweep holds."""

from __future__ import annotations

import numpy as np
import pytest

from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.formula import formula_function
from adcli_methods.liveness import held_forward, kept_bytes, kept_slots


def _problem(formula, at):
    return flat_problem(formula_function(formula, at), at, Request())


@pytest.mark.parametrize(
    ("formula", "at", "expected_bytes"),
    [
        ("x + 1", {"x": 2.0}, 0),  # a sum needs nothing
        ("exp(x)", {"x": 2.0}, 8),  # its own result
        ("exp(x**2)", {"x": 2.0}, 16),  # x, and exp's result
        ("x*y", {"x": 2.0, "y": 3.0}, 16),  # both operands
        ("2*x", {"x": 2.0}, 0),  # its constant is part of the Program
        ("sum(x)", {"x": np.ones(10)}, 0),  # a shape is no value
        ("sum(x**2)", {"x": np.ones(10)}, 80),
        ("sum(exp(x))", {"x": np.ones(10)}, 80),
        ("x*sin(x)*sin(x)", {"x": 2.0}, 8 * 4),  # x, sin(x) twice, x*sin(x)
        ("exp(floor(x))*x", {"x": 2.5}, 8 * 2),  # floor passes nothing on, so exp has nothing to do
        ("where(exp(x) > 1, x, 2 * x)", {"x": 2.5}, 8),  # the condition
    ],
)
def test_the_adjoint_sweep_keeps_what_its_rules_read(formula, at, expected_bytes):
    problem = _problem(formula, at)
    assert kept_bytes(problem.program, problem.leaves) == expected_bytes


def test_single_precision_takes_half_of_the_memory():
    at = {"x": np.ones(10, dtype=np.float32)}
    problem = _problem("sum(x**2)", at)
    assert kept_bytes(problem.program, problem.leaves) == 40


def test_views_of_one_buffer_count_once():
    problem = _problem("sum(x[:5]**2) + sum(x[5:]**2)", {"x": np.ones(10)})
    assert kept_bytes(problem.program, problem.leaves) == 80


@pytest.mark.parametrize(
    "formula", ["exp(x*y)*sin(x) + y/x", "max(x, y)**y", "x**y", "log(x)/y - tan(x)", "hypot(x, y)"]
)
def test_a_value_that_is_not_kept_does_not_change_the_gradient(formula):
    from adcli_methods.sweeps import pull

    problem = _problem(formula, {"x": 1.3, "y": 2.1})
    trace, outputs = problem.traced
    expected = pull(trace, outputs, [1.0])
    kept = kept_slots(trace, outputs)
    for slot, instruction in enumerate(trace.instructions):
        if slot not in kept and (instruction.primitive is not None or slot < trace.input_count):
            trace.values[slot] = 777.0
    assert pull(trace, outputs, [1.0]) == expected


def test_a_tangent_sweep_holds_each_live_value_and_its_tangent():
    problem = _problem("sin(sin(sin(sin(x))))", {"x": 1.0})
    assert held_forward(*problem.traced) == (4, 32)  # a chain: the operand and the result
    problem = _problem("x*y + x*z", {"x": 1.0, "y": 2.0, "z": 3.0})
    assert held_forward(*problem.traced) == (8, 64)  # x, y, z and x*y
