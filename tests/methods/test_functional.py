"""gradient(f) and its kin, as users of jax and autograd call them."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import scipy.special

import adcli
from adcli_methods.errors import AdcliError, OperatorError, PointError, TraceError

X = np.array([0.5, 1.5, 2.5])


def cubes(x):
    return np.sum(x**3)


def test_one_input_gives_the_bare_derivative_and_several_a_dict_by_name():
    assert adcli.gradient(lambda x: x**3)(2.0) == 12.0
    np.testing.assert_array_equal(adcli.gradient(cubes)(X), 3 * X**2)
    assert adcli.gradient(lambda x, y: x * y**2)(2.0, 3.0) == {"x": 9.0, "y": 12.0}
    assert adcli.gradient(lambda x, y: x * y**2, wrt="y")(2.0, 3.0) == 12.0
    assert adcli.gradient(lambda x, y: x * y**2, wrt=0)(2.0, y=3.0) == 9.0


def test_trees_keep_their_form():
    def loss(params, x):
        return np.sum(np.tanh(params["w"] @ x + params["b"][0])) * params["b"][1]

    params = {"w": np.ones((2, 3)), "b": [np.zeros(2), 2.0]}
    found = adcli.gradient(loss, wrt="params")(params, X)
    assert found["w"].shape == (2, 3)
    assert found["b"][0].shape == (2,)
    assert isinstance(found["b"][1], float)


def test_value_and_gradient_returns_both():
    value, gradient = adcli.value_and_gradient(cubes)(X)
    assert value == pytest.approx(np.sum(X**3))
    np.testing.assert_allclose(gradient, 3 * X**2)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "torch", "symbolic"])
def test_every_operator_is_a_function_of_functions(mode):
    if mode == "torch":
        pytest.importorskip("torch")
    hessian = np.diag(6 * X)
    v = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(adcli.gradient(cubes, mode=mode)(X), 3 * X**2)
    np.testing.assert_allclose(adcli.jacobian(lambda x: x**2, mode=mode)(X), np.diag(2 * X))
    np.testing.assert_allclose(adcli.hessian(cubes, mode=mode)(X), hessian)
    np.testing.assert_allclose(adcli.jvp(lambda x: x**2, mode=mode)(X, v), 2 * X * v)
    np.testing.assert_allclose(adcli.vjp(lambda x: x**2, mode=mode)(X, v), 2 * X * v)
    np.testing.assert_allclose(adcli.hvp(cubes, mode=mode)(X, v), hessian @ v)


def test_a_list_or_tuple_of_numbers_is_a_vector_and_other_tuples_are_trees():
    np.testing.assert_array_equal(adcli.jacobian(lambda x: [x[0] * x[1], x[0]])(np.array([2.0, 3.0])), [[3, 2], [1, 0]])
    pair = adcli.jacobian(lambda x: (x.sum(), x * 2.0))(X)
    np.testing.assert_array_equal(pair[0], np.ones(3))
    np.testing.assert_array_equal(pair[1], 2 * np.eye(3))


def test_derivatives_inside_of_a_function_nest_without_confusion():
    assert adcli.gradient(lambda x: x * adcli.gradient(lambda y: x + y)(1.0))(1.0) == 1.0
    assert adcli.gradient(lambda x: x * adcli.gradient(lambda y: x * y)(4.0))(4.0) == 8.0

    def sums(x):
        value, slope = adcli.value_and_gradient(lambda t: t * x)(2.0)
        return value + slope

    assert adcli.gradient(sums)(5.0) == 3.0
    assert adcli.gradient(lambda x: adcli.diff(lambda y: y**2 * x, at=3.0).derivative)(2.0) == 6.0


def test_library_functions_are_differentiated_too():
    assert adcli.gradient(math.sin)(1.0) == pytest.approx(math.cos(1.0))
    assert adcli.gradient(np.exp)(1.0) == pytest.approx(math.e)
    np.testing.assert_allclose(adcli.gradient(scipy.special.logsumexp)(X), scipy.special.softmax(X))


def test_the_result_is_the_caller_s_own_and_the_arguments_stay_as_they_were():
    x = X.copy()

    def doubles(a):
        a *= 2
        return np.sum(a)

    gradient = adcli.gradient(doubles)(x)
    gradient += 1.0
    np.testing.assert_array_equal(x, X)
    linear = adcli.gradient(lambda a: a @ x)(X)
    linear[:] = 0.0
    np.testing.assert_array_equal(x, X)


def test_a_changed_constant_array_is_seen_as_it_was_when_used():
    weights = np.array([1.0, 2.0, 3.0])

    def loss(x):
        weights[0] = 5.0
        total = np.sum(x * weights)
        weights[0] = 1.0
        return total

    np.testing.assert_array_equal(adcli.gradient(loss)(X), [5.0, 2.0, 3.0])


def test_a_value_kept_from_an_earlier_call_is_an_error_and_not_a_constant():
    kept = {}

    def remembers(x):
        kept.setdefault("square", x * x)
        return kept["square"] * x

    assert adcli.gradient(remembers)(2.0) == 12.0
    with pytest.raises(TraceError, match="earlier call"):
        adcli.gradient(remembers)(2.0)


def test_counts_stay_whole_and_are_not_differentiated_by():
    def repeated(x, times):
        for _ in range(times):
            x = x * x
        return x

    for mode in ("auto", "central-difference", "complex-step"):
        assert adcli.diff(repeated, {"x": 1.1, "times": 2}, mode=mode).derivative == pytest.approx(4 * 1.1**3)
    assert adcli.diff(lambda x, n: x**n, {"x": 2.0, "n": 3}).derivative == {
        "x": 12.0,
        "n": pytest.approx(8 * math.log(2)),
    }


def test_two_threads_do_not_disturb_each_other():
    found = {}

    def work(scale):
        found[scale] = [adcli.gradient(lambda x: np.exp(x * scale))(0.5) for _ in range(200)]

    threads = [threading.Thread(target=work, args=(float(scale),)) for scale in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scale, slopes in found.items():
        assert slopes == pytest.approx([scale * math.exp(0.5 * scale)] * 200)


def test_torch_tensors_go_through_the_in_house_modes():
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    found = adcli.gradient(lambda a: np.sum(np.sin(a) * a))(x)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found.numpy(), np.sin(X) + X * np.cos(X))
    np.testing.assert_allclose(adcli.jacobian(lambda a: np.exp(a), mode="forward")(x).numpy(), np.diag(np.exp(X)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: adcli.gradient(lambda x: x * 2.0)(X), OperatorError, "one scalar output"),
        (lambda: adcli.gradient(lambda x: x)(1.0, 2.0), PointError, "takes 1 inputs, got 2"),
        (lambda: adcli.gradient(lambda x: x)("a"), PointError, "none of the inputs"),
        (lambda: adcli.gradient(lambda x: x)(1j), PointError, "complex"),
        (lambda: adcli.gradient(3.0)(1.0), AdcliError, "not a function"),
        (lambda: adcli.jvp(lambda x: x)(X, np.ones(2)), PointError, "expected (3,)"),
        (lambda: adcli.gradient(lambda x: x, mode="magic")(1.0), OperatorError, "unknown method"),
    ],
)
def test_mistakes_are_told_with_what_was_expected(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_a_jacobian_too_large_to_hold_is_refused():
    with pytest.raises(OperatorError, match="too many to hold"):
        adcli.jacobian(lambda x: x * 2.0)(np.ones(100_000))
