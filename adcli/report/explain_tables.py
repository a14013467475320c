"""The evaluation traces of an explanation as tables: forward, reverse, dual numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from adcli.report.explain_layout import Block, Column, Row
from adcli.report.explain_text import number
from adcli_methods.explanation import Explanation, Line
from adcli_methods.formula_text import BAR, DOT
from adcli_methods.landmarks import source_line

TANGENT, ADJOINT = "green", "magenta"
MOST_TERMS = 24
"""Of an adjoint that collects more contributions half as many are shown."""
Table = tuple[str, list[Column], list[Block]]
"""A title, columns, and the rows in blocks."""
Cells = Callable[[Line], tuple[str, ...]]


def forward(explanation: Explanation) -> Table:
    """The tangent sweep beside the primal: both go down."""
    title = f"Forward mode: {_tangent_meaning(explanation)}"
    columns = [
        Column("", "bold"),
        Column("primal"),
        Column("value", is_number=True),
        Column("tangent v\u0307", TANGENT),
        Column("value", TANGENT, is_number=True),
    ]

    def cells(line: Line) -> tuple[str, ...]:
        return line.name, line.formula, number(line.value), line.tangent_formula, number(line.tangent)

    def output(name: str, line: Line) -> tuple[str, ...]:
        tangent = f"v{DOT}{line.name[1:]}" if line.tangent_formula else ""
        return name, line.name, number(line.value), tangent, number(line.tangent)

    return title, columns, _downward(explanation, cells, output)


def primal(explanation: Explanation) -> Table:
    """The primal sweep that a reverse sweep needs first, with a dot at each value that it keeps."""
    columns = [Column("", "bold"), Column("primal"), Column("value", is_number=True), Column("kept", "dim")]

    def cells(line: Line) -> tuple[str, ...]:
        return line.name, line.formula, number(line.value), "•" if line.kept else ""

    def output(name: str, line: Line) -> tuple[str, ...]:
        return name, line.name, number(line.value), ""

    return "Primal sweep", columns, _downward(explanation, cells, output)


def reverse(explanation: Explanation) -> Table:
    """The adjoint sweep, from the last line up: every contribution with its local partial, and their sum."""
    title = f"Reverse mode: {_adjoint_meaning(explanation)}"
    columns = [
        Column("", "bold"),
        Column("local partial"),
        Column("value", is_number=True),
        Column("adjoint v\u0304", ADJOINT),
        Column("value", ADJOINT, is_number=True),
    ]
    upward = [line for line in reversed(explanation.lines) if line.adjoint_formula]
    blocks = [partial(_adjoint_rows, explanation, line) for line in upward]

    def gradient() -> list[Row]:
        inputs = zip(explanation.inputs, explanation.lines, strict=False)
        derivative = explanation.derivative
        cells = [
            (derivative_name(explanation, name), "", "", _barred(line), number(derivative[name]))
            for name, line in inputs
        ]
        return [Row(row, "bold") for row in cells]

    return title, columns, [*blocks, gradient]


def _downward(explanation: Explanation, cells: Cells, output: Callable[[str, Line], tuple[str, ...]]) -> list[Block]:
    """A block for each line, in the order of the primal sweep, and one for the outputs."""
    marks: dict[int, list[str]] = {}
    for index, text in explanation.branches:
        marks.setdefault(index, []).append(text)

    def block(line: Line) -> list[Row]:
        return [*_spans(explanation, line, marks.get(line.index, [])), Row(cells(line))]

    def results() -> list[Row]:
        lines = [explanation.lines[index] for index in explanation.outputs]
        named = zip(explanation.output_names, lines, strict=True)
        return [Row(output(name, line), "bold") for name, line in named]

    return [*[partial(block, line) for line in explanation.lines], results]


def _adjoint_rows(explanation: Explanation, line: Line) -> list[Row]:
    """A row for each contribution; where there are several, their sum below."""
    return list(_contributions(explanation, line))


def _contributions(explanation: Explanation, line: Line) -> Iterator[Row]:
    is_seeded = line.index in explanation.outputs
    name, addends = _barred(line), len(line.terms) + is_seeded
    if is_seeded:
        seed = number(line.adjoint) if not line.terms else ""
        yield Row((name, "", "", "seed", seed))
        name = ""
    if not addends:
        yield Row((name, "", "", "0", number(line.adjoint)))
    for position, term in enumerate(line.terms):
        if len(line.terms) > MOST_TERMS and position >= MOST_TERMS // 2:
            yield Row(("", f"⋮ {len(line.terms) - position:,} more", "", "", ""))
            break
        source = explanation.lines[term.source]
        is_plain = term.partial_formula in ("", number(term.partial))
        formula = "" if is_plain else f" = {term.partial_formula}"
        partial = f"∂{source.name}/∂{line.name}{formula}"
        yield Row((name, partial, number(term.partial), term.adjoint_formula, number(term.value)))
        name = ""
    if addends > 1:
        yield Row(("", "", "", "sum", number(line.adjoint)), "bold")


def dual(explanation: Explanation) -> Table:
    """The trace in dual numbers v + v\u0307ε, ε² = 0: the forward sweep in one column."""
    title = f"Dual numbers v + v\u0307ε, ε² = 0: {_tangent_meaning(explanation)}"
    columns = [
        Column("", "bold"),
        Column("operation"),
        Column("primal + (tangent)ε", TANGENT),
        Column("value", is_number=True),
    ]

    def cells(line: Line) -> tuple[str, ...]:
        return line.name, line.formula, _dual_formula(line), _dual_value(line)

    def output(name: str, line: Line) -> tuple[str, ...]:
        return name, line.name, "", _dual_value(line)

    return title, columns, _downward(explanation, cells, output)


def _dual_formula(line: Line) -> str:
    if line.kind == "input":
        return "seed"
    if not line.tangent_formula:
        return line.formula
    tangent = line.tangent_formula
    return f"{line.formula} + {f'({tangent})' if any(sign in tangent for sign in ' ·/−') else tangent}ε"


def _dual_value(line: Line) -> str:
    value, tangent = number(line.value), number(line.tangent)
    if not line.tangent_formula:
        return value
    value, tangent = (f"({text})" if "‖" in text else text for text in (value, tangent))
    return f"{value} − {tangent[1:]}ε" if tangent.startswith("−") else f"{value} + {tangent}ε"


def _spans(explanation: Explanation, line: Line, marks: list[str]) -> list[Row]:
    """What the user's source did before a line: decisions, repetitions, and the source line itself if it is new."""
    before = explanation.lines[line.index - 1].location if line.index else None
    told = [f"▸ {mark}" for mark in marks]
    if line.location is not None and line.location != before:
        source = source_line(line.location)
        if not any(mark.startswith(source) for mark in marks):
            told.append(f"▸ {source}")
    return [Row((text,), "dim") for text in told]


def _barred(line: Line) -> str:
    return f"v{BAR}{line.name[1:]}"


def derivative_name(explanation: Explanation, name: str) -> str:
    """What the derivative by an input is called."""
    return f"∂/∂{name}" if explanation.cotangent.startswith("(") else f"∂{explanation.cotangent}/∂{name}"


def _tangent_meaning(explanation: Explanation) -> str:
    direction = explanation.seed_direction
    return f"tangents along {direction}" if direction.startswith("(") else f"v\u0307 = ∂v/∂{direction}"


def _adjoint_meaning(explanation: Explanation) -> str:
    weights = explanation.cotangent
    return f"adjoints for the cotangent {weights}" if weights.startswith("(") else f"v\u0304 = ∂{weights}/∂v"
