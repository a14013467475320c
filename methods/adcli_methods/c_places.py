"""Where the entries of arrays lie in emitted C code, and how its numbers are spelled."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.kernels.c_expressions import HELPERS, literal

WORD_BYTES = 8
"""Of a double."""


class Place(NamedTuple):
    """Where an array's entries lie: a C pointer, an offset, and a stride in entries for each axis."""

    pointer: str
    offset: int
    strides: tuple[int, ...]

    def at(self, indices: Sequence[str]) -> str:
        """The C expression of one entry."""
        terms = [str(self.offset)] if self.offset else []
        terms += [i if s == 1 else f"{i} * {s}" for i, s in zip(indices, self.strides, strict=True) if s and i != "0"]
        return f"{self.pointer}[{' + '.join(terms) or '0'}]"


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in C order, in entries."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def view_of(place: Place, shape: tuple[int, ...], move: Any) -> Place:
    """The place of a NumPy view: the view is taken of an array that has these strides and no memory."""
    start = np.zeros(1)
    strides = [stride * WORD_BYTES for stride in place.strides]
    whole = np.lib.stride_tricks.as_strided(start, shape, strides, writeable=False)
    view = move(whole)
    moved = view.__array_interface__["data"][0] - start.__array_interface__["data"][0] if view.size else 0
    return Place(
        place.pointer, place.offset + moved // WORD_BYTES, tuple(stride // WORD_BYTES for stride in view.strides)
    )


def indices_of(shape: Sequence[int]) -> list[str]:
    """The loop variables of a shape."""
    return [f"i{k}" for k in range(len(shape))]


def helper_text(name: str) -> str:
    """A helper function for doubles."""
    return re.sub(r"\bT\b", "double", HELPERS[name].replace("SPLIT", "134217729.0")).replace("S(", "(")


def number_text(value: float) -> str:
    """A double in C99."""
    text = literal(value, "float64").replace('__builtin_nan("")', "NAN").replace("__builtin_inf()", "INFINITY")
    return text.replace("(double)", "")


def _reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    view = x.view()
    view.shape = shape
    return view


VIEWS: dict[str, Any] = {
    "getitem": lambda x, index: x[(*index, ...)] if Ellipsis not in index else x[index],
    "transpose": lambda x, axes: x.transpose(axes),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "reshape": lambda x, shape: _reshaped(x, shape),
    "astype": lambda x, dtype: x,
    "positive": lambda x: x,
}
"""Operations that only look at an array in another way."""
