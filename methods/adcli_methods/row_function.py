"""A function of numbers prepared for tables of rows: which rows go which way, and the few that go alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import AdcliError, OperatorError, PointError, UnavailableError
from adcli_methods.function import FlatFunction, Function, bind, function_of
from adcli_methods.methods import method_named
from adcli_methods.prepared.prepared import PreparedDerivative, prepare
from adcli_methods.prepared.way import Way
from adcli_methods.row_columns import Column, columns_of
from adcli_methods.row_versions import BLOCK_ROWS, OfOneRowError, RowVersion, row_version, told
from adcli_methods.structure import Path, Tree

Rows = np.ndarray[Any, np.dtype[np.intp]]
"""Numbers of rows, from 0."""
MODES = ("auto", "forward", "reverse")
COMPILE = ("auto", "c", "numpy")
MOST_VERSIONS = 64
"""Ways through the function's branches that run on columns; rows beyond them are differentiated one by one."""
WORTH_COMPILING = 1e8
"""Operations, over all rows, that NumPy needs longer for than a compiler for its kernels."""

_BLOCKS_TO_COME = 64


@dataclass(frozen=True)
class RowDerivatives:
    """Value and derivatives at each row.

    Arguments:
        value: the function's value at each row.
        derivatives: by the name of each input that was differentiated by, the partial derivative at each row.
        failures: what the function raised -> the rows (from 0) where it did; they hold NaN.
    """

    value: Column
    derivatives: dict[str, Column]
    failures: dict[str, Rows] = field(default_factory=dict)


