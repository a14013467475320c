"""Sweeps that carry a chunk of unit seeds each, and their results put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from adcli_methods.batching import CACHE_ENTRIES, Batch
from adcli_methods.primitive import Value, owned, shape_of
from adcli_methods.primitives.structural import concatenate
from adcli_methods.structured import Structured, TooManyEntriesError

FEW_ENTRIES = 1 << 8
"""Seeds with fewer zeros than that have them written out: to keep an account of them takes longer."""
Sweep = Callable[[Sequence[Value]], list[Value]]


def swept_in_chunks(sweep: Sweep, values: Sequence[Value], position: int, chunk: int, tries_all: bool) -> list[Value]:
    """For each result of the sweep, what it is for each entry of one seeded value: an axis for the entries comes first.

    The results are in memory of their own.

    Arguments:
        sweep: from seeds to results.
        values: what is seeded, one seed for each; None stands for zero.
        position: of the one whose seeds are unit vectors; the others' are zero.
        chunk: how many unit vectors a sweep carries.
        tries_all: whether one sweep may carry all, which it does if its values stay few terms or fit the cache.
    """
    count = math.prod(shape_of(values[position]))
    if tries_all and chunk < count:
        try:
            return _swept(sweep, values, position, Batch(count, most_entries=CACHE_ENTRIES), is_alone=True)
        except TooManyEntriesError:
            pass
    if chunk >= count:
        return _swept(sweep, values, position, Batch(count), is_alone=True)
    batches = (_batch(start, min(start + chunk, count)) for start in range(0, count, chunk))
    return _joined((_swept(sweep, values, position, batch) for batch in batches), count)


def _batch(start: int, stop: int) -> Batch:
    """Of the entries from start to stop."""
    return Batch(stop - start, np.arange(start, stop))


def _swept(sweep: Sweep, values: Sequence[Value], position: int, batch: Batch, is_alone: bool = False) -> list[Value]:
    """One sweep for a batch of entries; the only one is copied where its arrays may be others' too."""
    seeds: list[Value] = [None] * len(values)
    units = batch.units(shape_of(values[position]))
    seeds[position] = units.dense() if batch.count * units.size <= FEW_ENTRIES else units
    swept = sweep(seeds)
    whole = [batch.whole(result) for result in swept]
    if not is_alone:
        return whole
    return [part if isinstance(result, Structured) else owned(part) for result, part in zip(swept, whole, strict=True)]


def _joined(chunks: Iterable[list[Value]], count: int) -> list[Value]:
    """The results of all chunks, `count` entries in all, one after the other.

    Plain arrays go to their places at once, so that the memory of one chunk serves the next.
    """
    found, start = list[Any](), 0
    for chunk in chunks:
        length = shape_of(chunk[0])[0] if chunk else 0
        found = found or [
            np.empty((count, *part.shape[1:]), part.dtype) if type(part) is np.ndarray else [] for part in chunk
        ]
        for whole, part in zip(found, chunk, strict=True):
            if type(whole) is list:
                whole.append(part)
            else:
                whole[start : start + length] = part
        start += length
    return [concatenate(*whole, axis=0) if type(whole) is list else whole for whole in found]
