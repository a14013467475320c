"""Other packages' ways to differentiate: they agree with reverse mode, keep precision, and say what they cannot do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from adcli_benchmarks.problems import problem_named
from adcli_methods.differentiate import Request, differentiate, flat_problem
from adcli_methods.emission import emit
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of
from adcli_methods.method import Prepared
from adcli_methods.methods import METHODS, PEERS, installed_methods, method_named
from adcli_methods.structure import leaves_of
from adcli_methods.targets import target

EVERY = (
    "log-product", "logistic-map", "polar-to-cartesian", "speelpenning", "rosenbrock", "trigonometric-sum",
    "log-sum-exp", "rosenbrock-residuals", "banded", "helmholtz", "determinant-by-minors", "reaction-chain",
    "least-squares", "k-means", "logistic-regression", "tanh-network", "logistic-map-sum", "gaussian-mixture",
    "bundle-adjustment", "hand-tracking", "lstm", "perceptron", "saddle",
)  # fmt: skip
SOME = ("polar-to-cartesian", "rosenbrock", "tanh-network")
LONG = ("bundle-adjustment", "hand-tracking", "lstm", "particle", "saddle")
"""Problems that take compilers seconds beyond their least size."""
SAMPLES = {"jax": SOME, "casadi": (*EVERY, "particle"), "torch-compile": ("rosenbrock",)} | dict.fromkeys(
    ("torch-func", "numdifftools", "scipy-difference"), EVERY[::2]
)
"""The peers that take long for each function are asked for fewer."""
TOLERANCES = {"numdifftools": 1e-9, "scipy-difference": 1e-7}
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch", "ignore::DeprecationWarning")


def require(name: str) -> None:
    """Skip where the peer's package is not installed."""
    missing = method_named(name).missing()
    if missing is not None:
        pytest.skip(missing)


def prepared(name: str, problem_name: str, size: int | None = None, dtype: str | None = None) -> tuple[Prepared, Any]:
    """A problem prepared at one point, and another point to run it at."""
    problem = problem_named(problem_name)
    flat, other = (
        flat_problem(problem.as_function(), problem.point(size, seed), Request(dtype=dtype)) for seed in (0, 1)
    )
    values = [flat.traced[0].values[slot] for slot in flat.program.outputs]
    operator = "gradient" if len(values) == 1 and not np.shape(values[0]) else "jacobian"
    return method_named(name)().prepared(flat, operator), other.leaves


def run_at(made: Prepared, leaves: Any) -> tuple[list[Any], list[Any]]:
    """Outputs and blocks at NumPy leaves, as NumPy's."""
    outputs, blocks = made.run(made.convert(leaves))
    return made.lower(outputs), made.lower(blocks)


def assert_close(found: list[Any], expected: list[Any], tolerance: float) -> None:
    """Equal shapes, and entries equal relative to the largest of each block."""
    for one, other in zip(found, expected, strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * max(np.max(np.abs(other)), 1e-300))


CASES = [(name, problem) for name in [*PEERS, *METHODS] for problem in SAMPLES.get(name, EVERY)
         if name in PEERS or problem in SOME]  # fmt: skip


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_a_prepared_derivative_runs_at_other_points_as_reverse_mode_does(name: str, problem: str) -> None:
    require(name)
    sizes = problem_named(problem).sizes
    size = sizes[0] if problem in LONG else sizes[:2][-1]
    made, leaves = prepared(name, problem, size)
    tolerance = {**TOLERANCES, "forward-difference": 1e-5, "central-difference": 1e-7}.get(name, 1e-11)
    expected, _ = prepared("reverse", problem, size)
    outputs, blocks = run_at(made, leaves)
    wanted = run_at(expected, leaves)
    assert_close(outputs, wanted[0], 1e-12)
    assert_close(blocks, wanted[1], tolerance)


@pytest.mark.parametrize("name", [name for name in PEERS if name != "torch-compile"])
@pytest.mark.parametrize("operator", ["gradient", "jvp", "vjp", "jacobian"])
def test_a_peer_is_a_method_with_operators(name: str, operator: str) -> None:
    require(name)
    text = "sum(x**2 * sin(x)) + max(x) * exp(x[0])" if operator == "gradient" else "[x*y[0], exp(x)*y[1]]"
    point = np.array([0.5, 1.5, 1.2]) if operator == "gradient" else {"x": 0.7, "y": np.array([2.0, 3.0])}
    vector = {"jvp": [1.0, 2.0, 3.0], "vjp": [1.0, -2.0]}.get(operator)
    found, expected = (
        differentiate(formula_function(text), point, Request(mode, operator=operator, vector=vector))
        for mode in (name, "reverse")
    )
    assert found.method == name
    for (_, one), (_, other) in zip(leaves_of(found.derivative), leaves_of(expected.derivative), strict=True):
        np.testing.assert_allclose(one, other, rtol=TOLERANCES.get(name, 1e-12))
    assert found.primal_evaluations + found.adjoint_sweeps + found.tangent_sweeps > 0


@pytest.mark.parametrize("name", ["jax", "autograd", "torch-func"])
def test_second_derivatives_through_peers(name: str) -> None:
    require(name)
    function, x = formula_function("exp(x[0]*x[1]) + sin(x[1])"), np.array([0.3, 0.7])
    found, expected = (differentiate(function, x, Request(mode, operator="hessian")) for mode in (name, "forward"))
    np.testing.assert_allclose(found.derivative, expected.derivative, rtol=1e-13)


