"""numdifftools: central differences of many steps, extrapolated to the limit."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.peers.black_box import BlackBox, Vector, VectorFunction
from adcli_methods.peers.refusals import refusals_of


class NumdifftoolsLimit(BlackBox):
    """numdifftools.Jacobian with its own choice of steps."""

    name = "numdifftools"
    aliases = ("nd",)
    summary = "numdifftools: extrapolated central differences of the function itself"
    needs = "numdifftools"
    install = 'pip install "adcli[peers]"'

    def matrix(self, function: VectorFunction, at: Vector) -> Vector:
        import numdifftools

        with (
            refusals_of("numdifftools"),
            np.errstate(all="ignore"),
        ):  # its longest steps may leave the function's domain
            matrix: Any = numdifftools.Jacobian(function)(at)
        return np.asarray(matrix).reshape(-1, at.size)
