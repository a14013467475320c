"""A time limit for code of this process that cannot be asked to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN_SECONDS = 1.0
"""So long after it was raised the error is raised again, should a library have caught it."""


class TimeLimitError(BaseException):
    """The seconds of a `within` are over. No Exception, lest code that catches these goes on."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Raise TimeLimitError in the block once so many seconds are over; None: never.

    It takes the system's timer, which the main thread alone may use: in other threads, on Windows and beside a timer
    that runs already there is no limit. What computes outside of Python's interpreter is stopped when it returns.

    >>> try:
    ...     with within(0.01):
    ...         while True:
    ...             pass
    ... except TimeLimitError:
    ...     print("stopped")
    stopped
    """
    is_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not is_main or not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def stop(*_: object) -> None:
        raise TimeLimitError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
