"""Notebooks show results as small tables of escaped text."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

import adcli
from adcli_methods.explaining import explain
from adcli_methods.formula import formula_function
from adcli_methods.function import FlatFunction, function_of
from adcli_methods.html_text import MOST_ROWS, brief


class Cells(HTMLParser):
    """The rows of a table, and every tag that stands in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._in_cell = tag in ("td", "th")

    def handle_endtag(self, tag):
        self._in_cell = False

    def handle_data(self, data):
        if self._in_cell:
            self.rows[-1][-1] += data


def program_of(function, *leaves):
    return FlatFunction(function_of(function), {"x": leaves[0]}, [("x",)]).program


def test_a_derivative_shows_value_derivative_method_and_notes():
    rows = Cells(adcli.diff("abs(x)", at=0.0)._repr_html_()).rows
    assert rows[0] == ["value", "0"]
    assert rows[1] == ["derivative", "0"]
    assert rows[2][1].endswith("float64 on cpu")
    assert "kink" in rows[3][1]


def test_several_inputs_show_each_derivative_in_full():
    rows = Cells(adcli.diff("x1 + sin(x2)", at={"x1": 2, "x2": 5})._repr_html_()).rows
    assert rows[1] == ["gradient", f"x1: 1, x2: {np.cos(5.0):.17g}"]


def test_a_program_shows_an_operation_and_its_line_in_each_row():
    rows = Cells(program_of(lambda x: np.sin(x) * x, 2.0)._repr_html_()).rows
    assert rows[0] == ["slot", "operation", "place"]
    assert rows[1][:2] == ["v0", "input 0"]
    assert rows[2][1] == "sin(v0)"
    assert "test_html_text.py:" in rows[2][2]
    assert rows[-1][:2] == ["return", "v2"]


def test_an_explanation_shows_both_sweeps():
    rows = Cells(explain(formula_function("exp(x**2)"), 2.0)._repr_html_()).rows
    assert [row[2:] for row in rows[1:]] == [["2", "1", "218.393"], ["4", "4", "54.5982"], ["54.5982", "218.393", "1"]]


def test_long_tables_show_their_first_and_last_rows():
    def loop(x):
        for _ in range(1000):
            x = x * 0.99
        return x

    explanation = explain(function_of(loop), 1.0)
    cells = Cells(explanation._repr_html_())
    assert len(cells.rows) == MOST_ROWS + 2
    assert cells.rows[-1][0] == explanation.lines[-1].name
    assert "941 more rows" in cells.rows[1 + MOST_ROWS // 2][1]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "a & b"])
def test_names_from_outside_are_escaped(name):
    def function(x):
        return x

    function.__qualname__ = name
    html = adcli.diff(function, at=1.0)._repr_html_()
    assert Cells(html).tags <= {"table", "caption", "tbody", "tr", "td"}
    assert name not in html


@pytest.mark.parametrize(
    ("include", "exclude", "kinds"),
    [
        (None, None, {"text/html", "text/plain"}),
        (["text/plain"], None, {"text/plain"}),
        (None, ["text/plain"], {"text/html"}),
    ],
)
def test_a_notebook_chooses_among_html_and_plain_text(include, exclude, kinds):
    for shown in (adcli.diff("x**2", at=3), program_of(lambda x: x * x, 2.0), explain(formula_function("x"), 1.0)):
        assert set(shown._repr_mimebundle_(include=include, exclude=exclude)) == kinds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-0.0, "0"),
        (np.array([1.5, -2.0]), "[1.5, -2]"),
        (np.arange(5.0), "5 entries, norm 5.47723"),
        (np.array([True, False] * 5), "10 entries"),
        (float("nan"), "nan"),
        (np.float32(0.5), "0.5"),
    ],
)
def test_numbers_and_arrays_are_brief(value, shown):
    assert brief(value) == shown
