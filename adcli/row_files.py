"""Tables of rows, read from CSV and .npz files block by block."""

from __future__ import annotations

import csv
import itertools
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import numpy as np

from adcli_methods.errors import PointError
from adcli_methods.row_columns import Column

FILE_BLOCK_ROWS = 1 << 14
"""Rows that are in memory at a time."""


LONGEST_FIELD = 1 << 24
"""Letters of a field; beyond them a quote is taken to be open, and the rest of the file is not read into memory."""
_PACKED = {
    "\x1f\udc8b": ("gzip", "gzip -dc"),
    "BZh91AY&SY": ("bzip2", "bzip2 -dc"),
    "\udcfd7zXZ": ("xz", "xz -dc"),
    "(\udcb5/\udcfd": ("zstd", "zstd -dc"),
    "PK\x03\x04": ("zip, as a spreadsheet is", "unzip -p"),
}
"""How a packed file starts, read as text -> what packed it, and what unpacks it."""


@dataclass
class RowBlock:
    """Rows that were read together.

    Arguments:
        columns: the numbers of each column that was asked for.
        rows: how many rows there are.
        texts: the fields of each row as they stand in a CSV file; None for numbers from an .npz file.
        bad: the rows (from 0, in this block) that have no finite number in each of these columns -> why.
    """

    columns: dict[str, Column]
    rows: int
    texts: list[list[str]] | None
    bad: dict[int, str] = field(default_factory=dict)

    def mark_not_finite(self, places: Sequence[int] | None = None) -> RowBlock:
        """The block itself, with the rows that hold NaN or infinities among the bad ones.

        Arguments: places: of the columns among the texts.
        """
        for number, (name, column) in enumerate(self.columns.items()):
            finite = np.isfinite(column)
            for row in () if finite.all() else np.flatnonzero(~finite).tolist():
                cell = column[row] if self.texts is None or places is None else self.texts[row][places[number]]
                self.bad.setdefault(row, _not_finite(name, column[row], str(cell)))
        return self


