"""What a drawn graph is made of: boxes and wires, in pixels from the upper left corner."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

ROW_HEIGHT = 19.0
ROWS_TOP = 5.0
"""From a box's upper rim to its first row."""


@dataclass(frozen=True)
class Row:
    """A line of text in a box; the role is "title", "value", "tangent" or "adjoint"."""

    role: str
    text: str


@dataclass(frozen=True)
class Box:
    """A node with its place: the centre, in pixels; a "reference" repeats a far node's name.

    Arguments: the node's position in the graph, its kind, the rows, the centre, the size, a tooltip,
        and whether it is to stand out.
    """

    node: int
    kind: str
    rows: tuple[Row, ...]
    x: float
    y: float
    width: float
    height: float
    detail: str
    is_alarming: bool


@dataclass(frozen=True)
class Wire:
    """An edge with its way: points where it is vertical, joined by curves, and where its label stands.

    Arguments: the positions of its nodes, its label, the points, and the label's centre.
    """

    source: int
    target: int
    label: str
    points: tuple[tuple[float, float], ...]
    label_at: tuple[float, float]

    def curves(self) -> list[tuple[float, float, float, float, float, float]]:
        """Bézier curves through the points: two control points and the end of each. None overshoots.

        The slopes are those of a monotone cubic interpolation of x by y (Fritsch and Butland, 1984).
        """
        secants = [(x - before_x) / (y - before_y) for (before_x, before_y), (x, y) in pairwise(self.points)]
        slopes = [0.0, *(_harmonic(above, below) for above, below in pairwise(secants)), 0.0]
        curves = []
        for (start, end), (leave, arrive) in zip(pairwise(self.points), pairwise(slopes), strict=True):
            third = (end[1] - start[1]) / 3
            curves.append((start[0] + leave * third, start[1] + third, end[0] - arrive * third, end[1] - third, *end))
        return curves


@dataclass(frozen=True)
class Drawing:
    """Boxes and wires, in pixels from the upper left corner."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first * second > 0 else 0.0
