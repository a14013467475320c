"""Causes that need the Program: a term left out or taken twice, a factor of the chain rule left out, with the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from adcli_methods.checking.hypotheses import EXPLAINS
from adcli_methods.checking.matrix_case import MatrixCase
from adcli_methods.checking.numerals import name_of, near
from adcli_methods.checking.report import Cause
from adcli_methods.checking.samples import Sample
from adcli_methods.checking.subject import Array
from adcli_methods.checking.terms import Key, Term, contribution, term_candidates, terms_of

EXACT = 1e-3
"""How near to -1, 1 or another round number the share of a term must be."""


class _Paths:
    """A sample brought to one row, u^T J, and the terms of that row."""

    def __init__(self, sample: Sample) -> None:
        case = sample.case
        self.u, self.sample = _row(sample)
        self.tracing = case.tracing
        self.terms = terms_of(self.tracing, self.u)

    def part(self, key: Key, plain: bool = False) -> Array | None:
        """A term's part of the row."""
        term = self.terms.get(key)
        return None if term is None else contribution(self.tracing, term, plain)


def _row(sample: Sample) -> tuple[Array, Sample]:
    case = sample.case
    if sample.cotangent is not None:
        return sample.cotangent, sample
    if not isinstance(case, MatrixCase) or case.matrix.shape[0] == 1:
        return np.ones(1), sample
    m, n = case.matrix.shape
    u = np.random.default_rng(0).uniform(0.5, 1.0, m)
    if case.matrix.diagonal:
        return u, replace(sample, claimed=u * sample.claimed, reference=u * sample.reference)
    claimed, reference = u @ sample.claimed.reshape(m, n), u @ sample.reference.reshape(m, n)
    return u, replace(sample, claimed=claimed, reference=reference, weights=case.sizes)


def can_follow(sample: Sample) -> bool:
    """Whether the sample's derivative can be followed through a Program."""
    case = sample.case
    return case.tracing is not None and case.order == 1 and case.claim.kind != "jvp" and len(sample.claimed) > 0


def by_path(samples: list[Sample]) -> Iterator[Cause]:
    """Terms that explain the residual, and operations whose own derivative was forgotten."""
    if not can_follow(samples[0]):
        return
    with np.errstate(all="ignore"):
        paths = [_Paths(sample) for sample in samples if can_follow(sample)]
        first = paths[0]
        forgotten: list[Cause] = []
        factors: list[Cause] = []
        for key in term_candidates(first.tracing, first.terms):
            cause = _as_term(paths, key)
            if cause is not None and cause.kind != "factor":
                yield cause
                return
            factors += [cause] if cause is not None else []
            cause = _as_forgotten(paths, key)
            forgotten += [cause] if cause is not None else []
        yield from [*forgotten, *factors][:1]


def _as_term(paths: list[_Paths], key: Key) -> Cause | None:
    first = paths[0]
    part = first.part(key)
    factor = _share(first.sample, part)
    if part is None or not np.isfinite(factor):
        return None
    if first.sample.explained(first.sample.reference + factor * part) < EXPLAINS:
        return None
    if first.sample.explained(_times(first.sample)) >= EXPLAINS and _is_all(first.sample, part):
        return None  # the term is the whole derivative
    shares = [1.0]
    for path in paths:
        own = path.part(key)
        if own is None or not np.any(own):
            continue
        shares.append(path.sample.explained(path.sample.reference + factor * own))
    if min(shares) < EXPLAINS:
        return None
    return _worded(first.terms[key], factor, min(shares))


def _is_all(sample: Sample, part: Array) -> bool:
    return bool(np.allclose(part, sample.reference, rtol=1e-9))


def _times(sample: Sample) -> Array:
    r = sample.reference * sample.weights
    c = sample.claimed * sample.weights
    scale = np.max(np.abs(r)) or 1.0
    return np.asarray(sample.reference * ((c / scale) @ (r / scale)) / ((r / scale) @ (r / scale)))


def _share(sample: Sample, part: Array | None) -> float:
    """The factor on a term that explains the residual best."""
    if part is None:
        return np.nan
    g, d = part * sample.weights, sample.residual
    scale = float(np.max(np.abs(g), initial=0.0))
    if not 0 < scale < np.inf:
        return np.nan
    return float((d / scale) @ (g / scale) / ((g / scale) @ (g / scale)))


def _worded(term: Term, factor: float, share: float) -> Cause | None:
    location = term.location
    primitive = term.instruction.primitive
    assert primitive is not None
    at = f" in `{location.text}`" if location is not None and location.text else ""
    what = f"the term that operand {term.position + 1} of {primitive.name} brings{at}"
    if not term.is_additive:
        what = f"the part that comes through operand {term.position + 1} of {primitive.name}{at}"
    if near(factor, -1.0, EXACT):
        return Cause("missing term", f"{what} is missing", location, share)
    if near(factor, 1.0, EXACT):
        return Cause("doubled term", f"{what} is there twice", location, share)
    if near(factor, -2.0, EXACT):
        return Cause("sign", f"{what} has the opposite sign", location, share)
    name = name_of(factor + 1.0)
    if name is None:
        return None
    return Cause("factor", f"{what} is there {name} times", location, share)


def _as_forgotten(paths: list[_Paths], key: Key) -> Cause | None:
    """The claim with an operation's own derivative taken as 1."""
    first: Any = paths[0]
    term = first.terms[key]
    if term.is_additive or any(part is None for part in term.plain):
        return None
    shares = []
    for path in paths:
        true, plain = path.part(key), path.part(key, plain=True)
        if true is None or plain is None:
            return None
        shares.append(path.sample.explained(path.sample.reference - true + plain))
    if min(shares) < EXPLAINS:
        return None
    location, primitive = term.location, term.instruction.primitive
    at = f" in `{location.text}`" if location is not None and location.text else ""
    text = f"the derivative of {primitive.name} by operand {term.position + 1}{at} is left out of the chain rule"
    return Cause("chain factor", text, location, min(shares))
