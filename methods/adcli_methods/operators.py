"""Every operator, derived once from a method's linearization: D, its powers, and products with vectors.

D turns a function of leaves into the function that gives its Jacobian's blocks, one for each pair of an
output and a leaf, outputs first. The gradient, the Jacobian, the Hessian and higher derivatives are D, D of D, ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.errors import OperatorError, PointError
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.elementary import multiply
from adcli_methods.primitives.structural import getitem, reshape, stack

if TYPE_CHECKING:
    from adcli_methods.method import Flat, Linearization, Method

MOST_ENTRIES = 2 * 10**8
"""A Jacobian with more entries (1.6 GB) is refused."""


def size_of(values: Sequence[Value]) -> int:
    """The number of entries in all values together."""
    return sum(math.prod(shape_of(value)) for value in values)


def derivative_blocks(method: Method, function: Flat, leaves: Sequence[Value], order: int) -> list[Value]:
    """D: the Jacobian's blocks, block (o, i) of shape outputs[o].shape + leaves[i].shape, outputs first."""
    return blocks_of(method, method.linearize(function, leaves, order), leaves)


def blocks_of(method: Method, linear: Linearization, leaves: Sequence[Value]) -> list[Value]:
    """The Jacobian's blocks of a function that a method has linearized at these leaves."""
    if linear.outputs is not None:
        refuse_too_large(size_of(linear.outputs), size_of(leaves))
    if by_rows(linear, leaves, method.sweeps_per_push):
        return _rows(linear, leaves)
    return _columns(linear, leaves)


def refuse_too_large(rows: int, columns: int) -> None:
    """Raise OperatorError for a Jacobian that has too many entries to hold."""
    if rows * columns > MOST_ENTRIES:
        raise OperatorError(
            f"the Jacobian has {rows:,} x {columns:,} entries, too many to hold: "
            "ask for its products with vectors (jvp, vjp, hvp), or reduce the outputs, as by sum(...)"
        )


def by_rows(linear: Linearization, leaves: Sequence[Value], sweeps_per_push: int) -> bool:
    """Whether the Jacobian is made of adjoint sweeps, a row each, or of tangent sweeps, a column each."""
    if linear.pull is None:
        return False
    if linear.push is None or linear.outputs is None:
        return True
    return size_of(linear.outputs) < sweeps_per_push * size_of(leaves)


def _rows(linear: Linearization, leaves: Sequence[Value]) -> list[Value]:
    """One adjoint sweep for each output entry, or for each chunk of them."""
    assert linear.pull is not None
    assert linear.outputs is not None
    blocks: list[Value] = []
    for position in range(len(linear.outputs)):
        blocks += _swept(linear, linear.pull, linear.outputs, position, leaves)
    return blocks


def _columns(linear: Linearization, leaves: Sequence[Value]) -> list[Value]:
    """One tangent sweep for each input entry, or for each chunk of them."""
    assert linear.push is not None
    of_leaf: list[list[Value]] = []
    for position, leaf in enumerate(leaves):
        leading = len(shape_of(leaf))
        columns = _swept(linear, linear.push, leaves, position, linear.outputs)
        of_leaf.append([_transposed(column, leading) for column in columns])
    return [of_leaf[i][o] for o in range(len(of_leaf[0])) for i in range(len(leaves))]


def _swept(
    linear: Linearization,
    sweep: Callable[[Sequence[Value]], list[Value]],
    values: Sequence[Value],
    position: int,
    results: Sequence[Value] | None,
) -> list[Value]:
    """For each result of the sweep, what it is for each entry of one seeded value: that value's axes come first."""
    shape = shape_of(values[position])
    count = math.prod(shape)
    if linear.chunk > 1 and count > 1:
        from adcli_methods.chunked_sweeps import swept_in_chunks  # here, for a plain derivative starts without it

        swept = swept_in_chunks(sweep, values, position, linear.chunk, linear.tries_all)
        return [reshape(part, shape=shape + shape_of(part)[1:]) for part in swept]
    swept = [sweep(seeds) for seeds in _basis(values, position)]
    inner = map(shape_of, swept[0] if swept else results or ())
    return [_assembled([each[i] for each in swept], shape, own) for i, own in enumerate(inner)]


def _basis(values: Sequence[Value], position: int) -> Any:
    """Seeds that pick out each entry of one value, zero for the others."""
    shape = shape_of(values[position])
    zeros = [np.zeros(shape_of(value)) if shape_of(value) else 0.0 for value in values]
    for entry in range(math.prod(shape)):
        seeds = list(zeros)
        if shape:
            seed = np.zeros(math.prod(shape))
            seed[entry] = 1.0
            seeds[position] = seed.reshape(shape)
        else:
            seeds[position] = 1.0
        yield seeds


def _assembled(parts: list[Value], outer: tuple[int, ...], inner: tuple[int, ...]) -> Value:
    """Parts of shape `inner`, one for each entry of an array of shape `outer`, as one array."""
    if not outer:
        return parts[0]
    if not parts:
        return np.zeros(outer + inner)
    return reshape(stack(*parts), shape=outer + inner)


def _transposed(block: Value, leading: int) -> Value:
    """Move the first `leading` axes behind the others."""
    count = len(shape_of(block))
    if leading in (0, count):
        return block
    from adcli_methods.primitives.structural import transpose

    return transpose(block, axes=(*range(leading, count), *range(leading)))


def nth_derivative(method: Method, function: Flat, leaves: Sequence[Value], order: int) -> list[Value]:
    """The blocks of D applied `order` times, each of shape output.shape + leaf.shape * order."""
    if order > 1 and len(leaves) == 1 and not shape_of(leaves[0]):
        direct = method.series(function, leaves[0], order)
        if direct is not None:
            return direct

    return _of_depth(method, function, order)(leaves)


