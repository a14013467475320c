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
    that runs already there is no limit. What computes outside of Python's interpreter is stopped when it returns. The
    error is raised again after a second, in what the block does to end, too.

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

    if seconds <= 0.0:
        raise TimeLimitError

    is_on = True

    def stop(*_: object) -> None:
        if is_on:
            raise TimeLimitError

    before = signal.signal(signal.SIGALRM, stop)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
            yield
        finally:
            is_on = False  # an alarm at this moment still comes to the lines below
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
