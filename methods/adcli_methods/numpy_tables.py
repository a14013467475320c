"""Which front stands for which of NumPy's ufuncs, functions and methods of arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib import stride_tricks

from adcli_methods.functions import (
    calculus,
    creation,
    elementwise,
    joining,
    linalg,
    ordering,
    products,
    reductions,
    shaping,
)
from adcli_methods.functions.axes import assembled, cast
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import special as sp

Front = Callable[..., Any]


def fronts_of(module: ModuleType, names: str) -> dict[str, Front]:
    """The functions of a module by NumPy's names, which may lack a trailing underscore."""
    return {name: vars(module).get(name) or vars(module)[f"{name}_"] for name in names.split()}


_SAME_UFUNCS = """add subtract multiply divide negative positive reciprocal power absolute maximum minimum mod square
sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 hypot sinh cosh tanh arcsinh
arccosh arctanh sign floor ceil trunc rint copysign less less_equal greater greater_equal equal not_equal logical_and
logical_or logical_xor logical_not isnan isfinite isinf"""
_MADE_UFUNCS = """floor_divide divmod fmod modf fmax fmin heaviside float_power deg2rad rad2deg ldexp signbit
bitwise_and bitwise_or bitwise_xor invert"""
_UFUNCS_BY_NAME: dict[str, Front] = {
    **fronts_of(e, _SAME_UFUNCS),
    **fronts_of(elementwise, _MADE_UFUNCS),
    **fronts_of(products, "matmul vecdot matvec vecmat"),
    "logaddexp": sp.logaddexp,
    "logaddexp2": sp.logaddexp2,
    "radians": elementwise.deg2rad,
    "degrees": elementwise.rad2deg,
    "fabs": e.absolute,
    "conjugate": e.positive,
}

UFUNCS: dict[Any, Front] = {getattr(np, name): front for name, front in _UFUNCS_BY_NAME.items() if hasattr(np, name)}
"""A front for each of NumPy's ufuncs."""

REDUCTIONS: dict[Any, Front] = {
    np.add: reductions.sum_,
    np.multiply: reductions.prod,
    np.maximum: reductions.max_,
    np.minimum: reductions.min_,
    np.logical_and: reductions.all_,
    np.logical_or: reductions.any_,
}
"""What `ufunc.reduce` is."""

ASSOCIATIVE: frozenset[Any] = frozenset(
    {np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot}
)
"""The ufuncs whose `accumulate` may be taken by doubling, and whose `reduce` is its end."""


def _shape(a: Any) -> tuple[int, ...]:
    return shape_of(assembled(a))


def _ndim(a: Any) -> int:
    return len(_shape(a))


def _size(a: Any, axis: int | None = None) -> int:
    return int(np.prod(_shape(a))) if axis is None else _shape(a)[axis]


def _result_type(*given: Any) -> Any:
    return np.result_type(*(getattr(value, "dtype", value) for value in given))


def _i0(x: Any) -> Value:
    return sp.bessel_i(assembled(x), order=0)


def _sinc(x: Any) -> Value:
    return sp.sinc(assembled(x), order=0)


_NUMPY: dict[str, Front] = {
    **fronts_of(
        reductions,
        "sum prod max min ptp any all count_nonzero mean var std average cumsum cumprod argmax argmin nansum nanprod "
        "nanmax nanmin nanmean nanvar nanstd allclose array_equal",
    ),
    **fronts_of(
        shaping,
        "reshape ravel transpose swapaxes matrix_transpose moveaxis rollaxis expand_dims squeeze atleast_1d atleast_2d "
        "atleast_3d broadcast_to broadcast_arrays meshgrid flip rot90 roll repeat tile pad tril triu "
        "diagonal diag diagflat",
    ),
    **fronts_of(
        joining,
        "concatenate stack hstack vstack dstack column_stack block append insert delete array_split split hsplit "
        "vsplit dsplit unstack",
    ),
    **fronts_of(
        ordering,
        "take take_along_axis argsort sort partition median quantile percentile nonzero flatnonzero argwhere where "
        "compress extract searchsorted digitize interp piecewise bincount apply_along_axis copyto putmask put "
        "put_along_axis fill_diagonal",
    ),
    **fronts_of(products, "dot vdot inner outer tensordot kron cross einsum"),
    **fronts_of(calculus, "diff ediff1d gradient trapezoid convolve correlate polyval vander cov corrcoef"),
    **fronts_of(elementwise, "real imag round fix clip select nan_to_num isclose isposinf isneginf isreal"),
    **fronts_of(creation, "full_like zeros_like ones_like copy linspace logspace geomspace"),
    "empty_like": creation.zeros_like,
    "trace": linalg.trace,
    "amax": reductions.max_,
    "amin": reductions.min_,
    "around": elementwise.round_,
    "trapz": calculus.trapezoid,
    "fliplr": functools.partial(shaping.flip, axis=1),
    "flipud": functools.partial(shaping.flip, axis=0),
    "row_stack": joining.vstack,
    "concat": joining.concatenate,
    "permute_dims": shaping.transpose,
    "iscomplexobj": elementwise.is_complex_type,
    "isrealobj": elementwise.is_real_type,
    "shape": _shape,
    "ndim": _ndim,
    "size": _size,
    "result_type": _result_type,
    "i0": _i0,
    "sinc": _sinc,
}
_LINALG: dict[str, Front] = {
    **fronts_of(linalg, "inv det slogdet solve cholesky matrix_power norm vector_norm matrix_norm"),
    **fronts_of(products, "multi_dot matmul vecdot tensordot outer cross"),
    "trace": linalg.matrix_trace,
    "diagonal": linalg.last_diagonal,
    "matrix_transpose": shaping.matrix_transpose,
}

