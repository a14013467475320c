"""Triton's interpreter, which has no libdevice: its functions are NumPy's and SciPy's here.

Imported before triton, with TRITON_INTERPRET=1 in the environment.
"""

from __future__ import annotations

import numpy as np
import scipy.special
import triton.language as tl
from triton.language.extra import libdevice
from triton.runtime.interpreter import TensorHandle

FUNCTIONS = {
    "div_rn": np.divide, "sqrt_rn": np.sqrt, "pow": np.power, "atan2": np.arctan2, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": scipy.special.erf, "cbrt": np.cbrt,
    **{name: getattr(np, name) for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor",
        "ceil", "trunc", "rint", "hypot", "copysign", "fmod",
    )},
}  # fmt: skip


def by_numpy(function):
    """A function of Triton's tensors in the interpreter."""

    def call(*operands):
        assert len({operand.dtype for operand in operands}) == 1, "libdevice has no functions of mixed types"
        kind = operands[0].type.scalar
        found = function(*(operand.handle.data for operand in operands)).astype(operands[0].handle.data.dtype)
        is_block = any(operand.type.is_block() for operand in operands)
        return tl.tensor(TensorHandle(found, kind), tl.block_type(kind, list(found.shape)) if is_block else kind)

    return call


for _name, _function in FUNCTIONS.items():
    setattr(libdevice, _name, by_numpy(_function))
