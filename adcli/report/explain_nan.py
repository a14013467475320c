"""Where a NaN, an infinity or a kink was born, and what it reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from adcli.report.console import TableConsole
from adcli.report.explain_layout import wrapped
from adcli.report.explain_text import number
from adcli.report.explain_view import closing, heading, show
from adcli_methods.explanation import Explanation
from adcli_methods.landmarks import source_line
from adcli_methods.poison import Birth, births

MOST_NAMES = 8
_STYLES = {"kink": "yellow"}


def print_births(explanation: Explanation) -> None:
    """A paragraph for each birth, then the derivative."""
    console = TableConsole()
    lines = [*heading(explanation, console.width), Text()]
    found = births(explanation)
    for birth in found:
        lines += [*_paragraph(explanation, birth, console.width), Text()]
    if not found:
        lines += [Text("every value and every derivative is finite, and no operation is at a kink"), Text()]
    show(console, lines + closing(explanation, console.width))


def _paragraph(explanation: Explanation, birth: Birth, width: int) -> Iterator[Text]:
    line = explanation.lines[birth.line]
    yield Text.assemble((f"{birth.kind} at {line.name}", f"bold {_STYLES.get(birth.kind, 'red')}"), f"  {birth.what}")
    values = ", ".join(f"{explanation.lines[i].name} = {number(explanation.lines[i].value)}" for i in line.operands)
    details = [
        ("source", source_line(line.location) if line.location else ""),
        ("operation", f"{line.name} = {line.formula} = {number(line.value)}"),
        ("operands", values),
        ("reached", _names([_value_name(explanation, i) for i in birth.values])),
        ("decides" if birth.kind == "kink" else "poisoned", _derivatives(explanation, birth)),
    ]
    for label, text in details:
        for position, part in enumerate(wrapped(text, max(width - 13, 20)) if text else []):
            yield Text.assemble((f"  {'' if position else label:<11}", "dim"), part)


def _value_name(explanation: Explanation, index: int) -> str:
    names = [n for n, i in zip(explanation.output_names, explanation.outputs, strict=True) if i == index]
    return " = ".join([explanation.lines[index].name, *names])


def _derivatives(explanation: Explanation, birth: Birth) -> str:
    return _names([f"∂{explanation.cotangent}/∂{name}" for name in birth.derivatives])


def _names(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return ", ".join(names[: MOST_NAMES - 1]) + f", … and {len(names) - MOST_NAMES + 1:,} more, the last {names[-1]}"
