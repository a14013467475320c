"""Unit seeds in a batch: whatever is done to them, each member is what it would be with its zeros written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcli_methods.batching import Batch
from adcli_methods.diagonal import Diagonal
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import sum_, transpose

V = np.array([0.5, -2.0, 3.0, 1.5])
A = np.random.default_rng(0).normal(size=(4, 4))
matmul, negative = PRIMITIVES["matmul"], PRIMITIVES["negative"]

STAYS = {
    "scaled": (lambda d: V * d * 2.0, (4,)),
    "divided": (lambda d: -d / V, (4,)),
    "of a matrix, scaled by rows": (lambda d: d * np.array([2.0, 3.0]), (3, 2)),
    "added": (lambda d: d * V + d, (4,)),
    "subtracted": (lambda d: d - d * V, (4,)),
    "reshaped": (lambda d: PRIMITIVES["reshape"](d * V, shape=(2, 2)), (4,)),
}
LEAVES = {
    "summed": (lambda d: sum_(d * V, axis=(0,), keepdims=False), (4,)),
    "summed along one axis": (lambda d: sum_(d, axis=(1,), keepdims=False), (3, 2)),
    "summed with its axes kept": (lambda d: sum_(d, axis=(0,), keepdims=True), (4,)),
    "a row times a matrix": (lambda d: matmul(d * V, A), (1, 4)),
    "a matrix times a column": (lambda d: matmul(A[:3], d), (4, 1)),
    "a column times a row": (lambda d: matmul(d, V[None]), (4, 1)),
    "a matrix times a matrix": (lambda d: matmul(d, A), (2, 4)),
    "its own product": (lambda d: d * d, (4,)),
    "under a number": (lambda d: V / d, (4,)),
    "spread over more rows": (lambda d: d * A, (4,)),
    "a part": (lambda d: PRIMITIVES["getitem"](d * V, index=(slice(1, None),)), (4,)),
    "an entry": (lambda d: PRIMITIVES["getitem"](d * V, index=(2,)), (4,)),
    "transposed": (lambda d: transpose(d, axes=(1, 0)), (3, 2)),
    "moved by a number": (lambda d: d + 1.0, (4,)),
    "a function": (lambda d: PRIMITIVES["sin"](d * V), (4,)),
    "beside its sum": (lambda d: d * V + sum_(d * V, axis=(0,), keepdims=False), (4,)),
    "of unlike shapes": (lambda d: d + PRIMITIVES["reshape"](d, shape=(4, 1)), (4,)),
}


@pytest.mark.parametrize("places", [None, [1, 2], [3]], ids=["all", "two", "one"])
@pytest.mark.parametrize("name", STAYS | LEAVES)
def test_each_member_is_what_it_would_be_alone(name, places):
    function, shape = (STAYS | LEAVES)[name]
    size = math.prod(shape)
    own = list(range(size)) if places is None else places
    batch = Batch(len(own), None if places is None else np.array(places))
    with np.errstate(divide="ignore"):
        found = function(batch.units(shape))
    assert isinstance(found, Diagonal) == (name in STAYS)
    for member, place in zip(batch.whole(found), own, strict=True):
        seed = np.zeros(size)
        seed[place] = 1.0
        with np.errstate(divide="ignore"):
            expected = function(seed.reshape(shape))
        np.testing.assert_allclose(member, expected, rtol=1e-15)
        assert found.shape == np.shape(expected)


def test_what_is_known_to_be_zero_stays_zero_beside_infinity():
    batch = Batch(2)
    scaled = batch.whole(batch.units((2,)) * np.array([np.inf, 3.0]))
    np.testing.assert_array_equal(scaled, [[np.inf, 0.0], [0.0, 3.0]])


def test_zeros_are_written_out_once():
    units = Batch(4).units((4,))
    assert units.dense() is units.dense()