@pytest.mark.parametrize("name", ["jax", "jax-jit", "autograd", "torch-func", "numdifftools", "scipy-difference"])
def test_single_precision_is_single(name: str) -> None:
    require(name)
    made, leaves = prepared(name, "rosenbrock", 10, "float32")
    expected, _ = prepared("reverse", "rosenbrock", 10, "float32")
    outputs, (block,) = run_at(made, leaves)
    assert np.asarray(outputs[0]).dtype == block.dtype == np.float32
    assert_close([block], run_at(expected, leaves)[1], 2e-2 if name in TOLERANCES else 1e-6)


def test_casadi_refuses_single_precision() -> None:
    require("casadi")
    with pytest.raises(OperatorError, match="casadi computes in double precision alone: ask for --dtype float64"):
        prepared("casadi", "rosenbrock", 10, "float32")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("jax", "besselj(0, x)", "jax has no bessel_j that can be differentiated"),
        ("autograd", "besselj(0, x)", "autograd has no bessel_j that can be differentiated"),
        ("casadi", "besselj(0, x)", "casadi has no bessel_j that can be differentiated"),
    ],
)
def test_what_a_peer_lacks_is_said_in_one_line(name: str, text: str, message: str) -> None:
    require(name)
    with pytest.raises(OperatorError, match=message):
        differentiate(formula_function(text), 0.5, Request(name))


def test_an_error_of_the_other_package_is_said_in_one_line() -> None:
    require("autograd")
    with pytest.raises(OperatorError, match="autograd cannot do this: NotImplementedError: VJP of copysign") as caught:
        differentiate(function_of(lambda x: np.sum(np.copysign(x, 2.0))), np.ones(2), Request("autograd"))
    assert "\n" not in str(caught.value)


def test_autograd_says_that_it_cannot_write_into_arrays() -> None:
    require("autograd")
    with pytest.raises(OperatorError, match="autograd cannot write into an array"):
        prepared("autograd", "particle")


def test_a_peer_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"method jax needs the package jax: pip install \"adcli\[peers\]\""):
        differentiate(formula_function("x**2"), 1.0, Request("jax"))


def test_peers_are_asked_for_by_name_and_compared_only_then() -> None:
    assert not {method.name for method in installed_methods()} & set(PEERS)
    assert [method_named(name).name for name in PEERS] == list(PEERS)
    with pytest.raises(OperatorError, match="did you mean casadi"):
        method_named("casadii")


def test_emitted_jax_source_is_double_precision_and_needs_nothing_of_ours() -> None:
    require("jax")
    flat = flat_problem(formula_function("sum(exp(-x**2)) + x[0]*erf(x[1])"), np.array([0.1, 0.2]), Request())
    source = emit(flat.program, target("jax"))
    assert 'jax.config.update("jax_enable_x64", True)' in source
    assert "adcli" not in source
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    (value,) = namespace["function"](namespace["jnp"].asarray([0.1, 0.2]))
    assert float(value) == pytest.approx(flat(flat.leaves)[0], rel=1e-14)


@pytest.mark.parametrize("text", [
    "sum(cumsum(x)[1:] * x[::-1][:2])", "sum(where(x > 1, log(x), x**2))", "max(x) - min(x) + prod(x)",
    "sum(outer(x, x) @ x) + norm(x)", "det([[x[0], x[1]], [x[2], x[0]**2]])",
    "sum(maximum(x, 1) / hypot(x, 2))", "sum(softplus(x) * sigmoid(x))",
])  # fmt: skip
@pytest.mark.parametrize("name", ["jax-jit", "autograd", "casadi"])
def test_each_kind_of_operation_is_right(name: str, text: str) -> None:
    require(name)
    function, x = formula_function(text), np.array([0.6, 1.7, 1.1])
    found, expected = (differentiate(function, x, Request(mode)) for mode in (name, "reverse"))
    np.testing.assert_allclose(found.derivative, expected.derivative, rtol=1e-11, atol=1e-13)


def matrices(x: Any) -> Any:
    """Linear algebra, stacks, transposes and writing into arrays."""
    a = np.outer(x, x**2).T + np.eye(3)
    b = np.zeros(3)
    b[1:] = x[:2]
    rows = np.stack([x, b])
    return np.sum(np.linalg.solve(a, b)) + np.sum(np.linalg.inv(a)) + np.sum(np.einsum("ij,kj->ik", rows, a) ** 2)


@pytest.mark.parametrize("name", ["jax-jit", "casadi", "torch-func"])
def test_matrices_and_arrays_that_are_written_into_are_right(name: str) -> None:
    require(name)
    found, expected = (
        differentiate(function_of(matrices), np.array([0.6, 1.7, 1.1]), Request(mode)) for mode in (name, "reverse")
    )
    np.testing.assert_allclose(found.derivative, expected.derivative, rtol=1e-11, atol=1e-13)


def test_casadi_keeps_large_arrays_whole() -> None:
    require("casadi")
    for problem in ("trigonometric-sum", "helmholtz"):
        (made, leaves), (expected, _) = (prepared(name, problem, 2000) for name in ("casadi", "reverse"))
        assert_close(run_at(made, leaves)[1], run_at(expected, leaves)[1], 1e-12)


def test_peers_run_beside_each_other_in_threads() -> None:
    names = [name for name in ("jax-jit", "autograd", "casadi", "torch-func") if method_named(name).missing() is None]
    if not names:
        pytest.skip("no peer is installed")

    def derivative(name: str) -> Any:
        made, leaves = prepared(name, "tanh-network")
        return [run_at(made, leaves)[1] for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(derivative, names * 3))
    (wanted,) = {tuple(np.round(block, 10).tobytes() for block in blocks) for runs in results for blocks in runs}
    assert wanted
