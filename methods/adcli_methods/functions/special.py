"""SciPy's special functions made of primitives, under SciPy's argument order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adcli_methods.functions.axes import assembled, refuse
from adcli_methods.primitive import Primitive, Recorded, Value
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import special as sp


def of_order(row: Primitive, scipy_name: str) -> Callable[[Any, Any], Value]:
    """A Bessel function; its order is a plain number."""

    def front(v: Any, z: Any) -> Value:
        refuse(
            isinstance(v, Recorded) or np.ndim(v) > 0,
            f"a traced order of {scipy_name}",
            "give the order as a number",
        )
        return sp.bessel(v, assembled(z), row)

    return front


def of_fixed_order(row: Primitive, order: int) -> Callable[[Any], Value]:
    """A Bessel function whose name says its order."""
    return lambda x: row(assembled(x), order=order)


def polygamma(n: Any, x: Any) -> Value:
    """The n-th derivative of digamma."""
    refuse(
        isinstance(n, Recorded) or np.ndim(n) > 0,
        "a traced order of polygamma",
        "give the order as a whole number",
    )
    return sp.polygamma(assembled(x), order=int(n))


def sinc(x: Any) -> Value:
    """sin(pi x) / (pi x)."""
    return sp.sinc(assembled(x), order=0)


def gamma_sign(x: Value) -> Value:
    """The sign of the gamma function."""
    return e.where(e.logical_or(e.greater(x, 0), e.equal(e.mod(e.floor(x), 2.0), 0)), 1.0, -1.0)


def beta(a: Value, b: Value) -> Value:
    """The beta function."""
    sign = e.multiply(e.multiply(gamma_sign(a), gamma_sign(b)), gamma_sign(e.add(a, b)))
    return e.multiply(sign, e.exp(sp.log_beta(a, b)))


def poch(a: Value, m: Value) -> Value:
    """Rising factorial of a positive a."""
    return e.exp(e.subtract(sp.gammaln(e.add(a, m)), sp.gammaln(a)))


def multigammaln(a: Any, d: int) -> Value:
    """The logarithm of the multivariate gamma function."""
    x: Value = assembled(a)
    total: Value = d * (d - 1) * 0.25 * math.log(math.pi)
    for i in range(d):
        total = e.add(total, sp.gammaln(e.subtract(x, 0.5 * i)))
    return total


def entr(x: Value) -> Value:
    """-x log x; 0 at 0, -inf below."""
    below = e.less(x, 0)
    return e.where(below, -np.inf, sp.entropy(e.where(below, 1.0, x)))


def rel_entr(x: Value, y: Value) -> Value:
    """x log(x / y); 0 where x is 0, inf out of the domain."""
    inside = e.logical_and(e.greater(x, 0), e.greater(y, 0))
    at_zero = e.logical_and(e.equal(x, 0), e.greater_equal(y, 0))
    ratio = e.divide(e.where(inside, x, 1.0), e.where(inside, y, 1.0))
    return e.where(inside, e.multiply(x, e.log(ratio)), e.where(at_zero, 0.0, np.inf))


def kl_div(x: Value, y: Value) -> Value:
    """x log(x / y) - x + y."""
    return e.add(e.subtract(rel_entr(x, y), x), y)


def xlog1py(x: Value, y: Value) -> Value:
    """x log(1 + y), and 0 where x is 0."""
    singular = e.logical_and(e.equal(x, 0), e.less_equal(y, -1))
    return e.multiply(x, e.log1p(e.where(singular, 0.0, y)))


def log_expit(x: Value) -> Value:
    """The logarithm of the logistic function."""
    return e.negative(sp.softplus(e.negative(x)))


def softplus(x: Value, **_: Any) -> Value:
    """log(1 + exp(x))."""
    return sp.softplus(x)


def exp10(x: Value) -> Value:
    """10**x."""
    return e.power(10.0, x)


def cosm1(x: Value) -> Value:
    """cos(x) - 1."""
    return e.multiply(-2.0, e.square(e.sin(e.multiply(0.5, x))))


def _of_degrees(primitive: Primitive) -> Callable[[Value], Value]:
    return lambda x: primitive(e.multiply(x, math.pi / 180))


sindg, cosdg, tandg, cotdg = map(_of_degrees, (e.sin, e.cos, e.tan, e.cot))


def huber(delta: Value, r: Value) -> Value:
    """Huber's loss."""
    size = e.absolute(r)
    near = e.multiply(0.5, e.square(r))
    far = e.multiply(delta, e.subtract(size, e.multiply(0.5, delta)))
    return e.where(e.less(delta, 0), np.inf, e.where(e.less_equal(size, delta), near, far))


def pseudo_huber(delta: Value, r: Value) -> Value:
    """The smooth Huber loss."""
    ratio = e.square(e.divide(r, delta))
    # sqrt(1 + u) - 1 without cancellation
    return e.multiply(e.square(delta), e.divide(ratio, e.add(e.sqrt(e.add(1.0, ratio)), 1.0)))


def boxcox(x: Value, lmbda: Value) -> Value:
    """(x**lmbda - 1) / lmbda, and log(x) at 0."""
    return boxcox_of_log(e.log(x), lmbda)


def boxcox1p(x: Value, lmbda: Value) -> Value:
    """boxcox(1 + x, lmbda)."""
    return boxcox_of_log(e.log1p(x), lmbda)


def boxcox_of_log(logarithm: Value, lmbda: Value) -> Value:
    """The Box-Cox transform of exp(logarithm)."""
    # near 0 by its series, so that it can be differentiated by lmbda there too
    product = e.multiply(lmbda, logarithm)
    small = e.less(e.absolute(product), 1e-3)
    series: Value = 1.0
    for k in (5, 4, 3, 2):
        series = e.add(1.0, e.multiply(e.divide(product, float(k)), series))
    direct = e.divide(e.expm1(e.where(small, 1.0, product)), e.where(small, 1.0, product))
    return e.multiply(logarithm, e.where(small, series, direct))
