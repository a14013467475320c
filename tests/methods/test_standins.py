"""Names are bound to stand-ins while a function is traced, in the user's modules alone, and restored afterwards."""

from __future__ import annotations

import builtins
import importlib.util
import math
import statistics
import sys
import textwrap
import threading
import timeit

import numpy as np
import pytest
import scipy.optimize
import scipy.special

from adcli_methods.errors import TraceError
from adcli_methods.standin_modules import DEPTH
from adcli_methods.standins import rebound, standin_of
from adcli_methods.trace import Trace
from adcli_methods.tracer import Tracer

from .tracing import gradient


def derivative(function, point):
    """f'(x)."""
    return gradient(function, point)[0]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write modules, and import the first."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def loaded(**sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
            names.append(name)
        return importlib.import_module(next(iter(sources)))

    yield loaded
    for name in names:
        sys.modules.pop(name, None)


def names_of(module):
    """What a module's names are bound to."""
    return dict(vars(module))


def test_names_are_restored(load):
    module = load(
        restored="""
        import math
        import numpy as np
        from math import exp
        from numpy import zeros
        def f(x):
            a = zeros(2)
            a[0] = math.sin(x) if isinstance(x, float) else exp(x)
            return np.sum(a)
        """
    )
    before, importer = names_of(module), builtins.__import__
    assert derivative(module.f, 0.5) == pytest.approx(math.cos(0.5))
    assert names_of(module) == before
    assert list(vars(module)) == list(before)
    assert builtins.__import__ is importer


def test_names_are_restored_after_an_error(load):
    module = load(
        failing="import numpy as np\ndef f(x):\n    import math\n    raise KeyError(np.zeros(1).sum() + math.e)\n"
    )
    before, importer = names_of(module), builtins.__import__
    with pytest.raises(KeyError):
        derivative(module.f, 1.0)
    assert names_of(module) == before
    assert builtins.__import__ is importer
    assert (DEPTH.value, DEPTH.watching) == (0, [])


def test_sibling_modules_are_reached(load):
    module = load(
        first="""
        import second
        from second import helper
        def f(x):
            return helper(x) + second.third.cube(x)
        """,
        second="""
        from math import exp
        import third
        def helper(x):
            return exp(x)
        """,
        third="""
        import numpy as np
        def cube(x):
            return np.array([x, x, x]).prod()
        """,
    )
    assert derivative(module.f, 0.5) == pytest.approx(math.exp(0.5) + 0.75)
    assert sys.modules["second"].exp is math.exp
    assert sys.modules["third"].np is np


def test_libraries_are_left_alone():
    def bound():
        optimize = scipy.optimize._optimize
        return statistics.exp, optimize.np, optimize.sqrt, sys.modules["numpy"], sys.modules["math"]

    def function(x):
        seen.extend(bound())
        return math.exp(x) * np.exp(x)

    seen = []
    assert derivative(function, 0.0) == 2.0
    assert all(one is other for one, other in zip(seen, bound(), strict=True))


def test_imports_in_the_body_of_a_function(load):
    module = load(
        lazy="""
        def f(x):
            import math, json, os.path
            import numpy.linalg as la
            from numpy import array
            from scipy.special import expit
            import lazily_imported
            return la.norm(array([math.sin(x), 0.0])) + expit(x) + lazily_imported.g(x)
        """,
        lazily_imported="""
        from math import exp
        def g(x):
            return exp(x)
        """,
    )
    sigmoid = scipy.special.expit(0.5)
    expected = math.cos(0.5) + sigmoid * (1 - sigmoid) + math.exp(0.5)
    for _ in range(2):
        assert derivative(module.f, 0.5) == pytest.approx(expected)
        assert sys.modules["lazily_imported"].exp is math.exp


