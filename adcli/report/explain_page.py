"""An explanation as one HTML page that plays both sweeps: self-contained, and allowed to request nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from adcli.report.explain_graph import encoded
from adcli.report.explain_source import source_html
from adcli.report.graph_folding import Graph, Node, graph_of
from adcli.report.graph_layout import drawing_of
from adcli.report.graph_svg import colours, style, svg
from adcli.report.numbers import count, text
from adcli_methods.explanation import Explanation, Line
from adcli_methods.html_text import brief
from adcli_methods.whole_file import write_whole

_BLANK = re.compile(r"<!--(\w+)-->")
MOST_TERMS = 6
"""A step tells so many of an adjoint's contributions."""


def write_page(explanation: Explanation, path: Path) -> None:
    """Write the page to a file, whole or not at all.

    Raises: UnavailableError without igraph, AdcliError if the folder cannot be written to.
    """
    write_whole(path, encoded(page(explanation)))


def page(explanation: Explanation) -> str:
    """The page's text. The graph is folded as in a picture, and so are table and steps.

    Raises: UnavailableError without igraph.
    """
    graph = graph_of(explanation)
    picture = svg(drawing_of(graph, tangents=True), f"Graph of {explanation.function}", is_alone=False)
    sheet, script = colours() + style() + _part("page.css"), _part("page.js")
    source_name, source = source_html(explanation, graph)
    blanks = {
        "policy": f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_hash(sheet)}; "
        f"script-src {_hash(script)}",
        "style": sheet,
        "script": script,
        "title": escape(f"{explanation.function} – adcli"),
        "heading": escape(explanation.function),
        "point": escape("at " + ", ".join(f"{name} = {brief(value)}" for name, value in explanation.point.items())),
        "derivative": "<br>".join(_derivative_parts(explanation)),
        "graph": picture,
        "source_name": source_name,
        "source": source,
        "tangent_head": f"tangent by {escape(explanation.seed_direction)}",
        "adjoint_head": f"adjoint of {escape(explanation.cotangent)}",
        "rows": "\n".join(_row(explanation, position, node) for position, node in enumerate(graph.nodes)),
        "notes": "".join(f"<p>{escape(note)}</p>" for note in _notes(explanation)),
        "steps": json.dumps({"steps": _steps(explanation, graph), "wires": _wires(explanation, graph)})
        .replace("<", "\\u003c")
        .replace("&", "\\u0026"),
    }
    return _BLANK.sub(lambda found: blanks[found.group(1)], _part("page.html"))


