"""The text of the page that plays both sweeps."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from adcli.report.explain_page import page
from adcli.report.explain_source import formula_spans
from adcli.report.graph_folding import graph_of
from adcli_methods.explaining import explain
from adcli_methods.explanation import Explanation
from adcli_methods.formula import formula_function

pytest.importorskip("igraph")


def of_formula(text: str, **at: float) -> Explanation:
    return explain(formula_function(text, at), at)


GRIEWANK = of_formula("log(x1) + x1*x2 - sin(x2)", x1=2.0, x2=5.0)


class Page(HTMLParser):
    """The tags and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "action", "data") and value]


def test_the_page_is_one_file_without_links():
    text = page(GRIEWANK)
    read = Page(text)
    assert read.links == []
    assert read.tags.count("script") == 2
    assert not {"img", "iframe", "link", "object"} & set(read.tags)
    assert "default-src 'none'" in text
    assert not re.search(r"<!--\w+-->", text)


def test_without_a_script_the_page_shows_everything():
    text = page(GRIEWANK)
    assert '<data data-input="x1" value="5.5">5.5</data>' in text
    assert "visibility: hidden" not in re.sub(r"(?s)\.can-step[^{]*\{[^}]*\}|\.head[^{]*\{[^}]*\}", "", text)


@pytest.mark.parametrize(
    ("formula", "spans"),
    [
        ("exp(x**2)", {"exp(x**2)", "x**2", "x"}),
        ("2*pi*x", {"2*pi*x", "x"}),
        ("(x + 1) * -x", {"(x + 1) * -x", "x + 1", "-x", "x"}),
        ("x - x", {"x - x", "x"}),
    ],
)
def test_each_operation_s_part_of_the_formula_is_marked(formula, spans):
    explanation = of_formula(formula, x=2.0)
    found = formula_spans(explanation, graph_of(explanation))
    assert {formula[start:stop] for start, stop, _ in found} == spans