class RowFunction:
    """A function prepared for tables with the same columns: versions found in one are used in the next.

    Arguments:
        function: a Function or a callable.
        names: the inputs that have a column.
        wrt, mode, fixed, compile, strict: as of `row_derivatives`.
        expected_rows: how many rows are to come in all; None: not known,
            taken for 64 times those of the first call.

    `expected_rows` may be set until the first call; `versions` holds the ways through the branches found so far;
    `single_rows` counts the rows done one by one.
    """

    def __init__(
        self,
        function: Function | Callable[..., Tree],
        names: Sequence[str],
        wrt: Sequence[str | int] | str | int | None = None,
        mode: str = "auto",
        *,
        fixed: Mapping[str, Any] | None = None,
        compile: str = "auto",  # noqa: A002 (the word that users know)
        strict: bool = False,
        expected_rows: int | None = None,
    ) -> None:
        self.function = function if isinstance(function, Function) else function_of(function)
        self.names = tuple(names)
        self.fixed = dict(fixed or {})
        if compile not in COMPILE:
            raise OperatorError(f"compile={compile!r}: one of {', '.join(COMPILE)}")
        self._mode = _mode_named(mode)
        Way(compile, strict).check()
        self._compile, self._strict = compile, strict
        self.expected_rows = expected_rows
        self.wrt = _names_of(self.function, wrt, self.names)
        self._check_names()
        self._leaves = (*self.wrt, *(name for name in self.names if name not in self.wrt))
        self.versions: list[RowVersion] = []
        self.single_rows = 0
        self._single: PreparedDerivative | None = None
        self._by_columns = True

    def __call__(self, columns: Mapping[str, Any]) -> RowDerivatives:
        """The value and the derivatives at each row.

        Arguments: columns: one for each of the names.
        Raises: PointError for missing columns or unlike lengths; AdcliError where the function cannot be traced.
        """
        table = self._table(columns)
        rows = len(table[0])
        if self.expected_rows is None:
            self.expected_rows = rows * _BLOCKS_TO_COME
        found = np.empty((1 + len(self.wrt), rows))
        failures: dict[str, list[Rows]] = {}
        for start in range(0, rows, BLOCK_ROWS):
            block = [column[start : start + BLOCK_ROWS] for column in table]
            done = _Block(self, block, found[:, start : start + BLOCK_ROWS])
            with np.errstate(all="ignore"):  # infinities and NaN are values here
                done.fill()
            for reason, failed in done.failures:
                failures.setdefault(reason, []).append(failed + start)
        sorted_rows = {reason: np.sort(np.concatenate(parts)) for reason, parts in failures.items()}
        return RowDerivatives(found[0], dict(zip(self.wrt, found[1:], strict=True)), sorted_rows)

    def _check_names(self) -> None:
        parameters = self.function.parameters
        for name in (*self.names, *self.fixed):
            if name not in parameters:
                raise PointError(f"{self.function.name} has no input {name!r}: its inputs are {', '.join(parameters)}")
        both = [name for name in self.names if name in self.fixed]
        if both:
            raise PointError(f"{both[0]} has a column and a fixed value: leave one of them out")
        bind(self.function, {**self.fixed, **dict.fromkeys(self.names, 0.0)}, self.wrt)
        for name in self.wrt:
            if name not in self.names and np.ndim(self.fixed.get(name, self.function.defaults.get(name, 0.0))):
                raise PointError(f"rows are differentiated by numbers, and {name} is an array")

    def _table(self, columns: Mapping[str, Any]) -> list[Column]:
        """The leaves' columns, float64 and of one length."""
        missing = [name for name in self.names if name not in columns]
        if missing:
            raise PointError(f"no column for {', '.join(missing)}")
        given = columns_of({name: columns[name] for name in self.names})
        rows = len(next(iter(given.values())))
        known = {**self.function.defaults, **self.fixed}
        return [given[name] if name in given else np.full(rows, float(known[name])) for name in self._leaves]

    @property
    def may_add(self) -> bool:
        """Whether versions on columns may still be made."""
        return self._by_columns and len(self.versions) < MOST_VERSIONS

    def version_at(self, numbers: Sequence[float], share: float) -> RowVersion | None:
        """The version for a row, from its leaves' numbers; None if that row must go alone.

        Arguments: share: which part of the rows may need it.
        """
        values = dict(zip(self._leaves, numbers, strict=True))
        inputs = bind(self.function, self.fixed | values, self.wrt)
        paths: list[Path] = [(name,) for name in self._leaves]

        def is_compiled(operations: int) -> bool:
            work = operations * share * (self.expected_rows or 0)
            return self._compile == "c" or (self._compile == "auto" and work > WORTH_COMPILING)

        problem = FlatFunction(self.function, inputs, paths)
        try:
            version = row_version(problem, len(self.wrt), self._mode, is_compiled, strict=self._strict)
        except UnavailableError:
            if self._compile == "c":
                raise
            self._compile = "numpy"
            version = row_version(problem, len(self.wrt), self._mode, is_compiled)
        except OfOneRowError:
            return None
        if version is None:
            self._by_columns = False
        else:
            self.versions.append(version)
        return version

    def single(self, numbers: Sequence[float]) -> list[float]:
        """The value and the derivatives at one row, by itself."""
        self.single_rows += 1
        at = {**self.fixed, **dict(zip(self._leaves, numbers, strict=True))}
        if self._single is None:
            self._single = prepare(self.function, at, wrt=self.wrt)
        value, slopes = self._single(**at)
        return [float(value), *(float(slopes[name] if len(self.wrt) > 1 else slopes) for name in self.wrt)]

    def why_nan(self, at: Mapping[str, float]) -> str:
        """Why the value is NaN in a row: what the function raises there by itself, or where NaN first arises."""
        try:
            notes = differentiate(self.function, {**self.fixed, **at}, Request(wrt=self.wrt)).notes
        except Exception as error:
            return told(error, self.function.name)
        return next((note for note in notes if note.startswith("NaN first arises")), "the value is nan")


def _mode_named(name: str) -> str:
    """The mode that rows are differentiated by, from a method's name or short name.

    Raises: OperatorError for another method.
    """
    mode = method_named(name).name
    if mode not in MODES:
        raise OperatorError(f"rows are differentiated by mode auto, forward or reverse, not by {name!r}")
    return "forward" if mode == "forward" else "reverse"


