"""What `adcli emit` does: the source of a function's derivative, named and written."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import Path

from adcli import __version__
from adcli.commands.common import function_at, read_target
from adcli.point import parse_point
from adcli.target import resolve
from adcli_methods.derivative_source import derivative_source
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import OperatorError
from adcli_methods.formula import formula_inputs
from adcli_methods.loading import names_python
from adcli_methods.whole_file import write_whole


def emitted(
    target: str, at: str | None, n: str | None, mode: str, to: str, wrt: Sequence[str] | None, name: str | None
) -> str:
    """The source that the options of `adcli emit` ask for.

    A formula needs no point: its inputs are numbers unless the point says otherwise.

    Raises: AdcliError.
    """
    text = read_target(target)
    if at is None and n is None and not names_python(text) and not text.startswith("problem:"):
        function, point = resolve(text, dict.fromkeys(formula_inputs(text, set()), 0.5), None)
    elif n is None:
        function, point = resolve(text, None if at is None else parse_point(at), None)
    else:
        function, point = function_at(text, at, n, 0, None)
    problem = flat_problem(function, point, Request(wrt=wrt))
    wanted = name or (f"{_identifier(function.name)}_derivative" if function.formula is None else "derivative")
    if not wanted.isidentifier() or keyword.iskeyword(wanted):
        raise OperatorError(f"--name {wanted!r} is no name for a function")
    return derivative_source(problem, mode, to, wanted, __version__)


def _identifier(name: str) -> str:
    word = re.sub(r"\W", "_", name.rpartition(".")[2])
    return word if word.isidentifier() else f"f_{word}"


def written(source: str, path: Path) -> str:
    """Write the source to a file, whole or not at all; the line that says so.

    Raises: AdcliError if it cannot be written.
    """
    write_whole(path, source.encode(), f"--out {path}")
    return f"{path}: {source.count(chr(10))} lines"
