"""Functions in kernels stay within 4 units in the last place: vector forms and, with strict, those of the C library."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from adcli_methods.kernels import compile_program
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction, Program
from adcli_methods.shapes import abstract_values

EXACT = {
    "exp": mpmath.exp, "exp2": lambda x: mpmath.mpf(2) ** x, "expm1": mpmath.expm1, "log": mpmath.log,
    "log2": lambda x: mpmath.log(x, 2), "log10": lambda x: mpmath.log(x, 10), "log1p": mpmath.log1p,
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin, "arccos": mpmath.acos,
    "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh, "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh, "arctanh": mpmath.atanh, "sqrt": mpmath.sqrt, "erf": mpmath.erf,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), "gaussian": lambda x: mpmath.exp(-(x**2)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}  # fmt: skip
PAIRS = {"power": mpmath.power, "arctan2": mpmath.atan2, "hypot": mpmath.hypot}
EDGES = [0.0, -0.0, 5e-324, 1e-310, 1e-160, -1e-20, 1e300, -1.7e308, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e22, 709.78,
         -745.1, -708.5, 88.7, 0.5 * np.pi, 2e6 * np.pi]  # fmt: skip


def grid(dtype):
    generator = np.random.default_rng(1)
    parts = [generator.uniform(-1, 1, 60), generator.uniform(-30, 30, 60), generator.uniform(-700, 700, 20)]
    parts += [10 ** generator.uniform(-12, 12, 20), 1 + 10 ** generator.uniform(-12, 0, 20), EDGES]
    with np.errstate(over="ignore"):
        return np.concatenate(parts).astype(dtype)


def error_of(exact, operands, found, theirs):
    """Units in the last place between a result and the exact one; NaN and Inf must be NumPy's."""
    if not np.isfinite(theirs) or not np.isfinite(found):
        return 0.0 if found == theirs or (np.isnan(found) and np.isnan(theirs)) else np.inf
    value = mpmath.re(exact(*(mpmath.mpf(float(operand)) for operand in operands)))
    return float(abs(mpmath.mpf(float(found)) - value) / mpmath.mpf(float(np.spacing(abs(theirs)))))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("strict", [False, True], ids=["vector", "strict"])
def test_functions_stay_within_4_ulp(dtype, strict):
    x = grid(dtype)
    y = np.roll(x, 7)
    instructions = [Instruction(None), Instruction(None)]
    instructions += [Instruction(PRIMITIVES[name], (0,)) for name in EXACT]
    instructions += [Instruction(PRIMITIVES[name], (0, 1)) for name in PAIRS]
    program = Program(instructions, [0, 1], {}, range(2, len(instructions)))
    ready = compile_program(program, abstract_values(program, [x, y]), strict=strict)
    assert ready.report.numpy_operations == 0
    worst = {}
    with np.errstate(all="ignore"), mpmath.workprec(1200):
        for name, found in zip([*EXACT, *PAIRS], ready.run([x, y]), strict=True):
            exact, operands = (EXACT[name], (x,)) if name in EXACT else (PAIRS[name], (x, y))
            theirs = PRIMITIVES[name].numpy(*operands)
            errors = [error_of(exact, [operand[i] for operand in operands], found[i], theirs[i]) for i in range(len(x))]
            worst[name] = max(errors)
    assert {name: error for name, error in worst.items() if error > 4.0} == {}
