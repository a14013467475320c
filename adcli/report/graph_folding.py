"""The graph of an explanation: a node for each line of the trace; in long traces, repeated blocks are one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from adcli_methods.explanation import Explanation, Line
from adcli_methods.html_text import brief

MOST_NODES = 200
"""Traces with more lines are folded to at most as many nodes."""
LONGEST_PERIOD = 400
"""Loops with more operations to an iteration are not looked for."""
LONGEST_FORMULA = 22
"""Nodes with a longer formula show the operation's name."""

Range = tuple[int, int, int]
"""The first line of a block, the line after its last, and how many iterations it holds."""


@dataclass(frozen=True)
class Node:
    """A line of the trace, or a block of them.

    Arguments:
        first, last: the lines that it stands for.
        kind: "input", "operation", "output", or "block" for several lines.
        title: "v₃ = v₁·v₂", or "×38" for a block of 38 iterations.
        value, tangent, adjoint: texts; empty for none. A block shows those of its last line.
        place: the user's line, "model.py:7"; empty for a formula.
        detail: all of it in one sentence, for a tooltip.
        is_alarming: whether a NaN, an infinity or a kink is among its lines.
    """

    first: int
    last: int
    kind: str
    title: str
    value: str
    tangent: str
    adjoint: str
    place: str
    detail: str
    is_alarming: bool


@dataclass(frozen=True)
class Edge:
    """An operand's way into an operation.

    Arguments:
        source, target: positions of nodes.
        partial: the local partial as text; empty where there is none, or the edge stands for several.
        count: how many operands it stands for.
    """

    source: int
    target: int
    partial: str
    count: int = 1


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of the trace, and edges between them; every edge leads to a later node."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(explanation: Explanation, most_nodes: int = MOST_NODES) -> Graph:
    """The graph of an explanation, folded where it has more lines than `most_nodes`.

    First the iterations of loops between the first and the last become one node; if that is not enough, whole loops,
    then neighbouring operations of one user's line, at last stretches of equal length.
    """
    lines = explanation.lines
    ranges: list[Range] = [(position, position + 1, 1) for position in range(len(lines))]
    if len(ranges) > most_nodes:
        runs = _runs(lines)
        for fold in _folds(lines, runs, most_nodes):
            ranges = fold()
            if len(ranges) <= most_nodes:
                break
    kinks = dict(explanation.kinks)
    nodes = tuple(_node(lines, found, kinks) for found in ranges)
    return Graph(nodes, tuple(_edges(lines, ranges)))


