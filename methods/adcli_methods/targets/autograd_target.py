"""Programs on HIPS autograd's boxes: NumPy source with `np` as autograd's wrapper of NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.scipy import special

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Primitive, Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.targets import Entry, Target
from adcli_methods.targets import autograd_functions as own
from adcli_methods.targets.numpy_target import NUMPY, NumpyTarget

_SPECIAL = ("erf", "erfc", "erfinv", "gamma", "gammaln", "digamma", "logit")
_OWN = ("gaussian", "arccot", "cbrt", "sinc", "prod", "getitem", "concatenate", "stack", "einsum")
_WRAPPED = {name: entry for name, entry in NUMPY.table.items() if isinstance(entry, str)}

TABLE: dict[str, Entry] = {
    **_WRAPPED,
    **{name: f"special.{name}({{0}})" for name in _SPECIAL},
    **{name: getattr(own, name) for name in _OWN},
    "sigmoid": "special.expit({0})",
    "softplus": "np.logaddexp({0}, 0.0)",
    "polygamma": "special.polygamma({order}, {0})",
    "xlogy": "{0} * np.log({1})",
}
"""Every primitive that autograd may know; of those it cannot differentiate it says so itself."""
_IMPORTS = ("import math", "import autograd.numpy as np", "from autograd.scipy import special")
_WRITING = ("index_update", "scatter_add", "scatter_sum")
_UNKNOWN = ("bessel_k", "bessel_j", "bessel_y", "bessel_i")


class AutogradTarget(NumpyTarget):
    """Boxes of HIPS autograd, and NumPy's own values beside them."""

    def __init__(self) -> None:
        table = {name: entry for name, entry in TABLE.items() if name not in _UNKNOWN}
        namespace = {"np": anp, "special": special, **vars(own)}
        Target.__init__(self, "autograd", table, namespace, frozenset(PRIMITIVES), _IMPORTS)

    def call(self, primitive: Primitive) -> Any:
        """The primitive by autograd's function of it."""
        return Target.call(self, primitive)

    def context(self, inputs: Sequence[Value]) -> Any:
        """The dtype of the first floating array."""
        return next((v.dtype for v in inputs if getattr(v, "dtype", np.dtype(int)).kind == "f"), None)

    def convert(self, value: Value, context: Any) -> Value:
        """Arrays of single precision where the inputs are; anything else as it is."""
        if context == np.float32 and isinstance(value, (np.ndarray, np.float64)) and value.dtype == np.float64:
            return value.astype(np.float32)
        return value

    def check(self, primitive: Primitive, parameters: Mapping[str, Any]) -> None:
        if primitive.name == "sinc" and parameters["order"] != 0:
            raise OperatorError("autograd has no derivative of sinc that can be differentiated")

    def statements(
        self, name: str, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]
    ) -> list[str] | None:
        if primitive.name in _WRITING:
            raise OperatorError(f"autograd cannot write into an array (here by {primitive.name})")
        return None

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        self.check(primitive, parameters)
        if primitive.name in ("prod", "sinc"):
            return Target.expression(self, primitive, operands, parameters)
        self.entry(primitive)
        return super().expression(primitive, operands, parameters)


AUTOGRAD = AutogradTarget()
