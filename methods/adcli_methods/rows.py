"""Row mode: a function's value and derivatives at each row of a table, all rows of a block in one vectorised pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from adcli_methods.function import Function
from adcli_methods.row_columns import columns_of
from adcli_methods.row_function import RowDerivatives, RowFunction
from adcli_methods.structure import Tree


def row_derivatives(
    function: Function | Callable[..., Tree],
    columns: Mapping[str, Any],
    wrt: Sequence[str | int] | str | int | None = None,
    mode: str = "auto",
    *,
    fixed: Mapping[str, Any] | None = None,
    compile: str = "auto",  # noqa: A002 (the word that users know)
    strict: bool = False,
) -> RowDerivatives:
    """The value and the derivatives of a scalar function of numbers at each row of a table.

    Arguments:
        function: a Function or a callable.
        columns: by the name of each input that has a column, one number for each row.
        wrt: the inputs to differentiate by; None: all that have a column.
        mode: "auto", "forward" or "reverse".
        fixed: the inputs that are the same in all rows.
        compile: "auto", "c" for native kernels, "numpy".
        strict: of native kernels, see `kernels.compile_program`.
    Raises: PointError, FunctionError, OperatorError; UnavailableError for "c" without a compiler.

    >>> import numpy as np
    >>> found = row_derivatives(lambda x, y: x * np.sin(y), {"x": [1.0, 2.0], "y": [0.0, 0.0]})
    >>> found.value.tolist(), found.derivatives["y"].tolist()
    ([0.0, 0.0], [1.0, 2.0])
    """
    prepared = RowFunction(function, tuple(columns), wrt, mode, fixed=fixed, compile=compile, strict=strict)
    table = columns_of(columns)
    prepared.expected_rows = len(next(iter(table.values())))
    return prepared(table)


def stream_row_derivatives(
    function: Function | Callable[..., Tree],
    blocks: Iterable[Mapping[str, Any]],
    wrt: Sequence[str | int] | str | int | None = None,
    mode: str = "auto",
    *,
    fixed: Mapping[str, Any] | None = None,
    compile: str = "auto",  # noqa: A002 (the word that users know)
    strict: bool = False,
) -> Iterator[RowDerivatives]:
    """As `row_derivatives`, block by block of a table that is too long for memory.

    >>> import numpy as np
    >>> blocks = ({"x": np.full(3, float(i))} for i in range(2))
    >>> [found.derivatives["x"].tolist() for found in stream_row_derivatives(lambda x: x**2, blocks)]
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    """
    prepared: RowFunction | None = None
    for block in blocks:
        if prepared is None:
            prepared = RowFunction(function, tuple(block), wrt, mode, fixed=fixed, compile=compile, strict=strict)
        yield prepared(block)
