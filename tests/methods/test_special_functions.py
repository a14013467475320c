"""SciPy's special functions and math's functions on traced values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special as special

from .tracing import check, gradient

V, W = np.random.default_rng(5).uniform(0.5, 2.0, (2, 5))
M = np.random.default_rng(6).uniform(0.5, 2.0, (3, 4))
X, Y = 0.7, 1.3

OF_ONE = """expit log_expit erf erfc gamma gammaln loggamma digamma psi entr log1p expm1 exp2 exp10 cbrt sinc j0 j1 y0
y1
i0 i1 k0 k1 ndtr log_ndtr cosm1 sindg cosdg tandg cotdg gammasgn"""
OF_TWO = "beta betaln xlogy xlog1py rel_entr kl_div huber pseudo_huber boxcox boxcox1p poch"
OF_ARRAYS = "logsumexp softmax log_softmax"


@pytest.mark.parametrize("name", OF_ONE.split())
def test_special_functions_of_one_number(name):
    check(lambda x: getattr(special, name)(x), V)
    check(lambda x: getattr(special, name)(x), X)


@pytest.mark.parametrize("name", OF_TWO.split())
def test_special_functions_of_two_numbers(name):
    check(lambda x, y: getattr(special, name)(x, y), V, W)
    check(lambda x: getattr(special, name)(1.1, x), X)


@pytest.mark.parametrize("name", OF_ARRAYS.split())
def test_special_functions_of_an_array(name):
    check(lambda x: (getattr(special, name)(x), getattr(special, name)(x, axis=1)), M)
    check(lambda x: getattr(special, name)(100 * x, axis=(0, 1)), M, tolerance=1e-4)


OTHER_SPECIAL = {
    "Bessel functions": (lambda x: (special.jv(2, x), special.yv(1.5, x), special.iv(0, x), special.kv(0.5, x)), V),
    "polygamma": (lambda x: (special.polygamma(0, x), special.polygamma(2, x)), V),
    "multigammaln": (lambda x: special.multigammaln(x + 2, 3), X),
    "logit and erfinv": (lambda x: special.logit(x / 3) + special.erfinv(x / 3), V),
    "beta of negative numbers": (lambda x: special.beta(-x - 0.05, 1.7), X),
    "huber's far side": (lambda x: special.huber(0.5, x) + special.pseudo_huber(0.5, -x), V),
    "boxcox near 0": (lambda x, p: special.boxcox(x, p), V, 1e-5),
    "logsumexp with weights": (lambda x: special.logsumexp(x, b=W), V),
    "xlogy at 0": (lambda x: special.xlogy(0.0, x) + special.xlog1py(0.0, x) + special.entr(0 * x + 0.1), X),
}


@pytest.mark.parametrize("case", OTHER_SPECIAL)
def test_other_special_functions(case):
    check(*OTHER_SPECIAL[case])


MATH = """exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh atanh erf erfc
gamma lgamma degrees radians fabs"""
OTHER_MATH = {
    "two operands": (lambda x, y: (math.pow(x, y), math.atan2(x, y), math.log(x, y), math.fmod(y, x)), X, Y),
    "hypot and dist": (
        lambda x, y: (math.hypot(x, y), math.hypot(x, y, 2.0), math.hypot(x), math.dist((x, y), (1, 2))),
        X,
        Y,
    ),
    "sequences": (lambda x, y: (math.fsum([x, y, 1]), math.prod([x, y, 3]), math.fsum(t * x for t in (x, y))), X, Y),
    "signs": (lambda x: (math.copysign(x, -1.0), math.fabs(-x), math.remainder(x, 0.4), math.remainder(-x, 0.4)), X),
    "whole parts": (lambda x: (x - math.floor(x), math.ceil(x) * x, math.trunc(x) + x, *math.modf(x)), X),
    "acosh and ldexp": (lambda x: (math.acosh(x + 1), math.ldexp(x, 3)), X),
    "decisions": (
        lambda x: x if math.isclose(x, 0.7, rel_tol=0.1) and not math.isnan(x) and math.isfinite(x) else 2 * x,
        X,
    ),
    "built-in functions": (
        lambda x, y: (abs(-x), max(x, y), min(x, y), pow(x, 2), round(x, 1), sum([x, y]), *divmod(x, y)),
        X,
        Y,
    ),
    "branches and loops": (lambda x: x**3 if x > 0.5 else x, X),
}


@pytest.mark.parametrize("name", MATH.split())
def test_math_functions(name):
    check(lambda x: getattr(math, name)(x), X)


@pytest.mark.parametrize("case", OTHER_MATH)
def test_other_functions_of_numbers(case):
    check(*OTHER_MATH[case])


def test_logsumexp_is_stable():
    value = gradient(lambda x: special.logsumexp(x), np.array([1000.0, 1001.0, -np.inf]))[0]
    np.testing.assert_allclose(value, special.softmax([1000.0, 1001.0, -np.inf]), rtol=1e-12)
