"""Unit seeds in a batch: whatever is done to them, each member is what it would be with its zeros written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcli_methods.batching import Batch
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.function import function_of
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import sum_, transpose
from adcli_methods.structured import Structured, TooManyEntriesError

V = np.array([0.5, -2.0, 3.0, 1.5])
A = np.random.default_rng(0).normal(size=(4, 4))
matmul, negative = PRIMITIVES["matmul"], PRIMITIVES["negative"]


def total(d):
    return sum_(d * V, axis=(0,), keepdims=False)


def of(name, *operands, **parameters):
    return PRIMITIVES[name](*operands, **parameters)


STAYS = {
    "scaled": (lambda d: V * d * 2.0, (4,)),
    "divided": (lambda d: -d / V, (4,)),
    "of a matrix, scaled by rows": (lambda d: d * np.array([2.0, 3.0]), (3, 2)),
    "spread over more rows": (lambda d: d * A, (4,)),
    "added": (lambda d: d * V + d, (4,)),
    "subtracted": (lambda d: d - d * V, (4,)),
    "of unlike shapes": (lambda d: d + of("reshape", d, shape=(4, 1)), (4,)),
    "reshaped": (lambda d: of("reshape", d * V, shape=(2, 2)), (4,)),
    "transposed": (lambda d: transpose(d * 3.0, axes=(1, 0)), (3, 2)),
    "broadcast": (lambda d: of("broadcast_to", d * V, shape=(3, 4)), (4,)),
    "a part": (lambda d: of("getitem", d * V, index=(slice(1, None),)), (4,)),
    "its entries by number": (lambda d: of("getitem", d * V, np.array([3, 0, 3]), index=("array",)), (4,)),
    "differences": (
        lambda d: of("getitem", d, index=(slice(1, None),)) - of("getitem", d * V, index=(slice(-1),)),
        (4,),
    ),
    "beside zeros": (lambda d: of("concatenate", np.zeros(2), d * V, -d, np.zeros(1), axis=0), (4,)),
    "piled up": (lambda d: of("stack", d, np.zeros(4), d * V), (4,)),
    "with a part overwritten": (
        lambda d: of("index_update", d, of("getitem", d * V, index=(slice(2),)), index=(slice(2, 4),)),
        (4,),
    ),
    "put into zeros": (lambda d: of("scatter_add", d * V, index=(slice(1, 5),), shape=(6,)), (4,)),
    "put into zeros twice": (
        lambda d: of("scatter_sum", d * V, d, indices=((slice(1, 5),), (slice(2, 6),)), shape=(6,)),
        (4,),
    ),
    "a number of each times an array": (lambda d: total(d) * A, (4,)),
    "a number of each, spread": (lambda d: d + total(d), (4,)),
    "beside its sum": (lambda d: d * V + total(d) * A[0] - total(d) * V, (4,)),
    "an outer product, summed along one axis": (lambda d: sum_(total(d) * A, axis=(1,), keepdims=False), (4,)),
    "an outer product times a matrix": (lambda d: matmul(total(d) * A, A), (4,)),
    "an outer product accumulated": (lambda d: of("cumsum", total(d) * A, axis=0), (4,)),
    "an outer product's part": (lambda d: of("getitem", total(d) * A, index=(slice(2),)), (4,)),
    "picked": (lambda d: of("where", V > 0.0, d * V, 0.0), (4,)),
    "picked, over more rows": (lambda d: of("where", A > 0.0, np.zeros(4), d), (4,)),
    "one of two": (lambda d: of("where", V > 0.0, d * V, -d), (4,)),
    "an outer product or entries": (lambda d: of("where", A > 0.0, total(d) * A, d), (4,)),
    "outer products one after the other": (
        lambda d: of("concatenate", total(d) * A, d * A, np.zeros((1, 4)), axis=0),
        (4,),
    ),
}
LEAVES = {
    "summed": (total, (4,)),
    "of a column, summed": (lambda d: sum_(d, axis=(0, 1), keepdims=False), (4, 1)),
    "summed over more rows": (lambda d: sum_(d * A, axis=(0, 1), keepdims=False), (4,)),
    "a part, summed": (lambda d: sum_(of("getitem", d * V, index=(slice(2, None),)), axis=(0,), keepdims=False), (4,)),
    "differences, summed": (
        lambda d: sum_(
            of("getitem", d, index=(slice(1, None),)) - of("getitem", d * V, index=(slice(-1),)),
            axis=(0,),
            keepdims=False,
        ),
        (4,),
    ),
    "an outer product, summed": (lambda d: sum_(total(d) * V, axis=(0,), keepdims=False), (4,)),
    "summed along one axis": (lambda d: sum_(d, axis=(1,), keepdims=False), (3, 2)),
    "summed with its axes kept": (lambda d: sum_(d, axis=(0,), keepdims=True), (4,)),
    "a row times a matrix": (lambda d: matmul(d * V, A), (1, 4)),
    "a row of two terms times a matrix": (
        lambda d: matmul(d * V + of("getitem", d, index=(slice(None), slice(None, None, -1))), A),
        (1, 4),
    ),
    "a row and an outer product times a matrix": (
        lambda d: matmul(d + sum_(d, axis=(0, 1), keepdims=False) * V[None], A),
        (1, 4),
    ),
    "a matrix times a column": (lambda d: matmul(A[:3], d), (4, 1)),
    "a column times a row": (lambda d: matmul(d, V[None]), (4, 1)),
    "a matrix times a matrix": (lambda d: matmul(d, A), (2, 4)),
    "its own product": (lambda d: d * d, (4,)),
    "times its sum": (lambda d: d * total(d), (4,)),
    "under a number": (lambda d: V / d, (4,)),
    "an entry": (lambda d: of("getitem", d * V, index=(2,)), (4,)),
    "an outer product's entry": (lambda d: of("getitem", total(d) * V, index=(2,)), (4,)),
    "moved by a number": (lambda d: d + 1.0, (4,)),
    "beside what is not zero": (lambda d: of("concatenate", d, np.ones(1), axis=0), (4,)),
    "put into zeros, some places twice": (
        lambda d: of("scatter_add", d * V, np.array([0, 1, 0, 2]), index=("array",), shape=(3,)),
        (4,),
    ),
    "picked, or a number": (lambda d: of("where", V > 0.0, d, 1.0), (4,)),
    "picked by itself": (lambda d: of("where", of("greater", d, 0.5), d, 0.0), (4,)),
    "a function": (lambda d: of("sin", d * V), (4,)),
    "beside what has no terms": (lambda d: d * V + of("sin", d), (4,)),
    "without an entry": (lambda d: sum_(of("getitem", d, index=(slice(0),)), axis=(0,), keepdims=False), (4,)),
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
    assert isinstance(found, Structured) == (name in STAYS)
    for member, place in zip(batch.whole(found), own, strict=True):
        seed = np.zeros(size)
        seed[place] = 1.0
        with np.errstate(divide="ignore"):
            expected = function(seed.reshape(shape))
        largest = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
        np.testing.assert_allclose(member, expected, rtol=1e-15, atol=4e-16 * largest)
        assert found.shape == np.shape(expected)


def test_what_is_known_to_be_zero_stays_zero_beside_infinity():
    batch = Batch(2)
    scaled = batch.whole(batch.units((2,)) * np.array([np.inf, 3.0]))
    np.testing.assert_array_equal(scaled, [[np.inf, 0.0], [0.0, 3.0]])


def test_an_infinite_weight_is_looked_at_again():
    """A number of each member that is infinite, times an array with zeros in it."""
    c = np.where(np.arange(40) % 3 == 0, 0.0, np.arange(40.0))
    function = function_of(lambda x: c * np.sum(np.sqrt(x)))
    alone, *found = (
        differentiate(function, np.zeros(40), Request(operator="jacobian", mode=mode, chunk=chunk)).derivative
        for mode, chunk in (("forward", 1), ("auto", None), ("forward", 7), ("forward", 40))
    )
    assert not np.isnan(alone).any()
    for jacobian in found:
        np.testing.assert_array_equal(jacobian, alone)


def test_zeros_are_written_out_once():
    units = Batch(4).units((4,))
    assert units.dense() is units.dense()


def test_more_terms_than_a_few_are_written_out():
    units = Batch(20).units((20,))
    found = units
    for k in range(1, 12):
        found = found + of("getitem", units, np.roll(np.arange(20), k), index=("array",))
    assert not isinstance(found, Structured)
    expected = sum(np.roll(np.eye(20), k, axis=1) for k in range(12))
    np.testing.assert_array_equal(units.trace.whole(found), np.transpose(expected).T)


def test_a_batch_of_too_many_members_refuses_to_write_zeros_out():
    batch = Batch(20, most_entries=100)
    units = batch.units((20,))
    with pytest.raises(TooManyEntriesError):
        units + of("sin", units)
    assert batch.whole(units * 2.0).shape == (20, 20)