class CsvRows:
    """A CSV file with a header, or standard input where the path is None; read by `blocks`.

    Raises: PointError if there is no header.
    """

    def __init__(self, path: Path | None) -> None:
        self.label = "standard input" if path is None else str(path)
        self._file = "FILE" if path is None else str(path)
        self._raw: Any = None
        self._size: int | None = None
        if path is None:
            stream: Any = sys.stdin
            self._text = stream
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="utf-8-sig", errors="surrogateescape", newline="")
        else:
            self._raw = _opened(path)
            self._size = os.fstat(self._raw.fileno()).st_size if path.is_file() else None
            self._text = TextIOWrapper(self._raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        csv.field_size_limit(LONGEST_FIELD)
        self._lines = csv.reader(self._text)
        try:
            self.names = self._header()
        except PointError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._raw is not None:
            self._text.close()

    def _header(self) -> tuple[str, ...]:
        example = "a header row is required, as in S,r,T"
        header = next(self._rows(), None)
        if header is None:
            raise PointError(f"{self.label} is empty: {example}")
        for magic, (packed, unpack) in _PACKED.items():
            if header[0].startswith(magic):
                raise PointError(
                    f"{self.label} is compressed ({packed}): unpack it first, as in "
                    f"{unpack} {self._file} | adcli diff ... --points -"
                )
        if all(_is_number(cell) for cell in header):
            raise PointError(f"the first row of {self.label} holds numbers: {example}")
        return tuple(cell.strip() for cell in header)

    def _rows(self) -> Iterator[list[str]]:
        """The rows with anything in them."""
        try:
            for row in self._lines:
                if row:
                    yield row
        except csv.Error as error:
            raise PointError(f"{self.label}, line {self._lines.line_num}: {error}") from None

    def done(self) -> float | None:
        """Which part of the file is read; None where its length is not known."""
        if not self._size:
            return None
        return min(1.0, float(self._raw.tell()) / self._size)

    def blocks(self, wanted: Sequence[str]) -> Iterator[RowBlock]:
        """The rows, in blocks, with the numbers of these columns."""
        for name in wanted:
            if self.names.count(name) > 1:
                raise PointError(f"{self.label} has {self.names.count(name)} columns {name}: rename all but one")
        places = [self.names.index(name) for name in wanted]
        rows = self._rows()
        while texts := list(itertools.islice(rows, FILE_BLOCK_ROWS)):
            yield self._block(texts, wanted, places).mark_not_finite(places)

    def _block(self, texts: list[list[str]], wanted: Sequence[str], places: Sequence[int]) -> RowBlock:
        width = len(self.names)
        if set(map(len, texts)) == {width}:
            try:
                columns = {name: _numbers(texts, place) for name, place in zip(wanted, places, strict=True)}
                return RowBlock(columns, len(texts), texts)
            except ValueError:
                pass
        return self._row_by_row(texts, wanted, places)

    def _row_by_row(self, texts: list[list[str]], wanted: Sequence[str], places: Sequence[int]) -> RowBlock:
        """The block, where some rows cannot be read."""
        table = np.full((len(wanted), len(texts)), np.nan)
        bad: dict[int, str] = {}
        width = len(self.names)
        for position, row in enumerate(texts):
            if len(row) != width:
                bad[position] = f"{len(row)} fields, and the header has {width}"
                texts[position] = _fitted(row, width)
                continue
            for number, place in enumerate(places):
                if not _is_number(row[place]):
                    bad[position] = f"{wanted[number]} is {row[place][:40]!r}, no number"
                    break
            else:
                table[:, position] = [float(row[place]) for place in places]
        return RowBlock(dict(zip(wanted, table, strict=True)), len(texts), texts, bad)


def _numbers(texts: list[list[str]], place: int) -> Column:
    """A column of numbers. Raises ValueError if there is another text in it."""
    cells = list(map(itemgetter(place), texts))
    if "_" in "".join(cells):
        raise ValueError
    return np.array(list(map(float, cells)))


def _not_finite(name: str, number: float, cell: str) -> str:
    return f"{name} is not a number" if np.isnan(number) else f"{name} is {cell[:40]!r}, no finite number"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _fitted(row: list[str], width: int) -> list[str]:
    """A row of another length with as many fields as the header, nothing lost."""
    return [*row, *[""] * (width - len(row))] if len(row) < width else [*row[: width - 1], ",".join(row[width - 1 :])]


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise PointError(f"--points {path} cannot be read: {error.strerror}") from None


class NpzRows:
    """An .npz file whose arrays are the columns, each read block by block.

    Raises: PointError if it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self._rows = self._read = 0
        _opened(path).close()
        try:
            self._archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise PointError(f"{path} is no .npz file") from None
        names = [name.removesuffix(".npy") for name in self._archive.namelist() if name.endswith(".npy")]
        if not names:
            raise PointError(f"{path} holds no arrays: save columns with np.savez({path.name!r}, S=..., r=...)")
        self.names = tuple(names)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def done(self) -> float | None:
        """Which part of the rows is read."""
        return self._read / self._rows if self._rows else None

    def blocks(self, wanted: Sequence[str]) -> Iterator[RowBlock]:
        """The rows, in blocks, with the numbers of these columns."""
        with ExitStack() as stack:
            try:
                columns = {name: _NpyColumn(stack.enter_context(self._archive.open(f"{name}.npy"))) for name in wanted}
            except (ValueError, zipfile.BadZipFile) as error:
                raise PointError(f"{self.label} cannot be read: {error}") from None
            for name, column in columns.items():
                if len(column.shape) != 1 or column.dtype.kind not in "fiub":
                    raise PointError(
                        f"{name} in {self.label} has shape {column.shape} and dtype {column.dtype}: "
                        "a column is a vector of numbers; fix an input that is no column with --at"
                    )
            lengths = {name: column.shape[0] for name, column in columns.items()}
            if len(set(lengths.values())) != 1:
                told = ", ".join(f"{name} {rows:,}" for name, rows in lengths.items())
                raise PointError(f"the columns of {self.label} have unlike lengths: {told}")
            self._rows = next(iter(lengths.values()))
            while self._read < self._rows:
                rows = min(FILE_BLOCK_ROWS, self._rows - self._read)
                try:
                    numbers = {name: column.read(rows) for name, column in columns.items()}
                except (ValueError, EOFError, zipfile.BadZipFile) as error:
                    raise PointError(f"{self.label} is damaged: {error}") from None
                self._read += rows
                yield RowBlock(numbers, rows, None).mark_not_finite()


class _NpyColumn:
    """One array of an .npz file, read from its start to its end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, _, self.dtype = read(stream)

    def read(self, rows: int) -> Column:
        """The next numbers."""
        data = self._stream.read(rows * self.dtype.itemsize)
        return np.frombuffer(data, self.dtype, rows).astype(np.float64)
