"""The claim and the reference side by side, at the failing point and nearby: what causes are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods.checking.black_box import Measured, localise
from adcli_methods.checking.cases import Sharp
from adcli_methods.checking.directions import cotangent, direction
from adcli_methods.checking.matrix_case import MatrixCase
from adcli_methods.checking.subject import Array
from adcli_methods.checking.tracing import trace_of

MOST_ENTRIES = 10**6
MOST_SWEEPS = 256
NEARBY = 2
NEAR = 0.05
MOST_BLACK_BOX = 32
MOST_PRODUCTS = 64


@dataclass(frozen=True)
class Sample:
    """A claim and its reference.

    Arguments:
        case: the claim at its point.
        claimed, reference: flat, in the same order.
        weights: the size of each entry's input, so that residuals add up in one unit.
        shape: of the whole array, outputs by inputs; None where only some entries are there.
        places: the number of each entry in the case, None for sums over the outputs.
        cotangent: the weights of the outputs, where the numbers are a product with them.
    """

    case: Any
    claimed: Array
    reference: Array
    weights: Array
    shape: tuple[int, ...] | None
    places: Array | None
    cotangent: Array | None = None

    @property
    def residual(self) -> Array:
        """claimed - reference, weighted."""
        return np.asarray((self.claimed - self.reference) * self.weights)

    def explained(self, predicted: Array) -> float:
        """The fraction of the residual's norm that a prediction of the claim explains."""
        scale = float(np.max(np.abs(self.residual), initial=0.0))
        if not 0 < scale < np.inf:
            return 0.0
        left = np.linalg.norm((self.claimed - predicted) * self.weights / scale)
        share = 1.0 - float(left) / float(np.linalg.norm(self.residual / scale))
        return share if np.isfinite(share) else 0.0


def samples_of(case: Any, measured: Measured | None, refined: Sharp | None) -> list[Sample]:
    """The sample at the failing point first, then those nearby where the claim is wrong too.

    Arguments:
        case: the claim at its point.
        measured: the entries by differences, where these found the fault.
        refined: the worst rows or columns, where the whole is too large.
    """
    if case.tracing is not None and refined is not None and refined.places is not None and _is_large(case):
        weights = case.sizes[refined.places % case.subject.n]
        return [Sample(case, refined.claimed, refined.reference, weights, None, refined.places)]
    case = _with_matrix(case)
    first = _sample(case, measured)
    samples = [first]
    if isinstance(case, MatrixCase) and case.is_fixed:
        return samples
    small = case.tracing is not None and case.subject.n <= 10**5
    if small or case.subject.n <= MOST_BLACK_BOX:
        for _ in range(NEARBY):
            near = _nearby(case)
            if near is not None and _differs(near):
                samples.append(near)
    return samples


def _is_large(case: Any) -> bool:
    if not isinstance(case, MatrixCase) or case.matrix.diagonal:
        return False
    m, n = case.matrix.shape
    return min(m, n) > 1 and (m * n > MOST_ENTRIES or min(m, n) > MOST_SWEEPS)


def _with_matrix(case: Any) -> Any:
    """A small product's whole matrix, which says more of a cause than its product with one vector."""
    if isinstance(case, MatrixCase) or case.tracing is None or max(case.subject.n, case.subject.m) > MOST_PRODUCTS:
        return case
    whole = MatrixCase(case.subject, case.as_matrix(), case.tracing, case.generator)
    whole.begin()
    whole.is_fixed = True
    return whole


def _differs(sample: Sample) -> bool:
    size = np.max(np.abs(sample.reference * sample.weights), initial=0.0)
    largest = float(np.max(np.abs(sample.residual), initial=0.0))
    return bool(np.isfinite(sample.residual).all()) and largest > 1e-9 * size


def _nearby(case: Any) -> Sample | None:
    x = case.subject.x + NEAR * direction(case.sizes, case.generator)
    subject = case.subject.moved(x)
    near = type(case)(subject, case.claim, None, case.generator)
    try:
        subject.start()
        near.begin()
        if case.tracing is None:
            return _sample(near, localise(near)[1])
        subject.widen()
        near.tracing, _ = trace_of(subject, case.order)
        return _sample(near, None) if near.tracing is not None else None
    except Exception:  # another point need not work
        return None


def _sample(case: Any, measured: Measured | None) -> Sample:
    if case.tracing is None:
        return _measured_sample(case, measured)
    if not isinstance(case, MatrixCase):
        sharp = case.sharp()[0]
        weights = np.ones(len(sharp.claimed)) if case.claim.kind == "jvp" else case.sizes
        seed = case.vectors[0] if case.claim.kind == "vjp" else None
        return Sample(case, sharp.claimed, sharp.reference, weights, sharp.shape, sharp.places, seed)
    m, n = case.matrix.shape
    if case.matrix.diagonal:
        sharp = case.sharp()[0]
        return Sample(case, sharp.claimed, sharp.reference, case.sizes, sharp.shape, sharp.places)
    if not _is_large(case):
        return _whole(case, m, n)
    u = cotangent(case.matrix.sizes_of_rows(case.sizes), case.generator)
    return Sample(case, case.matrix.transposed_times(u), case.tracing.pull(u), case.sizes, (n,), None, u)


def _whole(case: MatrixCase, m: int, n: int) -> Sample:
    sharp = case.entries_of(range(m), None) if m <= n else case.entries_of(None, range(n))
    order = np.argsort(np.asarray(sharp.places), kind="stable")
    rows = case.sizes if case.order == 2 else np.ones(m)
    weights = np.outer(rows, case.sizes).ravel()
    return Sample(case, sharp.claimed[order], sharp.reference[order], weights, (m, n), np.arange(m * n))


def _measured_sample(case: Any, measured: Measured | None) -> Sample:
    if measured is None or not measured.places:
        nothing = np.zeros(0)
        return Sample(case, nothing, nothing, nothing, None, nothing.astype(int))
    order = np.argsort(measured.places, kind="stable")
    places = np.array(measured.places)[order]
    claimed, reference = np.array(measured.claimed)[order], np.array(measured.value)[order]
    weights = np.ones(len(places))
    shape: tuple[int, ...] | None = None
    if isinstance(case, MatrixCase):
        pairs = [case.indices(int(place)) for place in places]
        weights = np.array([case.sizes[j] * (case.sizes[i] if case.order == 2 else 1.0) for i, j in pairs])
    if len(places) == case.entry_count:
        shape = case.subject.output_shape if getattr(getattr(case, "matrix", None), "diagonal", False) else None
        shape = shape or (case.matrix.shape if isinstance(case, MatrixCase) else (len(places),))
    return Sample(case, claimed, reference, weights, shape, places)
