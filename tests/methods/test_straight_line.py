"""The text for Python's compiler: numbers nested, names taken again, and the same bits as statement by statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adcli_methods.emission import compile_guarded, compile_program
from adcli_methods.optimiser import optimise
from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.program import GIVEN, Guard, Program
from adcli_methods.rewriting import gradient_program
from adcli_methods.shapes import Abstract, Shaped, shaped
from adcli_methods.straight_line import LONGEST_NESTED, StraightLine
from adcli_methods.targets import target
from adcli_methods.trace import Trace

RANDOM_PROGRAMS = 200
UNARY = ("negative", "sin", "tanh", "absolute", "square", "arctan")
BINARY = ("add", "subtract", "multiply", "maximum", "arctan2")


def shaped_of(function: Callable[..., Any], *inputs: Any) -> Shaped:
    trace = Trace(inputs)
    program = trace.program_of([trace.output_slot(function(*trace.tracers()))])
    return shaped(program, list(inputs))


def lines_of(given: Shaped, name: str = "math") -> list[str]:
    return StraightLine(given, target(name), {}).body()


def bits_of(function: Callable[..., Any], *inputs: Any) -> bytes | None:
    """The bits of a result; None where it is not a number or Python refuses."""
    try:
        with np.errstate(all="ignore"):
            found = function(*inputs)
    except (ArithmeticError, ValueError):
        return None
    return None if found is None or np.isnan(found).any() else np.array(found).tobytes()


def random_function(seed: int) -> Callable[..., Any]:
    """Twenty operations on earlier values, late ones more often, some of them chosen between."""

    def function(x: Any, y: Any) -> Any:
        pick = np.random.default_rng(seed)
        values = [x, y, 0.7, -1.3]
        for _ in range(20):
            a, b = (values[-int(pick.integers(1, min(len(values), 6) + 1))] for _ in range(2))
            kind = int(pick.integers(8))
            if kind < 3:
                values.append(P[str(pick.choice(UNARY))](a))
            elif kind < 7:
                values.append(P[str(pick.choice(BINARY))](a, b))
            else:
                values.append(P["where"](P["less"](a, b), a, b))
        return values[-1] + values[-2] * x

    return function


def test_a_number_that_is_read_once_stands_where_it_is_read() -> None:
    assert lines_of(shaped_of(lambda x: np.sin(x * 2.0) + x, 0.5)) == ["v1 = (sin((x0 * 2.0))) + x0"]


def test_a_number_that_is_read_twice_or_by_a_text_that_repeats_it_has_a_name() -> None:
    assert lines_of(shaped_of(lambda x: P["square"](x + 1.0), 0.5)) == ["v1 = (x0 + 1.0)", "v2 = v1 * v1"]


def test_names_are_taken_again_when_nothing_needs_their_values() -> None:
    def chain(x: Any) -> Any:
        for _ in range(50):
            x = np.sin(x) * np.cos(x)
        return x

    names = {line.split(" = ")[0] for line in lines_of(shaped_of(chain, 0.5))}
    assert len(names) <= 2


def test_arrays_have_statements_of_their_own_and_are_freed() -> None:
    lines = lines_of(shaped_of(lambda x: P["sum"](np.exp(np.sin(x)), axis=(0,), keepdims=False), np.ones(3)), "numpy")
    assert lines == ["v1 = np.sin(x0)", "v2 = np.exp(v1)", "v1 = np.sum(v2, axis=0)"]


def test_decisions_are_checked_as_soon_as_they_fall_and_constant_ones_not_at_all() -> None:
    def function(x: Any) -> Any:
        y = x * 2.0 if x + 1.0 > 0 else x
        return y + 1.0

    given = shaped_of(function, 0.5)
    program = given.program
    decided = len(program.instructions)
    more = Program(
        [*program.instructions, GIVEN], program.inputs, {**program.constants, decided: True}, program.outputs,
        [*program.guards, Guard(0, True), Guard(decided, True)],
    )  # fmt: skip
    lines = lines_of(Shaped(more, (*given.abstracts, Abstract((), "bool"))))
    assert lines[0] == "if not x0: return None"
    assert lines[1:] == ["v1 = (x0 + 1.0) > 0", "if not v1: return None", "v1 = (x0 * 2.0) + 1.0"]


def test_nested_text_stays_short() -> None:
    def deep(x: Any) -> Any:
        for _ in range(500):
            x = np.sin(x) + 1.0
        return x

    lines = lines_of(shaped_of(deep, 0.5))
    assert len(lines) < 100
    assert max(map(len, lines)) < 2 * LONGEST_NESTED


def test_random_programs_give_the_bits_that_they_give_statement_by_statement() -> None:
    for seed in range(RANDOM_PROGRAMS):
        plain = shaped_of(random_function(seed), 0.3, -1.1)
        gradient = optimise(shaped(gradient_program(plain.program, [0.3, -1.1]), [0.3, -1.1])).shaped
        for name in ("math", "numpy"):
            nested = compile_guarded(gradient, target(name), checked=True)
            by_statement = compile_program(gradient.program, target(name))
            for at in ((0.3, -1.1), (-0.0, 2.5), (7.1, 7.1)):
                assert bits_of(nested, *at) == bits_of(by_statement, at), f"seed {seed}"


@pytest.mark.parametrize("count", [8, 10_000])
def test_arrays_give_the_bits_that_they_give_statement_by_statement(count: int) -> None:
    def function(x: Any) -> Any:
        y = x
        for _ in range(6):
            y = np.sin(y) * x + P["sum"](y * x, axis=(0,), keepdims=False) * 1e-4
        return P["sum"](y, axis=(0,), keepdims=False)

    x = np.random.default_rng(0).normal(size=count)
    plain = shaped_of(function, x)
    gradient = optimise(shaped(gradient_program(plain.program, [x]), [x])).shaped
    together = compile_guarded(gradient, target("numpy"), checked=False)(x)
    apart = compile_program(gradient.program, target("numpy"))([x])
    assert together is not None
    for ours, theirs in zip(together, apart, strict=True):
        assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()
