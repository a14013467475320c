"""Formulas: what they are worth, how each mistake is told, and that no text executes, hangs or crashes."""

from __future__ import annotations

import doctest
import json
import math
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adcli_methods import expression, expression_errors
from adcli_methods.errors import ExpressionError, PointError
from adcli_methods.expression import Expression, NamedFunction, caret, parse

CORPUS = Path(__file__).with_name("expression_corpus.py")
TEXTS = runpy.run_path(str(CORPUS))
HOSTILE: list[str] = TEXTS["HOSTILE"]
VALUES: list[tuple[str, Any]] = TEXTS["VALUES"]
MISTAKES: list[tuple[str, str, int | None]] = TEXTS["MISTAKES"]
SHARED = Path(__file__).parents[2].parent / "shared" / "cases" / "hostile.jsonl"
POINT = {
    "x": 0.5,
    "y": 2.0,
    "z": -3.0,
    "v": np.array([1.0, 2.0, 4.0]),
    "A": np.eye(2),
    "pi": math.pi,
    "e": 5.0,
}


def _power(base: Any, exponent: Any) -> Any:
    return np.power(np.asarray(base, dtype=float), exponent)


def _maximum(*values: Any) -> Any:
    return np.maximum.reduce(values)


def _table(*rows: tuple[Any, ...]) -> dict[str, NamedFunction]:
    return {row[0]: NamedFunction(*row) for row in rows}


FUNCTIONS = _table(
    *((name, getattr(np, name), 1, 1) for name in ("sin", "cos", "exp", "sqrt", "log2", "logical_not")),
    *((name, getattr(np, name), 2, 2) for name in ("divide", "floor_divide", "mod", "matmul", "logical_and")),
    ("logical_or", np.logical_or, 2, 2),
    ("pow", _power, 2, 2),
    ("ln", np.log, 1, 1),
    ("log", lambda x, base=math.e: np.log(x) / np.log(base), 1, 2),
    ("max", _maximum, 1, None),
    ("where", np.where, 3, 3),
    ("sum", np.sum, 1, 1, ("axis", "keepdims")),
    ("one", lambda: 1.0, 0, 0),
)


def _parse(text: str) -> Expression:
    return parse(text, FUNCTIONS, np.array)


def _value(text: str) -> Any:
    with np.errstate(all="ignore"):
        return _parse(text).evaluate(POINT)


def _error(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        _value(text)
    return caught.value


def _outcome(text: str) -> Any:
    """The formula's value, or its error; in time, and fit for a terminal."""
    start = time.perf_counter()
    try:
        return _value(text)
    except ExpressionError as error:
        told = error
    finally:
        assert time.perf_counter() - start < 2
    assert str(told).isprintable()
    assert 0 < len(str(told)) < 400
    assert all(line.isprintable() and len(line) < 90 for line in caret(told).split("\n"))
    return told


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=lambda given: str(given)[:30])
def test_a_formula_has_its_value(text: str, expected: Any) -> None:
    with np.errstate(all="ignore"):
        value = _parse(text).evaluate(POINT | {"sin": 7.0})
    np.testing.assert_allclose(value, expected, rtol=1e-5 if len(text) > 1000 else 1e-15)


@pytest.mark.parametrize(("text", "message", "column"), MISTAKES, ids=lambda given: str(given)[:30])
def test_a_mistake_is_told_with_its_place(text: str, message: str, column: int | None) -> None:
    error = _error(text)
    assert str(error).startswith(message)
    assert error.column == column
    assert isinstance(_outcome(text), ExpressionError)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:40])
def test_a_hostile_text_is_a_value_or_an_error(text: str) -> None:
    _outcome(text)


def _shared_cases() -> list[Any]:
    if not SHARED.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"{SHARED.name} is not beside this checkout"))]
    cases = [json.loads(line) for line in SHARED.read_text().splitlines()]
    kinds = ("code", "resource", "syntax")
    wanted = [case for case in cases if case["arg"] == "expr" and case["cls"] in kinds]
    return [pytest.param(case, id=case["id"]) for case in wanted]


@pytest.mark.parametrize("case", _shared_cases())
def test_a_shared_hostile_case_meets_its_expectation(case: dict[str, str]) -> None:
    outcome = _outcome(case["payload"] if "payload" in case else eval(case["gen"]))
    assert isinstance(outcome, ExpressionError) or not case["expect"].startswith("reject")


