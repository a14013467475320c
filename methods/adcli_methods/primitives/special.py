"""Elementwise rows: special functions. Arrays go to scipy.special, which is imported at first use."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adcli_methods.primitive import Partial, Primitive, Value
from adcli_methods.primitives.elementary import LN2, absolute, exp, log, square, where

TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_ANY = (-6.0, 6.0)
_POSITIVE = (0.05, 20.0)


def _scipy(name: str) -> Callable[..., Value]:
    def value(*operands: Value) -> Value:
        import scipy.special

        return getattr(scipy.special, name)(*operands)

    return value


def _scipy_of_order(name: str) -> Callable[..., Value]:
    def value(x: Value, order: float) -> Value:
        import scipy.special

        return getattr(scipy.special, name)(order, x)

    return value


def _square_parts(x: Value) -> tuple[Value, Value]:
    """x**2 as an exact head and a small tail, so that exp(-x**2) keeps its last digits."""
    scaled = x * 134217729.0
    head = scaled - (scaled - x)
    return head * head, (x - head) * (x + head)


def _gaussian(x: Value) -> Value:
    head, tail = _square_parts(np.clip(x, -40.0, 40.0))
    return np.exp(-head) * np.exp(-tail)


def _scalar_gaussian(x: float) -> float:
    if abs(x) > 40.0:
        return 0.0
    head, tail = _square_parts(x)
    return math.exp(-head) * math.exp(-tail)


gaussian: Primitive = Primitive(
    "gaussian", (Partial(lambda x, y: -2.0 * x * y),), _gaussian, _scalar_gaussian, domain=(_ANY,)
)  # exp(-x**2)
erf: Primitive = Primitive(
    "erf", (Partial(lambda x, y: TWO_OVER_SQRT_PI * gaussian(x)),), _scipy("erf"), math.erf, domain=(_ANY,)
)


def _erfc(x: Value) -> Value:
    import scipy.special

    # SciPy's tail has 25 units in the last place; erfcx and the compensated exp(-x**2) have 3
    tail = np.maximum(x, 0.5)
    return np.where(np.greater(x, 0.5), scipy.special.erfcx(tail) * _gaussian(tail), scipy.special.erfc(x))[()]


erfc: Primitive = Primitive(
    "erfc", (Partial(lambda x, y: -TWO_OVER_SQRT_PI * gaussian(x)),), _erfc, math.erfc, domain=(_ANY,)
)
erfinv: Primitive = Primitive(
    "erfinv",
    (Partial(lambda x, y: 1.0 / (TWO_OVER_SQRT_PI * gaussian(y))),),
    _scipy("erfinv"),
    domain=((-0.9, 0.9),),
)
gamma: Primitive = Primitive(
    "gamma", (Partial(lambda x, y: y * digamma(x)),), _scipy("gamma"), math.gamma, domain=(_POSITIVE,)
)
gammaln: Primitive = Primitive(
    "gammaln", (Partial(lambda x, y: digamma(x)),), _scipy("gammaln"), math.lgamma, domain=(_POSITIVE,)
)
digamma: Primitive = Primitive(
    "digamma", (Partial(lambda x, y: polygamma(x, order=1)),), _scipy("digamma"), domain=((2.0, 20.0),)
)


def _polygamma(x: Value, order: int) -> Value:
    import scipy.special

    if order == 0:
        return scipy.special.digamma(x)
    # (-1)**(n+1) n! zeta(n+1, x), Abramowitz and Stegun 6.4.10
    return (-1.0) ** (order + 1) * math.factorial(order) * scipy.special.zeta(order + 1.0, x)


polygamma: Primitive = Primitive(
    "polygamma", (Partial(lambda x, y, order: polygamma(x, order=order + 1)),), _polygamma, domain=(_POSITIVE,)
)


def _bessel(name: str, scipy_name: str, sign_below: float, sign_above: float, domain: tuple[float, float]) -> Primitive:
    """A cylinder function: its derivative is half of a combination of its neighbours (DLMF 10.6.1, 10.29.1)."""

    def partial(x: Value, y: Value, order: float) -> Value:
        return 0.5 * (sign_below * row(x, order=order - 1) + sign_above * row(x, order=order + 1))

    row = Primitive(name, (Partial(partial),), _scipy_of_order(scipy_name), domain=(domain,))
    return row


bessel_j: Primitive = _bessel("bessel_j", "jv", 1.0, -1.0, (0.5, 1.5))
bessel_y: Primitive = _bessel("bessel_y", "yv", 1.0, -1.0, (0.5, 1.5))
bessel_i: Primitive = _bessel("bessel_i", "iv", 1.0, 1.0, (0.1, 6.0))
bessel_k: Primitive = _bessel("bessel_k", "kv", -1.0, -1.0, (0.1, 6.0))


def _sinc(x: Value, order: int) -> Value:
    """The order-th derivative of sin(pi x)/(pi x), by its power series near 0, else by recurrence."""
    whole = np.rint(x)
    turn = 1.0 - 2.0 * (whole % 2)
    sine, cosine = turn * np.sin(np.pi * (x - whole)), turn * np.cos(np.pi * (x - whole))
    z = np.pi * np.asarray(x)
    near = (np.abs(z) < 1.0 + 0.7 * order) & ((order > 0) | (z == 0))
    outer, inner = np.where(near, 1.0, z), np.where(near, z, 0.0)
    value = sine / outer
    for n in range(1, order + 1):
        # z s_n + n s_(n-1) = d^n sin(z)
        value = ((sine, cosine, -sine, -cosine)[n % 4] - n * value) / outer
    return np.pi**order * np.where(near, _sinc_series(inner, order), value)[()]


def _sinc_series(z: Value, order: int) -> Value:
    # sinc(x) = sum_k (-1)**k z**2k / (2k+1)!
    total = np.zeros_like(z)
    for k in range(16 + 2 * order, (order + 1) // 2 - 1, -1):
        total = total * z * z + (-1.0) ** k / (math.factorial(2 * k - order) * (2 * k + 1))
    return total * z if order % 2 else total


sinc: Primitive = Primitive("sinc", (Partial(lambda x, y, order: sinc(x, order=order + 1)),), _sinc, domain=(_ANY,))


def _scalar_sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _sigmoid(x: Value) -> Value:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


sigmoid: Primitive = Primitive(
    "sigmoid", (Partial(lambda x, y: y * sigmoid(-x)),), _sigmoid, _scalar_sigmoid, domain=((-30.0, 30.0),)
)
softplus: Primitive = Primitive(
    "softplus",
    (Partial(lambda x, y: sigmoid(x)),),
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    domain=((-30.0, 30.0),),
)
relu: Primitive = Primitive(
    "relu",
    (Partial(lambda x, y: where(x > 0, 1.0, 0.0)),),
    lambda x: np.maximum(x, 0),
    lambda x: x if x > 0 or x != x else 0.0,
    domain=((0.1, 6.0),),
    kink=lambda x: x == 0,
    convention="relu'(0) = 0",
)


def _scalar_logaddexp(a: float, b: float) -> float:
    return a if a == b and math.isinf(a) else max(a, b) + math.log1p(math.exp(-abs(a - b)))


logaddexp: Primitive = Primitive(
    "logaddexp",
    (Partial(lambda a, b, y: sigmoid(a - b)), Partial(lambda a, b, y: sigmoid(b - a))),
    np.logaddexp,
    _scalar_logaddexp,
    domain=((0.0, 2.0), (0.0, 2.0)),
)
logaddexp2: Primitive = Primitive(
    "logaddexp2",
    (Partial(lambda a, b, y: sigmoid(LN2 * (a - b))), Partial(lambda a, b, y: sigmoid(LN2 * (b - a)))),
    np.logaddexp2,
    domain=((0.0, 2.0), (0.0, 2.0)),
)
xlogy: Primitive = Primitive(
    "xlogy",
    (Partial(lambda a, b, y: log(b)), Partial(lambda a, b, y: a / where(a == 0, 1.0, b))),
    _scipy("xlogy"),
    lambda a, b: 0.0 if a == 0 and b == b else a * math.log(b),
    domain=(_POSITIVE, _POSITIVE),
)
logit: Primitive = Primitive(
    "logit", (Partial(lambda x, y: 1.0 / (x * (1.0 - x))),), _scipy("logit"), domain=((0.01, 0.99),)
)


def _ndtr(x: Value) -> Value:
    import scipy.special

    tail = np.minimum(x, -1.0)
    low = 0.5 * scipy.special.erfcx(-math.sqrt(0.5) * tail) * np.square(_gaussian(0.5 * tail))
    return np.where(np.less(x, -1.0), low, scipy.special.ndtr(x))[()]


def _log_ndtr(x: Value) -> Value:
    import scipy.special

    high = np.log1p(-_ndtr(-np.maximum(x, -1.0)))
    return np.where(np.greater(x, -1.0), high, scipy.special.log_ndtr(x))[()]


def _normal_density(x: Value) -> Value:
    # x / 2 is exact, and squaring the root of exp(-x**2 / 2) costs two units in the last place
    return square(gaussian(0.5 * x)) * (1.0 / math.sqrt(2 * math.pi))


def _log_ndtr_slope(x: Value, y: Value) -> Value:
    # the inverse Mills ratio, far below by its asymptotic series (Abramowitz and Stegun 26.2.12)
    near = where(x > -25.0, x, 0.0)
    far = where(x > -25.0, -25.0, x)
    w = 1.0 / square(far)
    series = 1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w * (1.0 - 9.0 * w * (1.0 - 11.0 * w)))))
    return where(x > -25.0, _normal_density(near) / ndtr(near), -far / series)


ndtr: Primitive = Primitive("ndtr", (Partial(lambda x, y: _normal_density(x)),), _ndtr, domain=((-3.0, 3.0),))
log_ndtr: Primitive = Primitive(
    "log_ndtr", (Partial(lambda x, y: _log_ndtr_slope(x, y)),), _log_ndtr, domain=((-3.0, 3.0),)
)


def bessel(order: Any, x: Value, row: Primitive) -> Value:
    """A Bessel function under SciPy's argument order, of a plain number's order."""
    return row(x, order=order)


def entropy(x: Value) -> Value:
    """-x log x, and 0 at 0."""
    return -xlogy(x, x)


def log_beta(a: Value, b: Value) -> Value:
    """The logarithm of the beta function."""
    return gammaln(a) + gammaln(b) - gammaln(a + b)


def beta(a: Value, b: Value) -> Value:
    """The beta function of positive arguments."""
    return exp(log_beta(a, b))


def softsign(x: Value) -> Value:
    """x / (1 + |x|)."""
    return x / (1.0 + absolute(x))
