"""The graph of an explanation, written to a file: drawn (SVG, PNG) or as text (DOT, Mermaid, JSON)."""

from __future__ import annotations

from pathlib import Path

from adcli_methods.errors import AdcliError
from adcli_methods.explanation import Explanation
from adcli_methods.whole_file import write_whole

SUFFIXES = (".svg", ".png", ".dot", ".mmd", ".json")


def write_graph(explanation: Explanation, path: Path, *, adjoints: bool = True) -> None:
    """Write the graph in the form that the file's suffix names, whole or not at all.

    Arguments: the explanation, the file, and whether the nodes show their adjoints.
    Raises: AdcliError for an unknown suffix or a folder that cannot be written to; UnavailableError where a drawn
        graph lacks its library.
    """
    write_whole(path, graph_bytes(explanation, path.suffix.lower(), adjoints=adjoints))


def graph_bytes(explanation: Explanation, suffix: str, *, adjoints: bool = True) -> bytes:
    """The content of a graph's file with this suffix.

    Raises: as of `write_graph`.
    """
    if suffix not in SUFFIXES:
        raise AdcliError(f"a graph is written as {', '.join(SUFFIXES)}, not as {suffix or 'a file without one'}")
    from adcli.report import graph_text
    from adcli.report.graph_folding import graph_of

    if suffix == ".json":
        return encoded(graph_text.graph_json(explanation, adjoints=adjoints))
    graph = graph_of(explanation)
    if suffix == ".dot":
        return encoded(graph_text.dot(graph, adjoints=adjoints))
    if suffix == ".mmd":
        return encoded(graph_text.mermaid(graph, adjoints=adjoints))
    from adcli.report.graph_layout import drawing_of

    drawing = drawing_of(graph, adjoints=adjoints)
    if suffix == ".svg":
        from adcli.report.graph_svg import svg

        return encoded(svg(drawing, f"Graph of {explanation.function}"))
    from adcli.report.graph_png import png

    return png(drawing)


def encoded(text: str) -> bytes:
    """Text as UTF-8; half characters, which a user's names may hold, are question marks."""
    return text.encode("utf-8", "replace")
