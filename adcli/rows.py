"""`adcli diff --points`: rows read, differentiated and written block by block, with progress and an account."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from adcli.row_account import Account
from adcli.row_files import CsvRows, NpzRows
from adcli.row_results import CsvResult, NpzResult
from adcli.target import PROBLEM, Target
from adcli_methods.errors import AdcliError, OperatorError, PointError
from adcli_methods.formula import formula_function, formula_inputs
from adcli_methods.function import Function, function_of
from adcli_methods.loading import load_python, names_python
from adcli_methods.row_function import RowFunction
from adcli_methods.whole_file import replacing


class RowsRequest(NamedTuple):
    """What to do with a table of rows.

    Arguments:
        points: a .csv or .npz file, or "-" for CSV on standard input.
        out: a .csv or .npz file; None: CSV on standard output.
        wrt: the inputs to differentiate by; None: all that have a column.
        mode: "auto", "forward" or "reverse", or a short name of theirs.
        compile_with: "auto", "c" or "numpy".
        strict: whether native kernels use the C library's scalar functions.
        quiet: no progress and no notes.
        fixed: the inputs that are the same in all rows.
    """

    points: str
    out: Path | None = None
    wrt: Sequence[str] | None = None
    mode: str = "auto"
    compile_with: str = "auto"
    strict: bool = False
    quiet: bool = False
    fixed: Mapping[str, Any] = MappingProxyType({})


def differentiate_rows(target: str, request: RowsRequest) -> int:
    """Write the value and the derivatives of each row.

    Result: how many rows are bad; what is wrong with the first of them has been said on stderr.
    Raises: AdcliError.
    """
    from adcli.commands.common import read_target

    if target == request.points == "-":
        raise OperatorError("the formula and the rows cannot both come from standard input: give one of them by name")
    with closing(_source(request.points)) as source:
        function = function_of_columns(read_target(target), source.names, request.fixed)
        wanted = _wanted(function, source, request.fixed)
        how: dict[str, Any] = {"compile": request.compile_with, "strict": request.strict}
        prepared = RowFunction(function, wanted, request.wrt, request.mode, fixed=request.fixed, **how)
        account = Account(source, wanted, request.quiet)
        with _result(request.out, source, wanted, prepared.wrt) as result:
            for block in source.blocks(wanted):
                result.write(block, account.differentiate(prepared, block))
        account.end()
    return account.bad


def function_of_columns(target: Target, columns: Sequence[str], fixed: Mapping[str, Any]) -> Function:
    """The Function that a target names; a formula's names that have a column are inputs even where constants (e).

    Raises: ExpressionError, FunctionError.
    """
    if isinstance(target, Function):
        return target
    if not isinstance(target, str):
        return function_of(target)
    if target.startswith(PROBLEM):
        from adcli_benchmarks.problems import problem_named

        return problem_named(target.removeprefix(PROBLEM)).as_function()
    if names_python(target):
        return load_python(target)
    return formula_function(target, inputs=formula_inputs(target, {*columns, *fixed}))


def _source(points: str) -> CsvRows | NpzRows:
    """The rows that --points names."""
    path, suffix = Path(points), Path(points).suffix.lower()
    if points != "-" and not path.exists():
        raise PointError(f"no file {points}: --points takes a .csv or .npz file, or - for CSV on standard input")
    if path.is_dir():
        raise PointError(f"--points {points} is a folder: a .csv or .npz file is expected")
    if suffix == ".npz":
        return NpzRows(path)
    return CsvRows(None if points == "-" else path)


def _wanted(function: Function, source: CsvRows | NpzRows, fixed: Mapping[str, Any]) -> tuple[str, ...]:
    """The inputs that have a column."""
    missing = [
        name for name in function.parameters
        if name not in source.names and name not in fixed and name not in function.defaults
    ]  # fmt: skip
    if missing:
        mark = next((f"; columns are separated by commas, not by {c!r}" for c in ";\t" if c in source.names[0]), "")
        raise PointError(
            f"{source.label} has no column {', '.join(missing)}: its columns are {', '.join(source.names)}{mark}. "
            f"Rename one, or fix the input for all rows with --at {missing[0]}=..."
        )
    wanted = tuple(name for name in function.parameters if name in source.names and name not in fixed)
    both = [name for name in function.parameters if name in source.names and name in fixed]
    if both:
        raise PointError(f"{both[0]} has a column in {source.label} and a value in --at: leave one of them out")
    if not wanted:
        raise PointError(f"no column of {source.label} is an input: the inputs are {', '.join(function.parameters)}")
    return wanted


@contextmanager
def _result(
    out: Path | None, source: CsvRows | NpzRows, wanted: Sequence[str], wrt: Sequence[str]
) -> Iterator[CsvResult | NpzResult]:
    """Where the rows go; a file is there when all are written."""
    names = source.names if isinstance(source, CsvRows) else wanted
    if out is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        try:
            result = CsvResult(sys.stdout, names, wrt)
            yield result
            result.finish()
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the flush at exit does not fail again
        return
    if out.suffix not in (".csv", ".npz"):
        raise AdcliError(f"--out {out}: with --points the name must end in .csv or .npz")
    if out.suffix == ".npz":
        with replacing(out, f"--out {out}") as stream, NpzResult(out, wrt) as archive:
            yield archive
            archive.finish(stream)
        return
    with (
        replacing(out, f"--out {out}") as stream,
        TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="") as text,
    ):
        result = CsvResult(text, names, wrt)
        yield result
        result.finish()


def require_rows_alone(given: dict[str, Any]) -> None:
    """Raise OperatorError for options that have no meaning beside --points."""
    for option, value in given.items():
        if value:
            raise OperatorError(
                f"--points and {option} together: rows have a value and first derivatives, as CSV or .npz"
            )


def fixed_inputs(at: str | None) -> dict[str, Any]:
    """The inputs that --at gives to all rows.

    Raises: PointError if it does not name them.
    """
    from adcli.point import parse_point

    if at is None:
        return {}
    given = parse_point(at)
    if not isinstance(given, dict):
        raise PointError("with --points, --at must name the inputs that it fixes, as in --at r=0.05")
    return given
