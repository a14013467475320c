"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adcli_methods.errors import AdcliError


@contextmanager
def replacing(path: Path, named: str = "", way_out: str = "") -> Iterator[BinaryIO]:
    """A binary stream that becomes the file when all went well; until then a reader sees the old one.

    A file keeps its mode, a link what it points to; what is no file, as a pipe or a device, is written to at once.

    Arguments:
        path: of the file.
        named: what an error calls it; "" for the path.
        way_out: what to do about an error.
    Raises: AdcliError if it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "numbers.csv")
    ...     with replacing(path) as stream:
    ...         _ = stream.write(b"1,2")
    ...         print(path.exists())
    ...     print(path.read_text(), os.listdir(folder))
    False
    1,2 ['numbers.csv']
    """
    try:
        with _opened(path) as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        advice = f": {way_out}" if way_out else ""
        raise AdcliError(f"{named or path} cannot be written: {error.strerror}{advice}") from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    final = Path(os.path.realpath(path))
    partial = final.with_name(f".{final.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            if not stream.closed:  # a wrapper closes what it wraps
                stream.flush()
                os.fsync(stream.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(final, partial)
        os.replace(partial, final)
    finally:
        with suppress(OSError):
            partial.unlink()


def write_whole(path: Path, content: bytes, named: str = "", way_out: str = "") -> None:
    """Put a file in its place at once; the arguments and errors of `replacing`."""
    with replacing(path, named, way_out) as stream:
        stream.write(content)
