"""The likely causes of a fault: hypotheses, each tested at the failing point and nearby, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adcli_methods.checking.black_box import Measured
from adcli_methods.checking.blocks import block
from adcli_methods.checking.hypotheses import by_order, not_a_number, own_factor, single_precision, whole_factor
from adcli_methods.checking.judging import Findings, Kink
from adcli_methods.checking.paths import by_path
from adcli_methods.checking.report import Cause
from adcli_methods.checking.samples import Sample, samples_of

MOST_CAUSES = 3
CERTAIN = 0.99
"""A cause that explains this share ends the search for others."""
_TESTS: tuple[Callable[[list[Sample]], Iterator[Cause]], ...] = (
    not_a_number, single_precision, whole_factor, own_factor, by_order, by_path, block,
)  # fmt: skip
_LAST = ("block",)
"""Kinds that only say where, which come after those that say what, and a factor that is no round number."""


def diagnose(case: Any, findings: Findings, measured: Measured | None) -> list[Cause]:
    """The causes that explain a fault, the likeliest first; "unknown" where none does."""
    try:
        refined = findings.compared[0].sharp if findings.compared else None
        samples = samples_of(case, measured, refined)
    except Exception as error:  # a diagnosis must not cost the finding
        return [Cause("unknown", f"the cause could not be looked for: {type(error).__name__}: {error}", share=0.0)]
    causes: list[Cause] = []
    if len(samples[0].claimed):
        for test in _TESTS:
            if not any(cause.share >= CERTAIN for cause in causes) or test is block:
                causes += _safely(test, samples)
    kinks = [kink_cause(kink, case) for kink in findings.kinks[:1] if kink.holds_claim]
    causes = sorted([*kinks, *causes], key=lambda cause: cause.kind in _LAST)
    return causes[:MOST_CAUSES] or [_unknown(samples[0])]


def _safely(test: Callable[[list[Sample]], Iterator[Cause]], samples: list[Sample]) -> list[Cause]:
    try:
        with np.errstate(all="ignore"):
            return list(test(samples))
    except (ArithmeticError, ValueError, IndexError, TypeError, KeyError):
        return []


def _unknown(sample: Sample) -> Cause:
    text = "none of the usual causes explains it"
    with np.errstate(all="ignore"):
        ratios = (sample.claimed / sample.reference)[np.isfinite(sample.claimed / sample.reference)]
    if len(ratios):
        text += f"; claim / reference lies between {ratios.min():.6g} and {ratios.max():.6g}"
    return Cause("unknown", text, share=0.0)


def kink_cause(kink: Kink, case: Any) -> Cause:
    """Which of the slopes at a kink the claim takes."""
    where = case.place_name(kink.place)[1] if kink.place is not None else "a random direction"
    named = {"the left one": kink.left, "the right one": kink.right, "their mean": (kink.left + kink.right) / 2}
    size = max(abs(kink.left), abs(kink.right))
    takes = [name for name, value in named.items() if abs(kink.claimed - value) <= kink.error + 1e-6 * size]
    which = f"takes {takes[0]}" if takes else f"takes {kink.claimed:.6g}, between them"
    text = f"along {where} the slopes are {kink.left:.6g} and {kink.right:.6g}; the claim {which}"
    return Cause("kink convention", text)
