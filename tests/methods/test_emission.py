"""Emitted source: what it says, what it imports, and that it computes what the Program computes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adcli_methods import sweeps
from adcli_methods.emission import compile_program, emit, emitted_constants
from adcli_methods.execution import execute
from adcli_methods.primitives import PRIMITIVES as P
from adcli_methods.primitives.structural import ARRAY
from adcli_methods.program import GIVEN, Instruction, Program
from adcli_methods.targets import target
from adcli_methods.trace import Trace

STEPS = 10_000
NUMPY = target("numpy")


def program_of(function: Callable[..., Any], *inputs: Any) -> Program:
    trace = Trace(inputs)
    return trace.program_of([trace.output_slot(function(*trace.tracers()))])


def polynomial(x: Any) -> Any:
    return P["add"](P["multiply"](P["power"](x, -2.0), 3.0), P["maximum"](x, 0.5))


def test_source_is_readable() -> None:
    assert emit(program_of(polynomial, 2.0), NUMPY, "polynomial") == (
        "import numpy as np\n"
        "\n\n"
        "def polynomial(x0):\n"
        "    v2 = x0 ** (-2.0)\n"
        "    v4 = v2 * 3.0\n"
        "    v6 = np.maximum(x0, 0.5)\n"
        "    v7 = v4 + v6\n"
        "    return [v7]\n"
    )


def test_torch_takes_numbers_in_operators_and_constants_elsewhere() -> None:
    pytest.importorskip("torch")
    program = program_of(polynomial, 2.0)
    source = emit(program, target("torch"), "polynomial")
    assert "def polynomial(x0, *, c0):" in source
    assert "v6 = torch.maximum(x0, c0)" in source
    assert "import math" not in source
    assert emitted_constants(program, target("torch")) == {"c0": 0.5}


def test_operations_that_no_output_needs_are_left_out() -> None:
    def wasteful(x: Any) -> Any:
        P["exp"](x)
        return P["sin"](x)

    assert "exp" not in emit(program_of(wasteful, 2.0), NUMPY)


def test_helpers_come_with_what_they_call_and_nothing_else() -> None:
    torch = pytest.importorskip("torch")
    x = np.arange(1.0, 5.0)

    def function(x: Any) -> Any:
        turned = P["getitem"](x, index=(slice(None, None, -1),))
        return P["add"](P["gamma"](turned), P["coth"](x))

    program = program_of(function, x)
    source = emit(program, target("torch"), "gamma")
    assert source.count("def gamma(") == source.count("def gammaln(") == source.count("def tanh(") == 1
    assert "def gamma_(x0):" in source
    assert "def sinc" not in source
    assert "adcli" not in source
    namespace: dict[str, Any] = {}
    exec(compile(source, "<source>", "exec"), namespace)
    (value,) = namespace["gamma_"](torch.tensor(x))
    np.testing.assert_allclose(value, execute(program, [x], NUMPY)[0], rtol=1e-14)


def test_indices_are_written_as_python_writes_them() -> None:
    def function(x: Any) -> Any:
        rows = P["getitem"](x, np.array([1, 0]), index=(ARRAY, slice(1, None)))
        return P["getitem"](rows, index=(0, None, Ellipsis))

    program = program_of(function, np.ones((2, 3)))
    for name in ("numpy", "torch"):
        pytest.importorskip(name)
        source = emit(program, target(name))
        assert "x0[c0, 1:]" in source
        assert "[0, None, ...]" in source


def test_constants_take_the_dtype_of_the_inputs_once() -> None:
    torch = pytest.importorskip("torch")
    program = program_of(lambda x: P["multiply"](x, np.array([0.1, 0.2])), np.ones(2))
    run = compile_program(program, target("torch"))
    for dtype in (torch.float32, torch.float64):
        (value,) = run([torch.ones(2, dtype=dtype)])
        assert value.dtype is dtype


def test_every_output_may_be_an_input_or_a_constant() -> None:
    program = Program([GIVEN, GIVEN], [0], {1: 2.5}, [1, 0])
    assert compile_program(program, NUMPY)([1.0]) == execute(program, [1.0], NUMPY) == [2.5, 1.0]


def test_two_constants_are_computed_with_as_tensors() -> None:
    torch = pytest.importorskip("torch")
    steps = [GIVEN, GIVEN, GIVEN, Instruction(P["add"], (1, 2)), Instruction(P["exp"], (3,))]
    program = Program(steps, [0], {1: 1.0, 2: -1.0}, [4])
    (value,) = compile_program(program, target("torch"))([torch.ones(1)])
    assert float(value) == 1.0


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_deep_programs_compile_and_run(name: str) -> None:
    pytest.importorskip(name)

    def deep(x: Any) -> Any:
        for _ in range(STEPS):
            x = P["multiply"](P["sin"](x), 1.01)
        return x

    program = program_of(deep, 1.0)
    start = time.perf_counter()
    run = compile_program(program, target(name))
    assert time.perf_counter() - start < 10
    if name == "torch":
        torch = pytest.importorskip("torch")
        x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        (value,) = run([x])
        (slope,) = torch.autograd.grad(value, x)
        assert slope.isfinite()
        value = value.detach()
    else:
        (value,) = run([1.0])
    assert float(value) == pytest.approx(float(execute(program, [1.0], NUMPY)[0]), rel=1e-10)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_a_gradient_is_a_program_too(name: str) -> None:
    pytest.importorskip(name)

    def function(v: Any) -> Any:
        turned = P["getitem"](v, index=(slice(None, None, -1),))
        parts = P["sigmoid"](turned) * P["maximum"](v, 0.5) + P["cbrt"](v) + P["sinc"](v, order=0)
        top = P["max"](parts, axis=(0,), keepdims=False) + P["prod"](v, axis=(0,), keepdims=False)
        square = P["reshape"](v, shape=(2, 2))
        return top + P["logabsdet"](square) + P["sum"](P["xlogy"](v, v), axis=(0,), keepdims=False)

    at = np.array([1.0, 2.0, 4.0, 3.5])
    program = program_of(lambda v: sweeps.pull(*_traced(function, v), [1.0])[0], at)
    (inputs,) = sweeps.pull(*_traced(function, at), [1.0])
    (value,) = compile_program(program, target(name))([target(name).convert(at, (None, None))])
    np.testing.assert_allclose(value, inputs, rtol=1e-13)


def _traced(function: Callable[..., Any], v: Any) -> tuple[Trace, list[int]]:
    trace = Trace([v])
    return trace, [trace.output_slot(function(*trace.tracers()))]


def test_source_grows_in_proportion_to_the_program() -> None:
    def chain(length: int) -> Callable[[Any], Any]:
        def function(x: Any) -> Any:
            for _ in range(length):
                x = P["sinc"](x, order=1)
            return x

        return function

    sizes = [len(emit(program_of(chain(n), 0.5), NUMPY)) for n in (100, 200, 300)]
    assert abs((sizes[2] - sizes[1]) - (sizes[1] - sizes[0])) < 500
