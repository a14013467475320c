"""What runs in a cell's own process."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.measures import measure_named
from adcli_benchmarks.outcomes import OK, OUT_OF_MEMORY, WrongError, outcome_of
from adcli_benchmarks.record import plain
from adcli_methods.errors import AdcliError
from adcli_methods.isolated_child import is_out_of_memory
from adcli_methods.loading import load_python


def run_cell(found: dict[str, Any]) -> dict[str, Any]:
    """Measure a cell.

    Arguments: the cell, as `Cell.to_json` gives it.
    Result: {"outcome", "reason", "values"}; every exception of the measure is an outcome.
    """
    warnings.simplefilter("ignore")  # NaN and overflow are in the values
    try:
        cell = Cell.from_json(found)
        return _answer(OK, "", measure_named(cell.measure).measure(cell))
    except WrongError as error:
        return _answer(outcome_of(error), str(error), error.values)
    except Exception as error:
        if is_out_of_memory(error):
            return _answer(OUT_OF_MEMORY, _line(error))
        return _answer(outcome_of(error), str(error) if isinstance(error, AdcliError) else _line(error))


def load_function(name: str) -> None:
    """Load a function of the user's.

    Raises: FunctionError if there is none, or its file fails.
    """
    load_python(name)


def _answer(outcome: str, reason: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"outcome": outcome, "reason": " ".join(reason.split())[:1000], "values": plain(values or {})}


def _line(error: BaseException) -> str:
    """An error that nobody foresaw, with the line that raised it."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}", trace.tb_next
    return f"{type(error).__name__}: {error} ({place})"
