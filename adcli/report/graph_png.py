"""A Drawing as PNG, by matplotlib: the same boxes and curves as in SVG, in the light colours."""

from __future__ import annotations

import io
import warnings
from typing import Any

from adcli.report.graph_drawing import ROW_HEIGHT, ROWS_TOP, Box, Drawing, Wire
from adcli.report.graph_svg import LIGHT
from adcli_methods.errors import UnavailableError

SCALE = 2.0
"""Pixels of the picture to a pixel of the Drawing."""
MOST_SIDE, MOST_PIXELS = 12_000, 24e6
"""The picture has no longer side and no more pixels; a larger Drawing is scaled down."""
POINTS = 72 / 96
"""Typographic points to a pixel of the Drawing."""


def png(drawing: Drawing) -> bytes:
    """The picture's bytes.

    Raises: UnavailableError without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UnavailableError("a PNG needs matplotlib: pip install 'adcli[figures]' (.svg does not)") from None
    width, height = drawing.width, drawing.height
    scale = min(SCALE, MOST_SIDE / max(width, height), (MOST_PIXELS / (width * height)) ** 0.5)
    figure = Figure(figsize=(width / 96, height / 96), dpi=96 * scale, facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for wire in drawing.wires:
        _wire(axes, wire)
    for box in drawing.boxes:
        _box(axes, box)
    for wire in drawing.wires:
        backing = {"facecolor": LIGHT["paper"], "edgecolor": "none", "pad": 1.0}
        _text(axes, wire.label_at, wire.label, 12, LIGHT["muted"], bbox=backing)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a user's names may be in any script
        figure.savefig(stream, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return stream.getvalue()


def _wire(axes: Any, wire: Wire) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    points, codes = [wire.points[0]], [Path.MOVETO]
    for bend in wire.curves():
        points += [(bend[0], bend[1]), (bend[2], bend[3]), (bend[4], bend[5])]
        codes += [Path.CURVE4] * 3
    axes.add_artist(PathPatch(Path(points, codes), fill=False, edgecolor=LIGHT["wire"], linewidth=1.5 * POINTS))
    x, y = wire.points[-1]
    axes.add_artist(
        Polygon([(x - 4, y - 7), (x, y), (x + 4, y - 7)], closed=True, facecolor=LIGHT["wire"], linewidth=0)
    )


def _box(axes: Any, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    is_reference = box.kind == "reference"
    kind = "input" if is_reference else "box" if box.kind == "operation" else box.kind
    rim = "alarm" if box.is_alarming else "rim" if kind == "box" else f"{kind}-rim"
    left, top = box.x - box.width / 2, box.y - box.height / 2
    shape = FancyBboxPatch(
        (left, top),
        box.width,
        box.height,
        boxstyle="round,pad=0,rounding_size=9",
        facecolor=LIGHT["paper" if is_reference else kind],
        edgecolor=LIGHT[rim],
        linestyle=(0, (4, 3)) if is_reference else "solid",
        linewidth=(2.5 if box.is_alarming else 1.25) * POINTS,
    )
    axes.add_artist(shape)
    for rank, row in enumerate(box.rows):
        colour = LIGHT[{"adjoint": "adjoint", "tangent": "tangent", "place": "muted"}.get(row.role, "ink")]
        at = (box.x, top + ROWS_TOP + ROW_HEIGHT * (rank + 0.5))
        weight = "bold" if row.role == "title" and not is_reference else "normal"
        _text(axes, at, row.text, 12 if row.role == "place" else 13, colour, weight=weight)


def _text(axes: Any, at: tuple[float, float], text: str, pixels: float, colour: str, **style: Any) -> None:
    if not text:
        return
    style |= {"fontsize": pixels * POINTS, "color": colour, "family": "DejaVu Sans", "parse_math": False}
    axes.text(*at, text, ha="center", va="center_baseline", **style)
