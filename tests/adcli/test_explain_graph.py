"""A derivative's graph, drawn and as text."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise

import numpy as np
import pytest

from adcli.report import graph_layout
from adcli.report.explain_graph import SUFFIXES, graph_bytes, write_graph
from adcli.report.graph_folding import MOST_NODES, graph_of
from adcli.report.graph_layout import drawing_of
from adcli.report.graph_svg import DARK, LIGHT
from adcli_methods.errors import AdcliError, UnavailableError
from adcli_methods.explaining import explain
from adcli_methods.explanation import Explanation
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of

SVG = "{http://www.w3.org/2000/svg}"


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def logistic(r, x):
    for _ in range(1666):
        x = r * x * (1.0 - x)
    return math.sin(x)


def network(x, y):
    states = [x, y]
    for layer in range(3):
        states = [math.tanh(a * math.sin(layer) + b + 0.1 * k) for k, (a, b) in enumerate(combinations(states, 2))] + [
            x
        ]
    return sum(states[:9]) * y


def irregular(x, y):
    for i in range(40):
        for _ in range(i % 5):
            x = x * y
        x = math.sin(x) if i % 3 else x + y
        y = y + x / (1 + i) if i % 2 else y * x - 1
    return x + y


def of_formula(text: str, **at: float) -> Explanation:
    return explain(formula_function(text, at), at)


GRIEWANK = of_formula("log(x1) + x1*x2 - sin(x2)", x1=2.0, x2=5.0)
EXPLANATIONS = {
    "one input": of_formula("x", x=1.0),
    "exp": of_formula("exp(x**2)", x=2.0),
    "Griewank": GRIEWANK,
    "twice used": of_formula("x*x + x*x", x=3.0),
    "rosenbrock": explain(function_of(rosenbrock), np.array([-1.2, -0.3, 0.6])),
    "network": explain(function_of(network), {"x": 0.3, "y": 0.8}),
    "loop": explain(function_of(logistic), {"r": 3.2, "x": 0.3}),
    "irregular": explain(function_of(irregular), {"x": 0.3, "y": 0.2}),
    "matrix": explain(function_of(lambda w, x: np.sum(np.tanh(w @ x))), {"w": np.ones((5, 3)), "x": np.arange(3.0)}),
}
every = pytest.mark.parametrize("explanation", EXPLANATIONS.values(), ids=EXPLANATIONS)


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    """Whether two rectangles (x, y, width, height around the centre) share ground."""
    return all(abs(first[i] - second[i]) < (first[i + 2] + second[i + 2]) / 2 - 0.01 for i in (0, 1))


@pytest.fixture(autouse=True)
def _igraph(request):
    if "without" not in request.node.name:
        pytest.importorskip("igraph")


@every
def test_no_box_and_no_label_lies_on_another(explanation):
    drawing = drawing_of(graph_of(explanation), tangents=True)
    places = [(box.x, box.y, box.width, box.height) for box in drawing.boxes]
    places += [(*wire.label_at, len(wire.label) * 7.0, 16.0) for wire in drawing.wires if wire.label]
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
    for x, y, width, height in places:
        assert width / 2 <= x <= drawing.width - width / 2
        assert height / 2 <= y <= drawing.height - height / 2


@every
def test_wires_lead_down_from_rim_to_rim_and_cross_no_box(explanation):
    drawing = drawing_of(graph_of(explanation))
    boxes = {box.node: box for box in drawing.boxes if box.kind != "reference"}
    for wire in drawing.wires:
        assert all(above[1] < below[1] for above, below in pairwise(wire.points))
        assert wire.points[-1][1] == boxes[wire.target].y - boxes[wire.target].height / 2
        assert any(wire.points[0][1] == box.y + box.height / 2 for box in drawing.boxes if box.node == wire.source)
        for x, y, *_ in [curve[4:] for curve in wire.curves()[:-1]]:
            assert not any(overlap((x, y, 0.0, 0.0), (b.x, b.y, b.width, b.height)) for b in drawing.boxes)


@every
def test_every_operand_is_an_edge_to_a_later_node(explanation):
    graph = graph_of(explanation)
    assert len(graph.nodes) <= MOST_NODES
    assert all(edge.source < edge.target for edge in graph.edges)
    covered = [line for node in graph.nodes for line in range(node.first, node.last + 1)]
    assert covered == list(range(len(explanation.lines)))
    inside = sum(
        any(node.first <= operand and line.index <= node.last for node in graph.nodes)
        for line in explanation.lines
        for operand in line.operands
    )
    assert sum(edge.count for edge in graph.edges) + inside == sum(len(line.operands) for line in explanation.lines)


def test_a_loop_is_its_first_iteration_the_count_of_the_middle_ones_and_its_last():
    titles = [node.title for node in graph_of(EXPLANATIONS["loop"]).nodes]
    assert titles[5] == "×1,664"
    assert titles[2:5] == ["v₁ = v₋₁·v₀", "v₂ = 1 − v₀", "v₃ = v₁·v₂"]
    assert len(titles) == 10
    (block,) = [node for node in graph_of(EXPLANATIONS["loop"]).nodes if node.kind == "block"]
    assert block.place == f"test_explain_graph.py:{logistic.__code__.co_firstlineno + 2}"


@pytest.mark.parametrize("most", [60, 30, 8, 1])
def test_any_trace_folds_to_the_nodes_there_may_be(most):
    graph = graph_of(EXPLANATIONS["irregular"], most)
    assert 0 < len(graph.nodes) <= most
    drawing_of(graph)


def test_a_graph_of_an_operand_used_far_below_repeats_its_name():
    def function(x):
        y = x
        for i in range(12):
            y = math.sin(y) + i
        return y + x

    drawing = drawing_of(graph_of(explain(function_of(function), 0.5)))
    assert [box.rows[0].text for box in drawing.boxes if box.kind == "reference"] == ["v₀"]


def test_the_svg_shows_operations_values_partials_and_adjoints():
    picture = ElementTree.fromstring(graph_bytes(GRIEWANK, ".svg"))
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"v₋₁ = x1", "v₁ = ln(v₋₁)", "0.693147", "v̄₀ = 1.71634", "0.283662"} <= set(texts)
    assert len([group for group in picture.iter(f"{SVG}g") if "wire" in group.get("class", "")]) == 8
    assert "prefers-color-scheme:dark" in graph_bytes(GRIEWANK, ".svg").decode()
    plain = graph_bytes(GRIEWANK, ".svg", adjoints=False).decode()
    assert "v̄" not in plain


@pytest.mark.parametrize(
    "name", ["</title><script>x</script>", 'a"b', "a\nb\\n", "%%{init}%%", "#quot;]]>", "\x01\ud800"]
)
def test_names_from_outside_stay_text_in_every_form(name):
    explanation = explain(function_of(lambda x: x * x), 2.0)
    lines = (type(explanation.lines[0])(**{**vars(explanation.lines[0]), "formula": name}), *explanation.lines[1:])
    hostile = Explanation(**{**vars(explanation), "function": name, "lines": lines})
    drawn = ElementTree.fromstring(graph_bytes(hostile, ".svg"))
    assert not list(drawn.iter(f"{SVG}script"))
    dot = graph_bytes(hostile, ".dot").decode()
    assert all(len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0 for line in dot.splitlines())
    mermaid = graph_bytes(hostile, ".mmd").decode()
    assert len(mermaid.splitlines()) == 1 + 2 + 2 + 4
    assert "<script" not in mermaid
    assert json.loads(graph_bytes(hostile, ".json"))["nodes"][0]["formula"] == name.replace("\ud800", "?")


@pytest.mark.parametrize(
    ("text", "at", "alarming", "told"),
    [
        ("sqrt(x) + log(x - 2)", 0.5, ["v₃ = ln(v₂)", "v₄ = v₁ + v₃"], "nan"),
        ("abs(x) + x", 0.0, ["v₁ = |v₀|"], "abs'(0) = 0"),
        ("exp(x)", 1.0, [], ""),
    ],
)
def test_nan_and_kinks_stand_out(text, at, alarming, told):
    explanation = of_formula(text, x=at)
    nodes = [node for node in graph_of(explanation).nodes if node.is_alarming]
    assert [node.title for node in nodes] == alarming
    assert all(told in node.detail for node in nodes)
    assert graph_bytes(explanation, ".svg").count(b' alarm"') == len(alarming)


def test_json_holds_every_line_in_full():
    whole = json.loads(graph_bytes(GRIEWANK, ".json"))
    assert [node["name"] for node in whole["nodes"]] == ["v₋₁", "v₀", "v₁", "v₂", "v₃", "v₄", "v₅"]
    assert [node["adjoint"] for node in whole["nodes"][:2]] == [5.5, 1.7163378145367738]
    assert {"source": 1, "target": 5, "partial": math.cos(5.0), "partial_formula": "cos(v₀)"} in whole["edges"]
    assert len(json.loads(graph_bytes(EXPLANATIONS["loop"], ".json"))["nodes"]) == 5001


def test_graphviz_reads_the_dot_file(tmp_path):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    subprocess.run(["dot", "-Tsvg", "-o", tmp_path / "x.svg"], input=graph_bytes(GRIEWANK, ".dot"), check=True)


def test_a_png_has_the_proportions_of_the_drawing_and_no_empty_picture():
    pytest.importorskip("matplotlib")
    import io

    from matplotlib.image import imread

    drawing = drawing_of(graph_of(GRIEWANK))
    pixels = imread(io.BytesIO(graph_bytes(GRIEWANK, ".png")))
    assert pixels.shape[0] / pixels.shape[1] == pytest.approx(drawing.height / drawing.width, rel=0.01)
    assert pixels[..., :3].std() > 0.05


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_suffix_is_written_whole(suffix, tmp_path):
    if suffix == ".png":
        pytest.importorskip("matplotlib")
    write_graph(EXPLANATIONS["exp"], tmp_path / f"graph{suffix.upper()}")
    assert [path.name for path in tmp_path.iterdir()] == [f"graph{suffix.upper()}"]
    assert (tmp_path / f"graph{suffix.upper()}").stat().st_size > 100


@pytest.mark.parametrize(("name", "told"), [("graph.gif", r"\.svg, \.png.* not as \.gif"), ("graph", "without one")])
def test_an_unknown_suffix_names_the_known_ones(name, told, tmp_path):
    with pytest.raises(AdcliError, match=told):
        write_graph(GRIEWANK, tmp_path / name)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AdcliError, match="cannot be written: No such file"):
        write_graph(GRIEWANK, tmp_path / "none" / "graph.dot")


@pytest.mark.parametrize(
    ("library", "suffix", "extra"), [("igraph", ".svg", "graph"), ("matplotlib", ".png", "figures")]
)
def test_drawing_without_its_library_names_the_extra(library, suffix, extra, monkeypatch):
    if library == "matplotlib":
        pytest.importorskip("igraph")
        for name in [name for name in sys.modules if name.startswith("matplotlib")]:
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UnavailableError, match=re.escape(f"pip install 'adcli[{extra}]'")):
        graph_bytes(GRIEWANK, suffix)


@pytest.mark.parametrize("suffix", [".dot", ".mmd", ".json"])
def test_text_forms_are_written_without_igraph(suffix, monkeypatch):
    monkeypatch.setitem(sys.modules, "igraph", None)
    monkeypatch.delattr(graph_layout, "drawing_of")
    assert graph_bytes(GRIEWANK, suffix)


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "box", "input", "output", "block"])
@pytest.mark.parametrize("ink", ["ink", "muted", "tangent", "adjoint", "alarm"])
def test_texts_have_the_contrast_that_readers_need(theme, ground, ink):
    brighter, darker = sorted((luminance(theme[ink]), luminance(theme[ground])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5
