"""Programs on JAX arrays; importing this sets JAX to double precision, which this package's numbers have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Primitive, Value, plain
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets import INFIX, Entry, Target, index_text
from adcli_methods.targets import jax_functions as own

_SAME_NAME = (
    "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "square", "reciprocal", "floor", "ceil",
    "trunc", "rint", "sign", "positive", "isnan", "isfinite", "isinf", "logical_not",
)  # fmt: skip
_SAME_NAME_OF_TWO = (
    "maximum", "minimum", "arctan2", "hypot", "copysign", "logaddexp", "logaddexp2", "mod", "logical_and",
    "logical_or", "logical_xor",
)  # fmt: skip
_SPECIAL = ("erf", "erfc", "erfinv", "gamma", "gammaln", "digamma", "logit", "ndtr", "log_ndtr")
_OWN = (
    "gaussian", "softplus", "arccot", "bessel_i", "sinc", "getitem", "scatter_add", "scatter_sum", "index_update",
    "concatenate", "stack", "einsum", "adjugate",
)  # fmt: skip

TABLE: dict[str, Entry] = {
    **{name: f"{{0}} {sign} {{1}}" for name, sign in INFIX.items()},
    **{name: f"jnp.{name}({{0}})" for name in _SAME_NAME},
    **{name: f"jnp.{name}({{0}}, {{1}})" for name in _SAME_NAME_OF_TWO},
    **{name: f"special.{name}({{0}})" for name in _SPECIAL},
    **{name: getattr(own, name) for name in _OWN},
    "negative": "-{0}",
    "absolute": "jnp.abs({0})",
    "sec": "1 / jnp.cos({0})",
    "csc": "1 / jnp.sin({0})",
    "cot": "1 / jnp.tan({0})",
    "sech": "1 / jnp.cosh({0})",
    "csch": "1 / jnp.sinh({0})",
    "coth": "1 / jnp.tanh({0})",
    "arcsec": "jnp.arccos(1 / {0})",
    "arccsc": "jnp.arcsin(1 / {0})",
    "arcsech": "jnp.arccosh(1 / {0})",
    "arccsch": "jnp.arcsinh(1 / {0})",
    "arccoth": "jnp.arctanh(1 / {0})",
    "sigmoid": "special.expit({0})",
    "relu": "jax.nn.relu({0})",
    "xlogy": "special.xlogy({0}, {1})",
    "polygamma": "special.polygamma({order}, {0})",
    "where": "jnp.where({0}, {1}, {2})",
    "sum": "jnp.sum({0}, axis={axis}, keepdims={keepdims})",
    "prod": "jnp.prod({0}, axis={axis}, keepdims={keepdims})",
    "max": "jnp.max({0}, axis={axis}, keepdims={keepdims})",
    "min": "jnp.min({0}, axis={axis}, keepdims={keepdims})",
    "cumsum": "jnp.cumsum({0}, axis={axis})",
    "reshape": "jnp.reshape({0}, {shape})",
    "transpose": "jnp.transpose({0}, {axes})",
    "broadcast_to": "jnp.broadcast_to({0}, {shape})",
    "matmul": "{0} @ {1}",
    "argsort": "jnp.argsort({0}, axis={axis})",
    "argmax": "jnp.argmax({0}, axis={axis})",
    "argmin": "jnp.argmin({0}, axis={axis})",
    "astype": "jnp.asarray({0}).astype({dtype})",
    "to_integer": "jnp.asarray({0}).astype({dtype})",
    "inv": "jnp.linalg.inv({0})",
    "solve": "jnp.linalg.solve({0}, {1})",
    "det": "jnp.linalg.det({0})",
    "det_sign": "jnp.linalg.slogdet({0})[0]",
    "logabsdet": "jnp.linalg.slogdet({0})[1]",
    "cholesky": "jnp.linalg.cholesky({0})",
}
"""Every primitive that JAX has; of its Bessel functions only i0 and i1."""
_IMPORTS = ("import jax", "import jax.numpy as jnp", "from jax.scipy import special")
_ORDERS = {"bessel_i": (-1, 0, 1), "sinc": (0,)}


class JaxTarget(Target):
    """JAX arrays of double precision; constants take the dtype of the inputs."""

    setup = ('jax.config.update("jax_enable_x64", True)',)
    differs = "not jnp.array_equal({0}, {1})"
    taken_in = "if not isinstance({0}, jax.Array): {0} = jnp.asarray({0}, dtype=jnp.{1})"

    def __init__(self) -> None:
        numbers = frozenset(name for name, primitive in PRIMITIVES.items() if primitive.elementwise)
        namespace = {"jax": jax, "jnp": jnp, "special": special, **vars(own)}
        super().__init__("jax", TABLE, namespace, numbers, _IMPORTS)

    def context(self, inputs: Sequence[Value]) -> Any:
        """The dtype of the first floating input."""
        for value in inputs:
            dtype = getattr(value, "dtype", None)
            if dtype is not None and jnp.issubdtype(dtype, jnp.floating):
                return np.dtype(dtype)
        return None

    def convert(self, value: Value, context: Any) -> Value:
        """A number or array as a JAX array: floats of the context's dtype, whole numbers as int64."""
        if isinstance(value, jax.Array):
            return value
        array = np.asarray(value)
        return jnp.asarray(array, dtype=context if array.dtype.kind == "f" and context else array.dtype)

    def check(self, primitive: Primitive, parameters: Mapping[str, Any]) -> None:
        orders = _ORDERS.get(primitive.name)
        if orders is not None and parameters["order"] not in orders:
            raise OperatorError(
                f"jax has no {primitive.name} of order {parameters['order']} that can be differentiated"
            )

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        self.check(primitive, parameters)
        name = primitive.name
        if name == "getitem":
            return f"{operands[0]}[{index_text(parameters['index'], operands[1:])}]"
        if name == "index_update":
            return f"{operands[0]}.at[{index_text(parameters['index'], operands[2:])}].set({operands[1]})"
        if name == "concatenate":
            return f"jnp.concatenate(({', '.join(operands)},), axis={parameters['axis']})"
        if name == "stack":
            return f"jnp.stack([{', '.join(operands)}])"
        if name == "einsum":
            return f"jnp.einsum({parameters['subscripts']!r}, {', '.join(operands)})"
        return super().expression(primitive, operands, parameters)


JAX = JaxTarget()
jax.config.update("jax_enable_x64", True)


def lift(leaves: Sequence[Value]) -> list[Value]:
    """NumPy values as JAX arrays; floats keep their precision, Python's are float64."""
    return [JAX.convert(leaf, None) for leaf in leaves]


def lower(values: Sequence[Value]) -> list[Value]:
    """JAX arrays as NumPy arrays and Python floats."""
    return [plain(np.asarray(value)) if isinstance(value, jax.Array) else value for value in values]
