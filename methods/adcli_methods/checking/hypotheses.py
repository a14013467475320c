"""Causes that need only the claim and the reference: each predicts the claim from the reference, and is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from adcli_methods.checking.black_box import MOST_FOUND
from adcli_methods.checking.numerals import input_named, length_named, name_of, near
from adcli_methods.checking.report import Cause
from adcli_methods.checking.samples import Sample
from adcli_methods.checking.subject import Array

EXPLAINS = 0.98
"""A cause must explain this share of the residual at every sample."""
SINGLE_WORST = 5e-6
"""No entry of a float64 derivative that went through float32 is further off than this share of it."""


def share_of(samples: list[Sample], predict: Callable[[Sample], Array]) -> float:
    """The least share of the residual that a prediction explains."""
    return min(sample.explained(predict(sample)) for sample in samples)


def not_a_number(samples: list[Sample]) -> Iterator[Cause]:
    """NaN or infinity where the reference has numbers."""
    first = samples[0]
    bad = ~np.isfinite(first.claimed) & np.isfinite(first.reference)
    if bad.any():
        count = int(bad.sum())
        yield Cause("nan", f"{count} of {len(bad)} entries are {first.claimed[bad][0]} where the derivative is finite",
                    share=1.0)  # fmt: skip


def single_precision(samples: list[Sample]) -> Iterator[Cause]:
    """Errors of float32's rounding in a float64 derivative."""
    first = samples[0]
    if first.case.subject.eps > 1e-10:
        return
    size = np.abs(first.reference)
    error = np.abs(first.claimed - first.reference)
    some = size > 0
    rounded = np.array_equal(first.claimed, first.claimed.astype(np.float32).astype(np.float64))
    scale = float(np.max(size, initial=0.0))
    if rounded and bool(np.all(error <= 1e-4 * size + 1e-5 * scale)):
        text = "every entry of the claim is a float32 number: errors of "
    elif np.any(some) and bool(np.all(error <= SINGLE_WORST * np.fmax(size, 1e-2 * scale))):
        text = "the errors have the size of float32's rounding: "
    else:
        return
    worst = float(np.max(error[some] / size[some], initial=0.0))
    yield Cause("float32", f"{text}{worst:.1e} of the entry at most; compute it in float64", share=1.0)


def whole_factor(samples: list[Sample]) -> Iterator[Cause]:
    """One factor on all entries: the sign, a well-known number, a length, the value of an input."""
    first = samples[0]
    if first.places is not None and len(first.claimed) < min(MOST_FOUND, first.case.entry_count):
        return  # few entries are known, for the others are right
    factors = [_factor(sample) for sample in samples]
    if not all(np.isfinite(factors)):
        return
    share = min(s.explained(f * s.reference) for s, f in zip(samples, factors, strict=True))
    if share < EXPLAINS:
        return
    factor = factors[0]
    if all(near(f, factor, 1e-3) for f in factors):
        yield from _constant_factor(factor, samples, share)
        return
    name = input_named(factors, samples)
    if name is not None:
        text = f"the claim is {name} times the derivative, here {factor:.6g} times: by another scale of it?"
        yield Cause("chain factor", text, share=share)


_INNER: dict[str, Callable[[Array], Array]] = {
    "{}": lambda x: x, "1/{}": lambda x: 1 / x, "2·{}": lambda x: 2 * x, "1/(2·{})": lambda x: 0.5 / x,
    "{}²": lambda x: x**2, "1/{}²": lambda x: 1 / x**2, "exp({})": np.exp, "exp(−{})": lambda x: np.exp(-x),
}  # fmt: skip


def own_factor(samples: list[Sample]) -> Iterator[Cause]:
    """Entries times a function of their own input: an inner derivative left out, or one too many."""
    rows = [s for s in samples if s.places is not None and len(s.claimed) == s.case.subject.n and s.case.order == 1]
    if len(rows) != len(samples):
        return
    wrong = np.any([np.abs(s.residual) > 1e-7 * np.max(np.abs(s.reference * s.weights)) for s in rows], axis=0)
    x = np.concatenate([sample.case.subject.x[wrong] for sample in rows])
    claimed = np.concatenate([sample.claimed[wrong] for sample in rows])
    reference = np.concatenate([sample.reference[wrong] for sample in rows])
    if len(x) < 3:
        return
    name = rows[0].case.subject.input_name(int(np.flatnonzero(wrong)[0])) if wrong.sum() == 1 else "its input"
    for words, function in _INNER.items():
        if np.allclose(claimed, reference * function(x), rtol=1e-5, atol=0):
            which = "the entry is" if wrong.sum() == 1 else f"each of {int(wrong.sum())} entries is"
            yield Cause("chain factor", f"{which} {words.format(name)} times the derivative", share=1.0)
            return


def _factor(sample: Sample) -> float:
    """The best factor, by least squares."""
    w = sample.weights
    r, c = sample.reference * w, sample.claimed * w
    scale = float(np.max(np.abs(r), initial=0.0))
    if not 0 < scale < np.inf:
        return np.nan
    r, c = r / scale, c / scale
    return float((c @ r) / (r @ r))