FUNCTIONS: dict[Any, Front] = {
    vars(owner)[name]: front
    for owner, table in ((np, _NUMPY), (np.linalg, _LINALG))
    for name, front in table.items()
    if name in vars(owner) and vars(owner)[name] not in UFUNCS
}
"""A front for each of NumPy's functions."""
FUNCTIONS[stride_tricks.sliding_window_view] = shaping.sliding_window_view

_VIEWS = """reshape ravel transpose permute_dims swapaxes matrix_transpose moveaxis rollaxis expand_dims squeeze
atleast_1d atleast_2d atleast_3d flip fliplr flipud rot90 array_split split hsplit vsplit dsplit unstack real copyto
putmask put put_along_axis fill_diagonal"""
VIEWS: frozenset[Any] = frozenset(function for function in FUNCTIONS if function.__name__ in _VIEWS.split())
"""The functions whose results share entries with an argument, or that write into one."""


def _reshape(a: Value, *shape: Any, order: str = "C", copy: Any = None) -> Value:
    return shaping.reshape(a, shape[0] if len(shape) == 1 else shape, order)


def _transpose(a: Value, *axes: Any) -> Value:
    return shaping.transpose(a, None if axes in ((), (None,)) else axes[0] if isinstance(axes[0], tuple) else axes)


def _astype(a: Value, dtype: Any, *_: Any, **__: Any) -> Value:
    return creation.copy(a) if cast(a, dtype) is a else cast(a, dtype)


def _copy(a: Value, order: str = "C") -> Value:
    return a.copy(order) if shape_of(a) else a


def _item(a: Value, *index: Any) -> Value:
    shape = shape_of(a)
    if not shape:
        return a
    if not index and _size(a) != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    place = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
    return a[place] if len(place) == len(shape) else shaping.flat(a)[place[0] if place else 0]


def _tolist(a: Value) -> Any:
    return [_tolist(row) for row in a] if shape_of(a) else a


METHODS: dict[str, Front] = {
    **fronts_of(reductions, "sum prod max min ptp any all mean var std cumsum cumprod argmax argmin"),
    **fronts_of(shaping, "ravel flatten squeeze swapaxes diagonal repeat"),
    **fronts_of(ordering, "take argsort nonzero compress searchsorted put fill"),
    **fronts_of(products, "dot matmul"),
    **fronts_of(elementwise, "clip round"),
    "reshape": _reshape,
    "transpose": _transpose,
    "astype": _astype,
    "item": _item,
    "tolist": _tolist,
    "copy": _copy,
    "sort": ordering.sort_in_place,
    "trace": linalg.trace,
    "conj": e.positive,
    "conjugate": e.positive,
}
"""A front for each method of arrays."""

ATTRIBUTES: dict[str, Front] = {
    "T": shaping.transpose,
    "mT": shaping.matrix_transpose,
    "flat": shaping.flat,
    "real": elementwise.real,
    "imag": elementwise.imag,
    "itemsize": lambda a: a.dtype.itemsize,
    "nbytes": lambda a: a.dtype.itemsize * _size(a),
}
"""What each attribute of arrays is."""
