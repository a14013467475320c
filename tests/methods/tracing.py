"""A function under a trace, against NumPy and central differences: what the tests of functions share."""

from __future__ import annotations

import numpy as np

from adcli_methods import sweeps
from adcli_methods.standins import rebound
from adcli_methods.trace import Trace
from adcli_methods.tracer import Tracer


def leaves(result):
    """The arrays of a result that may be a tuple or list of them."""
    return [leaf for part in result for leaf in leaves(part)] if isinstance(result, (tuple, list)) else [result]


def plain(value):
    """The array inside of a traced one."""
    if isinstance(value, Tracer):
        if hasattr(value, "settle"):
            value.settle()
        value = value.value
    return np.asarray(value)


def traced(function, points):
    """The trace of a function, and the slots of its results."""
    trace = Trace(list(points))
    with np.errstate(all="ignore"), rebound(function):
        results = leaves(function(*trace.tracers()))
        slots = [trace.output_slot(result) for result in results]
    return trace, slots


def flat(values):
    """Values as one row."""
    return np.concatenate([np.ravel(plain(value)).astype(float) for value in values])


def called(function, points):
    """The results of a function, which may write into its arguments, as leaves."""
    return leaves(function(*map(np.copy, points))) if np.ndim(points[0]) else leaves(function(*points))


def check(function, *points, tolerance=2e-6):
    """Value as NumPy's, push as the central difference, pull as push's transpose."""
    expected = called(function, points)
    trace, slots = traced(function, points)
    found = [trace.values[slot] for slot in slots]
    for one, other in zip(found, expected, strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(plain(one).astype(float), np.asarray(other, dtype=float), rtol=1e-12, atol=1e-13)
    rng = np.random.default_rng(1)
    tangents = [rng.standard_normal(np.shape(point)) if np.shape(point) else 0.8 for point in points]
    cotangents = [rng.standard_normal(np.shape(one)) if np.shape(one) else 1.1 for one in found]
    with np.errstate(all="ignore"):
        moved = flat(sweeps.push(trace, tangents, slots))
        adjoints = sweeps.pull(trace, slots, cotangents)
    h = 1e-6
    ahead, behind = (
        flat(called(function, [p + sign * h * t for p, t in zip(points, tangents, strict=True)])) for sign in (1, -1)
    )
    np.testing.assert_allclose(moved, (ahead - behind) / (2 * h), rtol=tolerance, atol=tolerance)
    assert all(np.shape(adjoint) == np.shape(point) for adjoint, point in zip(adjoints, points, strict=True))
    np.testing.assert_allclose(flat(cotangents) @ moved, flat(adjoints) @ flat(tangents), rtol=1e-9, atol=1e-9)


def gradient(function, *points):
    """The gradient of a function with one result."""
    trace, slots = traced(function, points)
    with np.errstate(all="ignore"):
        return sweeps.pull(trace, slots, [1.0])
