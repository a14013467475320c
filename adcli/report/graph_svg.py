"""A Drawing as SVG, with its own style sheet: light or dark as the reader's system prefers."""

from __future__ import annotations

from xml.sax.saxutils import escape

from adcli.report.graph_drawing import ROW_HEIGHT, ROWS_TOP, Box, Drawing, Wire

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b2330",
    "muted": "#5a6675",
    "box": "#f5f7fa",
    "rim": "#c3ccd8",
    "input": "#e6f0ff",
    "input-rim": "#7ba6e6",
    "output": "#e4f5ea",
    "output-rim": "#63b383",
    "block": "#f3ecfb",
    "block-rim": "#b394d6",
    "wire": "#98a5b5",
    "tangent": "#0b62c9",
    "adjoint": "#b8420a",
    "alarm": "#b3123f",
}
"""Colours by role; a tangent and an adjoint stay apart for every kind of colour vision."""
DARK = {
    "paper": "#11161d",
    "ink": "#e7ecf3",
    "muted": "#9aa7b8",
    "box": "#1c2430",
    "rim": "#3b4859",
    "input": "#13294a",
    "input-rim": "#4376bd",
    "output": "#11331f",
    "output-rim": "#3d8a5c",
    "block": "#2a1f3d",
    "block-rim": "#7f62a8",
    "wire": "#5f6e81",
    "tangent": "#74b5ff",
    "adjoint": "#ff9f66",
    "alarm": "#ff8fa3",
}

_STYLE = """
.adcli-graph text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,"DejaVu Sans",sans-serif;
fill:var(--ink);text-anchor:middle;font-variant-numeric:tabular-nums}
.adcli-graph .title{font-weight:600}
.adcli-graph .value{fill:var(--ink)}
.adcli-graph .place{fill:var(--muted);font-size:12px}
.adcli-graph .tangent{fill:var(--tangent)}
.adcli-graph .adjoint{fill:var(--adjoint)}
.adcli-graph rect{fill:var(--box);stroke:var(--rim);stroke-width:1.25}
.adcli-graph .input>rect{fill:var(--input);stroke:var(--input-rim)}
.adcli-graph .output>rect{fill:var(--output);stroke:var(--output-rim)}
.adcli-graph .block>rect{fill:var(--block);stroke:var(--block-rim)}
.adcli-graph .alarm>rect{stroke:var(--alarm);stroke-width:2.5}
.adcli-graph .alarm .value{fill:var(--alarm);font-weight:600}
.adcli-graph .reference>rect{fill:none;stroke:var(--input-rim);stroke-dasharray:4 3}
.adcli-graph .reference .title{font-weight:400;fill:var(--muted)}
.adcli-graph path{fill:none;stroke:var(--wire);stroke-width:1.5}
.adcli-graph .head{fill:var(--wire);stroke:none}
.adcli-graph .partial{font-size:12px;fill:var(--muted);paint-order:stroke;stroke:var(--paper);stroke-width:8px;
stroke-linejoin:round}
"""


def colours() -> str:
    """The style sheet's colours, as custom properties of the page or picture."""
    light = ";".join(f"--{role}:{colour}" for role, colour in LIGHT.items())
    dark = ";".join(f"--{role}:{colour}" for role, colour in DARK.items())
    return f":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def style() -> str:
    """The style sheet of a graph's parts."""
    return _STYLE


def svg(drawing: Drawing, title: str, *, is_alone: bool = True) -> str:
    """The picture as text.

    Arguments:
        title: what a screen reader calls it.
        is_alone: whether it is a file of its own, with style sheet and background, or part of a page.
    """
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="adcli-graph" role="img" aria-label="{xml(title)}" {size}>',
        f"<title>{xml(title)}</title>" if is_alone else "",
        f"<style>{colours()}{style()}</style>" if is_alone else "",
        f'<rect width="{width}" height="{height}" style="fill:var(--paper);stroke:none"/>' if is_alone else "",
        *(_wire(wire) for wire in drawing.wires),
        *(_box(box) for box in drawing.boxes),
        *(_label(wire) for wire in drawing.wires if wire.label),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def xml(text: str) -> str:
    """Text that may stand in an element or an attribute; what XML cannot hold is a question mark."""
    allowed = "".join(letter if letter >= " " and letter not in "\ufffe\uffff" else "?" for letter in text)
    return escape(allowed.encode("utf-8", "replace").decode(), {'"': "&quot;", "'": "&#39;"})


def _wire(wire: Wire) -> str:
    bends = "".join("C" + " ".join(f"{value:.1f}" for value in bend) for bend in wire.curves())
    x, y = wire.points[-1]
    head = f"M{x - 4:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 7:.1f}Z"
    ends = f'data-source="{wire.source}" data-target="{wire.target}"'
    start_x, start_y = wire.points[0]
    way = f"M{start_x:.1f} {start_y:.1f}{bends}"
    return f'<g class="wire" {ends}><path d="{way}"/><path class="head" d="{head}"/></g>'


def _label(wire: Wire) -> str:
    x, y = wire.label_at
    ends = f'data-source="{wire.source}" data-target="{wire.target}"'
    return f'<text class="partial" {ends} x="{x:.1f}" y="{y + 4.5:.1f}">{xml(wire.label)}</text>'


def _box(box: Box) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    base = top + ROWS_TOP + 0.72 * ROW_HEIGHT
    rows = "".join(
        f'<text class="{row.role}" x="{box.x:.1f}" y="{base + ROW_HEIGHT * rank:.1f}">{xml(row.text)}</text>'
        for rank, row in enumerate(box.rows)
    )
    shape = f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="9"/>'
    name = "reference" if box.kind == "reference" else "node"
    tooltip = f"<title>{xml(box.detail)}</title>"
    alarm = " alarm" if box.is_alarming else ""
    return f'<g class="{name} {box.kind}{alarm}" data-nodes="{box.node}">{tooltip}{shape}{rows}</g>'
