"""Programs on CasADi expressions: SX, a node for each number, or MX, a node for each matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import casadi
import numpy as np

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Primitive, Value
from adcli_methods.targets import Entry, Target
from adcli_methods.targets import casadi_functions as own
from adcli_methods.targets.casadi_functions import Expressions, gathered, joined, matrix, of_matrix, places_of

_ENTRIES: dict[str, Callable[..., Any]] = {
    **{name: getattr(casadi, name) for name in (
        "sqrt", "exp", "expm1", "log", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil",
        "sign", "erf", "erfinv", "hypot", "copysign",
    )},
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "absolute": casadi.fabs,
    "maximum": casadi.fmax,
    "minimum": casadi.fmin,
    "arcsin": casadi.asin,
    "arccos": casadi.acos,
    "arctan": casadi.atan,
    "arctan2": casadi.atan2,
    "arcsinh": casadi.asinh,
    "arccosh": casadi.acosh,
    "arctanh": casadi.atanh,
    "exp2": lambda x: 2.0**x,
    "log2": lambda x: casadi.log(x) / math.log(2),
    "cbrt": lambda x: casadi.sign(x) * casadi.fabs(x) ** (1 / 3),
    "sec": lambda x: 1 / casadi.cos(x),
    "csc": lambda x: 1 / casadi.sin(x),
    "cot": lambda x: 1 / casadi.tan(x),
    "sech": lambda x: 1 / casadi.cosh(x),
    "csch": lambda x: 1 / casadi.sinh(x),
    "coth": lambda x: 1 / casadi.tanh(x),
    "gaussian": lambda x: casadi.exp(-x * x),
    "erfc": lambda x: 1 - casadi.erf(x),
    "sigmoid": lambda x: 1 / (1 + casadi.exp(-x)),
    "relu": lambda x: casadi.fmax(x, 0),
    "softplus": lambda x: casadi.fmax(x, 0) + casadi.log1p(casadi.exp(-casadi.fabs(x))),
    "logaddexp": lambda a, b: casadi.fmax(a, b) + casadi.log1p(casadi.exp(-casadi.fabs(a - b))),
    "xlogy": lambda a, b: a * casadi.log(b),
    "where": own.where,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "logical_and": casadi.logic_and,
    "logical_or": casadi.logic_or,
    "logical_not": casadi.logic_not,
}  # fmt: skip
TABLE: dict[str, Entry] = {
    **{name: own.elementwise(function) for name, function in _ENTRIES.items()},
    "sum": own.sum_,
    "prod": own.fold(lambda a, b: a * b),
    "max": own.fold(casadi.fmax, casadi.mmax),
    "min": own.fold(casadi.fmin, casadi.mmin),
    "cumsum": own.cumsum,
    "reshape": lambda x, shape: Expressions(x.column, shape),
    "transpose": lambda x, axes: gathered(x, places_of(x.shape).transpose(axes)),
    "broadcast_to": own.broadcast_to,
    "concatenate": lambda *xs, axis: joined(xs, lambda places: np.concatenate(places, axis=axis)),
    "stack": lambda *rows: joined(rows, np.stack),
    "getitem": own.getitem,
    "scatter_add": own.scatter_add,
    "scatter_sum": own.scatter_sum,
    "index_update": own.index_update,
    "matmul": own.matmul,
    "einsum": own.einsum,
    "astype": lambda x, dtype: x,
    "inv": lambda a: of_matrix(casadi.inv(matrix(a))),
    "solve": lambda a, b: of_matrix(casadi.solve(matrix(a), matrix(b))),
    "det": lambda a: Expressions(casadi.det(matrix(a)), ()),
    "logabsdet": lambda a: Expressions(casadi.log(casadi.fabs(casadi.det(matrix(a)))), ()),
}
_INDEXED = {"getitem": 1, "scatter_add": 1, "index_update": 2}
"""The primitives that take index arrays, and how many operands come before those."""


class CasadiTarget(Target):
    """CasADi expressions; whole numbers stay NumPy's where they are an index."""

    def __init__(self) -> None:
        super().__init__("casadi", TABLE)

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        count = _INDEXED.get(primitive.name)

        def call(*operands: Value, **parameters: Any) -> Value:
            first = operands[:count]
            kind = next((type(x.column) for x in first if isinstance(x, Expressions)), casadi.SX)
            arrays = operands[count:] if count else ()
            if any(isinstance(array, Expressions) for array in arrays):
                raise OperatorError("casadi cannot index by what depends on the inputs")
            return function(*[lifted(x, kind) for x in first], *arrays, **parameters)

        return call

    def context(self, inputs: Sequence[Value]) -> Any:
        """SX or MX, as the inputs are."""
        return next((type(x.column) for x in inputs if isinstance(x, Expressions)), None)

    def convert(self, value: Value, context: Any) -> Value:
        """Floating-point numbers and arrays as expressions."""
        if isinstance(value, Expressions) or context is None or np.asarray(value).dtype.kind != "f":
            return value
        return lifted(value, context)


def lifted(value: Value, kind: Any) -> Expressions:
    """A number, an array or an expression as an array of expressions."""
    if isinstance(value, Expressions):
        return value
    array = np.asarray(value, dtype=float)
    return Expressions(kind(casadi.DM(array.ravel())), array.shape)


CASADI = CasadiTarget()
