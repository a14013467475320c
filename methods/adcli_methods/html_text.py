"""Small HTML tables for notebooks: no script, no style sheet, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from adcli_methods.derivative import Derivative
    from adcli_methods.explanation import Explanation
    from adcli_methods.program import Program

MOST_ROWS = 60
"""Longer tables show their first and last rows."""
MOST_ENTRIES = 4
"""Arrays with more entries are summarised by shape and norm."""
LONGEST_TEXT = 400
"""Longer texts are cut."""


def brief(value: Any, digits: int = 6) -> str:
    """A number in so many digits, a short vector entry by entry, another array by its shape and norm.

    >>> brief(54.598150033144236), brief(np.ones(3)), brief(np.ones((30, 2)))
    ('54.5982', '[1, 1, 1]', '30×2, norm 7.74597')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array.item(), digits)
    if array.ndim == 1 and array.size <= MOST_ENTRIES:
        return "[" + ", ".join(_number(entry.item(), min(digits, 4)) for entry in array) + "]"
    shape = f"{array.size:,} entries" if array.ndim == 1 else "×".join(map(str, array.shape))
    is_real = array.dtype.kind in "fiu"
    return f"{shape}, norm {_number(float(np.linalg.norm(array.ravel())), digits)}" if is_real else shape


def _number(value: Any, digits: int) -> str:
    return f"{value + 0:.{digits}g}" if isinstance(value, (int, float)) else str(value)  # + 0: no -0


def derivative_html(result: Derivative) -> str:
    """A Derivative: what was differentiated, how, the value, the derivative, and its notes."""
    work = [
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in (
            (result.primal_evaluations, "evaluation"),
            (result.tangent_sweeps, "tangent sweep"),
            (result.adjoint_sweeps, "adjoint sweep"),
        )
        if count
    ]
    order = f", order {result.order}" if result.order > 1 else ""
    rows = [("value", _tree(result.value)), (f"{result.operator}{order}", _tree(result.derivative))]
    rows += [("method", f"{result.method}, {', '.join(work)}, {result.dtype} on {result.device}")]
    rows += [("note", note) for note in result.notes]
    return _table(result.function, (), rows)


def program_html(program: Program) -> str:
    """A Program: a row for each slot."""
    rows = []
    for slot, line in enumerate(str(program).split("\n")):
        location = program.instructions[slot].location if slot < len(program.instructions) else None
        name, _, operation = line.partition(" = ") if location or " = " in line else ("return", "", line[7:])
        rows.append((name, operation, str(location or "")))
    return _table("Program", ("slot", "operation", "place"), rows)


def explanation_html(explanation: Explanation) -> str:
    """An Explanation: the evaluation trace with both sweeps."""
    rows = [
        (
            line.name,
            line.formula,
            brief(line.value),
            "" if line.tangent is None else brief(line.tangent),
            "" if line.adjoint is None else brief(line.adjoint),
        )
        for line in explanation.lines
    ]
    heads = ("line", "operation", "value", f"tangent by {explanation.seed_direction}")
    return _table(explanation.function, (*heads, f"adjoint of {explanation.cotangent}"), rows)


def bundle(html: str, plain: str, include: Any, exclude: Any) -> dict[str, str]:
    """What a notebook may choose from: HTML and plain text.

    Arguments: both texts, and the MIME types wanted and not wanted, None where the notebook does not say.
    """
    whole = {"text/html": html, "text/plain": plain}
    return {kind: text for kind, text in whole.items() if kind in (include or whole) and kind not in (exclude or ())}


def _tree(value: Any) -> str:
    """A value in the form that the function returned it: dicts and tuples entry by entry."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_tree(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(_tree(part) for part in value) + ")"
    return brief(value, 17)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of left-aligned texts; of many rows the first and the last."""
    shown = list(rows)
    if len(shown) > MOST_ROWS:
        left_out = f"… {len(shown) - MOST_ROWS:,} more rows"
        shown = [*shown[: MOST_ROWS // 2], ("…", left_out), *shown[-MOST_ROWS // 2 :]]
    head = "<tr>" + "".join(f'<th style="text-align:left">{_text(text)}</th>' for text in heads) + "</tr>"
    body = "".join("<tr>" + "".join(_cell(text) for text in row) + "</tr>" for row in shown)
    caption = f'<caption style="text-align:left;font-weight:bold">{_text(title)}</caption>'
    return f"<table>{caption}{f'<thead>{head}</thead>' if heads else ''}<tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{_text(text)}</td>'


def _text(text: str) -> str:
    return escape(text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…")
