"""Rows written with their value and derivatives, block by block; a file is whole or not there at all."""

from __future__ import annotations

import csv
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from adcli.row_files import RowBlock
from adcli_methods.errors import PointError
from adcli_methods.row_function import RowDerivatives

_COPY_BYTES = 1 << 20


class CsvResult:
    """Writes rows as CSV: each row's fields as they were, then the value and the derivatives.

    Arguments:
        stream: where to.
        names: the columns that are written before the value.
        wrt: the inputs that were differentiated by.
    Raises: PointError if a column is called like a result.
    """

    def __init__(self, stream: Any, names: Sequence[str], wrt: Sequence[str]) -> None:
        results = ("value", *(f"d/d{name}" for name in wrt))
        twice = [name for name in results if name in names]
        if twice:
            raise PointError(f"there is a column {twice[0]} already: rename it, or write to --out result.npz")
        self._names = names
        self._stream = stream
        self._header: tuple[str, ...] | None = (*names, *results)

    def write(self, block: RowBlock, found: RowDerivatives) -> None:
        """Write a block."""
        self.finish()
        numbers = [found.value, *found.derivatives.values()]
        if block.texts is None:
            numbers = [*(block.columns[name] for name in self._names), *numbers]
        columns: list[Iterable[str]] = [map(repr, column.tolist()) for column in numbers]
        if block.texts is not None:
            columns.insert(0, _lines(block.texts))
        self._stream.write("".join(f"{line}\n" for line in map(",".join, zip(*columns, strict=True))))

    def finish(self) -> None:
        """Write the header if no block has: not sooner, for an error may end the first block."""
        if self._header is not None:
            csv.writer(self._stream, lineterminator="\n").writerow(self._header)
        self._header = None


def _lines(texts: list[list[str]]) -> list[str]:
    """Rows of fields as lines of CSV; without a look at each field where none of them needs quotes."""
    whole = "\n".join(map(",".join, texts))
    fields = sum(map(len, texts))
    if whole.count(",") + whole.count("\n") == fields - 1 and '"' not in whole and "\r" not in whole:
        return whole.split("\n")
    lines: list[str] = []
    csv.writer(_Appended(lines), lineterminator="\n").writerows(texts)
    return [line[:-1] for line in lines]


class _Appended:
    """A stream whose writes are kept apart."""

    def __init__(self, kept: list[str]) -> None:
        self.write = kept.append


class NpzResult(ExitStack):
    """Writes rows as the arrays `value` and `derivative.<input>` of an .npz file.

    Arguments:
        path: the file, whose folder holds the numbers until all rows are there.
        wrt: the inputs that were differentiated by.
    """

    def __init__(self, path: Path, wrt: Sequence[str]) -> None:
        super().__init__()
        self._rows = 0
        names = ("value", *(f"derivative.{name}" for name in wrt))
        self._spools = {name: self._spool(path.parent) for name in names}

    def _spool(self, folder: Path) -> IO[bytes]:
        return self.enter_context(tempfile.TemporaryFile(dir=folder))

    def write(self, block: RowBlock, found: RowDerivatives) -> None:
        """Write a block."""
        self._rows += block.rows
        for spool, numbers in zip(self._spools.values(), (found.value, *found.derivatives.values()), strict=True):
            spool.write(np.ascontiguousarray(numbers, "<f8").data)

    def finish(self, stream: Any) -> None:
        """Put the archive together."""
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, spool in self._spools.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    header = {"descr": "<f8", "fortran_order": False, "shape": (self._rows,)}
                    np.lib.format.write_array_header_1_0(member, header)
                    spool.seek(0)
                    shutil.copyfileobj(spool, member, _COPY_BYTES)
