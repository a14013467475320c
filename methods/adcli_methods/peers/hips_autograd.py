"""HIPS autograd: reverse mode by a tape of wrapped NumPy functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted, identity
from adcli_methods.operators import require_scalar
from adcli_methods.peers.refusals import refusals_of
from adcli_methods.primitive import Value


class HipsAutograd(Method):
    """autograd.value_and_grad; Jacobians by one adjoint sweep for each output."""

    name = "autograd"
    aliases = ("hips",)
    summary = "HIPS autograd on autograd.numpy code emitted from the Program"
    needs = "autograd"
    install = 'pip install "adcli[peers]"'
    evaluates_point = False  # what it sees there is a tracer of its own

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        from adcli_methods.emission import bare_function
        from adcli_methods.targets.autograd_target import AUTOGRAD

        emitted = bare_function(problem.program, AUTOGRAD, problem.leaves)
        return Native(counted(lambda leaves: emitted(*leaves), self.tally), problem.leaves, identity)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        from autograd.builtins import tuple as boxed_tuple
        from autograd.core import make_vjp
        from autograd.tracer import isbox

        def call(at: Any) -> Any:
            outputs = function([at[position] for position in range(len(leaves))])
            return boxed_tuple([v if isbox(v) else np.asarray(v, dtype=float)[()] for v in outputs])

        with refusals_of("autograd"):
            transpose, outputs = make_vjp(call, boxed_tuple(leaves))

        def pull(cotangents: Sequence[Value]) -> list[Value]:
            self.tally.adjoint_sweeps += 1
            seeds = [_seed(seed, output) for seed, output in zip(cotangents, outputs, strict=True)]
            with refusals_of("autograd"):
                adjoints = transpose(boxed_tuple(seeds))
            return [adjoints[position] for position in range(len(leaves))]

        return Linearization([outputs[position] for position in range(len(outputs))], None, pull)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        if operator != "gradient":
            return super().prepared(problem, operator)
        import autograd

        from adcli_methods.emission import bare_function
        from adcli_methods.targets.autograd_target import AUTOGRAD

        self.check(operator, 1)
        require_scalar([problem.traced[0].values[slot] for slot in problem.program.outputs], operator)
        emitted = bare_function(problem.program, AUTOGRAD, problem.leaves)
        count = len(problem.leaves)
        places = tuple(range(count)) if count > 1 else 0
        differentiated = autograd.value_and_grad(lambda *at: emitted(*at)[0], places)

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            value, blocks = differentiated(*at)
            return [value], list(blocks) if count > 1 else [blocks]

        with refusals_of("autograd"), np.errstate(all="ignore"):
            run(problem.leaves)
        return Prepared(run, problem.leaves, identity, self.convert)


def _seed(seed: Value, output: Value) -> Value:
    """A seed of the output's type: autograd's spaces do not mix precisions."""
    from autograd.tracer import getval, isbox

    if isbox(seed):
        return seed
    value = getval(output)
    return np.broadcast_to(np.asarray(seed, dtype=np.asarray(value).dtype), np.shape(value))[()]
