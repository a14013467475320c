"""A formula or a user's lines as HTML in which each part names the nodes of the graph that it made."""

from __future__ import annotations

import ast
import linecache
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent

from adcli.report.graph_folding import Graph
from adcli_methods.errors import ExpressionError
from adcli_methods.explanation import Explanation
from adcli_methods.expression_errors import canonical, syntax_tree
from adcli_methods.vocabulary import vocabulary

MOST_GAP = 3
"""So many user's lines without an operation are shown between two with one; of more, none."""

Span = tuple[int, int, tuple[int, ...]]
"""First column, the column after the last, and the nodes."""

_NAMED: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.MatMult: "matmul",
}
"""The operations that these signs always make."""


def source_html(explanation: Explanation, graph: Graph) -> tuple[str, str]:
    """A heading, and the formula or the user's lines with `data-nodes` on every part that made nodes."""
    if explanation.formula is not None:
        return "Formula", _marked(explanation.formula, formula_spans(explanation, graph))
    files: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for position, node in enumerate(graph.nodes):
        for line in explanation.lines[node.first : node.last + 1]:
            if line.location is not None:
                files[line.location.filename][line.location.line].add(position)
    names = ", ".join(escape(Path(filename).name) for filename in files)
    return names or "Source", "\n".join(_listing(filename, lines) for filename, lines in files.items())


def formula_spans(explanation: Explanation, graph: Graph) -> list[Span]:
    """The formula's parts and the nodes that they made.

    Where its operations are not those of the trace one by one (constants folded, equal parts shared), only the
    variables and the whole formula are linked.
    """
    text = explanation.formula or ""
    try:
        root, columns = syntax_tree(text, vocabulary())
    except (ExpressionError, RecursionError):
        return []
    node_of = {line: at for at, node in enumerate(graph.nodes) for line in range(node.first, node.last + 1)}
    inputs = {name: node_of[position] for position, name in enumerate(explanation.inputs)}
    parts = list(_parts(root))
    spans: list[Span] = [
        (columns[part.col_offset], columns[part.end_col_offset or 0], (inputs[canonical(part.id)],))
        for part in parts
        if isinstance(part, ast.Name) and canonical(part.id) in inputs
    ]
    active = [part for part in parts if not isinstance(part, ast.Name | ast.Constant | ast.List) and _has(part, inputs)]
    operations = [line for line in explanation.lines if line.kind != "input"]
    fits = len(active) == len(operations) and all(
        _NAMED.get(type(part.op), line.operation) == line.operation
        for part, line in zip(active, operations, strict=True)
        if isinstance(part, ast.BinOp)
    )
    if not fits:
        return [*spans, (0, len(text), tuple(sorted({node_of[output] for output in explanation.outputs})))]
    for part, line in zip(active, operations, strict=True):
        spans.append((columns[part.col_offset], columns[part.end_col_offset or 0], (node_of[line.index],)))
    return spans


def _parts(root: ast.expr) -> Iterator[ast.expr]:
    """The formula's operations, operands first, as they are evaluated."""
    pending: list[tuple[ast.AST, bool]] = [(root, False)]
    while pending:
        part, is_done = pending.pop()
        if is_done and isinstance(part, ast.expr):
            yield part
            continue
        if isinstance(part, ast.expr):
            pending.append((part, True))
        skipped = part.func if isinstance(part, ast.Call) else None
        children = [child for child in ast.iter_child_nodes(part) if child is not skipped]
        pending.extend((child, False) for child in reversed(children))


def _has(part: ast.expr, inputs: dict[str, int]) -> bool:
    return any(isinstance(child, ast.Name) and canonical(child.id) in inputs for child in ast.walk(part))


def _marked(text: str, spans: Sequence[Span]) -> str:
    """The text with nested elements around the spans."""
    opening: dict[int, list[tuple[int, str]]] = defaultdict(list)
    closing: dict[int, int] = defaultdict(int)
    for start, stop, nodes in spans:
        opening[start].append((stop, " ".join(map(str, nodes))))
        closing[stop] += 1
    pieces = []
    for column in range(len(text) + 1):
        pieces.append("</span>" * closing[column])
        pieces += [f'<span data-nodes="{nodes}">' for _, nodes in sorted(opening[column], key=lambda one: -one[0])]
        pieces.append(escape(text[column : column + 1]))
    return "".join(pieces)


def _listing(filename: str, lines: dict[int, set[int]]) -> str:
    """The lines that made nodes, and the few between them, without their common indentation."""
    shown: list[int] = []
    for number in sorted(lines):
        if shown and number - shown[-1] - 1 <= MOST_GAP:
            shown += range(shown[-1] + 1, number)
        shown.append(number)
    texts = dedent("\n".join(linecache.getline(filename, number).rstrip() for number in shown)).split("\n")
    rows = []
    for number, text, before in zip(shown, texts, [shown[0] - 1, *shown], strict=False):
        code = text.lstrip()
        marked = escape(code)
        if number in lines:
            marked = f'<span data-nodes="{" ".join(map(str, sorted(lines[number])))}">{marked}</span>'
        gap = "" if number == before + 1 else "…\n"
        rows.append(f'{gap}<span class="number">{number}</span>{text[: len(text) - len(code)]}{marked}')
    return "\n".join(rows)
