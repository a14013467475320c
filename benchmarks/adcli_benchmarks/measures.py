"""The table of measures. A measure more is one file and one row here.

A measure's file gives two functions:

    cells(request: BenchRequest) -> list[Cell]      what to measure; the same list for the same request
    measure(cell: Cell) -> dict[str, Value]         in a fresh process; may raise WrongError, RefusedError, AdcliError
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_methods.errors import AdcliError


class Measure(NamedTuple):
    """A measure.

    Arguments:
        module: its file in this package.
        is_timed: whether seconds matter, so that its cells run alone; others run side by side.
        summary: what it measures.
    """

    module: str
    is_timed: bool
    summary: str


MEASURES: dict[str, Measure] = {
    "accuracy": Measure("accuracy", False, "error against the 50-digit reference"),
    "swell": Measure("swell", False, "operations of the derivative beside those of the function"),
    "memory": Measure("memory", False, "peak bytes above the baseline, and bytes kept for the reverse sweep"),
    "passes": Measure("passes", True, "evaluations and sweeps against the number of inputs"),
    "speed": Measure("speed", True, "set-up, first call and steady state, beside the function itself"),
    "imports": Measure("imports", False, "packages that a command imports"),
}


class MeasureFile(Protocol):
    """What a measure's file gives."""

    def cells(self, request: BenchRequest) -> list[Cell]:
        """The cells of a request."""

    def measure(self, cell: Cell) -> dict[str, Value]:
        """The values of a cell, by names that say their units."""


def measure_named(name: str) -> MeasureFile:
    """A measure's file.

    Raises: AdcliError for a name that is not in the table.
    """
    if name not in MEASURES:
        near = get_close_matches(name, MEASURES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise AdcliError(f"unknown measure {name[:60]!r}: {hint}known are {', '.join(MEASURES)}")
    return cast(MeasureFile, import_module(f"adcli_benchmarks.{MEASURES[name].module}"))


def planned(request: BenchRequest) -> list[Cell]:
    """Every cell of a request, each once, in the order of its measures."""
    found = [cell for name in request.measures for cell in measure_named(name).cells(request)]
    return list({cell.key: cell for cell in found}.values())
