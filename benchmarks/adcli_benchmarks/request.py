"""What the user asked to be measured, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEBIBYTE = 2**20


@dataclass(frozen=True)
class BenchRequest:
    """A benchmark run. None leaves the choice to each measure.

    Arguments:
        measures: names of measures, in their order.
        problems: shipped problems' names or the user's "model.py:loss".
        methods: names of methods and peers.
        sizes: problem sizes.
        dtypes: "float64", "float32".
        device: "cpu" or "cuda".
        seed: of the random inputs.
        timeout_seconds: for one cell, the start of its process included.
        memory_bytes: the most resident memory of one cell's process.
        is_tour: a quick look: few cells, small sizes, under two minutes for all measures together.
    """

    measures: tuple[str, ...]
    problems: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    sizes: tuple[int, ...] | None = None
    dtypes: tuple[str, ...] = ("float64",)
    device: str = "cpu"
    seed: int = 0
    timeout_seconds: float = 60.0
    memory_bytes: int = 4096 * MEBIBYTE
    is_tour: bool = False

    def to_json(self) -> dict[str, Any]:
        """The request for JSON."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> BenchRequest:
        """The request that `to_json` gave.

        >>> request = BenchRequest(("passes",), sizes=(10, 100))
        >>> BenchRequest.from_json(request.to_json()) == request
        True
        """
        fields: dict[str, Any] = {name: tuple(x) if isinstance(x, list) else x for name, x in found.items()}
        return cls(**fields)
