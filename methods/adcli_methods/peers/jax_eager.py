"""JAX without compilation: each operation is dispatched by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted
from adcli_methods.operators import require_scalar, size_of
from adcli_methods.primitive import Value


class JaxEager(Method):
    """jax.value_and_grad, jacrev and jacfwd on code emitted from the Program."""

    name = "jax"
    summary = "JAX, operation by operation, on jax.numpy code emitted from the Program"
    needs = "jax"
    install = 'pip install "adcli[peers]"'
    evaluates_point = False  # what it sees there is a tracer of its own

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        from adcli_methods.emission import compile_program
        from adcli_methods.targets.jax_target import JAX, lower

        function = self.staged(_floating(compile_program(problem.program, JAX)))
        return Native(counted(function, self.tally), self.convert(problem.leaves), lower)

    def convert(self, leaves: Sequence[Value]) -> list[Value]:
        from adcli_methods.targets.jax_target import lift

        return lift(leaves)

    def staged(self, function: Any) -> Any:
        """The function as it is to be run."""
        return function

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        import jax
        import jax.numpy as jnp

        at = list(leaves)
        outputs, transpose = jax.vjp(function, at)

        def seeds(given: Sequence[Value], like: Sequence[Value]) -> list[Value]:
            return [jnp.broadcast_to(jnp.asarray(s, v.dtype), v.shape) for s, v in zip(given, like, strict=True)]

        def push(tangents: Sequence[Value]) -> list[Value]:
            self.tally.tangent_sweeps += 1
            return list(jax.jvp(function, (at,), (seeds(tangents, at),))[1])

        def pull(cotangents: Sequence[Value]) -> list[Value]:
            self.tally.adjoint_sweeps += 1
            return list(transpose(seeds(cotangents, outputs))[0])

        return Linearization(outputs, push, pull)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        from adcli_methods.emission import bare_function
        from adcli_methods.targets.jax_target import JAX, lower

        self.check(operator, 1)
        leaves = self.convert(problem.leaves)
        emitted = bare_function(problem.program, JAX, leaves)
        function = _floating(lambda at: emitted(*at))
        values = [problem.traced[0].values[slot] for slot in problem.program.outputs]
        if operator == "gradient":
            require_scalar(values, operator)
            call = self.staged(_gradient(function))
        else:
            call = self.staged(_jacobian(function, by_rows=size_of(values) < size_of(leaves)))

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs, blocks = call(at)
            for value in (*outputs, *blocks):
                value.block_until_ready()
            return outputs, blocks

        return Prepared(run, leaves, lower, self.convert)


def _floating(function: Flat) -> Flat:
    """A function whose outputs are JAX arrays of floating-point numbers, whatever they depend on."""
    import jax.numpy as jnp

    def call(leaves: Sequence[Value]) -> list[Value]:
        like = leaves[0].dtype
        outputs = [jnp.asarray(output) for output in function(leaves)]
        return [v if jnp.issubdtype(v.dtype, jnp.floating) else v.astype(like) for v in outputs]

    return call


Both = Callable[[Sequence[Value]], tuple[list[Value], list[Value]]]


def _gradient(function: Flat) -> Both:
    import jax

    def scalar(leaves: Sequence[Value]) -> tuple[Value, list[Value]]:
        outputs = function(leaves)
        return outputs[0].reshape(()), outputs

    differentiated = jax.value_and_grad(scalar, has_aux=True)

    def call(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
        (_, outputs), blocks = differentiated(leaves)
        return outputs, list(blocks)

    return call


def _jacobian(function: Flat, by_rows: bool) -> Both:
    import jax

    def twice(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
        outputs = function(leaves)
        return outputs, outputs

    differentiated = (jax.jacrev if by_rows else jax.jacfwd)(twice, has_aux=True)

    def call(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
        rows, outputs = differentiated(leaves)
        return outputs, [block for row in rows for block in row]

    return call
