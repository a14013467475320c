"""The child of isolation.py: started as a file, it runs one entry and sends its result to a pipe of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from importlib import import_module
from io import BufferedReader, TextIOWrapper
from typing import Any

LARGEST_RESULT = 64 * 1024 * 1024
"""Bytes of JSON."""


def main() -> None:
    """Read the order from standard input, run its entry, send the result, end at once."""
    pid = os.getpid()
    orders, results = os.fdopen(os.dup(0), "rb"), os.dup(1)
    _occupy_standard_streams()
    order = json.loads(orders.readline() or b"null")
    if order is None:
        return  # the parent has died already
    _end_with_parent(orders, order["cpu_seconds"])
    sys.path[:] = order["path"]
    message = _outcome(order["entry"], order["payload"], results)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    if os.getpid() == pid:  # and not a fork that ran on into here
        with contextlib.suppress(OSError):  # the entry has closed it
            _write(results, _encoded(message))
    os._exit(0)


def _occupy_standard_streams() -> None:
    """Nothing to read, and what is printed goes to standard error: the pipes are ours."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def _end_with_parent(orders: BufferedReader, cpu_seconds: int) -> None:
    """End this process and its group when the parent has died; where no thread can run, when its time is used up."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))

    def wait() -> None:
        orders.read(1)  # returns when the parent's end is closed
        if sys.platform != "win32" and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _outcome(entry: str, payload: Any, results: int) -> dict[str, Any]:
    """Run the entry: its status, its result and a line of detail."""
    try:
        module, _, name = entry.partition(":")
        call = getattr(import_module(module), name)
        _write(results, b"ready\n")
        return _message("ok", call(payload))
    except SystemExit as error:
        return _message("exited", None, f"sys.exit({error.code!r})"[:200])
    except BaseException as error:
        if is_out_of_memory(error):
            return _message("out_of_memory", None, _line(error))
        return _message("error", *_told(error))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory, of this machine or of its accelerator, is used up."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "RESOURCE_EXHAUSTED" in _text(error)
    )


def _told(error: BaseException) -> tuple[dict[str, Any], str]:
    from adcli_methods.errors import AdcliError

    is_ours = isinstance(error, AdcliError)
    told = {
        "type": type(error).__name__,
        "message": _text(error),
        "location": _location(error),
        "exit_code": error.exit_code if isinstance(error, AdcliError) else None,
    }
    return told, _text(error) if is_ours else _line(error)


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:2000]
    except Exception:
        return "(its message cannot be printed)"


def _line(error: BaseException) -> str:
    text, location = _text(error), _location(error)
    return f"{type(error).__name__}{': ' + text if text else ''}{f' ({location})' if location else ''}"


def _location(error: BaseException) -> str:
    """The innermost line that is neither ours nor a library's."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if not any(mark in filename for mark in ("site-packages", "adcli_methods", "<")):
            place = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _message(status: str, result: Any, detail: str = "") -> dict[str, Any]:
    return {"status": status, "result": result, "detail": detail, "peak_resident_bytes": _peak_resident_bytes()}


def _encoded(message: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(message).encode()
        if len(text) <= LARGEST_RESULT:
            return text
        problem = f"the result is {len(text):,} bytes of JSON: at most {LARGEST_RESULT:,} come back"
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"the result is not JSON: {_text(error)}"
    told = {"type": "TypeError", "message": problem, "location": "", "exit_code": None}
    return json.dumps(_message("error", told, problem)).encode()


def _peak_resident_bytes() -> int | None:
    """Of this program alone: the system's rusage counts that of the process it was started by."""
    with contextlib.suppress(Exception), open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return None


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


if __name__ == "__main__":
    main()
