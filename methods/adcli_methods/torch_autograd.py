"""torch's autograd on native torch code, emitted from the Program."""

from __future__ import annotations

from collections.abc import Sequence

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted
from adcli_methods.operators import require_scalar
from adcli_methods.primitive import Value


class TorchAutograd(Method):
    """torch.autograd.grad; products along tangents by differentiating the adjoint by its seed."""

    name = "torch"
    aliases = ("torch-autograd",)
    summary = "torch autograd on native torch code emitted from the Program"
    devices = ("cpu", "cuda")
    sweeps_per_push = 2
    needs = "torch"
    install = 'pip install "adcli[torch]"'

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        from adcli_methods.emission import compile_program
        from adcli_methods.targets.torch_target import TORCH, lower

        function = compile_program(problem.program, TORCH)
        return Native(counted(function, self.tally), self.convert(problem.leaves), lower)

    def convert(self, leaves: Sequence[Value]) -> list[Value]:
        from adcli_methods.targets.torch_target import lift

        return lift(leaves, self.settings.device)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        import torch

        at = [leaf if leaf.requires_grad else leaf.detach().requires_grad_() for leaf in leaves]
        outputs = [floating(output, at[0]) for output in function(at)]
        linked = [position for position, output in enumerate(outputs) if output.requires_grad]

        def pull(cotangents: Sequence[Value], keep: bool = True) -> list[Value]:
            if not linked:
                return [torch.zeros_like(leaf) for leaf in at]
            self.tally.adjoint_sweeps += 1
            seeds = [_seed(cotangents[position], outputs[position]) for position in linked]
            return list(
                torch.autograd.grad(
                    [outputs[position] for position in linked],
                    at,
                    seeds,
                    retain_graph=True,
                    create_graph=keep,
                    materialize_grads=True,
                    allow_unused=True,
                )
            )

        def push(tangents: Sequence[Value]) -> list[Value]:
            if not linked:
                return [torch.zeros_like(output) for output in outputs]
            seeds = [torch.zeros_like(output).requires_grad_() for output in outputs]
            adjoints = pull(seeds)
            moved = [_seed(t, leaf) for t, leaf in zip(tangents, at, strict=True)]
            self.tally.adjoint_sweeps += 1
            used = [(a, t) for a, t in zip(adjoints, moved, strict=True) if a.requires_grad]
            if not used:
                return [torch.zeros_like(output) for output in outputs]
            return list(
                torch.autograd.grad(
                    [a for a, _ in used], seeds, [t for _, t in used],
                    create_graph=order > 1, materialize_grads=True, allow_unused=True,
                )
            )  # fmt: skip

        def pull_once(cotangents: Sequence[Value]) -> list[Value]:
            return pull(cotangents, keep=order > 1)

        return Linearization(outputs, None if order > 1 else push, pull_once)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        if operator != "gradient":
            return super().prepared(problem, operator)
        import torch

        from adcli_methods.emission import bare_function
        from adcli_methods.targets.torch_target import TORCH, lower

        self.check(operator, 1)
        require_scalar([problem.traced[0].values[slot] for slot in problem.program.outputs], operator)
        leaves = self.convert(problem.leaves)
        emitted = bare_function(problem.program, TORCH, leaves)

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            linked = [leaf.detach().requires_grad_() for leaf in at]
            output = floating(emitted(*linked)[0], linked[0])
            if not output.requires_grad:
                return [output], [torch.zeros_like(leaf) for leaf in at]
            blocks = torch.autograd.grad(output, linked, allow_unused=True, materialize_grads=True)
            self.wait()
            return [output.detach()], list(blocks)

        return Prepared(run, leaves, lower, self.convert)


def floating(output: Value, like: Value) -> Value:
    """An output as a tensor of floating-point numbers, whatever it depends on."""
    import torch

    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() else output.to(like.dtype)
    return torch.as_tensor(output, dtype=like.dtype, device=like.device)


def _seed(seed: Value, output: Value) -> Value:
    import torch

    return torch.as_tensor(seed, dtype=output.dtype, device=output.device).expand(output.shape)
