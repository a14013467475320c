"""Random Programs on small arrays, with what kernels meet: slices, pieces, broadcasts, reductions, products."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from adcli_methods.function import FlatFunction, function_of
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import structural as s
from adcli_methods.primitives.special import logaddexp, sigmoid, softplus
from adcli_methods.program import Program
from adcli_methods.rewriting import gradient_program

UNARY = (
    e.sin, e.cos, e.tanh, e.square, e.negative, e.absolute, e.arctan, e.sign, sigmoid, softplus,
    lambda x: e.exp(-e.square(x)), lambda x: e.sqrt(1.0 + e.square(x)), lambda x: e.log(1.5 + e.square(x)),
    lambda x: e.power(x, 3), lambda x: 2.5 * x, lambda x: 1.0 - x,
)  # fmt: skip
BINARY = (
    e.add, e.subtract, e.multiply, e.maximum, e.minimum, logaddexp,
    lambda a, b: a / (1.0 + e.square(b)), lambda a, b: e.where(a < b, a, 0.5 * b), lambda a, b: e.hypot(a, 1.0 + b),
)  # fmt: skip


class Maker:
    """Draws operations; the same seed draws the same."""

    def __init__(self, seed: int, operations: int) -> None:
        self.random = random.Random(seed)
        self.operations = operations

    def __call__(self, x: Value, y: Value) -> Value:
        """A number from two arrays."""
        pool = [x, y]
        for _ in range(self.operations):
            value = self.step(pool)
            if shape_of(value) and 0 < int(np.prod(shape_of(value))) < 5000:
                pool.append(value)
        total = 0.0
        for value in pool[2:]:
            total = total + s.sum_(value, axis=tuple(range(len(shape_of(value)))), keepdims=False)
        return total

    def step(self, pool: list[Value]) -> Value:
        """One operation on a recent value."""
        value = self.random.choice(pool[-4:])
        kind = self.random.random()
        if kind < 0.35:
            return self.random.choice(UNARY)(value)
        if kind < 0.6:
            return self.pair(value, pool)
        return self.random.choice([self.part, self.moved, self.reduced, self.joined, self.updated, self.product])(value)

    def pair(self, value: Value, pool: list[Value]) -> Value:
        """An operation on two values that broadcast against one another."""
        fitting = [other for other in pool if fits(shape_of(value), shape_of(other))]
        return self.random.choice(BINARY)(value, self.random.choice(fitting))

    def part(self, value: Value) -> Value:
        """A slice."""
        index = []
        for length in shape_of(value):
            start = self.random.randrange(0, max(1, length // 2))
            items = [slice(start, length), slice(0, length - start), slice(None), slice(None, None, -1)]
            if length > 2:
                items += [slice(1, -1), slice(None, None, 2), self.random.randrange(length)]
            index.append(self.random.choice(items))
        return s.getitem(value, index=tuple(index))

    def moved(self, value: Value) -> Value:
        """The same entries in another shape."""
        shape = shape_of(value)
        axes = list(range(len(shape)))
        self.random.shuffle(axes)
        turned = s.transpose(value, axes=tuple(axes))
        flat = s.reshape(value, shape=(int(np.prod(shape)),))
        wide = s.broadcast_to(value, shape=(self.random.choice([1, 3]), *shape))
        return self.random.choice([turned, flat, wide, s.reshape(value, shape=(*shape, 1))])

    def reduced(self, value: Value) -> Value:
        """A reduction over some axes."""
        axes = tuple(axis for axis in range(len(shape_of(value))) if self.random.random() < 0.6) or (0,)
        reduction = self.random.choice([s.sum_, s.sum_, s.max_, s.min_])
        if 0 in shape_of(value):
            reduction = s.sum_
        return reduction(value, axis=axes, keepdims=self.random.random() < 0.5)

    def joined(self, value: Value) -> Value:
        """Two parts after one another."""
        axis = self.random.randrange(len(shape_of(value)))
        return s.concatenate(e.sin(value), s.flip(value, axis), axis=axis)

    def updated(self, value: Value) -> Value:
        """A part replaced."""
        index = (slice(0, max(1, shape_of(value)[0] // 2)),)
        return s.index_update(value, e.cos(s.getitem(value, index=index)), index=index)

    def product(self, value: Value) -> Value:
        """A matrix product with its own transpose."""
        return s.matmul(value, s.swap_last(value)) if len(shape_of(value)) == 2 else e.sin(value)


def fits(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether two shapes broadcast."""
    return all(n == m or 1 in (n, m) for n, m in zip(first[::-1], second[::-1], strict=False))


def random_gradient(seed: int, shape: tuple[int, ...], operations: int = 12) -> tuple[Program, list[Any]]:
    """The gradient Program of a random function, and a point."""
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=shape), generator.normal(size=shape[-1:])
    maker = Maker(seed, operations)
    flat = FlatFunction(function_of(maker), {"x": x, "y": y}, [("x",), ("y",)])
    return gradient_program(flat.program, flat.leaves), flat.leaves
