"""SymPy functions for primitives that SymPy lacks, or whose derivative by SymPy evaluates poorly if at all.

Each carries its derivative, and its numeric value under the plain `lambdify`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from adcli_methods.primitives import PRIMITIVES

Expression = Any
_ZERO = sympy.Integer(0)


def _number_of(primitive: str) -> Callable[..., Any]:
    """The numeric value of a primitive, its parameter (order) as last argument."""
    row = PRIMITIVES[primitive]

    def value(*arguments: Any) -> Any:
        count = len(row.rules) if isinstance(row.rules, tuple) else 1
        operands, extra = arguments[:count], arguments[count:]
        return row.numpy(*operands, **({"order": int(extra[0])} if extra else {}))

    return value


def _define(name: str, primitive: str, partials: Sequence[Callable[..., Expression]], value_of: Any = None) -> Any:
    """A SymPy function: its partial derivatives by its arguments, and its exact values where known."""

    def fdiff(self: Any, argindex: int = 1) -> Expression:
        return partials[argindex - 1](*self.args)

    def evaluate(cls: Any, *arguments: Expression) -> Expression:
        return value_of(*arguments) if value_of else None

    attributes = {
        "fdiff": fdiff,
        "eval": classmethod(evaluate),
        "_imp_": staticmethod(_number_of(primitive)),
        "_eval_is_extended_real": lambda self: True,
        "_eval_derivative": _chain,
    }
    return type(name, (sympy.Function,), attributes)


def _chain(self: Any, symbol: Any) -> Expression:
    """The chain rule, arguments without the symbol (an order, say) left out."""
    total = _ZERO
    for position, argument in enumerate(self.args):
        speed = argument.diff(symbol) if argument.has(symbol) else _ZERO
        if speed != 0:
            total += speed * self.fdiff(position + 1)
    return total


def _at_zero(value: Expression) -> Callable[..., Expression]:
    return lambda x, *_: value if x == 0 else None


def _exactly(function: Callable[[Expression], Expression]) -> Callable[..., Expression]:
    return lambda x: function(x) if x.is_Rational or x.is_Float else None


def _of_atoms(function: Callable[..., Expression]) -> Callable[..., Expression]:
    # SymPy's Max compares its arguments, which takes long for large ones
    return lambda *arguments: function(*arguments) if all(x.is_Atom for x in arguments) else None


def _no_slope(*_: Expression) -> Expression:
    return _ZERO


def _sinc_value(x: Expression, order: Expression) -> Expression:
    if x != 0:
        return None
    n = int(order)
    return _ZERO if n % 2 else (-1) ** (n // 2) * sympy.pi**n / (n + 1)


sigmoid: Any = _define("sigmoid", "sigmoid", [lambda x: sigmoid(x) * sigmoid(-x)], _at_zero(sympy.Rational(1, 2)))
softplus: Any = _define("softplus", "softplus", [lambda x: sigmoid(x)])
tanh: Any = _define("tanh", "tanh", [lambda x: sympy.cosh(x) ** -2], _at_zero(_ZERO))
cbrt: Any = _define("cbrt", "cbrt", [lambda x: cbrt(x) ** -2 / 3], _at_zero(_ZERO))
arccot: Any = _define("arccot", "arccot", [lambda x: -1 / (1 + x**2)])
hypot: Any = _define("hypot", "hypot", [lambda a, b: a / hypot(a, b), lambda a, b: b / hypot(a, b)])
maximum: Any = _define(
    "maximum",
    "maximum",
    [lambda a, b: sympy.Heaviside(a - b), lambda a, b: sympy.Heaviside(b - a)],
    _of_atoms(sympy.Max),
)
minimum: Any = _define(
    "minimum",
    "minimum",
    [lambda a, b: sympy.Heaviside(b - a), lambda a, b: sympy.Heaviside(a - b)],
    _of_atoms(sympy.Min),
)
absolute: Any = _define("absolute", "absolute", [lambda x: sign(x)], _exactly(sympy.Abs))
sign: Any = _define("sign", "sign", [_no_slope], _exactly(sympy.sign))
floor: Any = _define("floor", "floor", [_no_slope], _exactly(sympy.floor))
ceil: Any = _define("ceil", "ceil", [_no_slope], _exactly(sympy.ceiling))
trunc: Any = _define("trunc", "trunc", [_no_slope], _exactly(lambda x: sympy.sign(x) * sympy.floor(abs(x))))
rint: Any = _define("rint", "rint", [_no_slope])
mod: Any = _define("mod", "mod", [lambda a, b: sympy.Integer(1), lambda a, b: -floor(a / b)])
copysign: Any = _define("copysign", "copysign", [lambda a, b: sign(a) * copysign(1, b), _no_slope])
sinc: Any = _define("sinc_", "sinc", [lambda x, n: sinc(x, n + 1)], _sinc_value)
xlogy: Any = _define("xlogy", "xlogy", [lambda a, b: sympy.log(b), lambda a, b: a / b], _at_zero(_ZERO))
logaddexp: Any = _define("logaddexp", "logaddexp", [lambda a, b: sigmoid(a - b), lambda a, b: sigmoid(b - a)])
logaddexp2: Any = _define(
    "logaddexp2",
    "logaddexp2",
    [lambda a, b: sigmoid(sympy.log(2) * (a - b)), lambda a, b: sigmoid(sympy.log(2) * (b - a))],
)
logit: Any = _define("logit", "logit", [lambda x: 1 / (x * (1 - x))])
ndtr: Any = _define("ndtr", "ndtr", [lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)])
log_ndtr: Any = _define(
    "log_ndtr", "log_ndtr", [lambda x: sympy.exp(-(x**2) / 2 - log_ndtr(x)) / sympy.sqrt(2 * sympy.pi)]
)
