"""Every problem, by name. A problem more is a function, its derivative and a row in one of the files here."""

from __future__ import annotations

from difflib import get_close_matches

from adcli_benchmarks.problem import Problem
from adcli_benchmarks.problems import geometry, hand, mixture, models, nested, networks, regression, scalar, vector
from adcli_methods.errors import FunctionError

_FILES = (scalar, vector, models, regression, mixture, geometry, hand, networks, nested)
PROBLEMS: list[Problem] = [problem for file in _FILES for problem in file.PROBLEMS]


def problem_named(name: str) -> Problem:
    """The problem of a name.

    Raises: FunctionError with the nearest names.

    >>> problem_named("exp-square").formula
    'exp(x**2)'
    """
    table = {problem.name: problem for problem in PROBLEMS}
    wanted = name.strip().lower().replace("_", "-")
    if wanted in table:
        return table[wanted]
    near = get_close_matches(wanted, table, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(table)}"
    raise FunctionError(f"unknown problem {name!r}: {hint}")
