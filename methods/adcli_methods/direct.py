"""The user's functions called with as little in between as is safe: what a measurement of them may contain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from adcli_methods.errors import FunctionError
from adcli_methods.function import FlatFunction, describe
from adcli_methods.method import Flat
from adcli_methods.primitive import Value
from adcli_methods.structure import Tree, leaves_of, output_tree

_NUMBERS = (float, np.float64, np.float32, np.ndarray)


def direct_function(problem: FlatFunction) -> Flat:
    """The problem's function, of NumPy leaves alone: quicker than the problem itself, which takes tracers too."""
    call, name = direct_call(problem, problem.function.call), problem.function.name

    def run(leaves: Sequence[Value]) -> list[Value]:
        result = call(leaves)
        if type(result) in _NUMBERS:
            return [result]
        problem.output = output_tree(result, name)
        return [leaf for _, leaf in leaves_of(problem.output)]

    return run


def direct_call(problem: FlatFunction, call: Callable[..., Tree]) -> Callable[[Sequence[Value]], Tree]:
    """A callable of the problem's inputs as a function of its leaves, each array a copy that it may write into."""
    names, function = list(problem.inputs), problem.function
    places = [names.index(path[0]) for path in problem.paths]
    kept = [value for place, value in enumerate(problem.inputs.values()) if place not in places]
    if any(len(path) > 1 for path in problem.paths) or any(isinstance(value, np.ndarray) for value in kept):
        return lambda leaves: problem.evaluate(call, leaves)
    arguments = list(problem.inputs.values())

    def run(leaves: Sequence[Value]) -> Tree:
        given = list(arguments)
        for place, leaf in zip(places, leaves, strict=True):
            given[place] = leaf.copy() if type(leaf) is np.ndarray else leaf
        try:
            return call(*given)
        except Exception as error:
            if not function.is_file:
                raise
            raise FunctionError(describe(error, function.name)) from error

    return run
