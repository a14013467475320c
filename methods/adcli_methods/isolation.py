"""Runs one entry in a fresh process that may hang, crash, exit, print or eat memory without harm to this one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CHILD = Path(__file__).with_name("isolated_child.py")
LONGEST_OUTPUT = 64 * 1024
"""Bytes of the child's standard output and error that are passed on; the rest is read and dropped."""
_TICK_SECONDS = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Outcome:
    """How an isolated run ended.

    Arguments:
        status: ok | error (the entry raised) | timeout | out_of_memory | crashed (by a signal) | exited | cancelled.
        result: of an "ok" run, what the entry returned; of an "error", {"type", "message", "location", "exit_code"},
            where exit_code is that of an AdcliError, otherwise None; else None.
        detail: one line for people: the exception, the signal, the exit code; of an "ok" run empty.
        seconds: from the start of the process to its end.
        start_seconds: of these, until the entry was imported and its call began; None if it never began.
        peak_resident_bytes: the largest resident set of the process (its own children not counted), or None where
            there is no /proc. It is exact where the entry returned or raised, else sampled 20 times a second.
    """

    status: str
    result: Any
    detail: str
    seconds: float
    start_seconds: float | None
    peak_resident_bytes: int | None


def run_isolated(
    entry: str,
    payload: Any,
    *,
    timeout_seconds: float,
    memory_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
    cancelled: threading.Event | None = None,
) -> Outcome:
    """Call an entry with a payload in a fresh Python process, and wait for its result.

    The child imports what this process can import (same `sys.path`), reads nothing from standard input, and what it
    prints goes to this process's standard error. It leads a process group of its own, which is killed as a whole at
    the end, on a time limit, on an interrupt, and when this process dies.

    Arguments:
        entry: "module:function"; the function takes the payload and returns something JSON can hold.
        payload: JSON-able; infinities and NaN survive, both ways.
        timeout_seconds: for the whole run, start-up included.
        memory_bytes: of resident memory. It is watched, not reserved, for CUDA, torch and jax reserve far more
            addresses than memory; a burst may overshoot it by what is touched in 50 ms. Linux only: elsewhere there
            is no limit, and without process groups (Windows) the entry's own child processes are not killed.
        environment: variables to set beside those of this process.
        cancelled: set from another thread, ends the run early.
    Result: an Outcome; nothing that the entry does raises here.

    >>> run_isolated("math:fsum", [0.5, 0.25], timeout_seconds=60).result
    0.75
    """
    cpu_seconds = int(timeout_seconds * (os.cpu_count() or 1)) + 10  # of all threads: never in the way
    header = json.dumps({"entry": entry, "payload": payload, "path": sys.path, "cpu_seconds": cpu_seconds})
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-P", str(CHILD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=None if environment is None else {**os.environ, **environment},
        start_new_session=True, bufsize=0,
    ) as process:  # fmt: skip
        channel = _Channel(process, header.encode() + b"\n", begin)
        try:
            stopped, peak = _watch(process, channel, begin + timeout_seconds, memory_bytes, cancelled)
        finally:
            _kill(process)
            channel.close()
    seconds = time.perf_counter() - begin
    start = channel.ready_seconds
    if stopped == "timeout":
        return Outcome("timeout", None, f"no result after {timeout_seconds:g} s", seconds, start, peak)
    if stopped == "cancelled":
        return Outcome("cancelled", None, "cancelled", seconds, start, peak)
    if stopped == "out_of_memory":
        detail = f"more than the {_megabytes(memory_bytes or 0)} of memory that were allowed"
        return Outcome("out_of_memory", None, detail, seconds, start, peak)
    message = channel.message()
    if message is None:
        return Outcome(*_ending(process.returncode), seconds, start, peak)
    exact = message["peak_resident_bytes"] or peak
    return Outcome(message["status"], message["result"], message["detail"], seconds, start, exact)


def _watch(
    process: subprocess.Popen[bytes],
    channel: _Channel,
    deadline: float,
    memory_bytes: int | None,
    cancelled: threading.Event | None,
) -> tuple[str | None, int | None]:
    """Wait for the end: why it was stopped, if it was, and the largest resident set that was seen."""
    peak = 0
    while process.poll() is None:
        resident = _resident_bytes(process.pid)
        peak = max(peak, resident)
        if memory_bytes is not None and resident > memory_bytes:
            return "out_of_memory", peak
        if cancelled is not None and cancelled.is_set():
            return "cancelled", peak or None
        left = deadline - time.perf_counter()
        if left <= 0:
            return "timeout", peak or None
        if not channel.ended.wait(min(_TICK_SECONDS, left)):
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_TICK_SECONDS, left))
    return None, peak or None


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0  # no /proc here, or the process has just ended


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(code: int) -> tuple[str, None, str]:
    """What an end without a result was."""
    if code >= 0:
        return "exited", None, f"the process ended without a result (exit code {code})"
    known = {member.value: member.name for member in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    return "crashed", None, name + (" (often the system out of memory)" if name == "SIGKILL" else "")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


class _Channel:
    """The three pipes to the child, a thread each, so that neither side ever waits for the other."""

    def __init__(self, process: subprocess.Popen[bytes], order: bytes, begin: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.ended = threading.Event()
        self.ready_seconds: float | None = None
        self._begin = begin
        self._lines: list[bytes] = []
        self._orders = process.stdin
        work = ((self._send, order), (self._receive, process.stdout), (self._pass_on, process.stderr))
        self._threads = [threading.Thread(target=target, args=(given,), daemon=True) for target, given in work]
        for thread in self._threads:
            thread.start()

    def _send(self, order: bytes) -> None:
        """The order; the pipe stays open afterwards, for the child ends when it closes."""
        rest = memoryview(order)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[self._orders.write(rest) :]

    def _receive(self, pipe: IO[bytes]) -> None:
        """A first line when the entry is called, a second with its result."""
        received = bytearray()
        with contextlib.suppress(OSError, ValueError):
            while chunk := pipe.read(_CHUNK):
                if self.ready_seconds is None and chunk.startswith(b"ready"):
                    self.ready_seconds = time.perf_counter() - self._begin
                received += chunk
        self._lines = bytes(received).split(b"\n")
        self.ended.set()

    def _pass_on(self, pipe: IO[bytes]) -> None:
        left = LONGEST_OUTPUT
        with contextlib.suppress(OSError, ValueError):
            while chunk := pipe.read(_CHUNK):
                if 0 <= left < len(chunk):
                    chunk = chunk[:left] + f"\n[more than {LONGEST_OUTPUT // 1024} kB: the rest is dropped]\n".encode()
                    left = -1
                    _print(chunk.decode(errors="replace"))
                elif left >= 0:
                    left -= len(chunk)
                    _print(chunk.decode(errors="replace"))

    def message(self) -> dict[str, Any] | None:
        """The child's result, if it sent one."""
        try:
            found = json.loads(self._lines[-1])
        except (IndexError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def close(self) -> None:
        """Wait for what is still in the pipes; a stranger that holds one open is not waited for."""
        for thread in self._threads:
            thread.join(1.0)


def _print(text: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
