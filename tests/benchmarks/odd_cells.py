"""Cells that misbehave, for the runner: what the process of a cell runs in place of a measure."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from adcli_benchmarks.cell import Cell


def run_cell(found: dict[str, Any]) -> dict[str, Any]:
    """The method says how to misbehave."""
    cell = Cell.from_json(found)
    begin = time.monotonic()
    if cell.method == "hang":
        Path(cell.setting("pid_file", os.devnull)).write_text(str(os.getpid()))
        time.sleep(600)
    elif cell.method == "bomb":
        held = []
        while True:
            held.append(bytearray(os.urandom(1)) * 10**7)
    elif cell.method == "flood":
        for _ in range(1000):
            print("x" * 10**5)
    elif cell.method == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif cell.method == "exit":
        sys.exit(7)
    elif cell.method == "cache":
        folder = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
        found_there = [path.name for path in folder.iterdir()]
        (folder / "half a file").touch()
        return {"outcome": "ok", "reason": "", "values": {"folder": str(folder), "found": found_there}}
    elif cell.method == "quit":
        os._exit(0)
    elif cell.method == "raise":
        raise ValueError("no such luck")
    elif cell.method == "not JSON":
        return {"outcome": "ok", "reason": "", "values": {"result": object()}}
    else:
        time.sleep(0.2)
    values = {"begin_seconds": begin, "end_seconds": time.monotonic(), "error": "nan"}
    return {"outcome": "ok", "reason": "", "values": values}
