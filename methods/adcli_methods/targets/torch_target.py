"""Programs on torch tensors, in a form that torch's own autograd differentiates to the last digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adcli_methods.errors import OperatorError
from adcli_methods.primitive import Primitive, Value, plain
from adcli_methods.targets import INFIX, Entry, Target, index_text
from adcli_methods.targets import torch_functions as own

_SAME_NAME = (
    "sqrt", "exp", "exp2", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "square", "reciprocal", "floor", "ceil", "trunc",
    "positive", "isnan", "isfinite", "isinf", "logical_not", "erf", "erfc", "erfinv", "relu", "logit",
)  # fmt: skip
_SAME_NAME_OF_TWO = (
    "maximum", "minimum", "arctan2", "hypot", "copysign", "logaddexp", "logaddexp2", "xlogy", "logical_and",
    "logical_or", "logical_xor",
)  # fmt: skip
_OWN = (
    "cbrt", "expm1", "tanh", "arccot", "sigmoid", "softplus", "where", "sign", "gamma", "gammaln", "digamma",
    "polygamma", "bessel_i", "sinc", "prod", "getitem", "scatter_add", "scatter_sum", "index_update",
    "concatenate", "stack", "einsum", "astype", "solve", "adjugate",
)  # fmt: skip

TABLE: dict[str, Entry] = {
    **{name: f"{{0}} {sign} {{1}}" for name, sign in INFIX.items()},
    **{name: f"torch.{name}({{0}})" for name in _SAME_NAME},
    **{name: f"torch.{name}({{0}}, {{1}})" for name in _SAME_NAME_OF_TWO},
    **{name: getattr(own, name) for name in _OWN},
    "negative": "-{0}",
    "absolute": "torch.abs({0})",
    "mod": "torch.remainder({0}, {1})",
    "rint": "torch.round({0})",
    "sec": "1 / torch.cos({0})",
    "csc": "1 / torch.sin({0})",
    "cot": "1 / torch.tan({0})",
    "sech": "1 / torch.cosh({0})",
    "csch": "1 / torch.sinh({0})",
    "coth": "1 / tanh({0})",
    "arcsec": "torch.arccos(1 / {0})",
    "arccsc": "torch.arcsin(1 / {0})",
    "arcsech": "torch.arccosh(1 / {0})",
    "arccsch": "torch.arcsinh(1 / {0})",
    "arccoth": "torch.arctanh(1 / {0})",
    "gaussian": "torch.exp(-torch.square({0}))",
    "ndtr": "0.5 * torch.erfc(-math.sqrt(0.5) * {0})",
    "log_ndtr": "torch.special.log_ndtr({0})",
    "sum": "torch.sum({0}, dim={axis}, keepdim={keepdims})",
    "max": "torch.amax({0}, dim={axis}, keepdim={keepdims})",
    "min": "torch.amin({0}, dim={axis}, keepdim={keepdims})",
    "cumsum": "torch.cumsum({0}, dim={axis})",
    "reshape": "torch.reshape({0}, {shape})",
    "transpose": "torch.permute({0}, {axes})",
    "broadcast_to": "torch.broadcast_to({0}, {shape})",
    "matmul": "{0} @ {1}",
    "argsort": "torch.argsort({0}, dim={axis}, stable=True)",
    "argmax": "torch.argmax({0}, dim={axis})",
    "argmin": "torch.argmin({0}, dim={axis})",
    "to_integer": own.astype,
    "inv": "torch.linalg.inv({0})",
    "det": "torch.linalg.det({0})",
    "det_sign": "torch.linalg.slogdet({0}).sign",
    "logabsdet": "torch.linalg.slogdet({0}).logabsdet",
    "cholesky": "torch.linalg.cholesky({0})",
}
"""Every primitive that torch can differentiate: of its Bessel functions only i0 and i1 have derivatives."""


def _is_plain_index(primitive: Primitive, parameters: Mapping[str, Any]) -> bool:
    if primitive.name != "getitem":
        return False
    return all(not isinstance(item, slice) or (item.step or 1) > 0 for item in parameters["index"])


_IMPORTS = ("import math", "import torch", "from torch import Tensor")
_REDUCTIONS = ("sum", "max", "min")


class TorchTarget(Target):
    """Torch tensors; NumPy arrays and numbers beside a tensor take its dtype and device."""

    differs = "({0} != {1}.to({0}.device)).any()"
    taken_in = "if not isinstance({0}, Tensor): {0} = torch.tensor({0}, dtype=torch.{1})"

    def __init__(self) -> None:
        namespace = {"torch": torch, "math": math, **vars(own)}
        super().__init__("torch", TABLE, namespace, frozenset(INFIX), _IMPORTS)
        # the floating dtype last seen, for numbers that have only a condition beside them
        self._dtype: torch.dtype | None = None

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        numbers_fit = primitive.name in self.takes_numbers

        def call(*operands: Value, **parameters: Any) -> Value:
            self.check(primitive, parameters)
            dtype, device = self.context(operands)
            if dtype is None:
                dtype = self._dtype
            self._dtype = dtype
            moved = [self._operand(operand, (dtype, device), numbers_fit) for operand in operands]
            if primitive.name in _REDUCTIONS and not parameters["axis"]:
                return moved[0]
            return function(*moved, **parameters)

        return call

    def context(self, inputs: Sequence[Value]) -> Any:
        """The floating dtype and the device of the first tensors that have them."""
        dtype, device = None, None
        for value in inputs:
            if isinstance(value, torch.Tensor):
                device = device or value.device
                if value.is_floating_point():
                    return value.dtype, value.device
        return dtype, device

    def convert(self, value: Value, context: Any) -> Value:
        """A number or array as a tensor: floats of the context's dtype, whole numbers as int64."""
        if isinstance(value, torch.Tensor):
            return value
        dtype, device = context
        array = np.asarray(value)
        if array.dtype.kind == "f":
            kind = dtype or torch.from_numpy(np.empty(0, array.dtype)).dtype
        else:
            kind = torch.bool if array.dtype.kind == "b" else torch.int64
        return torch.tensor(np.array(array), dtype=kind, device=device)

    def check(self, primitive: Primitive, parameters: Mapping[str, Any]) -> None:
        if primitive.name == "bessel_i" and abs(parameters["order"]) not in (0, 1):
            order = parameters["order"]
            raise OperatorError(f"torch has no bessel_i of order {order} that can be differentiated")

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        if primitive.name in _REDUCTIONS and not parameters["axis"]:
            return operands[0]
        if _is_plain_index(primitive, parameters):
            return f"{operands[0]}[{index_text(parameters['index'], operands[1:])}]"
        return super().expression(primitive, operands, parameters)

    def _operand(self, operand: Value, context: Any, numbers_fit: bool) -> Value:
        if isinstance(operand, torch.Tensor):
            return operand
        if numbers_fit and isinstance(operand, (int, float, np.generic)):
            return operand.item() if isinstance(operand, np.generic) else operand
        return self.convert(operand, context)


TORCH = TorchTarget()


def lift(leaves: Sequence[Value], device: str = "cpu") -> list[Value]:
    """NumPy values as tensors on a device; floats keep their precision, Python's are float64."""
    return [TORCH.convert(leaf, (None, device)) for leaf in leaves]


def lower(values: Sequence[Value]) -> list[Value]:
    """Tensors as NumPy arrays and Python floats."""
    return [_lowered(value) for value in values]


def _lowered(value: Value) -> Value:
    return plain(value.detach().cpu().numpy()) if isinstance(value, torch.Tensor) else value
