"""Where in the user's code a trace is: for notes, and for errors that name the line."""

from __future__ import annotations

import linecache
import opcode
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType

import numpy as np

from adcli_methods.errors import TraceError
from adcli_methods.program import Instruction, Location

_OWN_FOLDERS = (str(Path(__file__).parent), str(Path(np.__file__).parent))
_STANDARD_LIBRARY = str(Path(linecache.__file__).parent)
_own_files: dict[str, bool] = {}
ENTRIES: set[CodeType] = set()
"""The code that calls users' functions: no frame beyond it is theirs."""


def _is_own(filename: str) -> bool:
    known = _own_files.get(filename)
    if known is None:
        known = _own_files[filename] = filename.startswith(_OWN_FOLDERS) or filename.startswith("<__array_function__")
    return known


def _is_library(filename: str) -> bool:
    return "site-packages" in filename or "dist-packages" in filename or filename.startswith(_STANDARD_LIBRARY)


def user_mark() -> tuple[CodeType, int] | None:
    """The code and instruction offset of the innermost frame that is the user's."""
    frame, innermost = sys._getframe(1), None
    while frame is not None and frame.f_code not in ENTRIES:
        filename = frame.f_code.co_filename
        if not _is_own(filename):
            if not _is_library(filename):
                return frame.f_code, frame.f_lasti
            innermost = innermost or (frame.f_code, frame.f_lasti)
        frame = frame.f_back  # type: ignore[assignment]  # ends with None
    return innermost


def user_location() -> Location | None:
    """The innermost line of the user's code that is being run."""
    return Instruction(None, mark=user_mark()).location


STORES, READS = ("STORE_SUBSCR", "STORE_SLICE"), ("BINARY_SUBSCR", "BINARY_SLICE")


def is_at(mark: tuple[CodeType, int] | None, operations: Sequence[str]) -> bool:
    """Whether the user's frame is at `a[i] = x`, or at `a[i]`."""
    return mark is not None and opcode.opname[mark[0].co_code[mark[1]]] in operations


def trace_error(what: str, way_out: str) -> TraceError:
    """An error that names the user's line, the reason and the way out."""
    location = user_location()
    where = f"{location}: " if location else ""
    text = f" in `{location.text}`" if location and location.text else ""
    return TraceError(f"{where}{what}{text}; {way_out}")
