"""torch.func: PyTorch's function transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Prepared
from adcli_methods.operators import require_scalar, size_of
from adcli_methods.primitive import Value
from adcli_methods.torch_autograd import TorchAutograd, floating


class TorchFunc(TorchAutograd):
    """torch.func.grad_and_value, jacrev and jacfwd; products by torch.func.vjp and jvp."""

    name = "torch-func"
    aliases = ("functorch",)
    summary = "torch.func transforms on native torch code emitted from the Program"
    sweeps_per_push = 1
    evaluates_point = False  # what it sees there is a tracer of its own

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        import torch

        def call(*at: Value) -> list[Value]:
            return [floating(output, at[0]) for output in function(at)]

        outputs, transpose = torch.func.vjp(call, *leaves)

        def seeds(given: Sequence[Value], like: Sequence[Value]) -> list[Value]:
            return [
                torch.as_tensor(seed, dtype=value.dtype, device=value.device).expand(value.shape)
                for seed, value in zip(given, like, strict=True)
            ]

        def push(tangents: Sequence[Value]) -> list[Value]:
            self.tally.tangent_sweeps += 1
            return list(torch.func.jvp(call, tuple(leaves), tuple(seeds(tangents, leaves)))[1])

        def pull(cotangents: Sequence[Value]) -> list[Value]:
            self.tally.adjoint_sweeps += 1
            return list(transpose(seeds(cotangents, outputs)))

        return Linearization(list(outputs), push, pull)

    def staged(self, function: Any) -> Any:
        """The function as it is to be run."""
        return function

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        from adcli_methods.emission import bare_function
        from adcli_methods.targets.torch_target import TORCH, lower

        self.check(operator, 1)
        leaves = self.convert(problem.leaves)
        values = [problem.traced[0].values[slot] for slot in problem.program.outputs]
        emitted = bare_function(problem.program, TORCH, leaves)
        if operator == "gradient":
            require_scalar(values, operator)
            call = self.staged(_gradient(emitted, len(leaves)))
        else:
            call = self.staged(_jacobian(emitted, len(leaves), by_rows=size_of(values) < size_of(leaves)))

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs, blocks = call(*at)
            self.wait()
            return outputs, blocks

        return Prepared(run, leaves, lower, self.convert)


def _gradient(emitted: Any, count: int) -> Any:
    import torch

    def scalar(*at: Value) -> tuple[Value, list[Value]]:
        outputs = [floating(output, at[0]) for output in emitted(*at)]
        return outputs[0].reshape(()), outputs

    differentiated = torch.func.grad_and_value(scalar, argnums=tuple(range(count)), has_aux=True)

    def call(*at: Value) -> tuple[list[Value], list[Value]]:
        blocks, (_, outputs) = differentiated(*at)
        return outputs, list(blocks)

    return call


def _jacobian(emitted: Any, count: int, by_rows: bool) -> Any:
    import torch

    def twice(*at: Value) -> tuple[list[Value], list[Value]]:
        outputs = [floating(output, at[0]) for output in emitted(*at)]
        return outputs, outputs

    transform = torch.func.jacrev if by_rows else torch.func.jacfwd
    differentiated = transform(twice, argnums=tuple(range(count)), has_aux=True)

    def call(*at: Value) -> tuple[list[Value], list[Value]]:
        rows, outputs = differentiated(*at)
        return outputs, [block for row in rows for block in row]

    return call
