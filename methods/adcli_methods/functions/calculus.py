"""Differences, integrals on a grid, convolutions, polynomials and statistics of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.functions.axes import assembled, axes_of, count, flattened, one_axis, part, refuse
from adcli_methods.functions.elementwise import safe_sqrt
from adcli_methods.functions.joining import concatenate, stack
from adcli_methods.functions.products import dot
from adcli_methods.functions.reductions import average, sum_
from adcli_methods.functions.shaping import diagonal, flip, matrix_transpose, pad, sliding_window_view
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Value:
    """np.diff."""
    x = assembled(a)
    at = one_axis(axis, len(shape_of(x)))
    edge = (*shape_of(x)[:at], 1, *shape_of(x)[at + 1 :])
    ends = [None if end is None else assembled(end) for end in (prepend, append)]
    before, after = (end if end is None or shape_of(end) else s.broadcast_to(end, shape=edge) for end in ends)
    if before is not None or after is not None:
        x = concatenate([piece for piece in (before, x, after) if piece is not None], at)
    for _ in range(n):
        x = e.subtract(part(x, at, 1, None), part(x, at, None, -1))
    return x


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Value:
    """np.ediff1d."""
    steps = diff(flattened(assembled(ary)))
    pieces = [flattened(assembled(piece)) for piece in (to_begin, steps, to_end) if piece is not None]
    return concatenate(pieces) if len(pieces) > 1 else steps


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """np.gradient."""
    x = assembled(f)
    axes = tuple(range(len(shape_of(x)))) if axis is None else tuple(axes_of(axis, len(shape_of(x))))
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    slopes = [_slope(x, at, assembled(h), edge_order) for at, h in zip(axes, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(x: Value, at: int, spacing: Value, edge_order: int) -> Value:
    refuse(edge_order != 1, "np.gradient with edge_order=2", "use edge_order=1")
    shape = [1] * len(shape_of(x))
    if shape_of(spacing):
        shape[at] = shape_of(spacing)[0] - 1
        steps = s.reshape(diff(spacing), shape=tuple(shape))
    else:
        shape[at] = shape_of(x)[at] - 1
        steps = s.broadcast_to(spacing, shape=tuple(shape))
    rates = e.divide(diff(x, axis=at), steps)
    before, after = part(steps, at, None, -1), part(steps, at, 1, None)
    middle = e.add(e.multiply(after, part(rates, at, None, -1)), e.multiply(before, part(rates, at, 1, None)))
    middle = e.divide(middle, e.add(before, after))
    return concatenate([part(rates, at, 0, 1), middle, part(rates, at, -1, None)], at)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    """np.trapezoid."""
    heights = assembled(y)
    at = one_axis(axis, len(shape_of(heights)))
    widths = assembled(dx)
    if x is not None:
        places = assembled(x)
        widths = diff(places, axis=axis if len(shape_of(places)) > 1 else 0)
        if len(shape_of(places)) == 1:
            shape = tuple(count(shape_of(widths)) if i == at else 1 for i in range(len(shape_of(heights))))
            widths = s.reshape(widths, shape=shape)
    pairs = e.add(part(heights, at, 1, None), part(heights, at, None, -1))
    return sum_(e.divide(e.multiply(widths, pairs), 2.0), at)


def convolve(a: Any, v: Any, mode: str = "full") -> Value:
    """np.convolve."""
    x, kernel = assembled(a), assembled(v)
    if shape_of(kernel)[0] > shape_of(x)[0]:
        x, kernel = kernel, x
    n, m = shape_of(x)[0], shape_of(kernel)[0]
    full = dot(sliding_window_view(pad(x, m - 1), m), flip(kernel))
    if mode == "full":
        return full
    if mode == "valid":
        return part(full, 0, m - 1, n)
    if mode != "same":
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    start = (m - 1) // 2
    return part(full, 0, start, start + n)


def correlate(a: Any, v: Any, mode: str = "valid") -> Value:
    """np.correlate."""
    x, kernel = assembled(a), assembled(v)
    if shape_of(kernel)[0] > shape_of(x)[0]:
        return flip(correlate(kernel, x, mode))
    return convolve(x, flip(kernel), mode)


def polyval(p: Any, x: Any) -> Value:
    """np.polyval by Horner's rule."""
    coefficients, at = assembled(p), assembled(x)
    value: Value = e.multiply(at, 0.0)
    for i in range(shape_of(coefficients)[0]):
        value = e.add(e.multiply(value, at), s.getitem(coefficients, index=(i,)))
    return value


def vander(x: Any, N: Any = None, increasing: bool = False) -> Value:
    """np.vander."""
    nodes = assembled(x)
    number = shape_of(nodes)[0] if N is None else N
    powers = [np.ones(shape_of(nodes))]
    for _ in range(number - 1):
        powers.append(e.multiply(powers[-1], nodes))
    return stack(powers if increasing else powers[::-1], -1)


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, aweights: Any = None
) -> Value:
    """np.cov."""
    rows = _rows(m, rowvar)
    if y is not None:
        rows = concatenate([rows, _rows(y, rowvar)], 0)
    centred = e.subtract(rows, average(rows, 1, weights=aweights, keepdims=True))
    freedom = (0 if bias else 1) if ddof is None else ddof
    scaled: Value = centred
    scale: Value = float(shape_of(rows)[1] - freedom)
    if aweights is not None:
        w = assembled(aweights)
        total = sum_(w)
        scale = e.subtract(total, e.divide(e.multiply(freedom, sum_(e.square(w))), total))
        scaled = e.multiply(centred, w)
    found = e.divide(s.matmul(scaled, matrix_transpose(centred)), scale)
    return s.reshape(found, shape=()) if shape_of(found) == (1, 1) else found


def _rows(m: Any, rowvar: bool) -> Value:
    x = assembled(m)
    if len(shape_of(x)) < 2:
        return s.reshape(x, shape=(1, count(shape_of(x))))
    return x if rowvar else matrix_transpose(x)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Value:
    """np.corrcoef."""
    c = cov(x, y, rowvar)
    if not shape_of(c):
        return e.divide(c, c)
    spread = safe_sqrt(diagonal(c))
    n = shape_of(c)[0]
    return e.divide(e.divide(c, s.reshape(spread, shape=(n, 1))), s.reshape(spread, shape=(1, n)))
