"""What the in-house methods share: trace the user's function, sweep over the trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from adcli_methods import sweeps
from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, counted, identity
from adcli_methods.operators import derivative_blocks
from adcli_methods.primitive import Value
from adcli_methods.trace import Trace

Sweep = Callable[[Sequence[Value]], list[Value]]


def traced(function: Flat, leaves: Sequence[Value], locate: bool = False) -> tuple[Trace, list[int]]:
    """Run a function once on tracers: its trace, and the slots of its outputs."""
    trace = Trace(leaves, locate)
    try:
        outputs = function(trace.tracers())
        return trace, [trace.output_slot(output) for output in outputs]
    finally:
        trace.close()


class InHouse(Method):
    """Forward and reverse mode together: each derivative takes whichever needs fewer sweeps."""

    name = "auto"
    summary = "forward or reverse, whichever needs fewer sweeps for the shape"
    devices = ("cpu", "cuda")
    gives_push = True
    gives_pull = True
    batches = True
    takes_chunk = True

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        function = counted(problem, self.tally)
        if self.settings.device == "cpu":
            return Native(function, problem.leaves, identity)
        from adcli_methods.targets.torch_target import lift, lower

        return Native(function, lift(problem.leaves, self.settings.device), lower)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        start = time.perf_counter()
        trace, slots = traced(function, leaves)
        self.tally.prepare_seconds = time.perf_counter() - start
        return Linearization(
            [trace.values[slot] for slot in slots],
            self._push(trace, slots) if self.gives_push else None,
            self._pull(trace, slots) if self.gives_pull else None,
            self._chunk(trace),
            self.settings.chunk is None,
        )

    def _chunk(self, trace: Trace) -> int:
        """How many seeds a sweep takes; forward and reverse mode by name sweep once for each, unless told otherwise."""
        wanted = self.settings.chunk
        if self.settings.device != "cpu" or (wanted is None and not self.batches):
            return 1
        from adcli_methods.batching import chunk_size  # here, for a plain derivative starts without it

        moving = [value for value, active in zip(trace.values, trace.active, strict=True) if active]
        return chunk_size(moving, wanted)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        """On the CPU an optimised, compiled Program of a Jacobian, or of a gradient by adjoints; else as swept."""
        swept = super().prepared(problem, operator)
        if self.settings.device != "cpu" or (operator == "gradient" and not self.gives_pull):
            return swept
        from adcli_methods.prepared.version import prepare_version  # here, for one derivative starts without it

        mode = "reverse" if operator == "gradient" else self.name
        runner = prepare_version(problem, len(problem.leaves), operator, (), mode=mode).runner
        count = len(problem.program.outputs)

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            outputs = runner.run(at)
            return swept.run(at) if outputs is None else (list(outputs[:count]), list(outputs[count:]))

        return swept._replace(run=run)

    def _push(self, trace: Trace, slots: list[int]) -> Sweep:
        def push(tangents: Sequence[Value]) -> list[Value]:
            moved = sweeps.push(trace, tangents, slots)
            self.tally.tangent_sweeps += 1
            return moved

        return push

    def _pull(self, trace: Trace, slots: list[int]) -> Sweep:
        def pull(cotangents: Sequence[Value]) -> list[Value]:
            adjoints = sweeps.pull(trace, slots, cotangents)
            self.tally.adjoint_sweeps += 1
            return adjoints

        return pull

    def series(self, function: Flat, leaf: Value, order: int) -> list[Value] | None:
        """Taylor series by forward mode; reverse mode sweeps back over the series of one order less."""
        if self.gives_push:
            return self._taylor(function, leaf, order)
        return derivative_blocks(self, lambda at: self._taylor(function, at[0], order - 1), [leaf], 1)

    def _taylor(self, function: Flat, leaf: Value, order: int) -> list[Value]:
        from adcli_methods import taylor

        start = time.perf_counter()
        trace, slots = traced(function, [leaf])
        self.tally.prepare_seconds = time.perf_counter() - start
        self.tally.tangent_sweeps += 1
        return taylor.directional_derivatives(trace, [1.0], order, slots)
