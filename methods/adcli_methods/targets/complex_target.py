"""Programs on complex numbers x + ihv whose tiny imaginary part carries a directional derivative.

Real parts come from the real function of the primitive's row, with NaN outside its domain: a Program means a
real function, and its decisions and jumps go by the real part. Imaginary parts come from complex functions
that keep them to the last digits, however small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets import Entry, Target
from adcli_methods.targets import complex_functions as own
from adcli_methods.targets.object_arrays import cholesky, over_matrices

BORROWED_RULES = ("erfinv", "polygamma", "bessel_j", "bessel_y", "bessel_i", "bessel_k", "sinc")
"""Primitives without a fit complex function (sinc: from its first derivative on): the imaginary part is the
primitive's own partial times the operand's, which is no evidence for the rule."""


class ComplexTarget(Target):
    """Complex numbers and arrays; plain ones beside them count as real."""

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        if primitive.name in _DIRECT or not primitive.elementwise:
            return function
        if all(primitive.rule(i, len(primitive.rules)) is None for i in range(len(primitive.rules))):  # type: ignore
            return lambda *operands: primitive.numpy(*map(np.real, operands))
        return _guarded(primitive, function)


def _guarded(primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
    """The real function's value joined to the imaginary part of a complex function."""

    def call(*operands: Value, **parameters: Any) -> Value:
        moved = [np.asarray(operand, dtype=complex) for operand in operands]
        with np.errstate(all="ignore"):
            real = np.asarray(primitive.numpy(*[z.real for z in moved], **parameters))
            imag = np.imag(function(*moved, **parameters))
        return own.joined(real, np.where(np.isnan(real), np.nan, imag))

    return call


def _by_real_part(names: Sequence[str]) -> dict[str, Entry]:
    def of_real(row: Primitive) -> Callable[..., Value]:
        return lambda x, **parameters: row.numpy(np.real(x), **parameters)

    return {name: of_real(PRIMITIVES[name]) for name in names}


_DIRECT: dict[str, Entry] = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": own.multiply,
    "negative": "-{0}",
    "positive": "+{0}",
    "square": lambda z: own.multiply(z, z),
    "where": own.choose,
}
_NAMED = (
    "exp", "exp2", "expm1", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
_RECIPROCALS = {
    "sec": np.cos, "csc": np.sin, "cot": np.tan, "sech": np.cosh, "csch": np.sinh, "coth": np.tanh,
}  # fmt: skip
_INVERSES = {
    "arcsec": np.arccos, "arccsc": np.arcsin, "arcsech": np.arccosh, "arccsch": np.arcsinh,
    "arccoth": np.arctanh,
}  # fmt: skip
_STRUCTURAL = (
    "sum", "cumsum", "reshape", "transpose", "broadcast_to", "concatenate", "getitem", "scatter_add",
    "scatter_sum", "index_update", "stack", "inv", "solve", "det",
)  # fmt: skip

TABLE: dict[str, Entry] = {
    **_DIRECT,
    **{name: getattr(np, name) for name in _NAMED},
    **{name: (lambda z, f=function: 1 / f(z)) for name, function in _RECIPROCALS.items()},
    **{name: (lambda z, f=function: f(1 / z)) for name, function in _INVERSES.items()},
    **{name: PRIMITIVES[name].numpy for name in _STRUCTURAL},
    **{name: own.special(name) for name in ("erf", "erfc", "gamma", "digamma")},
    **{name: own.borrowed(PRIMITIVES[name]) for name in BORROWED_RULES},
    **_by_real_part(("argsort", "argmax", "argmin", "to_integer")),
    **{name: row.numpy for name, row in PRIMITIVES.items() if row.elementwise and None in row.rules},  # type: ignore
    **dict.fromkeys(("sign", "floor", "ceil", "trunc", "rint"), np.real),
    "where": own.choose,
    "divide": own.divide,
    "reciprocal": lambda z: own.divide(np.ones_like(z), z),
    "matmul": own.matmul,
    "einsum": own.einsum,
    "prod": own.prod,
    "power": own.power,
    "absolute": lambda z: z * np.sign(z.real),
    "maximum": own.maximum,
    "minimum": lambda a, b: -own.maximum(-a, -b),
    "mod": lambda a, b: a - np.floor(a.real / b.real) * b,
    "sqrt": own.away(np.sqrt, np.inf),
    "cbrt": own.away(own.cbrt, np.inf),
    "arccot": lambda z: -np.arctan(z),
    **{name: own.away(getattr(np, name), np.inf) for name in ("log", "log2", "log10")},
    "arctan2": own.arctan2,
    "hypot": own.hypot,
    "copysign": lambda a, b: a * np.sign(a.real) * np.copysign(1.0, b.real),
    "gaussian": lambda z: np.exp(-z * z),
    "gammaln": own.special("loggamma"),
    "sinc": own.sinc,
    "sigmoid": own.sigmoid,
    "softplus": lambda z: own.logaddexp(z, np.zeros_like(z)),
    "relu": lambda z: np.where(z.real > 0, z, 0.0),
    "logaddexp": own.logaddexp,
    "logaddexp2": lambda a, b: own.logaddexp(a * np.log(2.0), b * np.log(2.0)) / np.log(2.0),
    "xlogy": own.xlogy,
    "logit": lambda z: np.log(z) - np.log(1 - z),
    "ndtr": own.ndtr,
    "log_ndtr": own.log_ndtr,
    "max": own.extreme(np.max),
    "min": own.extreme(np.min),
    "astype": lambda x, dtype: x,
    "det_sign": lambda a: np.sign(np.real(np.linalg.det(a))),
    "logabsdet": own.logabsdet,
    "adjugate": own.adjugate,
    "cholesky": over_matrices(lambda a: cholesky(a, np.sqrt)),
}

COMPLEX = ComplexTarget("complex", TABLE)
