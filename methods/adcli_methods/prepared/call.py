"""One call of a prepared derivative: its inputs as leaves, and the leaves' results in the forms of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.differentiate import Request, by_input, flat_problem, shaped
from adcli_methods.function import FlatFunction, Function
from adcli_methods.operators import as_vector
from adcli_methods.prepared.tensors import as_single
from adcli_methods.prepared.version import MATRICES, Version, form_of
from adcli_methods.primitive import Value
from adcli_methods.structure import Tree, is_differentiable, is_node, leaves_of, rebuild

PRODUCTS = ("jvp", "vjp", "hvp")
"""Operators whose vector is the last argument of a call."""


class Call:
    """One call's inputs, flat: the leaves to differentiate by, the other floating-point leaves, then the seeds."""

    def __init__(self, function: Function, at: Any, request: Request) -> None:
        self.at, self.request = at, request
        moving = flat_problem(function, at, request)
        paths = set(moving.paths)
        others = [path for path, leaf in leaves_of(moving.inputs) if path not in paths and is_differentiable(leaf)]
        self.problem = FlatFunction(function, moving.inputs, [*moving.paths, *others])
        self.moving = len(moving.paths)
        self.seeds = self._seeds(moving)
        self.leaves: list[Value] = [*self.problem.leaves, *self.seeds]
        static = [(path, repr(leaf)) for path, leaf in leaves_of(moving.inputs) if path not in set(self.problem.paths)]
        self.key = (tuple(self.problem.paths), tuple(map(form_of, self.leaves)), tuple(static))

    def _seeds(self, moving: FlatFunction) -> list[Value]:
        """The tangents or cotangents that were given; ones where none were."""
        operator, vector = self.request.operator, self.request.vector
        if operator not in PRODUCTS:
            return []
        if operator != "vjp":
            like = moving.leaves
        elif isinstance(vector, (float, np.ndarray)):
            return [vector]
        else:
            trace, slots = self.problem.traced
            like = [trace.values[slot] for slot in slots]
        if vector is None:
            return [np.ones_like(value) if np.shape(value) else 1.0 for value in like]
        names = [".".join(path) for path in moving.paths] if operator != "vjp" else []
        return list(as_vector(vector, like, names))

    def positions(self) -> tuple[int, ...]:
        """Which argument each leaf is, in the leaves' order; empty where an argument is more or less than a leaf."""
        names = list(self.problem.inputs)
        paths = self.problem.paths
        if any(len(path) != 1 for path in paths) or len(paths) != len(names) or len(self.seeds) > 1:
            return ()
        return (*(names.index(path[0]) for path in paths), *(len(names) + i for i in range(len(self.seeds))))


class Formed:
    """A version, and how its inputs come and its outputs go."""

    def __init__(self, version: Version, call: Call) -> None:
        self.version = version
        self.forms = tuple(map(form_of, call.leaves))
        self.positions = call.positions()
        self._problem = call.problem
        self._output = call.problem.output
        self._paths = call.problem.paths[: call.moving]
        self._moving = FlatFunction(call.problem.function, call.problem.inputs, self._paths)
        self._moving.output = self._output
        self._operator = call.request.operator
        is_bare = not is_node(self._output) and self._operator not in ("jvp", "hessian") and self.positions
        self._names = tuple(path[0] for path in self._paths) if is_bare else ()
        self._single = {i for i, leaf in enumerate(call.leaves) if getattr(leaf, "dtype", None) == np.float32}

    def result(self, outputs: Sequence[Value]) -> tuple[Tree, Tree]:
        """The value and the derivative in the forms of the function's output and inputs."""
        if self._names and not self._single:
            value, *parts = outputs
            return value, parts[0] if len(parts) == 1 else dict(zip(self._names, parts, strict=True))
        count = sum(1 for _ in leaves_of(self._output))
        values, parts = iter(outputs[:count]), list(outputs[count:])
        if self._single:
            leaves = len(self._paths)
            parts = [as_single(part) if i % leaves in self._single else part for i, part in enumerate(parts)]
        value = rebuild(self._output, lambda path, leaf: next(values))
        if self._operator == "jvp":
            products = iter(parts)
            return value, rebuild(self._output, lambda path, leaf: next(products))
        if self._operator in MATRICES:
            order = 2 if self._operator == "hessian" else 1
            return value, shaped(self._moving, [None] * count, parts, str(self._operator), order)
        return value, by_input(self._problem, dict(zip(self._paths, parts, strict=True)))