AUDIT = """
import difflib, json, math, resource, runpy, sys
from adcli_methods.expression import ExpressionError, NamedFunction, parse

events = []
rows = [("sin", math.sin, 1), ("pow", math.pow, 2), ("sum", math.fsum, 1), ("divide", math.fmod, 2)]
table = {name: NamedFunction(name, call, count, count) for name, call, count in rows}
texts = runpy.run_path(sys.argv[1])["HOSTILE"]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sys.addaudithook(lambda event, arguments: events.append((event, str(arguments[1:2]))))
for text in texts:
    try:
        parse(text, table, list).evaluate({"x": 0.5})
    except (ExpressionError, OverflowError):
        pass
heard = set(events)
eval("0")
control = len(set(events) - heard)
kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([sorted(heard), control, kibibytes]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured by the resource module")
def test_a_hostile_text_executes_opens_and_imports_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AUDIT, str(CORPUS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    heard, control, kibibytes = json.loads(done.stdout)
    assert heard == [["compile", "('<unknown>',)"]], "only ast.parse may be heard"
    assert control > 0, "the audit hook is deaf"
    assert kibibytes < 100 * 1024
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "column", "picture"),
    [
        ("x ? y", 2, "x ? y\n  ^"),
        ("x", None, "x"),
        ("", 0, ""),
        ("x\t\x1b[31m?", 7, "x\\t\\x1b[31m?\n" + " " * 11 + "^"),
        ("変数 ?", 3, "変数 ?\n" + " " * 5 + "^"),
        ("e\u0301 ?", 3, "e\u0301 ?\n  ^"),
        ("a" * 200, 0, "a" * 70 + "...\n^"),
        ("a" * 130, 60, "..." + "a" * 70 + "...\n" + " " * 38 + "^"),
        ("a" * 200, 100, "..." + "a" * 70 + "...\n" + " " * 38 + "^"),
        ("a" * 200, 200, "..." + "a" * 70 + "\n" + " " * 73 + "^"),
        ("a" * 60 + "?", 60, "a" * 60 + "?\n" + " " * 60 + "^"),
    ],
)
def test_the_caret_stands_under_its_column(text: str, column: int | None, picture: str) -> None:
    assert caret(ExpressionError("wrong", text, column)) == picture


def test_names_come_in_order_of_appearance_without_called_functions() -> None:
    assert _parse("sin(y)*π + x*e + y + [beta, sin][0]").names == ("y", "pi", "x", "e", "beta", "sin")


def test_an_operator_missing_from_the_table_is_an_error() -> None:
    with pytest.raises(ExpressionError, match=r"operator '\*\*' is not supported") as caught:
        parse("(x) ** 2", {}, list)
    assert caught.value.column == 4


@pytest.mark.parametrize("kind", [PointError, ZeroDivisionError, RecursionError, KeyError])
def test_other_errors_of_an_operation_pass(kind: type[Exception]) -> None:
    def fail(_: Any) -> Any:
        raise kind("as it is")

    with pytest.raises(kind, match="as it is"):
        parse("f(1)", _table(("f", fail, 1, 1)), list).evaluate({})


def test_an_operation_is_applied_once_however_it_is_chained() -> None:
    calls: list[float] = []
    table = FUNCTIONS | _table(("f", lambda x: calls.append(x) or x, 1, 1))
    assert parse("where(0 < f(1) < f(2), f(3), 0)", table, list).evaluate({}) == 3
    assert calls == [1, 2, 3]


def test_the_documentation_examples_hold() -> None:
    assert doctest.testmod(expression).attempted > 0
    assert doctest.testmod(expression_errors).attempted > 0
    assert doctest.testmod(expression).failed + doctest.testmod(expression_errors).failed == 0


fuzz = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
ATOMS = st.sampled_from(["x", "y", "z", "2.0", "0.5", "3e-2", "pi"])
GRAMMAR = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**", "%", "//"]), inner).map(" ".join),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("{}({})".format, st.sampled_from(["sin", "cos", "exp"]), inner),
    ),
    max_leaves=12,
)
SIGNS = [
    *"x2()[],.=:;'\"\\#^@!~\n\t_é²−λ",
    "**",
    "//",
    "==",
    ":=",
    "1e",
    "0x",
    "in",
    "if",
    "not",
    "sin",
    "__",
]
PIECES = st.sampled_from(SIGNS)


def _python_value(text: str) -> Any:
    names = {name: np.float64(POINT[name]) for name in ("x", "y", "z", "pi")}
    return eval(text, {}, {**names, "sin": np.sin, "cos": np.cos, "exp": np.exp})


@settings(fuzz, max_examples=1500)
@given(GRAMMAR)
def test_a_formula_means_what_it_means_in_python(text: str) -> None:
    value = _outcome(text)
    with np.errstate(all="ignore"):
        try:
            expected = _python_value(text)
        except ArithmeticError:
            return
    if not isinstance(expected, complex):
        np.testing.assert_allclose(value, expected, rtol=1e-13)


@settings(fuzz, max_examples=2000)
@given(GRAMMAR, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), PIECES), min_size=1, max_size=4))
def test_a_damaged_formula_is_a_value_or_an_error(text: str, damages: list[tuple[int, int, str]]) -> None:
    for place, length, piece in damages:
        text = text[:place] + piece + text[place + length :]
    _outcome(text)


@settings(fuzz, max_examples=1500)
@given(st.text(max_size=60))
def test_an_arbitrary_text_is_a_value_or_an_error(text: str) -> None:
    _outcome(text)
