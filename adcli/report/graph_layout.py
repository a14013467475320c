"""A Drawing of a graph: layers from the inputs down, boxes with positions, edges as curves that keep clear of them.

Sugiyama's method: layers by longest path; edges over several layers, and every edge's label, get a place of their
own in the layers between; igraph orders each layer for few crossings; then each layer is drawn towards its neighbours,
as far as the widths allow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

from adcli.report.graph_alignment import Place, align
from adcli.report.graph_drawing import ROW_HEIGHT, ROWS_TOP, Box, Drawing, Row, Wire
from adcli.report.graph_folding import Edge, Graph, Node
from adcli_methods.errors import UnavailableError

LONGEST_SPAN = 9
"""Edges over more layers start at a small box that repeats the name of their source."""
LABEL_HEIGHT = 18.0
LAYER_GAP = 14.0
TRAVEL_GAP, MOST_GAP = 0.06, 60.0
BOX_GAP = 26.0
LABEL_GAP = 12.0
MARGIN = 18.0
PADDING = 22.0
TITLE_LETTER, LETTER = 7.9, 7.3
"""Widths in pixels that no common sans-serif face exceeds, at the sizes that the writers use."""


def drawing_of(graph: Graph, *, tangents: bool = False, adjoints: bool = True) -> Drawing:
    """Place a graph's nodes and route its edges.

    Raises: UnavailableError without igraph.
    """
    return _Layout(graph, tangents, adjoints).drawing()


class _Layout:
    """The layered graph on its way to a Drawing. Boxes stand on even layers, labels on odd ones."""

    def __init__(self, graph: Graph, tangents: bool, adjoints: bool) -> None:
        self.graph = graph
        self.rows = [_rows(node, tangents, adjoints) for node in graph.nodes]
        self.places: list[Place] = []
        self.references: dict[int, int] = {}
        self.ways: list[list[int]] = []
        layers = _layers(graph)
        for node, rows in enumerate(self.rows):
            self._place(2 * layers[node], _width(rows), _height(rows), BOX_GAP)
        for edge in graph.edges:
            self.ways.append(self._way(edge, 2 * layers[edge.source], 2 * layers[edge.target]))

    def _place(self, layer: int, width: float, height: float, gap: float, is_way: bool = False) -> int:
        self.places.append(Place(layer, width, height, gap, is_way=is_way))
        return len(self.places) - 1

    def _way(self, edge: Edge, top: int, bottom: int) -> list[int]:
        """The places that an edge passes, its ends included; its label is the last but one."""
        source = edge.source
        if bottom - top > 2 * LONGEST_SPAN:
            top = bottom - 2
            rows = self._reference_rows(edge.source)
            source = self._place(top, _width(rows), _height(rows), BOX_GAP)
            self.references[source] = edge.source
        way = [source]
        way += [self._place(layer, 2.0, 2.0, LABEL_GAP, True) for layer in range(top + 1, bottom - 1)]
        label_width = max(len(_label(edge)) * LETTER, 2.0) + 4
        way.append(self._place(bottom - 1, label_width, LABEL_HEIGHT, LABEL_GAP, True))
        way.append(edge.target)
        for upper, lower in pairwise(way):
            self.places[upper].below.append(lower)
            self.places[lower].above.append(upper)
        return way

    def drawing(self) -> Drawing:
        """Order and align the layers, and read the Drawing off them."""
        layers = self._ordered()
        align(self.places, layers)
        left = min(place.x - place.width / 2 for place in self.places) - MARGIN
        right = max(place.x + place.width / 2 for place in self.places) + MARGIN
        for place in self.places:
            place.x -= left
        heights = self._heights(len(layers))
        centres, y = [], MARGIN
        for height, gap in zip(heights, self._gaps(len(heights)), strict=True):
            centres.append(y + height / 2)
            y += height + gap
        boxes = [self._box(position, position, centres) for position in range(len(self.graph.nodes))]
        boxes += [self._box(position, node, centres) for position, node in self.references.items()]
        wires = _Routing(self.places, heights, centres, self.ways).wires(self.graph.edges)
        return Drawing(right - left, y + MARGIN, tuple(boxes), wires)

    def _ordered(self) -> list[list[int]]:
        """The places of each layer from left to right, with few crossings; x as igraph would have it."""
        igraph = _igraph()
        pairs = [(upper, lower) for way in self.ways for upper, lower in pairwise(way)]
        network = igraph.Graph(n=len(self.places), edges=pairs, directed=True)
        found = network.layout_sugiyama(layers=[place.layer for place in self.places], hgap=90.0, maxiter=200)
        layers: dict[int, list[int]] = defaultdict(list)
        for position, place in enumerate(self.places):
            place.x = found.coords[position][0]
            layers[place.layer].append(position)
        return [sorted(layers[layer], key=lambda position: self.places[position].x) for layer in sorted(layers)]

    def _heights(self, count: int) -> list[float]:
        heights = [0.0] * count
        for place in self.places:
            heights[place.layer] = max(heights[place.layer], place.height)
        return heights

    def _gaps(self, count: int) -> list[float]:
        """The space below each layer: more where edges go far sideways, none below the last."""
        travel = [0.0] * count
        for way in self.ways:
            for upper, lower in pairwise(way):
                above, below = self.places[upper], self.places[lower]
                travel[above.layer] = max(travel[above.layer], abs(above.x - below.x))
        return [LAYER_GAP + min(TRAVEL_GAP * far, MOST_GAP) for far in travel[:-1]] + [0.0]

    def _reference_rows(self, node: int) -> tuple[Row, ...]:
        return (Row("title", self.rows[node][0].text.split(" = ")[0]),)

    def _box(self, position: int, node: int, centres: Sequence[float]) -> Box:
        place, whole = self.places[position], self.graph.nodes[node]
        rows, kind = self.rows[node], whole.kind
        if position in self.references:
            rows, kind = self._reference_rows(node), "reference"
        at = (place.x, centres[place.layer], place.width, place.height)
        return Box(node, kind, rows, *at, whole.detail, whole.is_alarming)


@dataclass(frozen=True)
class _Routing:
    """Where edges leave and enter boxes: beside each other, in the order of where they come from and go to."""

    places: Sequence[Place]
    heights: Sequence[float]
    centres: Sequence[float]
    ways: Sequence[Sequence[int]]

    def wires(self, edges: Sequence[Edge]) -> tuple[Wire, ...]:
        """The edges as curves."""
        starts = self._ports(0, 1)
        ends = self._ports(-1, -2)
        wires = []
        for number, (edge, way) in enumerate(zip(edges, self.ways, strict=True)):
            points = self._rim(way[0], starts[number], 1)
            for position in way[1:-1]:
                place = self.places[position]
                sides = (0,) if place.layer % 2 else (-1, 1)
                points += [(place.x, self._edge_of(position, side)) for side in sides]
            points += self._rim(way[-1], ends[number], -1)[::-1]
            label = self.places[way[-2]]
            at = (label.x, self.centres[label.layer])
            wires.append(Wire(edge.source, edge.target, _label(edge), tuple(points), at))
        return tuple(wires)

    def _rim(self, position: int, x: float, side: int) -> list[tuple[float, float]]:
        """Where a wire meets its box, and where it leaves the layer, which may be higher than the box."""
        place = self.places[position]
        meets, leaves = self.centres[place.layer] + side * place.height / 2, self._edge_of(position, side)
        return [(x, meets), (x, leaves)] if abs(leaves - meets) > 1 else [(x, meets)]

    def _edge_of(self, position: int, side: int) -> float:
        layer = self.places[position].layer
        return self.centres[layer] + side * self.heights[layer] / 2

    def _ports(self, end: int, next_to: int) -> dict[int, float]:
        at_box: dict[int, list[int]] = defaultdict(list)
        for number, way in enumerate(self.ways):
            at_box[way[end]].append(number)
        ports = {}
        for position, numbers in at_box.items():
            numbers.sort(key=lambda number: self.places[self.ways[number][next_to]].x)
            place = self.places[position]
            step = min(18.0, 0.7 * place.width / len(numbers))
            for rank, number in enumerate(numbers):
                ports[number] = place.x + (rank - (len(numbers) - 1) / 2) * step
        return ports


def _igraph() -> Any:
    try:
        return import_module("igraph")
    except ImportError:
        message = "a drawn graph needs igraph: pip install 'adcli[graph]' (.dot, .mmd and .json need nothing)"
        raise UnavailableError(message) from None


def _rows(node: Node, tangents: bool, adjoints: bool) -> tuple[Row, ...]:
    rows = [Row("title", node.title), Row("value", node.value)]
    if node.kind == "block" and node.place:
        rows.insert(1, Row("place", node.place))
    base = node.title.split(" = ")[0] if node.kind != "block" else ""
    if tangents and node.tangent:
        rows.append(Row("tangent", f"{base[:1]}̇{base[1:]} = {node.tangent}" if base else f"tangent {node.tangent}"))
    if adjoints and node.adjoint:
        rows.append(Row("adjoint", f"{base[:1]}̄{base[1:]} = {node.adjoint}" if base else f"adjoint {node.adjoint}"))
    return tuple(rows)


def _width(rows: Sequence[Row]) -> float:
    letters = max(len(row.text) * (TITLE_LETTER if row.role == "title" else LETTER) for row in rows)
    return max(letters + PADDING, 56.0)


def _height(rows: Sequence[Row]) -> float:
    return len(rows) * ROW_HEIGHT + 2 * ROWS_TOP


def _label(edge: Edge) -> str:
    return edge.partial or (f"{edge.count:,} edges" if edge.count > 1 else "")


def _layers(graph: Graph) -> list[int]:
    """Each node as high as its operands allow; inputs just above their first use."""
    layers = [0] * len(graph.nodes)
    lowest: dict[int, int] = {}
    for edge in graph.edges:
        layers[edge.target] = max(layers[edge.target], layers[edge.source] + 1)
    fed = Counter(edge.target for edge in graph.edges)
    for edge in graph.edges:
        if not fed[edge.source]:
            lowest[edge.source] = min(lowest.get(edge.source, len(layers)), layers[edge.target] - 1)
    for node, layer in lowest.items():
        layers[node] = layer
    return layers
