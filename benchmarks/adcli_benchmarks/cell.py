"""What a cell is: one thing to measure, of one problem, by one method, at one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Setting = str | int | float | bool
"""One more dimension of a measure, such as the step of a difference or the order of a derivative."""


@dataclass(frozen=True)
class Cell:
    """One measurement to make.

    Arguments:
        measure: its measure, as in "accuracy".
        problem: a shipped problem's name, or the user's "model.py:loss".
        method: a method's or a peer's name.
        size: the problem's size; None is its least.
        dtype: "float64" or "float32".
        device: "cpu" or "cuda".
        seed: of the random inputs.
        settings: the measure's own dimensions, name and value each.
    """

    measure: str
    problem: str
    method: str
    size: int | None = None
    dtype: str = "float64"
    device: str = "cpu"
    seed: int = 0
    settings: tuple[tuple[str, Setting], ...] = ()

    @property
    def key(self) -> str:
        """The cell as one line of text: equal for equal cells, different for different ones.

        >>> Cell("swell", "logistic", "symbolic", 4, settings=(("order", 2),)).key
        'swell logistic symbolic n=4 float64 cpu seed=0 order=2'
        """
        size = "least" if self.size is None else str(self.size)
        fixed = (self.measure, self.problem, self.method, f"n={size}", self.dtype, self.device, f"seed={self.seed}")
        own = (f"{name}={value}" for name, value in sorted(self.settings))
        return " ".join(quote(part, safe="/:=+@,()[]*\\") for part in (*fixed, *own))

    def setting(self, name: str, default: Any = None) -> Any:
        """The value of one of the measure's own dimensions."""
        return dict(self.settings).get(name, default)

    def to_json(self) -> dict[str, Any]:
        """The cell for JSON."""
        return {**vars(self), "settings": dict(self.settings)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Cell:
        """The cell that `to_json` gave.

        >>> cell = Cell("memory", "model.py:loss", "reverse", 10, settings=(("budget", 0.5),))
        >>> Cell.from_json(cell.to_json()) == cell
        True
        """
        return cls(**{**found, "settings": tuple(found.get("settings", {}).items())})
