"""What a traced function can reach is bound to stand-ins, wherever it is kept."""

from __future__ import annotations

import functools
import math
import operator

import numpy as np
import pytest

from .tracing import gradient


def closure_over(module, function):
    return lambda x: function(module.zeros(2)[0] + x)


class Model:
    power = staticmethod(lambda x, n: math.pow(x, n))
    exponential = math.exp

    def __init__(self, scale):
        self.scale = scale
        self.parts = [Part()]

    def __call__(self, x):
        return self.exponential(x) * self.scale + self.parts[0].value(x)

    @property
    def rate(self):
        return math.sqrt(self.scale)

    def method(self, x):
        return self.power(x, 3) * self.rate

    @classmethod
    def of_class(cls, x):
        return math.tan(x)


class Part:
    def value(self, x):
        return np.stack([x, x]).sum()


def with_default(x, function=math.exp, *, other=np.zeros):
    a = other(1)
    a[0] = function(x)
    return a[0]


FUNCTIONS = {"exp": math.exp, "sum": [math.fsum]}


def by_table(x):
    return FUNCTIONS["exp"](x) + FUNCTIONS["sum"][0]([x, x])


@functools.lru_cache
def cached(x):
    return math.exp(x)


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def recursive(x, n=3):
    return math.sin(recursive(x, n - 1)) if n else x


def entries(x):
    return sum(math.exp(x) for _ in range(2)) + next(math.exp(t) for t in (x,))


REACHED = {
    "a closure over a module and a function": (closure_over(np, math.exp), math.exp(0.5)),
    "a callable object": (Model(2.0), 2 * math.exp(0.5) + 2),
    "a bound method": (Model(4.0).method, 3 * 0.25 * 2),
    "a class method": (Model.of_class, 1 + math.tan(0.5) ** 2),
    "defaults": (with_default, math.exp(0.5)),
    "a table of functions": (by_table, math.exp(0.5) + 2),
    "a cached function": (lambda x: cached(x), math.exp(0.5)),
    "a wrapped function": (decorated(decorated(lambda x: math.exp(x))), math.exp(0.5)),
    "a partial": (functools.partial(lambda scale, x: scale * math.exp(x), 2.0), 2 * math.exp(0.5)),
    "a lambda in a list": ([lambda x: math.exp(x)][0], math.exp(0.5)),
    "generators and comprehensions": (entries, 3 * math.exp(0.5)),
    "reduce": (lambda x: functools.reduce(operator.mul, [x, x, x]), 0.75),
}


@pytest.mark.parametrize("case", REACHED)
def test_what_a_function_can_reach(case):
    function, expected = REACHED[case]
    assert gradient(function, 0.5)[0] == pytest.approx(expected)
    assert with_default.__defaults__ == (math.exp,)
    assert with_default.__defaults__[0] is math.exp
    assert with_default.__kwdefaults__["other"] is np.zeros
    assert FUNCTIONS["exp"] is math.exp
    assert vars(Model)["exponential"] is math.exp


def test_recursion():
    expected = math.cos(0.5) * math.cos(math.sin(0.5)) * math.cos(math.sin(math.sin(0.5)))
    assert gradient(recursive, 0.5)[0] == pytest.approx(expected)