def _names_of(
    function: Function, wrt: Sequence[str | int] | str | int | None, names: tuple[str, ...]
) -> tuple[str, ...]:
    if wrt is None:
        return tuple(name for name in function.parameters if name in names)
    parameters, found = function.parameters, []
    for item in [wrt] if isinstance(wrt, (str, int)) else wrt:
        name = parameters[item] if isinstance(item, int) and item < len(parameters) else str(item)
        if name not in parameters:
            raise PointError(f"no input {name!r} to differentiate by: the inputs are {', '.join(parameters)}")
        found.append(name)
    return tuple(dict.fromkeys(found))


class _Block:
    """The rows of a block, until each has its value and derivatives."""

    def __init__(self, rows_of: RowFunction, columns: Sequence[Column], found: Column) -> None:
        self.source = rows_of
        self.columns = columns
        self.found = found
        self.failures: list[tuple[str, Rows]] = []

    def fill(self) -> None:
        """Run the versions that are there, then those that the rows left over need."""
        count = self.found.shape[1]
        left = np.arange(count)
        taken: dict[int, int] = {}
        for version in tuple(self.source.versions):
            before = left.size
            if before:
                left = self.run(version, left)
            taken[id(version)] = before - left.size
        self.source.versions.sort(key=lambda each: -taken[id(each)])  # where rows are most is looked first
        while left.size and self.source.may_add:
            row = left[0]
            version_here = self.source.version_at(self.numbers(row), left.size / count)
            if version_here is not None:
                left = self.run(version_here, left)
            if left.size and left[0] == row:  # without a version, or a decision of it hangs on rounding
                self.alone(row)
                left = left[1:]
        for row in left:
            self.alone(row)

    def numbers(self, row: int) -> list[float]:
        """The inputs at a row."""
        return [float(column[row]) for column in self.columns]

    def run(self, version: RowVersion, rows: Rows) -> Rows:
        """Fill in the rows that a version holds for; the others are the result."""
        is_whole = rows.size == self.found.shape[1]
        given = self.columns if is_whole else [column[rows] for column in self.columns]
        outputs = version.run(given)
        count = 0 if version.failure else 1 + version.moving
        holds = version.holds(outputs[count:], rows.size)
        if holds.all():
            self._put(version, slice(None) if is_whole else rows, given, outputs[:count])
            return rows[:0]
        mine = [value[holds] if np.ndim(value) else value for value in outputs[:count]]
        self._put(version, rows[holds], [column[holds] for column in given], mine)
        left: Rows = rows[~holds]
        return left

    def _put(self, version: RowVersion, rows: Rows | slice, given: Sequence[Column], outputs: Sequence[Any]) -> None:
        if version.failure:
            self.found[:, rows] = np.nan
            failed = np.arange(self.found.shape[1])[rows]
            self.failures += [(version.failure, failed)] if failed.size else []
            return
        for position, value in enumerate(outputs):
            self.found[position, rows] = value
        if np.isnan(sum(np.sum(value) for value in outputs)):
            self._mend(version, rows, given)

    def _mend(self, version: RowVersion, rows: Rows | slice, given: Sequence[Column]) -> None:
        """Where the function has no value it has no derivative; where only that is NaN, zeros are kept strict."""
        value, slopes = self.found[0, rows], self.found[1:, rows]
        undefined = np.isnan(value)
        slopes[:, undefined] = np.nan
        unclear = ~undefined & np.isnan(slopes).any(axis=0)
        if unclear.any():
            for slope, again in zip(slopes, version.again([column[unclear] for column in given]), strict=True):
                slope[unclear] = again
        self.found[1:, rows] = slopes

    def alone(self, row: int) -> None:
        """One row by itself."""
        try:
            self.found[:, row] = self.source.single(self.numbers(row))
        except Exception as error:
            if isinstance(error, AdcliError) and error.__cause__ is None:
                raise
            self.found[:, row] = np.nan
            self.failures.append((told(error, self.source.function.name), np.array([row])))
