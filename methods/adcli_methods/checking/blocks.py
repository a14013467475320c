"""A fault in one part of the derivative: which entries, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adcli_methods.checking.black_box import MOST_FOUND
from adcli_methods.checking.numerals import name_of, near
from adcli_methods.checking.report import Cause
from adcli_methods.checking.samples import Sample
from adcli_methods.checking.subject import Array

SMALL = 1e-6


def block(samples: list[Sample]) -> Iterator[Cause]:
    """Some entries wrong, the others right, at every sample."""
    first = samples[0]
    if first.places is None or first.case.entry_count < 2:
        return
    wrong = _wrong(first)
    for sample in samples[1:]:
        if sample.shape == first.shape:
            wrong = wrong | _wrong(sample)
    matters = wrong | (first.reference != 0) | (first.claimed != 0)
    is_part = len(first.claimed) < first.case.entry_count
    if not wrong.any() or (wrong[matters].all() and not is_part):
        return
    if is_part and int(wrong.sum()) >= MOST_FOUND:
        return
    count = f"{int(wrong.sum())} of {first.case.entry_count} entries"
    text = f"only {_words(first, wrong)} wrong ({count}){_what(samples, wrong)}"
    yield Cause("block", text, share=1.0)


def _wrong(sample: Sample) -> Array:
    """The entries whose error is not of rounding's size, beside their own size or the worst error."""
    error = np.nan_to_num(np.abs(sample.claimed - sample.reference), nan=np.inf)
    eps = sample.case.subject.eps
    worst = np.max(error[np.isfinite(error)], initial=0.0)
    rounding = max(SMALL * SMALL, 1e4 * eps) * np.abs(sample.reference)
    return np.asarray(error > np.maximum(rounding, 1e-3 * SMALL * worst))


def _words(sample: Sample, wrong: Array) -> str:
    """The wrong entries in words: one, an input, a row, a column, a range, or every k-th."""
    indices = np.flatnonzero(wrong)
    assert sample.places is not None
    names = [sample.case.place_name(int(sample.places[i]))[1] for i in (indices[0], indices[-1])]
    if len(indices) == 1:
        return f"{names[0]} is"
    whole = _input(sample, wrong)
    if whole:
        return f"the entries of {whole} are"
    if sample.shape is not None and len(sample.shape) == 2 and min(sample.shape) > 1:
        grid = wrong.reshape(sample.shape)
        rows, columns = np.flatnonzero(grid.any(axis=1)), np.flatnonzero(grid.any(axis=0))
        if grid[rows].all() and len(rows) < grid.shape[0]:
            return f"{_range('row', rows)}"
        if grid[:, columns].all() and len(columns) < grid.shape[1]:
            return f"{_range('column', columns)}"
        if np.array_equal(grid, np.eye(*grid.shape, dtype=bool)):
            return "the diagonal is"
        if np.array_equal(grid, ~np.eye(*grid.shape, dtype=bool)):
            return "what is off the diagonal is"
        if len(rows) < grid.shape[0] or len(columns) < grid.shape[1]:
            return f"entries in rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]} are"
    steps = np.diff(indices)
    if (steps == steps[0]).all():
        every = "" if steps[0] == 1 else f", every {steps[0]}th," if steps[0] > 2 else ", every second one,"
        return f"{names[0]} to {names[1]}{every} are"
    return f"entries between {names[0]} and {names[1]} are"


def _range(word: str, found: Array) -> str:
    if len(found) == 1:
        return f"{word} {found[0]} is"
    return f"{word}s {', '.join(str(i) for i in found[:5])}{', ...' if len(found) > 5 else ''} are"


def _input(sample: Sample, wrong: Array) -> str | None:
    """The input, or part of one, that holds all the wrong entries and no right one."""
    subject = sample.case.subject
    if len(wrong) != subject.n or len(subject.shapes) < 2:
        return None
    parts = [wrong[a:b] for a, b in zip(subject.bounds[:-1], subject.bounds[1:], strict=True)]
    named = [".".join(path) for path, part in zip(subject.problem.paths, parts, strict=True) if part.all()]
    partly = [part for part in parts if part.any() and not part.all()]
    return " and ".join(named) if named and not partly else None


def _what(samples: list[Sample], wrong: Array) -> str:
    """What the wrong entries have in common: a sign, a factor, zeros."""
    first = samples[0]
    claimed, reference = first.claimed[wrong], first.reference[wrong]
    if (claimed == 0).all():
        return ": the claim is 0 there"
    if (reference == 0).all():
        return ": the derivative is 0 there"
    usable = reference != 0
    ratios = [float(ratio) for ratio in claimed[usable] / reference[usable]]
    if ratios and all(near(ratio, ratios[0], 1e-3) for ratio in ratios):
        if near(ratios[0], -1.0, 1e-3):
            return ": the sign is opposite"
        return f": {name_of(ratios[0]) or format(ratios[0], '.6g')} times the derivative"
    return ""