def test_nested_derivatives_share_the_stand_ins():
    def inner(x):
        return derivative(lambda y: math.sin(x * y), 2.0) * np.zeros(1, dtype=np.float64)[0] + derivative(math_cube, x)

    def math_cube(y):
        return math.pow(y, 3)

    assert derivative(inner, 0.5) == pytest.approx(6 * 0.5)
    assert type(math).__name__ == "module"


def test_names_bound_anew_are_seen(load):
    module = load(changing="import math\ng = math.sin\nh = None\ndef f(x):\n    return g(x)\n")
    assert derivative(module.f, 0.5) == pytest.approx(math.cos(0.5))
    module.g = math.exp
    assert derivative(module.f, 0.5) == pytest.approx(math.exp(0.5))
    module.h = math.tan
    module.g = lambda x: module.h(x)
    assert derivative(module.f, 0.5) == pytest.approx(1 + math.tan(0.5) ** 2)
    assert module.h is math.tan


def test_a_counter_among_the_globals_does_no_harm(load):
    module = load(
        counting="import math\ncalls = 0\ndef f(x):\n    global calls\n    calls += 1\n    return math.sin(x)\n"
    )
    for _ in range(3):
        derivative(module.f, 0.5)
    assert module.calls == 3


class Model:
    exponential = math.exp

    def __call__(self, x):
        return self.exponential(x) * np.array([x / x, 1.0]).sum()


MODEL = Model()


def test_two_threads_may_trace_the_same_function():
    failures = []

    def work():
        for _ in range(200):
            value = derivative(MODEL, 0.5)
            if value != pytest.approx(2 * math.exp(0.5)):
                failures.append(value)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert vars(Model)["exponential"] is math.exp


def test_another_thread_gets_plain_arrays_meanwhile():
    found = []

    def traced(x):
        thread = threading.Thread(target=lambda: found.append(np.zeros(2)))
        thread.start()
        thread.join()
        return x

    derivative(traced, 1.0)
    assert type(found[0]) is np.ndarray


def test_the_error_that_numpy_hides_is_brought_out():
    constant = np.zeros(2)

    def function(x):
        constant[0] = x
        return x

    with pytest.raises(TraceError, match=r"test_standins.py:\d+: a traced value is written into a plain array"):
        derivative(function, 1.0)


def test_functions_of_libraries_themselves_have_stand_ins():
    assert standin_of(math.sin) is not None
    assert standin_of(np.sum) is standin_of(np.sum)
    assert standin_of(len) is None
    assert standin_of(np.random) is None
    trace = Trace([0.5])
    assert isinstance(standin_of(math.sin)(*trace.tracers()), Tracer)
    assert standin_of(math.sin)(0.5) == math.sin(0.5)


def test_functions_of_this_package_need_nothing():
    from adcli_methods.primitives.elementary import sin

    before = names_of(sys.modules["adcli_methods.primitives.elementary"])
    with rebound(sin):
        assert names_of(sys.modules["adcli_methods.primitives.elementary"]) == before


def test_entering_is_cheap(load):
    module = load(cheap="import math\nimport numpy as np\ndef f(x):\n    return math.sin(x) * np.exp(x)\n")

    def enter():
        with rebound(module.f):
            pass

    def nothing():
        with np.errstate():
            pass

    with rebound(module.f):
        pass
    seconds = min(timeit.repeat(enter, number=1000, repeat=20))
    baseline = min(timeit.repeat(nothing, number=1000, repeat=20))
    assert seconds < 8 * baseline


STEP = 0


def reads_step(x):
    """A function beside globals that a loop changes."""
    return np.exp(x) * STEP


def test_numbers_that_change_from_call_to_call_need_no_new_plan(monkeypatch):
    before = rebound(reads_step)
    monkeypatch.setitem(globals(), "STEP", 2.5)
    assert rebound(reads_step) is before
    monkeypatch.setitem(globals(), "STEP", np.zeros(3))
    assert rebound(reads_step) is before
    monkeypatch.setitem(globals(), "STEP", np.sin)
    assert rebound(reads_step) is not before
