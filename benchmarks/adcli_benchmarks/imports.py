"""Imports: which packages a command brings in before it can answer, for start-up time is mostly that."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.planning import methods_of
from adcli_benchmarks.record import Value
from adcli_benchmarks.request import BenchRequest
from adcli_methods.errors import AdcliError

HELP = "adcli --help"
DIFF = 'adcli diff "exp(x**2)" --at 2'
METHODS = ("central-difference", "complex-step", "symbolic", "forward", "reverse")
OURS = ("adcli", "adcli_methods", "adcli_benchmarks")


def cells(request: BenchRequest) -> list[Cell]:
    """The help, and one derivative by each method; the problems of a request do not matter here."""
    methods = [method for method in methods_of(request, METHODS) if method in METHODS]
    return [Cell("imports", HELP, "none"), *(Cell("imports", DIFF, method) for method in methods)]


def measure(cell: Cell) -> dict[str, Value]:
    """The packages beyond the standard library that a command imports.

    Result: imported_packages, and packages, their names.
    Raises: AdcliError if the command fails.
    """
    _, *arguments = shlex.split(cell.problem)
    mode = [] if cell.method == "none" else ["--mode", cell.method]
    command = [sys.executable, "-X", "importtime", "-m", "adcli", *arguments, *mode]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise AdcliError(f"{cell.problem} ended with {ran.returncode}: {ran.stderr.strip().splitlines()[-1]}")
    packages = imported(ran.stderr)
    return {"imported_packages": len(packages), "packages": " ".join(packages)}


def imported(report: str) -> list[str]:
    """The installed packages in what `python -X importtime` prints; it tells of missing ones too.

    >>> imported("import time:   12 |   40 |   numpy.linalg\\nimport time: 9 | 9 | json")
    ['numpy']
    """
    lines = (line for line in report.splitlines() if line.startswith("import time:"))
    tops = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    return sorted((tops & set(packages_distributions())) - set(OURS))
