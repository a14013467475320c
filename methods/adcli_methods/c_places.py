"""Where the entries of arrays lie in emitted C code, and how its numbers, comments and names are spelled."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.kernels.c_expressions import HELPERS, functions, literal

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


def with_ellipsis(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same index, which gives a view of an entry too."""
    return index if any(item is Ellipsis for item in index) else (*index, ...)


def static_array(kind: str, name: str, entries: Sequence[str]) -> str:
    """The definition of a constant array; one without entries has one in C."""
    return f"static const {kind} {name}[{len(entries) or 1}] = {{{', '.join(entries) or '0'}}};"


def commented(text: str) -> str:
    """A comment with this text."""
    return f"/* {text.replace('*/', '* /').replace('/*', '/ *')} */"


def _reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    view = x.view()
    view.shape = shape
    return view


VIEWS: dict[str, Any] = {
    "getitem": lambda x, index: x[with_ellipsis(index)],
    "transpose": lambda x, axes: x.transpose(axes),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "reshape": lambda x, shape: _reshaped(x, shape),
    "astype": lambda x, dtype: x,
    "positive": lambda x: x,
}
"""Operations that only look at an array in another way."""
C_WORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool "
    "_Complex _Imaginary k work main NAN INFINITY abs ceil div erfc fdim fma fmax fmin frexp labs ldexp lgamma logb "
    "lrint lround modf nan nearbyint nextafter remainder remquo round scalbn signbit tgamma unix linux "
    "HUGE_VAL HUGE_VALF HUGE_VALL FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL FP_ILOGB0 FP_ILOGBNAN FP_FAST_FMA "
    "FP_FAST_FMAF FP_FAST_FMAL MATH_ERRNO MATH_ERREXCEPT math_errhandling M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI "
    "M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2".split()
) | frozenset(f"i{axis}" for axis in range(32)) | functions()  # fmt: skip
"""Names that the code uses for itself, or that mean something in C."""
