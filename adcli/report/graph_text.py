"""A graph as text for other programs: DOT for Graphviz, Mermaid, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from adcli.report.as_json import SCHEMA_VERSION, plain
from adcli.report.graph_folding import Edge, Graph, Node
from adcli_methods.explanation import Explanation, Line

_DOT_STYLE = """digraph derivative {
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, fillcolor="#f5f7fa", color="#c3ccd8"];
  edge [fontname="Helvetica", fontsize=10, color="#98a5b5", fontcolor="#5a6675"];
"""
_DOT_KINDS = {
    "input": ', fillcolor="#e6f0ff", color="#7ba6e6"',
    "output": ', fillcolor="#e4f5ea", color="#63b383"',
    "block": ', fillcolor="#f3ecfb", color="#b394d6"',
}
_MERMAID_KINDS = """  classDef input fill:#e6f0ff,stroke:#7ba6e6,color:#1b2330
  classDef operation fill:#f5f7fa,stroke:#c3ccd8,color:#1b2330
  classDef output fill:#e4f5ea,stroke:#63b383,color:#1b2330
  classDef block fill:#f3ecfb,stroke:#b394d6,color:#1b2330
"""
_SAFE = re.compile(r"[^\w .,:=+\-−·/()\[\]²³×–…̄]")


def dot(graph: Graph, *, adjoints: bool = True) -> str:
    """The graph in Graphviz's language."""
    nodes = [
        f"  n{position} [label={_dot_text(_rows(node, adjoints))}{_DOT_KINDS.get(node.kind, '')}];"
        for position, node in enumerate(graph.nodes)
    ]
    edges = [
        f"  n{edge.source} -> n{edge.target}" + (f" [label={_dot_text([_label(edge)])}];" if _label(edge) else ";")
        for edge in graph.edges
    ]
    return _DOT_STYLE + "\n".join([*nodes, *edges]) + "\n}\n"


def mermaid(graph: Graph, *, adjoints: bool = True) -> str:
    """The graph as a Mermaid flow chart, as GitHub and many notebooks show it."""
    nodes = [
        f'  n{position}["{_mermaid_text(_rows(node, adjoints))}"]:::{node.kind}'
        for position, node in enumerate(graph.nodes)
    ]
    edges = [
        f"  n{edge.source} -->" + (f'|"{_mermaid_text([_label(edge)])}"| ' if _label(edge) else " ") + f"n{edge.target}"
        for edge in graph.edges
    ]
    return "flowchart TD\n" + "\n".join([*nodes, *edges]) + "\n" + _MERMAID_KINDS


def graph_json(explanation: Explanation, *, adjoints: bool = True) -> str:
    """Every line of the trace as a node and every operand as an edge, with values in full and nothing folded."""
    lines = explanation.lines
    whole = {
        "schema_version": SCHEMA_VERSION,
        "function": explanation.function,
        "outputs": list(explanation.outputs),
        "nodes": [_node_record(line, adjoints) for line in lines],
        "edges": [edge for line in lines for edge in _edge_records(line)],
    }
    return json.dumps(plain(whole), allow_nan=False, ensure_ascii=False) + "\n"


def _node_record(line: Line, adjoints: bool) -> dict[str, Any]:
    record = {
        "id": line.index,
        "name": line.name,
        "kind": line.kind,
        "operation": line.operation,
        "formula": line.formula,
        "value": line.value,
        "location": None if line.location is None else str(line.location),
    }
    return record | {"adjoint": line.adjoint} if adjoints else record


def _edge_records(line: Line) -> list[dict[str, Any]]:
    operands = zip(line.operands, line.partials, line.partial_formulas, strict=True)
    return [
        {"source": source, "target": line.index, "partial": partial, "partial_formula": formula}
        for source, partial, formula in operands
    ]


def _rows(node: Node, adjoints: bool) -> list[str]:
    place = node.place if node.kind == "block" else ""
    adjoint = f"adjoint {node.adjoint}" if adjoints and node.adjoint else ""
    return [row for row in (node.title, place, node.value, adjoint) if row]


def _label(edge: Edge) -> str:
    return edge.partial or (f"{edge.count:,} edges" if edge.count > 1 else "")


def _dot_text(rows: Sequence[str]) -> str:
    clean = (re.sub(r"[\x00-\x1f]", " ", row).replace("\\", "\\\\").replace('"', '\\"') for row in rows)
    return '"' + "\\n".join(clean) + '"'


def _mermaid_text(rows: Sequence[str]) -> str:
    return "<br>".join(_SAFE.sub(lambda found: f"#{ord(found.group())};", row) for row in rows)
