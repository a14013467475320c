"""How figures look: one colour for each method, safe for colour-blind eyes, and labels at the lines instead of a key.

Colours are those of Okabe and Ito (2008), the yellow darkened for white paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from adcli_methods.methods import PEERS

BLACK, GREY, PALE = "#1a1a1a", "#6e6e6e", "#d9d9d9"
BLUE, SKY, GREEN, ORANGE = "#0072b2", "#3a9bd4", "#009e73", "#d98200"
RED, PINK, YELLOW = "#d55e00", "#b85c93", "#9a8700"
COLOURS = {
    "reverse": BLUE, "forward": RED, "forward-difference": ORANGE, "central-difference": PINK,
    "complex-step": GREEN, "symbolic": BLACK, "manual": GREY, "torch": SKY,
    "jax": YELLOW, "jax-jit": YELLOW, "autograd": GREY, "casadi": GREEN, "numdifftools": PINK,
    "scipy-difference": ORANGE, "torch-func": SKY, "torch-compile": SKY,
}  # fmt: skip
OWN_DASHES = "-"
PEER_DASHES = (0, (4, 2))
COMPILED_DASHES = (0, (1, 1.2))
"""Of a peer that compiles, beside the same peer that does not."""
COMPILED = ("jax-jit", "torch-compile")
WIDTH_INCHES, HEIGHT_INCHES = 7.6, 4.4
DOTS_PER_INCH = 150
LABEL_GAP_POINTS = 11.5
LABEL_SIZE = 9
SETTINGS: Any = {
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": BLACK, "axes.labelcolor": BLACK,
    "axes.titlesize": 12, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 12,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "axes.linewidth": 0.8,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#ececec", "grid.linewidth": 0.8,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": BLACK, "ytick.labelcolor": BLACK,
    "xtick.minor.visible": False, "ytick.minor.visible": False, "lines.linewidth": 1.9, "lines.markersize": 4.5,
    "figure.facecolor": "white", "savefig.facecolor": "white", "svg.fonttype": "path", "svg.hashsalt": "adcli",
}  # fmt: skip


class Series(NamedTuple):
    """A line to draw.

    Arguments:
        label: the text at its end.
        x, y: its points.
        colour: of line and label.
        dashes: matplotlib's name or pattern of a line style.
        hollow: for each point, whether it is projected, not measured.
        is_marked: whether its points are shown.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashes: Any = OWN_DASHES
    hollow: Sequence[bool] = ()
    is_marked: bool = True


def colour(method: str) -> str:
    """A method's colour, the same in every figure."""
    return COLOURS.get(method, GREY)


def dashes(method: str) -> Any:
    """A method's line style: solid for ours, broken for peers."""
    return COMPILED_DASHES if method in COMPILED else PEER_DASHES if method in PEERS else OWN_DASHES


@contextmanager
def styled(title: str, panels: int = 1, height: float = HEIGHT_INCHES) -> Iterator[tuple[Any, list[Any]]]:
    """A figure and its axes, drawn without a screen.

    Arguments:
        title: says what is seen, at the top left.
        panels: axes side by side.
        height: inches.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        axes[0].set_title(title)
        yield figure, list(axes)


def power_of_ten(value: float, _: Any = None) -> str:
    """A tick's text on a logarithmic axis, without matplotlib's slow typesetting.

    >>> power_of_ten(1e-8), power_of_ten(1000.0), power_of_ten(1.0)
    ('10⁻⁸', '10³', '1')
    """
    exponent = round(math.log10(value)) if value > 0 else 0
    return f"10{str(exponent).translate(_RAISED)}" if exponent else "1"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def logarithmic(axes: Any, *names: str) -> None:
    """Make axes logarithmic, with powers of ten at their ticks.

    Arguments: names: "x", "y" or both.
    """
    for name in names:
        axes.set(**{f"{name}scale": "log"})
        getattr(axes, f"{name}axis").set_major_formatter(power_of_ten)


def lines(axes: Any, series: Sequence[Series]) -> None:
    """Draw lines; points that are projected are hollow."""
    for one in series:
        axes.plot(one.x, one.y, linestyle=one.dashes, color=one.colour, zorder=3)
        if not one.is_marked:
            continue
        hollow = list(one.hollow) or [False] * len(one.x)
        for kind, face in ((False, one.colour), (True, "white")):
            at = [position for position, is_hollow in enumerate(hollow) if is_hollow is kind]
            axes.plot([one.x[i] for i in at], [one.y[i] for i in at], "o", color=one.colour, markerfacecolor=face,
                      zorder=4)  # fmt: skip


def label_ends(figure: Any, axes: Any, series: Sequence[Series]) -> None:
    """Each line's name at its right end, apart from its neighbours; beside its last point where it ends early."""
    figure.canvas.draw()
    gap = LABEL_GAP_POINTS * figure.dpi / 72.0
    pixels = [(*axes.transData.transform((one.x[-1], one.y[-1])), one) for one in series]
    right = max((x for x, _, _ in pixels), default=0.0)
    for x, _, one in pixels:
        if right - x > 2 * gap:
            axes.annotate(one.label, (one.x[-1], one.y[-1]), xytext=(7, -9), textcoords="offset points",
                          color=one.colour, fontsize=LABEL_SIZE, va="center", zorder=5,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})  # fmt: skip
    ends = sorted((y, position) for position, (x, y, _) in enumerate(pixels) if right - x <= 2 * gap)
    low, high = axes.bbox.y0, axes.bbox.y1
    places = spread_apart([y for y, _ in ends], gap, low, high)
    for (_, position), place in zip(ends, places, strict=True):
        one = series[position]
        axes.annotate(
            one.label, xy=(one.x[-1], one.y[-1]), xytext=(1.035, (place - low) / (high - low)),
            textcoords="axes fraction", va="center", ha="left", color=one.colour, fontsize=LABEL_SIZE,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": one.colour, "linewidth": 0.6, "alpha": 0.55,
                        "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)},
        )  # fmt: skip


def finish(figure: Any, axes: Any, series: Sequence[Series]) -> None:
    """Room for the labels at the right, then the labels."""
    axes.minorticks_off()
    widest = max((len(one.label) for one in series), default=0)
    figure.tight_layout(rect=(0.0, 0.0, 0.985 - 0.0098 * widest, 1.0))
    label_ends(figure, axes, [one for one in series if len(one.x)])


def spread_apart(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Rising heights moved as little as needed to be a gap apart, within the limits where there is room.

    >>> spread_apart([0.0, 1.0, 9.0], 3.0, 0.0, 10.0)
    [0.0, 3.0, 9.0]
    """
    places: list[float] = []
    for height in heights:
        places.append(max(height, low if not places else places[-1] + gap))
    ceiling = max(high, low + gap * (len(places) - 1))
    for position in reversed(range(len(places))):
        places[position] = min(places[position], ceiling)
        ceiling = places[position] - gap
    return places
