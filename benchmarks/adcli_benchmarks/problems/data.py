"""Fixed data of problems, made once for each size so that no measurement contains it."""

from __future__ import annotations

from functools import cache

import numpy as np

from adcli_benchmarks.problem import Array

POINTS_PER_CENTER = 20
SAMPLES_PER_FEATURE = 5


def kept(array: Array) -> Array:
    """The array, no longer to be written into."""
    array.flags.writeable = False
    return array


def signed(generator: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> Array:
    """Numbers of a size between low and high and of either sign: none so near 0 that differences lose its digits."""
    sizes: Array = generator.uniform(low, high, shape)
    return np.where(generator.random(shape) < 0.5, -sizes, sizes)


@cache
def mixture(size: int) -> tuple[Array, Array]:
    """The attraction matrix and the volumes of a mixture's components, uniform in 0..0.1 and in 0..1."""
    generator = np.random.default_rng(size)
    return kept(0.1 * generator.random((size, size))), kept(generator.random(size))


@cache
def cloud(size: int) -> Array:
    """Points of the plane in `size` clumps, one point a row."""
    generator = np.random.default_rng(size)
    clumps = generator.uniform(-4.0, 4.0, (size, 2))
    return kept(np.repeat(clumps, POINTS_PER_CENTER, axis=0) + generator.normal(size=(size * POINTS_PER_CENTER, 2)))


@cache
def labelled(size: int) -> tuple[Array, Array]:
    """Samples of `size` features, one a row, and their labels, 1 or -1, a tenth of them wrong."""
    generator = np.random.default_rng(size)
    features = generator.normal(size=(size * SAMPLES_PER_FEATURE, size))
    labels = np.where(features @ generator.normal(size=size) > 0.0, 1.0, -1.0)
    labels[::10] *= -1.0
    return kept(features), kept(labels)


@cache
def square_wave(size: int) -> tuple[Array, Array]:
    """The powers 0 to size - 1 of 128 numbers from -1 to 1, a number a row, and the numbers' signs."""
    t = np.linspace(-1.0, 1.0, 128)
    return kept(t[:, None] ** np.arange(size)), kept(np.sign(t))
