"""Random programs of views, writes and copies do under a trace what they do in NumPy, with the right derivative."""

from __future__ import annotations

import random

import numpy as np
import pytest

from .tracing import check

POINT = np.array([0.7, 1.9, 1.1, 1.6])


def taken(a, choose):
    """A view, a reshaped array or a copy of an array."""
    kind = choose.randrange(9)
    if kind < 2:
        return a[choose.randrange(-len(a), len(a))] if a.ndim > 1 else a
    if kind == 2:
        return a[choose.choice([slice(None, None, -1), slice(1, None), slice(None, None, 2)])]
    if kind == 3:
        return a[..., choose.randrange(a.shape[-1])] if a.ndim > 1 else a[None]
    if kind == 4:
        return choose.choice([np.transpose, np.flip, lambda b: np.squeeze(b) if b.size > 1 else b])(a)
    if kind == 5:
        return np.swapaxes(a, 0, -1)
    if kind == 6:
        return a.reshape(-1)
    return a.ravel() if kind == 7 else choose.choice([a.copy(), a * 2, np.array(a)])


def write(a, x, others, choose):
    """Write into an array in one of the ways that NumPy has."""
    kind, value = choose.randrange(7), x[choose.randrange(4)] * choose.random()
    place = tuple(choose.randrange(-n, n) for n in a.shape)
    other = choose.choice(others)
    if kind == 0:
        a[place] = value
    elif kind == 1:
        a[place] += value
    elif kind == 2:
        a[place[0]] = value
    elif kind == 3:
        a += value
    elif kind == 4:
        a[a > 1.0] = value
    elif kind == 5:
        a[place[0]] = a[choose.randrange(len(a))]
    elif other.shape in ((1,), a.shape[-1:]) and a.ndim > 1:
        a[1:] = 0.5 * other


def program(seed):
    """A function of four numbers that makes arrays, takes views of them and writes into them."""

    def function(x):
        choose = random.Random(seed)
        arrays = [np.zeros((3, 4)), np.array([[x[0], x[1], 1.0], [2.0, x[2], x[3]]]), x * 1.0, np.ones((2, 3, 2))]
        for _ in range(choose.randrange(3, 25)):
            a = choose.choice(arrays)
            if not a.ndim or not a.size:
                continue
            if choose.random() < 0.5:
                arrays.append(taken(a, choose))
            else:
                write(a, x, [b for b in arrays if b.ndim == 1], choose)
        return np.concatenate([np.ravel(np.array(a)) for a in arrays])

    return function


@pytest.mark.parametrize("block", range(10))
def test_random_programs_of_views_and_writes(block):
    for seed in range(30 * block, 30 * block + 30):
        check(program(seed), POINT, tolerance=1e-4)
