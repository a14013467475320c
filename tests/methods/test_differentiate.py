"""What a caller of a derivative may rely on: results in memory of their own, freed when dropped, of the right form."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from adcli_methods import functional
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import PointError
from adcli_methods.function import function_of

MATRIX = np.arange(1.0, 17.0).reshape(4, 4)
FUNCTIONS = {
    "the input": lambda x: x,
    "the input twice": lambda x: {"a": x, "b": x},
    "views of the input": lambda x: {"a": x[1:], "b": x[::-1]},
    "views of one result": lambda x: {"a": np.sin(x)[1:], "b": np.sin(x)},
    "a product with a matrix": lambda x: MATRIX @ x,
    "views of a product with a matrix": lambda x: {"a": (MATRIX @ x)[1:], "b": (MATRIX @ x)[:-1]},
    "all pairs": lambda x: x[:, None] * x,
    "a sum": lambda x: np.sum(x),
    "a weighted sum": lambda x: np.sum(MATRIX[0] * x),
}
REQUESTS = {
    "auto": Request(operator="jacobian"),
    "reverse": Request(operator="jacobian", mode="reverse"),
    "forward": Request(operator="jacobian", mode="forward"),
    "forward in chunks": Request(operator="jacobian", mode="forward", chunk=3),
    "forward in one": Request(operator="jacobian", mode="forward", chunk=100),
    "reverse in one": Request(operator="jacobian", mode="reverse", chunk=100),
    "differences": Request(operator="jacobian", mode="central-difference"),
    "complex step": Request(operator="jacobian", mode="complex-step"),
}


def arrays_of(tree):
    return [leaf for part in tree.values() for leaf in arrays_of(part)] if isinstance(tree, dict) else [tree]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_jacobian_shares_no_memory_with_anything(function, request_):
    x = np.arange(2.0, 6.0)
    found = differentiate(function_of(function), x, request_)
    arrays = arrays_of(found.derivative)
    for position, array in enumerate(arrays):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in (*arrays[:position], x, MATRIX))


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_jacobian_as_a_function_shares_no_memory_with_anything(function):
    x = np.arange(2.0, 6.0)
    arrays = arrays_of(functional.jacobian(function)(x))
    for position, array in enumerate(arrays):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in (*arrays[:position], x, MATRIX))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("name", ["all pairs", "a sum", "views of the input"])
def test_a_derivative_is_freed_when_it_is_dropped(name, mode, order):
    """No cycle keeps it, or the tape, until the garbage collector comes round."""

    def marked(x):
        on_tape = MATRIX[0].copy()
        seen.append(weakref.ref(on_tape))
        return FUNCTIONS[name](x * on_tape)

    seen: list = []
    gc.collect()
    gc.disable()
    try:
        found = differentiate(function_of(marked), np.arange(2.0, 6.0), Request(mode=mode, order=order))
        whole = [array if array.base is None else array.base for array in arrays_of(found.derivative)]
        references = [*seen, *map(weakref.ref, whole)]
        del found, whole
        assert [reference() for reference in references] == [None] * len(references)
    finally:
        gc.enable()


OF_NOTHING = {
    "one empty input": (lambda x: np.sum(x**2) + 1.0, {"x": []}, {"x": (0,)}),
    "an array of an empty input": (lambda x: np.ones(3) * np.sum(x), {"x": []}, {"x": (3, 0)}),
    "an empty input before a number": (lambda x, y: np.sum(x) + y**2, {"x": [], "y": 2.0}, {"x": (0,), "y": ()}),
    "an empty input after a number": (lambda y, x: np.sum(x) + y**2, {"y": 2.0, "x": []}, {"y": (), "x": (0,)}),
}


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "complex-step", "forward-difference", "cd"])
@pytest.mark.parametrize(("function", "at", "shapes"), OF_NOTHING.values(), ids=OF_NOTHING)
def test_a_derivative_by_an_empty_input_is_empty(function, at, shapes, mode):
    at = {name: np.array(value) for name, value in at.items()}
    found = differentiate(function_of(function), at, Request(mode=mode)).derivative
    parts = found if isinstance(found, dict) else {"x": found}
    assert {name: np.shape(part) for name, part in parts.items()} == shapes


def fitted(weights, x=2.0, *, scale=1.0):
    return scale * weights * x


@pytest.mark.parametrize(
    ("at", "wrt", "message"),
    [
        ({"weights": 1.0}, "wieghts", "the inputs are weights, x, scale; did you mean weights?"),
        ({"weights": 1.0}, "q", "no input 'q' to differentiate by: the inputs are weights, x, scale"),
        ({"weights": 1.0}, 7, "no input '7' to differentiate by: the inputs are weights, x, scale"),
        ({"weights": 1.0}, -7, "no input '-7' to differentiate by: the inputs are weights, x, scale"),
        ({"weights": {"first": 1.0}}, "weights.frist", "the inputs are weights; did you mean weights.first?"),
        ({"weights": 1.0, "scal": 2.0}, None, "its inputs are weights, x, scale; did you mean scale?"),
    ],
)
def test_an_unknown_input_is_told_with_all_there_are_and_the_nearest(at, wrt, message):
    with pytest.raises(PointError) as refused:
        differentiate(function_of(fitted), at, Request(wrt=wrt))
    assert str(refused.value).endswith(message)


def test_an_input_may_be_counted_from_the_end():
    found = differentiate(function_of(fitted), {"weights": 3.0}, Request(wrt=[-2]))
    assert (found.wrt, found.derivative) == (("x",), 3.0)
