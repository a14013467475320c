"""What an isolated process is asked to do in the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from adcli_methods.errors import UnavailableError


def echo(payload):
    return payload


def raises(payload):
    raise ValueError("two\nlines")


def lacks(payload):
    raise UnavailableError("method jax is not installed: pip install jax")


def raises_unprintable(payload):
    class BadError(Exception):
        def __str__(self):
            raise RuntimeError

    raise BadError


def exits(payload):
    sys.exit(payload["code"])


def exits_hard(payload):
    os._exit(7)


def segfaults(payload):
    import ctypes

    ctypes.string_at(0)


def aborts(payload):
    os.abort()


def hangs(payload):
    time.sleep(600)


def hangs_holding_the_lock(payload):
    return sum(10 ** (10**9) for _ in range(2))


def floods(payload):
    block = b"x" * (1 << 20)
    for _ in range(payload["megabytes"]):
        os.write(1, block)
    return "done"


def prints(payload):
    print("out")
    print("err", file=sys.stderr)
    return sys.stdin.read()


def eats(payload):
    held = []
    while True:
        held.append(bytearray(b"x" * 10_000_000))


def asks_too_much(payload):
    return bytearray(1 << 60)


def returns_a_lot(payload):
    return "x" * (70 * 1024 * 1024)


def returns_an_object(payload):
    return {"what": object()}


def closes_everything(payload):
    os.closerange(3, 256)
    return 1


def forks(payload):
    if os.fork() == 0:
        return "from the fork"
    os.wait()
    return "from the child"


def starts_a_sleeper(payload):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(payload["file"]).write_text(f"{os.getpid()} {sleeper.pid}")
    if payload["waits"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    return sleeper.pid


def imports(payload):
    return sorted(set(sys.modules) & {"numpy", "typer", "rich"})


def environment(payload):
    return [os.environ.get(name) for name in payload["names"]]


def holds(payload):
    held = b"x" * payload["bytes"]
    return len(held)
