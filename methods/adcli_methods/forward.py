"""Forward mode: one tangent sweep for each input entry."""

from __future__ import annotations

from adcli_methods.inhouse import InHouse


class Forward(InHouse):
    """In-house forward mode; higher derivatives by one input through truncated Taylor series."""

    name = "forward"
    aliases = ("fwd",)
    summary = "in-house forward mode: a tangent sweep per input"
    gives_pull = False
    batches = False
