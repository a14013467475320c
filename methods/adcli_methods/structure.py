"""Inputs and outputs as trees of tuples, lists and dicts, and as flat lists of numbers and arrays (leaves)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import FunctionError, PointError
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.structural import stack
from adcli_methods.tracer import Tracer

Tree = Any
"""A leaf, or a tuple, list or dict of trees."""
Path = tuple[str, ...]


def children(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The named parts of a node."""
    if isinstance(tree, dict):
        return ((str(key), part) for key, part in tree.items())
    return ((str(position), part) for position, part in enumerate(tree))


def is_node(tree: Tree) -> bool:
    """Whether a tree is a container."""
    return isinstance(tree, (dict, list, tuple))


def leaves_of(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every leaf with the path to it, in order."""
    if not is_node(tree):
        yield path, tree
        return
    for name, part in children(tree):
        yield from leaves_of(part, (*path, name))


def rebuild(tree: Tree, leaf: Callable[[Path, Value], Any], path: Path = ()) -> Tree:
    """A tree of the same form with each leaf replaced."""
    if not is_node(tree):
        return leaf(path, tree)
    parts = [rebuild(part, leaf, (*path, name)) for name, part in children(tree)]
    if isinstance(tree, dict):
        return dict(zip(tree, parts, strict=True))
    if hasattr(tree, "_fields"):
        return type(tree)(*parts)
    return tuple(parts) if isinstance(tree, tuple) else parts


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def as_input(tree: Tree) -> Tree:
    """A given input: lists of numbers become arrays of floats; whole numbers stay what they are.

    Raises: PointError for complex numbers.
    """
    if isinstance(tree, (list, tuple)) and not hasattr(tree, "_fields"):
        if tree and _is_rectangle_of_numbers(tree):
            return np.array(tree, dtype=np.float64)
        return type(tree)(as_input(part) for part in tree)
    if isinstance(tree, dict):
        return {key: as_input(part) for key, part in tree.items()}
    if isinstance(tree, complex) or getattr(getattr(tree, "dtype", None), "kind", "") == "c":
        raise PointError("complex inputs are not supported: give real numbers")
    if type(tree) is np.ndarray and tree.ndim == 0:
        return as_input(tree.item())
    return float(tree) if type(tree) is np.float64 else tree


def _is_rectangle_of_numbers(tree: Sequence[Any]) -> bool:
    if all(_is_number(part) for part in tree):
        return True
    if not all(isinstance(part, (list, tuple)) and part for part in tree):
        return False
    return all(_is_rectangle_of_numbers(part) for part in tree) and len({len(part) for part in tree}) == 1


def is_differentiable(leaf: Value) -> bool:
    """Whether to differentiate by this leaf: floats and Python's numbers, but no arrays of whole numbers."""
    if isinstance(leaf, (float, Tracer)) or type(leaf) is int:
        return True
    kind = getattr(getattr(leaf, "dtype", None), "kind", "")
    return kind == "f" or (kind == "" and bool(getattr(leaf, "is_floating_point", bool)()))


def output_tree(result: Tree, name: str) -> Tree:
    """A function's result as a tree of leaves; a tuple or list of numbers alone becomes one vector.

    Raises: FunctionError for a result that is no number.
    """
    if isinstance(result, (list, tuple)) and not hasattr(result, "_fields") and result:
        parts = [output_tree(part, name) for part in result]
        if all(not is_node(part) and shape_of(part) == () for part in parts):
            return stack(*parts)
        if isinstance(result, list) and all(not is_node(part) for part in parts):
            shapes = {shape_of(part) for part in parts}
            if len(shapes) == 1:
                return stack(*parts)
        return type(result)(parts)
    if is_node(result):
        return rebuild(result, lambda _, part: output_tree(part, name))
    return _output_leaf(result, name)


def _output_leaf(leaf: Any, name: str) -> Value:
    if type(leaf) is float or isinstance(leaf, Tracer):
        return leaf
    if isinstance(leaf, (bool, int, np.bool_, np.integer)):
        return float(leaf)
    if isinstance(leaf, np.ndarray):
        if leaf.dtype == object:
            return output_tree(leaf.tolist(), name)
        if leaf.dtype.kind in "biu":
            return leaf.astype(np.float64)
        if leaf.dtype.kind == "f":
            return leaf if leaf.ndim else leaf[()]
    if isinstance(leaf, np.floating) or type(leaf).__name__ == "Tensor":
        return leaf
    if leaf is None:
        raise FunctionError(f"{name} returned None: it must return a number, an array, or a tuple or list of them")
    if isinstance(leaf, complex) or getattr(getattr(leaf, "dtype", None), "kind", "") == "c":
        raise FunctionError(f"{name} returned complex numbers: only real functions are differentiated")
    raise FunctionError(f"{name} returned a {type(leaf).__name__}: it must return numbers, arrays or tuples of them")
