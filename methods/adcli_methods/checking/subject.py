"""The function under test as a map from one flat vector to another, run as a black box and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import AdcliError
from adcli_methods.function import FlatFunction, describe
from adcli_methods.structure import Path, leaves_of, output_tree, rebuild

Array = np.ndarray[Any, Any]
SAME = 64.0
"""Two runs may differ by this many units of rounding (threads add up in another order)."""


class UserError(Exception):
    """The user's function or claim failed: the reason, in one line."""


def describe_failure(error: BaseException, name: str) -> str:
    """An exception of the user's code in one line."""
    return str(error).splitlines()[0] if isinstance(error, AdcliError) else describe(error, name)


def entry_name(path: Path, index: Sequence[int], single: bool) -> str:
    """The name of an entry, "x[3]", "theta.w[0,2]", "x"."""
    name = ".".join(path)
    return name if single else f"{name}[{','.join(str(i) for i in index)}]"


class Subject:
    """A function of a flat vector.

    Arguments:
        problem: the function of the leaves.
        select: takes the function's part of the result, where it returns more than its value.

    `x` is the point, `y` the value there (after `start`), `eps` the unit roundoff of the problem's numbers.
    """

    def __init__(self, problem: FlatFunction, select: Callable[[Any], Any] | None = None) -> None:
        self.problem = problem
        self.name = problem.function.formula or problem.function.name
        self.select = select
        self.shapes = [np.shape(leaf) for leaf in problem.leaves]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]
        self.bounds = np.cumsum([0, *self.sizes])
        self.kinds = [np.asarray(leaf).dtype for leaf in problem.leaves]
        self.x: Array = np.concatenate([np.ravel(np.asarray(leaf, dtype=np.float64)) for leaf in problem.leaves])
        self.eps = max(float(np.finfo(kind).eps) for kind in self.kinds)
        self.wide = False
        self.evaluations = 0
        self.y: Array = np.zeros(0)
        self.output_shape: tuple[int, ...] = ()
        self.layout: list[tuple[Path, tuple[int, ...]]] = []
        self.mutates = False

    @property
    def n(self) -> int:
        """The number of input entries."""
        return len(self.x)

    @property
    def m(self) -> int:
        """The number of output entries."""
        return len(self.y)

    def split(self, x: Array, wide: bool = False, lent: bool = False) -> list[Any]:
        """A flat vector as the leaves: Python floats, or arrays of the leaves' types (float64 if wide) and layout.

        Where `lent`, they may be views of it.
        """
        leaves: list[Any] = []
        for position, shape in enumerate(self.shapes):
            part = x[self.bounds[position] : self.bounds[position + 1]]
            kind = np.dtype(np.float64) if wide else self.kinds[position]
            if shape:
                leaves.append(
                    _laid_out(part.reshape(shape), kind, self.problem.leaves[position], lent or x is not self.x)
                )
            else:
                leaves.append(float(part[0]) if kind == np.float64 else kind.type(part[0]))
        return leaves

    def arguments(self, x: Array, wide: bool = False, lent: bool = False) -> list[Any]:
        """Inputs for a call of the user's code: fresh, or where `lent` to be read only."""
        leaves = dict(zip(self.problem.paths, self.split(x, wide, lent), strict=True))

        def argument(path: Path, leaf: Any) -> Any:
            if path in leaves:
                return leaves[path]
            return leaf.copy() if isinstance(leaf, np.ndarray) and not lent else leaf

        return list(rebuild(self.problem.inputs, argument).values())

    def call(
        self, call: Callable[..., Any], x: Array, name: str, watch: bool = False, wide: bool = False
    ) -> tuple[Any, bool]:
        """The raw result of the user's code, and whether it changed its inputs (looked at where `watch`).

        Raises: UserError where it fails.
        """
        arguments = self.arguments(x, wide)
        try:
            result = call(*arguments)
        except (Exception, SystemExit) as error:
            raise UserError(describe_failure(error, name)) from error
        return result, watch and not _same_trees(arguments, self.arguments(x, wide, lent=True))

    def start(self) -> None:
        """Run the function at the point.

        Raises: UserError where it fails or returns no numbers.
        """
        first, self.mutates = self._outputs(self.x, watch=True)
        self.output_shape = np.shape(first[0][1]) if len(first) == 1 else (sum(np.size(v) for _, v in first),)
        self.y = _flat(first)
        self.output_kind = np.result_type(*[np.asarray(value).dtype for _, value in first])
        if self.output_kind.kind == "f":
            self.eps = max(self.eps, float(np.finfo(self.output_kind).eps))
        self.layout = [(path, np.shape(value)) for path, value in first]

    def repeat(self) -> None:
        """Run the function at the point again.

        Raises: UserError where it fails, NotRepeatableError where it returns another value.
        """
        second = _flat(self._outputs(self.x)[0])
        if not self.is_again(second):
            raise NotRepeatableError(_difference(self.name, self.y, second))

    def is_again(self, y: Array) -> bool:
        """Whether a value is that of the point, but for rounding."""
        return y.shape == self.y.shape and _close(self.y, y, self.eps)

    def _outputs(self, x: Array, watch: bool = False) -> tuple[list[tuple[Path, Any]], bool]:
        self.evaluations += 1
        result, mutated = self.call(self.problem.function.call, x, self.name, watch, self.wide)
        try:
            tree = output_tree(self.select(result) if self.select else result, self.name)
        except Exception as error:
            raise UserError(describe_failure(error, self.name)) from error
        outputs = [(path, _plain(leaf)) for path, leaf in leaves_of(tree)]
        if not outputs or not sum(np.size(value) for _, value in outputs):
            raise UserError(f"{self.name} returned nothing: it must return a number or an array")
        return outputs, mutated

    def value(self, x: Array) -> Array:
        """The flat value at another point; NaN where the function fails there."""
        try:
            y = _flat(self._outputs(x)[0])
        except UserError:
            return np.full(self.m, np.nan)
        return y if y.shape == self.y.shape else np.full(self.m, np.nan)

    def widen(self) -> None:
        """Compute in float64 from here on, where the function then gives the same value in float64."""
        if self.eps == np.finfo(np.float64).eps:
            return
        self.wide = True
        y = self.value(self.x)
        near = np.abs(y - self.y) <= 1e4 * self.eps * (np.abs(self.y) + np.max(np.abs(self.y)))
        if bool(np.all(near)) and self._returns_float64():
            self.y = y
        else:
            self.wide = False

    def _returns_float64(self) -> bool:
        outputs, _ = self._outputs(self.x)
        return all(np.asarray(value).dtype == np.float64 for _, value in outputs)

    @property
    def value_eps(self) -> float:
        """The unit roundoff of the values that `value` gives."""
        return float(np.finfo(np.float64).eps) if self.wide else self.eps

    def input_name(self, j: int) -> str:
        """The name of an input entry."""
        position = int(np.searchsorted(self.bounds, j, side="right")) - 1
        shape = self.shapes[position]
        index = np.unravel_index(j - self.bounds[position], shape) if shape else ()
        return entry_name(self.problem.paths[position], [int(i) for i in index], not shape)

    def moved(self, x: Array) -> Subject:
        """The same function at another point."""
        leaves = dict(zip(self.problem.paths, self.split(x), strict=True))
        inputs = rebuild(self.problem.inputs, lambda path, leaf: leaves.get(path, leaf))
        problem = FlatFunction(self.problem.function, inputs, self.problem.paths, self.problem.dtype)
        return Subject(problem, self.select)

    def output_name(self, i: int) -> str:
        """The name of an output entry."""
        for path, shape in self.layout:
            size = int(np.prod(shape))
            if i < size:
                return entry_name(
                    ("y", *path), [int(k) for k in np.unravel_index(i, shape)] if shape else (), not shape
                )
            i -= size
        raise IndexError(i)


