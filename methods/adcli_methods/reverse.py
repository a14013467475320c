"""Reverse mode: one adjoint sweep for each output entry."""

from __future__ import annotations

from adcli_methods.inhouse import InHouse


class Reverse(InHouse):
    """In-house reverse mode."""

    name = "reverse"
    aliases = ("rev",)
    summary = "in-house reverse mode: an adjoint sweep per output"
    gives_push = False
    batches = False