def _folds(lines: Sequence[Line], runs: list[Range], most_nodes: int) -> list[Callable[[], list[Range]]]:
    return [
        lambda: _with_runs(len(lines), [(start + (stop - start) // n, stop - (stop - start) // n, n - 2)
                                        for start, stop, n in runs]),
        lambda: _with_runs(len(lines), runs),
        lambda: _by_user_line(lines, _with_runs(len(lines), runs)),
        lambda: _evenly(len(lines), most_nodes),
    ]  # fmt: skip


def _runs(lines: Sequence[Line]) -> list[Range]:
    """Stretches of at least 3 iterations alike in their operations and user's lines, longest cover first found."""
    numbers: dict[Any, int] = {}
    keys = [(line.operation, line.location, len(line.operands)) for line in lines]
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    cover, period = np.zeros(len(codes), dtype=int), np.ones(len(codes), dtype=int)
    for length in range(1, min(len(codes) // 3, LONGEST_PERIOD) + 1):
        differs = np.flatnonzero(codes[length:] != codes[:-length])
        ends = np.append(differs, len(codes) - length)
        starts = np.arange(len(codes) - length)
        iterations = (ends[np.searchsorted(ends, starts)] - starts) // length + 1
        covered = np.where(iterations >= 3, iterations * length, 0)
        is_better = covered > cover[: len(covered)]
        cover[: len(covered)][is_better] = covered[is_better]
        period[: len(covered)][is_better] = length
    runs, start = [], 0
    while start < len(codes):
        if cover[start]:
            runs.append((start, start + int(cover[start]), int(cover[start] // period[start])))
        start += max(int(cover[start]), 1)
    return runs


def _with_runs(count: int, runs: list[Range]) -> list[Range]:
    """The lines one by one, but for these runs."""
    ranges: list[Range] = []
    done = 0
    for start, stop, iterations in [*runs, (count, count, 0)]:
        ranges += [(position, position + 1, 1) for position in range(done, start)]
        if start < stop:
            ranges.append((start, stop, iterations))
        done = stop
    return ranges


def _by_user_line(lines: Sequence[Line], ranges: list[Range]) -> list[Range]:
    groups = (list(group) for _, group in groupby(ranges, lambda found: (lines[found[0]].location, found[2] > 1)))
    return [(group[0][0], group[-1][1], sum(found[2] for found in group)) for group in groups]


def _evenly(count: int, most_nodes: int) -> list[Range]:
    length = -(-count // most_nodes)
    return [(start, min(start + length, count), 1) for start in range(0, count, length)]


def _node(lines: Sequence[Line], found: Range, kinks: Mapping[int, str]) -> Node:
    first, stop, iterations = found
    line = lines[stop - 1]
    tangent = "" if line.tangent is None else brief(line.tangent)
    adjoint = "" if line.adjoint is None else brief(line.adjoint)
    places = sorted({line.location for line in lines[first:stop] if line.location is not None})
    place = ", ".join(f"{Path(place.filename).name}:{place.line}" for place in places[:1])
    if len(places) > 1 and places[0].filename == places[-1].filename:
        place += f"–{places[-1].line}"
    alarms = [kinks[at] for at in range(first, stop) if at in kinks]
    is_alarming = bool(alarms) or not all(_is_finite(one.value) for one in lines[first:stop])
    if stop - first > 1:
        count = f"{stop - first:,} operations, {lines[first].name} to {line.name}"
        each = f"×{iterations:,}" if iterations > 1 else f"{stop - first:,} operations"
        detail = "; ".join((f"{each}: {count}", *alarms))
        last = (brief(line.value), tangent, adjoint, place, detail, is_alarming)
        return Node(first, stop - 1, "block", each, *last)
    detail = "; ".join(part for part in (_detail(line, place), *alarms) if part)
    return Node(first, first, line.kind, _title(line), brief(line.value), tangent, adjoint, place, detail, is_alarming)


def _is_finite(value: Any) -> bool:
    return (type(value) is float and value - value == 0) or bool(np.all(np.isfinite(value)))


def _title(line: Line) -> str:
    formula = line.formula if len(line.formula) <= LONGEST_FORMULA else f"{line.operation}(…)"
    if len(formula) > LONGEST_FORMULA:
        formula = formula[: LONGEST_FORMULA - 1] + "…"
    return f"{line.name} = {formula}"


def _detail(line: Line, place: str) -> str:
    parts = [f"{line.name} = {line.formula} = {brief(line.value)}", place, line.branch or ""]
    return "; ".join(part for part in parts if part)


def _edges(lines: Sequence[Line], ranges: Sequence[Range]) -> list[Edge]:
    node_of = [position for position, (start, stop, _) in enumerate(ranges) for _ in range(start, stop)]
    single: list[Edge] = []
    several: dict[tuple[int, int], list[str]] = {}
    for line in lines:
        target = node_of[line.index]
        for operand, partial in zip(line.operands, line.partials, strict=True):
            source, text = node_of[operand], "" if partial is None else brief(partial)
            if ranges[source][1] - ranges[source][0] == ranges[target][1] - ranges[target][0] == 1:
                single.append(Edge(source, target, text))
            elif source != target:
                several.setdefault((source, target), []).append(text)
    single += [
        Edge(source, target, texts[0] if len(texts) == 1 else "", len(texts))
        for (source, target), texts in several.items()
    ]
    return sorted(single, key=lambda edge: edge.target)