class NotRepeatableError(UserError):
    """The same input gave different values."""


def _laid_out(part: Array, kind: Any, like: Any, owned: bool) -> Array:
    """A fresh array in the memory layout of another: Fortran's order, or strides that skip."""
    flags = like.flags
    if flags.c_contiguous:
        return np.array(part, dtype=kind, order="C", copy=None if owned else True)
    if flags.f_contiguous:
        return np.array(part, dtype=kind, order="F")
    room = np.empty((*part.shape[:-1], 2 * part.shape[-1]), dtype=kind)
    view = room[..., ::2]
    view[...] = part
    return view


def _plain(leaf: Any) -> Any:
    return leaf.detach().cpu().numpy() if type(leaf).__name__ in ("Tensor", "Parameter") else leaf


def _flat(outputs: list[tuple[Path, Any]]) -> Array:
    return np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for _, value in outputs])


def _same_trees(first: Any, second: Any) -> bool:
    pairs = zip(leaves_of(first), leaves_of(second), strict=False)
    return all(_same(a, b) for (_, a), (_, b) in pairs)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype.kind in "fiub":
        return np.array_equal(a, b) or np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return True


def _close(first: Array, second: Array, eps: float) -> bool:
    both_nan = np.isnan(first) & np.isnan(second)
    scale = np.maximum(np.abs(first), np.max(np.abs(first[np.isfinite(first)]), initial=0.0))
    with np.errstate(invalid="ignore"):
        return bool(np.all(both_nan | (first == second) | (np.abs(first - second) <= SAME * eps * scale)))


def _difference(name: str, first: Array, second: Array) -> str:
    if first.shape != second.shape:
        return f"{name} returned {first.size} numbers, and {second.size} the second time, for the same input"
    i = int(np.argmax(np.abs(np.nan_to_num(first - second))))
    return f"{name} returned {first[i]:.17g}, and {second[i]:.17g} the second time, for the same input"