def _part(name: str) -> str:
    return (files("adcli.report") / "page" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _derivative_parts(explanation: Explanation) -> list[str]:
    """Each input's adjoint in full, in a `data` element."""
    of = explanation.cotangent
    parts = []
    for name, adjoint in explanation.derivative.items():
        label = f"adjoint of {name}" if of.startswith("(") else f"∂{of}/∂{name}"
        number = escape(text(adjoint))
        parts.append(f'{escape(label)} = <data data-input="{escape(name)}" value="{number}">{number}</data>')
    return parts


def _row(explanation: Explanation, position: int, node: Node) -> str:
    line = explanation.lines[node.last]
    is_block = node.kind == "block"
    name, formula = (node.title, " " + node.detail.split(": ")[1]) if is_block else (line.name, f" = {line.formula}")
    places = f'<span class="place">{escape(node.place)}</span>' if node.place else ""
    remarks = [] if is_block else [line.branch, *(told for at, told in explanation.kinks if at == line.index)]
    told = "".join(f'<span class="place">{escape(remark)}</span>' for remark in remarks if remark)
    cells = [
        f'<td class="line"><span class="name">{escape(name)}</span>{escape(formula)}{places}{told}</td>',
        f'<td class="value"><span class="number">{escape(node.value)}</span></td>',
        _sweep_cell("tangent", _dotted(line), node.tangent, "" if is_block else line.tangent_formula),
        _sweep_cell("adjoint", _barred(line), node.adjoint, "" if is_block else _terms_text(line)),
    ]
    alarm = ' class="alarm"' if node.is_alarming else ""
    return f'<tr{alarm} data-nodes="{position}" tabindex="0">{"".join(cells)}</tr>'


def _sweep_cell(role: str, symbol: str, number: str, formula: str) -> str:
    if not number:
        return f'<td class="{role}"></td>'
    shown = f'<span class="formula">{escape(formula)}</span>' if formula not in ("", number) else ""
    named = f'<span class="symbol">{escape(symbol)} = </span>'
    return f'<td class="{role}"><span class="number">{named}{escape(number)}</span>{shown}</td>'


def _terms_text(line: Line) -> str:
    if len(line.terms) <= MOST_TERMS:
        return line.adjoint_formula
    shown = " + ".join(term.adjoint_formula for term in line.terms[:MOST_TERMS])
    return f"{shown} + … ({len(line.terms):,} contributions)"


def _steps(explanation: Explanation, graph: Graph) -> list[dict[str, Any]]:
    """The forward sweep over the nodes, then the reverse sweep back, each step told in a sentence."""
    order = list(enumerate(graph.nodes))
    forward = [{"sweep": "forward", "node": at, "text": _forward_text(explanation, node)} for at, node in order]
    reverse = [{"sweep": "reverse", "node": at, "text": _reverse_text(explanation, node)} for at, node in order[::-1]]
    return forward + reverse


def _forward_text(explanation: Explanation, node: Node) -> str:
    line = explanation.lines[node.last]
    if node.kind == "block":
        return f"{node.detail}, the last of them {line.name} = {node.value}."
    tangent = f"; its tangent is {_chain(_dotted(line), line.tangent_formula, node.tangent)}" if node.tangent else ""
    branch = f" ({line.branch})" if line.branch else ""
    return f"{_chain(line.name, line.formula, node.value)}{tangent}{branch}."


def _reverse_text(explanation: Explanation, node: Node) -> str:
    line = explanation.lines[node.last]
    if node.kind == "block":
        return f"back through {node.detail}."
    if line.adjoint is None:
        return f"no derivative flows through {line.name}."
    is_told = np.ndim(line.adjoint) == 0 and 1 < len(line.terms) <= MOST_TERMS
    total = " + ".join(brief(term.value) for term in line.terms) if is_told else ""
    return f"{_chain(_barred(line), _terms_text(line), total, node.adjoint)}."


def _chain(*parts: str) -> str:
    """Texts joined by equals signs, without blanks and repetitions."""
    return " = ".join(part for before, part in zip(("", *parts), parts, strict=False) if part and part != before)


def _dotted(line: Line) -> str:
    return f"{line.name[0]}̇{line.name[1:]}"


def _barred(line: Line) -> str:
    return f"{line.name[0]}̄{line.name[1:]}"


def _wires(explanation: Explanation, graph: Graph) -> list[list[str]]:
    """For each edge what goes along it: the operand's value, and the contribution to its adjoint on the way back."""
    terms: dict[tuple[int, int], list[str]] = defaultdict(list)
    for line in explanation.lines:
        for term in reversed(line.terms):
            terms[line.index, term.source].append(brief(term.value))
    moved = []
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        waiting = terms[source.last, target.last] if "block" not in (source.kind, target.kind) else []
        moved.append([source.value, waiting.pop() if waiting else ""])
    return moved


def _notes(explanation: Explanation) -> list[str]:
    passes = explanation.passes
    counted = (
        f"For all derivatives of {count(passes.outputs, 'output')} by {count(passes.inputs, 'input')}: "
        f"forward {count(passes.forward, 'sweep')}, reverse {count(passes.reverse, 'sweep')}."
    )
    held = (
        f"The reverse sweep keeps {count(explanation.kept_values, 'value')} ({explanation.kept_bytes:,} bytes); "
        f"the forward sweep holds {count(explanation.held_values, 'value')} ({explanation.held_forward_bytes:,} bytes)."
    )
    return [counted, held, *explanation.notes]
