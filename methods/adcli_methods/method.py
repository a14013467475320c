"""What a method is: a way to linearize a function at a point, and a statement of what it can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.function import FlatFunction
from adcli_methods.primitive import Value, owned, shape_of

Flat = Callable[[Sequence[Value]], list[Value]]
"""A function of a list of leaves that returns a list of leaves."""

OPERATORS = ("derivative", "gradient", "jacobian", "hessian", "jvp", "vjp", "hvp")


class Tally:
    """What a derivative took, counted by whatever did the work."""

    __slots__ = ("adjoint_sweeps", "prepare_seconds", "primal_evaluations", "tangent_sweeps")

    def __init__(self) -> None:
        self.primal_evaluations = 0
        self.tangent_sweeps = 0
        self.adjoint_sweeps = 0
        self.prepare_seconds = 0.0  # of tracing, where a method traces while it runs


class Linearization(NamedTuple):
    """A function at a point: its values, and the Jacobian as a linear map.

    Arguments:
        outputs: the function's values; None where the method does not need them.
        push: tangents of the leaves -> tangents of the outputs (a Jacobian-vector product).
        pull: cotangents of the outputs -> adjoints of the leaves (a vector-Jacobian product).
        chunk: how many tangents or cotangents one sweep takes, as Batched seeds; 1: plain ones only.
        tries_all: whether one sweep may take all of them, where that costs no more memory than a chunk.
    """

    outputs: list[Value] | None
    push: Callable[[Sequence[Value]], list[Value]] | None = None
    pull: Callable[[Sequence[Value]], list[Value]] | None = None
    chunk: int = 1
    tries_all: bool = False


class Native(NamedTuple):
    """A problem in a method's own number type: the function, the point, and the way back to NumPy."""

    function: Flat
    leaves: list[Value]
    lower: Callable[[list[Value]], list[Value]]

    def results(self, blocks: list[Value]) -> list[Value]:
        """The blocks of a derivative, outputs first, as NumPy's in memory of their own.

        One with more axes than its leaf has been put together of sweeps, and shares its memory with nothing already.
        """
        depths = [len(shape_of(leaf)) if self.lower is identity else 0 for leaf in self.leaves]
        return [
            block if 0 < depths[position % len(depths)] < len(shape_of(block)) else owned(block)
            for position, block in enumerate(self.lower(blocks))
        ]


class Prepared(NamedTuple):
    """A derivative set up once, to be run again and again; valid where branches fall as at the problem's point.

    Arguments:
        run: native leaves -> (native outputs, native blocks of the derivative), all of them computed when it returns,
            on whatever device. A gradient has a block of each leaf's shape; a Jacobian has one of shape
            output.shape + leaf.shape for each pair, outputs first.
        leaves: the problem's point in the method's own number type.
        lower: native values -> NumPy's.
        convert: NumPy leaves of the point's shapes and types -> native leaves.
    """

    run: Callable[[Sequence[Value]], tuple[list[Value], list[Value]]]
    leaves: list[Value]
    lower: Callable[[list[Value]], list[Value]]
    convert: Callable[[Sequence[Value]], list[Value]]


class Settings(NamedTuple):
    """What the user asked of a method.

    Arguments:
        device: "cpu" or "cuda".
        step: the step of differences, None for automatic.
        chunk: how many tangents or cotangents a sweep takes; None: as the method does by itself.
    """

    device: str = "cpu"
    step: float | None = None
    chunk: int | None = None


class Method:
    """The base of every method. A method gives `linearize`, and says what it can do."""

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    operators: ClassVar[frozenset[str]] = frozenset(OPERATORS)
    highest_order: ClassVar[int | None] = None
    sweeps_per_push: ClassVar[int] = 1
    evaluates_point: ClassVar[bool] = True
    """Whether linearizing evaluates the function at the point itself; if not, its value costs one evaluation more."""
    takes_chunk: ClassVar[bool] = False
    """Whether a sweep can take several tangents or cotangents."""
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    needs: ClassVar[str | None] = None
    """The module that must be importable."""
    install: ClassVar[str] = ""
    """The command that brings it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.tally = Tally()

    @classmethod
    def missing(cls) -> str | None:
        """None where the method can run here, else what to install."""
        if cls.needs is None:
            return None
        from importlib.util import find_spec

        return None if find_spec(cls.needs) else cls.install

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        """The problem in this method's number type; in-house and difference methods run the function itself."""
        raise NotImplementedError  # every method defines it

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        """The linear map of a native function at a point; `order` counts the derivatives still wanted."""
        raise NotImplementedError  # every method defines it

    def series(self, function: Flat, leaf: Value, order: int) -> list[Value] | None:
        """The order-th derivatives of the outputs by the one scalar input, if the method has a direct way."""
        return None

    def convert(self, leaves: Sequence[Value]) -> list[Value]:
        """NumPy leaves in this method's number type, on the device that was asked for."""
        if self.settings.device == "cpu":
            return list(leaves)
        from adcli_methods.targets.torch_target import lift

        return lift(leaves, self.settings.device)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        """The value with the gradient or the Jacobian, to be run again and again, in this method's fastest form.

        Arguments:
            problem: the function at a point; other points have its shapes and types.
            operator: "gradient", of one scalar output, or "jacobian".
        Raises: OperatorError, UnavailableError.
        """
        from adcli_methods.operators import blocks_of, fitted, require_scalar

        self.check(operator, 1)
        if operator == "gradient":
            require_scalar(problem(problem.leaves), operator)
        function, leaves, lower = self.prepare(problem, 1)

        def run(at: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            linear = self.linearize(function, at, 1)
            outputs = function(at) if linear.outputs is None else linear.outputs
            blocks = blocks_of(self, linear, at)
            self.wait()
            return outputs, fitted(blocks, at) if operator == "gradient" else blocks

        return Prepared(run, leaves, lower, self.convert)

    def wait(self) -> None:
        """Wait until the device has computed what it was given."""
        if self.settings.device == "cuda":
            import torch

            torch.cuda.synchronize()

    def check(self, operator: str, order: int) -> None:
        """Raise OperatorError or UnavailableError if this method cannot do what is asked."""
        missing = self.missing()
        if missing is not None:
            raise UnavailableError(f"method {self.name} needs the package {self.needs}: {missing}")
        if self.needs is not None:
            import_module(self.needs)  # here, so that no timing holds the import
        if operator not in self.operators:
            able = ", ".join(name for name in OPERATORS if name in self.operators)
            raise OperatorError(f"method {self.name} gives no {operator}: it gives {able}")
        if self.highest_order is not None and order > self.highest_order:
            raise OperatorError(
                f"method {self.name} gives derivatives up to order {self.highest_order}: "
                "forward, reverse, symbolic and torch go further"
            )
        chunk = self.settings.chunk
        if chunk is not None and (chunk < 1 or not self.takes_chunk):
            raise OperatorError(
                f"chunk {chunk}: a sweep takes 1 or more tangents or cotangents"
                if chunk < 1
                else f"method {self.name} sweeps one by one: a chunk is for auto, forward and reverse"
            )
        if self.settings.device not in self.devices:
            raise UnavailableError(
                f"method {self.name} runs on {', '.join(self.devices)}, not on {self.settings.device}: "
                "forward, reverse and torch run on cuda"
            )


def counted(function: Flat, tally: Tally) -> Flat:
    """A function that counts its evaluations."""

    def evaluate(leaves: Sequence[Value]) -> list[Value]:
        tally.primal_evaluations += 1
        return function(leaves)

    return evaluate


def identity(values: list[Any]) -> list[Any]:
    """Values that are NumPy's already."""
    return values
