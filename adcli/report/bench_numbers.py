"""Measured values as short text, each with its unit."""

from __future__ import annotations

from typing import Any

from adcli.report.numbers import duration, error

_LONG = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def span(seconds: Any) -> str:
    """Seconds, long ones in minutes, hours or days.

    >>> span(0.0021), span(150.0), span(70165.0), span(None)
    ('2.1 ms', '2.5 min', '19.5 h', '')
    """
    if seconds is None:
        return ""
    for scale, unit in _LONG:
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return duration(seconds)


def memory(count: Any) -> str:
    """Bytes in decimal units.

    >>> memory(480), memory(1_050_213), memory(None)
    ('480 B', '1.05 MB', '')
    """
    if count is None:
        return ""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} B"


def whole(count: Any) -> str:
    """A count with commas.

    >>> whole(1000001), whole(None)
    ('1,000,001', '')
    """
    return "" if count is None else f"{int(count):,}"


def ratio(value: Any) -> str:
    """A ratio to three digits, a small one to two.

    >>> ratio(2.4567), ratio(3353.8), ratio(0.000608), ratio(None)
    ('2.46', '3,354', '6.1e-4', '')
    """
    if value is None:
        return ""
    if 0 < value < 1e-3:
        return error(value)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def relative(value: Any) -> str:
    """A relative error to two digits.

    >>> relative(2.3e-16), relative(None)
    ('2.3e-16', '')
    """
    return error(value)


def power(size: Any) -> str:
    """A size in short.

    >>> power(1000000), power(250), power(10_000), power(None)
    ('1e6', '250', '1e4', '')
    """
    if size is None:
        return ""
    digits = str(size)
    return f"{digits[0]}e{len(digits) - 1}" if size >= 10_000 and not digits[1:].strip("0") else f"{size:,}"