def _constant_factor(factor: float, samples: list[Sample], share: float) -> Iterator[Cause]:
    if near(factor, -1.0, 1e-3):
        yield Cause("sign", "the claim is the derivative with the opposite sign", share=share)
        return
    name, length = name_of(factor), length_named(factor, samples[0].case)
    times = f"the claim is {factor:.6g} times the derivative"
    if length is not None and length[0] == "1/n":
        text = f"{times}, 1/{length[1]}: a mean over {length[1]} terms where the function takes the sum"
        yield Cause("mean instead of sum", text, share=share)
    elif length is not None:
        yield Cause("factor", f"{times}, the length {length[1]}: a sum where the function takes the mean?", share=share)
    elif name is not None:
        yield Cause("factor", f"the claim is {name} times the derivative", share=share)
    else:
        found = input_named([factor] * len(samples), samples) if len(samples) > 1 else None
        more = f", the value of {found}" if found else ""
        yield Cause("factor", f"{times} in every entry{more}", share=share * 0.99)


def by_order(samples: list[Sample]) -> Iterator[Cause]:
    """Right numbers in wrong places: transposed, shifted by one, reversed, or permuted."""
    blocks = _blocks(samples[0])
    if blocks is None:
        return
    for kind, words, move in _moves(samples[0]):
        share = share_of([s for s in samples if _blocks(s) is not None], partial(_moved, move=move))
        if share >= EXPLAINS:
            yield Cause(kind, words, share=share)
            return
    first = samples[0]
    wrong = np.abs(first.residual) > 1e-6 * np.max(np.abs(first.residual))
    if wrong.sum() < 2:
        return
    claimed, reference = np.sort(first.claimed[wrong]), np.sort(first.reference[wrong])
    if np.allclose(claimed, reference, rtol=1e-5, atol=1e-9 * float(np.max(np.abs(reference)))):
        example = _where_it_belongs(first, np.flatnonzero(wrong))
        yield Cause("permuted", f"{int(wrong.sum())} entries hold right numbers in wrong places{example}", share=1.0)


def _where_it_belongs(sample: Sample, wrong: Array) -> str:
    i = int(wrong[0])
    j = int(wrong[np.argmin(np.abs(sample.reference[wrong] - sample.claimed[i]))])
    if sample.places is None or i == j:
        return ""
    names = [sample.case.place_name(int(sample.places[k]))[1] for k in (i, j)]
    return f": {names[0]} holds what belongs to {names[1]}"


def _blocks(sample: Sample) -> list[tuple[slice, tuple[int, ...]]] | None:
    """The parts of the array that a layout belongs to: the whole matrix, or each input's block of a gradient."""
    shape = sample.shape
    if shape is None or int(np.prod(shape)) != len(sample.claimed):
        return None
    subject = sample.case.subject
    rows = shape[0] if len(shape) == 2 and shape[1] == subject.n else 1
    if rows == 1 and len(sample.claimed) == subject.n:
        bounds = subject.bounds
        return [(slice(bounds[i], bounds[i + 1]), s) for i, s in enumerate(subject.shapes) if s]
    return [(slice(0, len(sample.claimed)), shape)]


def _moves(sample: Sample) -> Iterator[tuple[str, str, Callable[[Array], Array]]]:
    blocks = _blocks(sample)
    assert blocks is not None
    depth = max((len(shape) for _, shape in blocks), default=0)
    if depth >= 2:
        yield "transposed", "the claim is the transposed derivative", _transposed
    for axis in range(depth):
        for step, words in ((1, "later"), (-1, "earlier")):
            where = f" along axis {axis}" if depth > 1 else ""
            text = f"each entry stands one place {words} than it should{where}"
            yield "shifted", text, partial(_rolled, axis=axis, step=step, zeros=False)
            yield "shifted", text + ", with 0 at the end", partial(_rolled, axis=axis, step=step, zeros=True)
    for axis in range(depth):
        yield "permuted", "the entries are in reverse order", partial(_flipped, axis=axis)


def _transposed(a: Array) -> Array:
    return a.T.reshape(a.shape) if a.ndim >= 2 else a


def _rolled(a: Array, axis: int, step: int, zeros: bool) -> Array:
    if axis >= a.ndim:
        return a
    moved = np.roll(a, step, axis)
    if zeros:
        index: list[Any] = [slice(None)] * a.ndim
        index[axis] = 0 if step > 0 else -1
        moved[tuple(index)] = 0.0
    return moved


def _flipped(a: Array, axis: int) -> Array:
    return np.flip(a, axis) if axis < a.ndim else a


def _moved(sample: Sample, move: Callable[[Array], Array]) -> Array:
    predicted = sample.reference.copy()
    for part, shape in _blocks(sample) or []:
        predicted[part] = move(predicted[part].reshape(shape)).ravel()
    return predicted