def _of_depth(method: Method, function: Flat, order: int, depth: int = 0) -> Flat:
    """D applied to a function all but `depth` of `order` times."""
    if depth == order:
        return function
    inner = _of_depth(method, function, order, depth + 1)
    return lambda at: derivative_blocks(method, inner, at, depth + 1)


def jvp(method: Method, function: Flat, leaves: Sequence[Value], tangents: Sequence[Value]) -> list[Value]:
    """The Jacobian times a vector of the leaves' shapes; columns or rows make it where the method has no push."""
    linear = method.linearize(function, leaves, 1)
    if linear.push is not None:
        return linear.push(tangents)
    blocks = _rows(linear, leaves)
    count = len(leaves)
    return [
        _sum(_contract(blocks[o * count + i], tangent, len(shape_of(tangent))) for i, tangent in enumerate(tangents))
        for o in range(len(blocks) // count)
    ]


def vjp(
    method: Method, function: Flat, leaves: Sequence[Value], seeds: Callable[[Sequence[Value]], list[Value]]
) -> list[Value]:
    """A vector times the Jacobian; `seeds` gives the vector in the shapes of the outputs."""
    linear = method.linearize(function, leaves, 1)
    cotangents = seeds(function(leaves) if linear.outputs is None else linear.outputs)
    if linear.pull is not None:
        return linear.pull(cotangents)
    assert linear.push is not None
    adjoints: list[Value] = []
    for position, leaf in enumerate(leaves):
        entries = []
        for seed in _basis(leaves, position):
            column = linear.push(seed)
            entries.append(_sum(_inner(w, c) for w, c in zip(cotangents, column, strict=True)))
        adjoints.append(_assembled(entries, shape_of(leaf), ()))
    return adjoints


def hvp(method: Method, function: Flat, leaves: Sequence[Value], vector: Sequence[Value]) -> list[Value]:
    """The Hessian of a scalar function times a vector: the derivative of the gradient along it."""

    def gradient(at: Sequence[Value]) -> list[Value]:
        blocks = derivative_blocks(method, function, at, 2)
        depth = len(shape_of(at[0]))
        shapes = [shape_of(block)[: len(shape_of(block)) - depth] for block in blocks[:: len(at)]]
        require_scalar([np.broadcast_to(0.0, shape) for shape in shapes], "hvp")
        return fitted(blocks, at)

    linear = method.linearize(gradient, leaves, 1)
    if linear.push is not None:
        return linear.push(vector)
    assert linear.pull is not None
    return linear.pull(vector)  # the Hessian is symmetric


def fitted(blocks: Sequence[Value], leaves: Sequence[Value]) -> list[Value]:
    """The blocks of a scalar function's Jacobian in the shapes of its leaves."""
    return [_of_shape(block, shape_of(leaf)) for block, leaf in zip(blocks, leaves, strict=True)]


def _of_shape(value: Value, shape: tuple[int, ...]) -> Value:
    """A value in another shape of as many entries."""
    given = shape_of(value)
    if given == shape:
        return value
    return reshape(value, shape=shape) if shape else getitem(value, index=(0,) * len(given))


def _sum(parts: Any) -> Value:
    total: Value = None
    for part in parts:
        total = part if total is None else total + part
    return total


def _inner(w: Value, c: Value) -> Value:
    """The sum of all products of entries."""
    return _contract(c, w, len(shape_of(w))) if shape_of(w) else w * c


def _contract(block: Value, vector: Value, axes: int) -> Value:
    """Sum over the last `axes` axes of block * vector."""
    from adcli_methods.primitives.structural import sum_

    product = multiply(block, vector)
    count = len(shape_of(product))
    return sum_(product, axis=tuple(range(count - axes, count)), keepdims=False) if axes else product


def require_scalar(outputs: Sequence[Value], operator: str) -> None:
    """Raise OperatorError unless the function has one scalar output."""
    if len(outputs) != 1 or size_of(outputs) != 1:
        shapes = ", ".join(str(shape_of(output)) for output in outputs)
        raise OperatorError(f"the {operator} is of a function with one scalar output; this one returns shape {shapes}: "
                            "use the Jacobian")  # fmt: skip


def as_vector(vector: Any, values: Sequence[Value], names: Sequence[str]) -> list[Value]:
    """A vector given as a flat list, an array, or one entry per value, in the shapes of the values.

    Raises: PointError if its size does not fit.
    """
    if isinstance(vector, dict):
        vector = [vector[name] if name in vector else _missing(name) for name in names]
    if isinstance(vector, (list, tuple)) and len(vector) == len(values) and len(values) > 1:
        parts = list(vector)
    elif len(values) == 1:
        parts = [vector]
    else:
        flat = np.asarray(vector, dtype=float).ravel()
        bounds = np.cumsum([0, *(math.prod(shape_of(value)) for value in values)])
        if len(flat) != bounds[-1]:
            raise PointError(f"the vector has {len(flat)} entries, expected {bounds[-1]}")
        parts = [flat[start:stop] for start, stop in pairwise(bounds)]
    return [_fitted(part, shape_of(value)) for part, value in zip(parts, values, strict=True)]


def _missing(name: str) -> Any:
    raise PointError(f"the vector has no entry for {name!r}")


def _fitted(part: Any, shape: tuple[int, ...]) -> Value:
    from adcli_methods.tracer import Tracer

    if isinstance(part, Tracer):
        return part if part.shape == shape else reshape(part, shape=shape)
    array = np.asarray(part, dtype=float)
    if array.size != math.prod(shape):
        raise PointError(f"the vector has shape {array.shape}, expected {shape}")
    return array.reshape(shape) if shape else float(array.reshape(()))
