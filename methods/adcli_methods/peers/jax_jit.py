"""JAX compiled by XLA: value and derivative are one compiled function."""

from __future__ import annotations

from typing import Any

from adcli_methods.peers.jax_eager import JaxEager


class JaxJit(JaxEager):
    """jax.jit of what JaxEager runs; the first call compiles."""

    name = "jax-jit"
    summary = "JAX compiled by XLA (jax.jit), on jax.numpy code emitted from the Program"

    def staged(self, function: Any) -> Any:
        import jax

        return jax.jit(function)
