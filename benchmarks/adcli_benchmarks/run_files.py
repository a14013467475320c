"""A run's files: `run.jsonl`, one synced line for each finished cell, and `run.csv`, written whole or not at all.

The first line of a .jsonl file holds the request, so that a run can be resumed by its name alone.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adcli_benchmarks.record import SCHEMA_VERSION, Record, plain
from adcli_benchmarks.request import BenchRequest
from adcli_methods.errors import AdcliError
from adcli_methods.whole_file import write_whole

CSV_COLUMNS = (
    "measure", "problem", "method", "size", "dtype", "device", "seed", "settings", "outcome", "reason",
    "name", "index", "value", "cpu", "commit", "started_at",
)  # fmt: skip
"""One row for each value; `index` counts the entries of a list; a cell without values has one row without a name."""
NOT_IN_CSV = "_round_seconds"
"""Every round of a timing: the .jsonl file has them."""


def stem_of(text: str) -> Path:
    """The path of a run without its ending: "results/run1", "results/run1.jsonl" -> results/run1.

    Raises: AdcliError for a name that is empty or a folder's.
    """
    stem = Path(text.removesuffix(".jsonl"))
    if not stem.name or text.endswith(("/", os.sep)):
        raise AdcliError(f"{text!r} names no run: write a folder and a name, as in results/run1")
    return stem


def ending(stem: Path, suffix: str) -> Path:
    """A file of a run.

    >>> ending(Path("results/v1.2"), ".csv").as_posix()
    'results/v1.2.csv'
    """
    return stem.with_name(stem.name + suffix)


class RunFile:
    """The open .jsonl file of a run. It is held by one process at a time."""

    def __init__(self, stem: Path, size: int) -> None:
        self.stem = stem
        self._file = os.open(ending(stem, ".jsonl"), os.O_RDWR)
        self._size = size
        try:
            _hold(self._file, stem)
            os.ftruncate(self._file, size)
        except BaseException:
            os.close(self._file)
            raise

    def append(self, record: Record) -> None:
        """Add a record as one line; when this returns, it is on the disk.

        Raises: AdcliError if it cannot be written; the lines before it stay whole.
        """
        line = _line(record.to_json())
        try:
            os.lseek(self._file, self._size, os.SEEK_SET)
            _write_all(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _unwritable(
                ending(self.stem, ".jsonl"), error, f"finished cells are kept; {_go_on(self.stem)}"
            ) from None
        self._size += len(line)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def create(stem: Path, request: BenchRequest) -> RunFile:
    """Begin a run's file; its folder is made if it is missing.

    Raises: AdcliError if there is such a run already, or nothing can be written there.
    """
    path = ending(stem, ".jsonl")
    if path.exists():
        raise AdcliError(f"{path} exists: go on with adcli bench --resume {stem}, or give --out another name")
    header = _line({"schema_version": SCHEMA_VERSION, "request": request.to_json()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error, "give --out a folder that can be written to") from None
    write_result(path, header)
    return RunFile(stem, len(header))


def reopen(stem: Path) -> tuple[RunFile, BenchRequest, list[Record]]:
    """A run to go on with: its file, a torn last line cut off, what was asked for, and what is finished.

    Raises: AdcliError if there is no such run, or another process holds it.
    """
    path = ending(stem, ".jsonl")
    headers, records, size = _read(path)
    if not headers:
        raise AdcliError(f"{path} has no request in its first line: it was not written by adcli bench --out")
    try:
        return RunFile(stem, size), headers[0], records
    except OSError as error:
        raise _unwritable(path, error, "see its permissions") from None


def read_records(path: Path) -> list[Record]:
    """The records of a .jsonl file; a torn last line is passed over.

    Raises: AdcliError if there is no such file, or a line of it is no record.
    """
    return _read(path)[1]


def write_csv(records: Sequence[Record], path: Path) -> None:
    """Write the records as CSV, whole or not at all.

    Raises: AdcliError if it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(row for record in records for row in _rows(record))
    write_result(path, text.getvalue().encode())


def write_result(path: Path, content: bytes) -> None:
    """Put a file in its place at once; a reader sees the old one or the new one.

    Raises: AdcliError if it cannot be written.
    """
    write_whole(path, content, way_out="give --out a folder with space that can be written to")


def _rows(record: Record) -> Iterator[tuple[Any, ...]]:
    cell, environment = record.cell, record.environment
    settings = " ".join(f"{name}={value}" for name, value in cell.settings)
    size = "" if cell.size is None else cell.size
    start = (cell.measure, cell.problem, cell.method, size, cell.dtype, cell.device, cell.seed, settings)
    said = (record.outcome, record.reason)
    end = (environment.get("cpu", ""), environment.get("commit", ""), record.started_at)
    values = {name: value for name, value in record.values.items() if not name.endswith(NOT_IN_CSV)}
    for name, value in values.items():
        if isinstance(value, list):
            yield from ((*start, *said, name, index, plain(entry), *end) for index, entry in enumerate(value))
        else:
            yield (*start, *said, name, "", plain(value), *end)
    if not values:
        yield (*start, *said, "", "", "", *end)


def _read(path: Path) -> tuple[list[BenchRequest], list[Record], int]:
    """The requests and the records of a file, and how many of its bytes are whole lines."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AdcliError(f"{path} cannot be read: {error.strerror}") from None
    size = content.rfind(b"\n") + 1
    headers, records = [], []
    for number, line in enumerate(content[:size].splitlines(), start=1):
        try:
            found = json.loads(line)
            if "request" in found:
                headers.append(BenchRequest.from_json(found["request"]))
            else:
                records.append(Record.from_json(found))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AdcliError(f"{path}, line {number}, is not a record of adcli bench") from None
    return headers, records, size


def _line(found: dict[str, Any]) -> bytes:
    return json.dumps(found, allow_nan=False).encode() + b"\n"


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _hold(file: int, stem: Path) -> None:
    """Take the file for this process, until it is closed."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AdcliError(
            f"{ending(stem, '.jsonl')} is being written by another adcli bench: wait for its end"
        ) from None


def _go_on(stem: Path) -> str:
    return f"go on with adcli bench --resume {stem}"


def _unwritable(path: Path, error: OSError, way_out: str) -> AdcliError:
    return AdcliError(f"{path} cannot be written: {error.strerror}: {way_out}")
