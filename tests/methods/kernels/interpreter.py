"""Triton's interpreter, which has no libdevice: its functions are NumPy's and SciPy's here.

It also reads and writes wherever a kernel wants to; here only inside of the arrays that the kernel was given. Installed
before any kernel is made, with TRITON_INTERPRET=1 in the environment from the start.
"""

from __future__ import annotations

import numpy as np
import scipy.special
import triton.language as tl
from triton.language.extra import libdevice
from triton.runtime import interpreter
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

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


_given: list[tuple[int, int]] = []
"""The first address and the one past the last of each array that a kernel was given."""
_convert = interpreter._implicit_cvt
_load, _store = InterpreterBuilder.create_masked_load, InterpreterBuilder.create_masked_store


def noting(argument):
    """An argument for the interpreter; where an array is gets noted."""
    if hasattr(argument, "data_ptr"):
        _given.append((argument.data_ptr(), argument.data_ptr() + argument.numel() * argument.element_size()))
    return _convert(argument)


def check_inside(pointers, mask):
    """Raise AssertionError if what the mask lets through is outside of every array."""
    addresses = np.broadcast_to(pointers.data, np.broadcast_shapes(pointers.data.shape, mask.data.shape))
    wanted = addresses[np.broadcast_to(mask.data, addresses.shape)]
    inside = np.zeros(wanted.shape, bool)
    for first, end in _given[-100:]:
        inside |= (wanted >= first) & (wanted < end)
    assert inside.all(), "a kernel reads or writes outside of its arrays"


def checked_load(builder, pointers, mask, *others):
    """A load inside of the arrays."""
    check_inside(pointers, mask)
    return _load(builder, pointers, mask, *others)


def checked_store(builder, pointers, value, mask, *others):
    """A store inside of the arrays."""
    check_inside(pointers, mask)
    return _store(builder, pointers, value, mask, *others)


def install():
    """Change the interpreter for the rest of the process."""
    interpreter._implicit_cvt = noting
    InterpreterBuilder.create_masked_load, InterpreterBuilder.create_masked_store = checked_load, checked_store
    for name, function in FUNCTIONS.items():
        setattr(libdevice, name, by_numpy(function))
