"""Programs on NumPy arrays and Python floats: the values of the primitives' own rows, and their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adcli_methods.primitive import Primitive, Value, plain
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets import INFIX, Entry, Target, index_text, literal

_SPECIAL = ("erf", "erfinv", "gamma", "gammaln", "digamma", "xlogy", "logit")
_ORDERED = {"bessel_j": "jv", "bessel_y": "yv", "bessel_i": "iv", "bessel_k": "kv"}
_WRITTEN = {
    "reciprocal": "1.0 / {0}",
    "negative": "-{0}",
    "sec": "1 / np.cos({0})",
    "csc": "1 / np.sin({0})",
    "cot": "1 / np.tan({0})",
    "sech": "1 / np.cosh({0})",
    "csch": "1 / np.sinh({0})",
    "coth": "1 / np.tanh({0})",
    "arcsec": "np.arctan2(np.sqrt((np.abs({0}) - 1) * (np.abs({0}) + 1)), np.sign({0}))",
    "arccsc": "np.arcsin(1 / {0})",
    "arccot": "np.arctan(1 / np.asarray({0}, dtype=float))",
    "arcsech": "np.log1p((1 - {0} + np.sqrt((1 - {0}) * (1 + {0}))) / {0})",
    "arccsch": "np.arcsinh(1 / {0})",
    "arccoth": "0.5 * np.sign({0}) * np.log1p(2 / (np.abs({0}) - 1))",
    "softplus": "np.maximum({0}, 0) + np.log1p(np.exp(-np.abs({0})))",
    "relu": "np.maximum({0}, 0)",
    "where": "np.where({0}, {1}, {2})",
    "sum": "np.sum({0}, axis={axis}, keepdims={keepdims})",
    "prod": "np.prod({0}, axis={axis}, keepdims={keepdims})",
    "max": "np.max({0}, axis={axis}, keepdims={keepdims})",
    "min": "np.min({0}, axis={axis}, keepdims={keepdims})",
    "cumsum": "np.cumsum({0}, axis={axis})",
    "reshape": "np.reshape({0}, {shape})",
    "transpose": "np.transpose({0}, {axes})",
    "broadcast_to": "np.broadcast_to({0}, {shape})",
    "matmul": "np.matmul({0}, {1})",
    "argsort": "np.argsort({0}, axis={axis}, kind='stable')",
    "argmax": "np.argmax({0}, axis={axis})",
    "argmin": "np.argmin({0}, axis={axis})",
    "astype": "np.asarray({0}).astype({dtype})",
    "to_integer": "np.asarray({0}).astype({dtype})[()]",
    "inv": "np.linalg.inv({0})",
    "solve": "np.linalg.solve({0}, {1})",
    "det": "np.linalg.det({0})",
    "det_sign": "np.linalg.slogdet({0})[0]",
    "logabsdet": "np.linalg.slogdet({0})[1]",
    "cholesky": "np.linalg.cholesky({0})",
}


def _elementwise_template(primitive: Primitive) -> Entry | None:
    name = primitive.name
    if not primitive.elementwise or not isinstance(getattr(np, name, None), np.ufunc):
        return None
    count = getattr(np, name).nin
    return f"np.{name}({', '.join(f'{{{i}}}' for i in range(count))})"


def _entry(primitive: Primitive) -> Entry:
    name = primitive.name
    if name in INFIX:
        return f"{{0}} {INFIX[name]} {{1}}"
    if name in _WRITTEN:
        return _WRITTEN[name]
    if name in _SPECIAL:
        return f"special.{name}({', '.join(f'{{{i}}}' for i in range(len(primitive.rules)))})"  # type: ignore[arg-type]
    if name in _ORDERED:
        return f"special.{_ORDERED[name]}({{order}}, {{0}})"
    return _elementwise_template(primitive) or primitive.numpy


class NumpyTarget(Target):
    """NumPy arrays; Python floats become NumPy's, which divide by zero without raising."""

    def __init__(self) -> None:
        table = {name: _entry(primitive) for name, primitive in PRIMITIVES.items()}
        imports = ("import math", "import numpy as np", "from scipy import special")
        functions = {entry.__name__: entry for entry in table.values() if callable(entry)}
        super().__init__("numpy", table, functions, frozenset(PRIMITIVES), imports)

    def call(self, primitive: Primitive) -> Callable[..., Value]:
        """The primitive's own value on NumPy's numbers."""

        def call(*operands: Value, **parameters: Any) -> Value:
            return plain(primitive.numpy(*[self.convert(operand, None) for operand in operands], **parameters))

        return call

    def convert(self, value: Value, context: Any) -> Value:
        """Arrays as they are, any real number as a float64."""
        if isinstance(value, (np.ndarray, np.generic, int)):
            return value
        return np.float64(value) if not hasattr(value, "__len__") else np.asarray(value, dtype=float)

    def statements(
        self, name: str, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]
    ) -> list[str] | None:
        row = primitive.name
        if row == "index_update":
            a, b, *arrays = operands
            kind = f"np.result_type({a}, {b})"
            return [f"{name} = np.array({a}, {kind})", f"{name}[{index_text(parameters['index'], arrays)}] = {b}"]
        if row not in ("scatter_add", "scatter_sum"):
            return None
        pieces = operands if row == "scatter_sum" else operands[:1]
        zeros = f"{name} = np.zeros({literal(parameters['shape'])}, np.result_type({', '.join(pieces)}))"
        if row == "scatter_sum":
            places = map(index_text, parameters["indices"])
            signs = ["=", *["+="] * (len(pieces) - 1)]
            return [zeros, *(f"{name}[{place}] {sign} {piece}"
                             for place, sign, piece in zip(places, signs, pieces, strict=True))]  # fmt: skip
        place = index_text(parameters["index"], operands[1:])
        if len(operands) == 1:
            return [zeros, f"{name}[{place}] = {operands[0]}"]
        return [zeros, f"np.add.at({name}, np.index_exp[{place}], {operands[0]})"]

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        name = primitive.name
        if name == "getitem":
            return f"{operands[0]}[{index_text(parameters['index'], operands[1:])}]"
        if name in _REDUCTIONS:
            axis = parameters["axis"]
            kept = ", keepdims=True" * parameters["keepdims"]
            return f"np.{name}({operands[0]}, axis={axis[0] if len(axis) == 1 else axis}{kept})"
        if name == "concatenate":
            return f"np.concatenate(({', '.join(operands)},), axis={parameters['axis']})"
        if name == "stack":
            return f"np.array([{', '.join(operands)}])"
        if name == "einsum":
            return f"np.einsum({parameters['subscripts']!r}, {', '.join(operands)})"
        return super().expression(primitive, operands, parameters)


class QuickNumpyTarget(NumpyTarget):
    """As NumpyTarget; reductions by the ufuncs that NumPy's own functions end in, a microsecond sooner.

    Truth values become numbers by a product, which takes half the time of np.where.
    """

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        if primitive.name == "where" and tuple(operands[1:]) == ("1.0", "0.0"):
            return f"np.multiply({operands[0]}, 1.0)"
        ufunc = _REDUCTIONS.get(primitive.name)
        if ufunc is None:
            return super().expression(primitive, operands, parameters)
        axis, kept = parameters["axis"], ", keepdims=True" * parameters["keepdims"]
        along = "" if axis == (0,) else f", axis={axis[0] if len(axis) == 1 else axis}"  # the first is the default
        return f"np.{ufunc}.reduce({operands[0]}{along}{kept})"


_REDUCTIONS = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}
NUMPY = NumpyTarget()
QUICK_NUMPY = QuickNumpyTarget()
