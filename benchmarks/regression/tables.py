"""What the scripts of this folder share: rows printed and written as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adcli_methods.whole_file import write_whole


def show(row: dict[str, Any]) -> None:
    """Print a row's values."""
    print("  ".join(map(str, row.values())), flush=True)


def write(rows: Sequence[dict[str, Any]], path: Path | str) -> None:
    """Write rows with the same names as CSV, whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(Path(path), text.getvalue().encode())
