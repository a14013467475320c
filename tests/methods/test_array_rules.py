"""Every row of structure, reduction and linear algebra: push, pull and each target against the 50-digit reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adcli_methods import sweeps
from adcli_methods.emission import compile_program
from adcli_methods.execution import execute
from adcli_methods.primitive import shape_of
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.primitives.structural import ARRAY
from adcli_methods.program import Program
from adcli_methods.reference import directional_derivative, reference_value
from adcli_methods.targets import target
from adcli_methods.trace import Trace

RNG = np.random.default_rng(7)
V = RNG.uniform(-2.0, 2.0, 4)
A = RNG.uniform(-2.0, 2.0, (2, 3))
B = RNG.uniform(-2.0, 2.0, (3, 2))
CUBE = RNG.uniform(-2.0, 2.0, (2, 2, 3))
SQUARE = RNG.uniform(-1.0, 1.0, (3, 3)) + 2 * np.eye(3)
STACK = RNG.uniform(-1.0, 1.0, (2, 2, 2)) + 2 * np.eye(2)
SPD = SQUARE @ SQUARE.T + np.eye(3)
ZERO = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]])
BACK, ALL = slice(None, None, -1), slice(None)
PICK, COLUMN = np.array([2, 0, 2]), np.array([1, 1, 0])

CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("where", [np.array([True, False, True]), A, 0.5], {}),
    ("sum", [A], {"axis": (0,), "keepdims": False}),
    ("sum", [CUBE], {"axis": (0, 2), "keepdims": True}),
    ("sum", [A], {"axis": (), "keepdims": False}),
    ("prod", [A], {"axis": (1,), "keepdims": False}),
    ("prod", [ZERO], {"axis": (1,), "keepdims": True}),
    ("max", [A], {"axis": (0,), "keepdims": True}),
    ("max", [CUBE], {"axis": (0, 1, 2), "keepdims": False}),
    ("min", [A], {"axis": (1,), "keepdims": False}),
    ("cumsum", [A], {"axis": 1}),
    ("reshape", [A], {"shape": (3, 2)}),
    ("reshape", [np.array([1.5])], {"shape": ()}),
    ("transpose", [CUBE], {"axes": (2, 0, 1)}),
    ("broadcast_to", [A[:, :1]], {"shape": (4, 2, 3)}),
    ("broadcast_to", [1.5], {"shape": (2, 2)}),
    ("concatenate", [A, B.T, A], {"axis": 0}),
    ("concatenate", [A, A[:, :1]], {"axis": 1}),
    ("stack", [V, 2 * V], {}),
    ("stack", [1.5, 2.5], {}),
    ("getitem", [V], {"index": (1,)}),
    ("getitem", [A], {"index": (BACK, slice(0, 3, 2))}),
    ("getitem", [CUBE], {"index": (Ellipsis, None, slice(2, 0, -1))}),
    ("getitem", [V, PICK], {"index": (ARRAY,)}),
    ("getitem", [CUBE, PICK % 2, COLUMN], {"index": (ARRAY, BACK, ARRAY)}),
    ("scatter_add", [V[:3], PICK], {"index": (ARRAY,), "shape": (4,)}),
    ("scatter_add", [A, COLUMN[:2]], {"index": (ARRAY, BACK), "shape": (2, 3)}),
    ("scatter_add", [V[:2]], {"index": (slice(None, None, -2),), "shape": (4,)}),
    ("scatter_add", [1.5], {"index": (1,), "shape": (3,)}),
    ("scatter_sum", [V[:2], 1.5, V[:3]], {"indices": ((slice(1, 3),), (1,), (slice(None, -1),)), "shape": (4,)}),
    ("index_update", [V, 1.5], {"index": (1,)}),
    ("index_update", [A, V[:3]], {"index": (ALL, BACK)}),
    ("index_update", [A, B[:, 0], np.array([1, 0, 1]), np.array([0, 1, 2])], {"index": (ARRAY, ARRAY)}),
    ("matmul", [A, B], {}),
    ("matmul", [CUBE, B], {}),
    ("einsum", [A, B], {"subscripts": "ij,jk->ik"}),
    ("einsum", [A], {"subscripts": "ij->"}),
    ("einsum", [CUBE, A], {"subscripts": "bij,kj->bki"}),
    ("astype", [A], {"dtype": "float64"}),
    ("inv", [SQUARE], {}),
    ("inv", [STACK], {}),
    ("solve", [SQUARE, B], {}),
    ("solve", [STACK, A], {}),
    ("adjugate", [SQUARE], {}),
    ("adjugate", [STACK], {}),
    ("det", [SQUARE], {}),
    ("det", [STACK], {}),
    ("logabsdet", [-SQUARE], {}),
    ("cholesky", [SPD], {}),
]
every_case = pytest.mark.parametrize(
    ("name", "operands", "parameters"), CASES, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(CASES)]
)


def traced(name: str, operands: list[Any], parameters: dict[str, Any]) -> tuple[Trace, Program, list[Any]]:
    """The one-operation Program of the operands that are floats; the others are constants."""
    inputs = [x for x in operands if np.asarray(x).dtype.kind == "f"]
    trace = Trace(inputs)
    tracers = iter(trace.tracers())
    given = [next(tracers) if np.asarray(x).dtype.kind == "f" else x for x in operands]
    slot = trace.output_slot(PRIMITIVES[name](*given, **parameters))
    return trace, trace.program_of([slot]), inputs


def directions(inputs: list[Any]) -> list[Any]:
    rng = np.random.default_rng(11)
    return [float(rng.normal()) if not shape_of(x) else rng.normal(size=shape_of(x)) for x in inputs]


def assert_close(found: Any, expected: Any, allowed: float = 1e-12) -> None:
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    assert np.max(np.abs(found - expected)) <= allowed * max(1.0, np.max(np.abs(expected)))


@every_case
def test_push_and_value(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    trace, program, inputs = traced(name, operands, parameters)
    moves = directions(inputs)
    (pushed,) = sweeps.push(trace, moves, program.outputs)
    assert_close(pushed, directional_derivative(program, inputs, moves)[0])
    assert_close(trace.values[program.outputs[0]], reference_value(program, inputs)[0])


@every_case
def test_pull_is_the_transpose_of_push(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    trace, program, inputs = traced(name, operands, parameters)
    moves = directions(inputs)
    (pushed,) = sweeps.push(trace, moves, program.outputs)
    (weight,) = directions([pushed])
    pulled = sweeps.pull(trace, program.outputs, [weight])
    assert [shape_of(x) for x in pulled] == [shape_of(x) for x in inputs]
    forward = np.sum(np.asarray(pushed) * weight)
    backward = sum(np.sum(np.asarray(p) * m) for p, m in zip(pulled, moves, strict=True))
    assert_close(backward, forward)


@every_case
def test_torch(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    trace, program, inputs = traced(name, operands, parameters)
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    (value,) = execute(program, tensors, target("torch"))
    assert_close(value.detach(), trace.values[program.outputs[0]])
    (weight,) = directions([value.detach().numpy()])
    pulled = sweeps.pull(trace, program.outputs, [weight])
    for run in (execute(program, tensors, target("torch")), compile_program(program, target("torch"))(tensors)):
        slopes = torch.autograd.grad(run, tensors, [torch.tensor(weight, dtype=torch.float64)], retain_graph=True)
        for slope, expected in zip(slopes, pulled, strict=True):
            assert_close(slope, expected, 1e-10)


@every_case
def test_torch_stays_on_the_device_of_its_inputs(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    trace, program, inputs = traced(name, operands, parameters)
    tensors = [torch.tensor(x, dtype=torch.float64, device="meta") for x in inputs]
    (value,) = compile_program(program, target("torch"))(tensors)
    assert value.device.type == "meta"
    assert tuple(value.shape) == shape_of(trace.values[program.outputs[0]])


@every_case
def test_complex_step(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    trace, program, inputs = traced(name, operands, parameters)
    moves = directions(inputs)
    (pushed,) = sweeps.push(trace, moves, program.outputs)
    stepped = [x + 1e-100j * move for x, move in zip(inputs, moves, strict=True)]
    (value,) = execute(program, stepped, target("complex"))
    assert_close(np.imag(value) / 1e-100, pushed, 1e-11)
    assert_close(np.real(value), trace.values[program.outputs[0]])


@every_case
def test_sympy(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    sympy = pytest.importorskip("sympy")
    trace, program, inputs = traced(name, operands, parameters)
    counts = [int(np.size(x)) for x in inputs]
    symbols = list(sympy.symbols(f"a:{sum(counts)}", real=True))
    parts = np.split(np.array(symbols, dtype=object), np.cumsum(counts)[:-1])
    point = [part.reshape(shape_of(x)) if shape_of(x) else part[0] for part, x in zip(parts, inputs, strict=True)]
    (value,) = execute(program, point, target("sympy"))
    moves = np.concatenate([np.ravel(move) for move in directions(inputs)])
    entries = [sympy.sympify(entry) for entry in np.ravel(np.asarray(value, dtype=object))]
    slopes = [sum(m * entry.diff(s) for m, s in zip(moves, symbols, strict=True)) for entry in entries]
    numbers = np.concatenate([np.ravel(x) for x in inputs])
    found = sympy.lambdify(symbols, entries + slopes, modules=["scipy", "numpy"], cse=True)(*numbers)
    assert_close(found[: len(entries)], np.ravel(trace.values[program.outputs[0]]))
    (pushed,) = sweeps.push(trace, directions(inputs), program.outputs)
    assert_close(found[len(entries) :], np.ravel(pushed), 1e-10)


@every_case
def test_numpy_source(name: str, operands: list[Any], parameters: dict[str, Any]) -> None:
    trace, program, inputs = traced(name, operands, parameters)
    for value in (*execute(program, inputs, target("numpy")), *compile_program(program, target("numpy"))(inputs)):
        np.testing.assert_array_equal(value, trace.values[program.outputs[0]])


def test_every_row_that_is_not_elementwise_has_a_case() -> None:
    integers = {"argsort", "argmax", "argmin", "to_integer", "det_sign"}
    others = {name for name, row in PRIMITIVES.items() if not row.elementwise}
    assert others - integers == {name for name, _, _ in CASES} - {"where"}


@pytest.mark.parametrize("name", ["torch", "mpmath", "complex"])
def test_rows_without_a_derivative(name: str) -> None:
    pytest.importorskip(name if name != "complex" else "numpy")
    on = target(name)
    rows = {"argsort": {"axis": 1}, "argmax": {"axis": 1}, "argmin": {"axis": 0}, "to_integer": {"dtype": "int64"}}
    for row, parameters in rows.items():
        value = on.call(PRIMITIVES[row])(on.convert(A, on.context([])), **parameters)
        np.testing.assert_array_equal(np.asarray(value), PRIMITIVES[row](A, **parameters))
    sign = on.call(PRIMITIVES["det_sign"])(on.convert(-SQUARE, on.context([])))
    assert float(np.real(sign)) == PRIMITIVES["det_sign"](-SQUARE)


def test_determinant_of_a_singular_matrix_has_a_gradient() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    trace, program, _ = traced("det", [singular], {})
    np.testing.assert_allclose(sweeps.pull(trace, program.outputs, [1.0])[0], [[4.0, -2.0], [-2.0, 1.0]], atol=1e-14)
