"""SciPy's differences, as its optimizers take them where no gradient is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.peers.black_box import BlackBox, Vector, VectorFunction
from adcli_methods.peers.refusals import refusals_of


class ScipyDifference(BlackBox):
    """scipy.optimize's approx_derivative: three-point differences with its own choice of step."""

    name = "scipy-difference"
    aliases = ("scipy",)
    summary = "SciPy's approx_derivative: three-point differences of the function itself"
    needs = "scipy"
    install = 'pip install "scipy>=1.11"'

    def matrix(self, function: VectorFunction, at: Vector) -> Vector:
        from scipy.optimize._numdiff import approx_derivative

        with refusals_of("scipy"), np.errstate(all="ignore"):  # its longest steps may leave the function's domain
            matrix: Any = approx_derivative(function, at, method="3-point")
        return np.asarray(matrix).reshape(-1, at.size)
