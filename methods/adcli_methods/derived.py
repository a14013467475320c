"""A function and its derivative as one Program whose inputs and outputs have names."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.methods import method_named
from adcli_methods.primitive import Value, shape_of
from adcli_methods.program import Program
from adcli_methods.rewriting import adjoint_program, shaped_gradient, tangent_program
from adcli_methods.shapes import Abstract, Shaped, abstract_of, shaped
from adcli_methods.structure import leaves_of
from adcli_methods.variables import Names, optimised, traced_variables

MOST_ENTRIES = 4096
"""Entries of a constant array that are written out."""


@dataclass(frozen=True)
class Derived:
    """A function and its derivative as one Program, and what its inputs and outputs are called.

    Arguments:
        shaped: the Program, optimised.
        inputs: the inputs' names, those of tangents or cotangents last.
        outputs: the outputs' names, those of the value first.
        value_count: how many numbers and arrays the value is made of.
        fixed: the other inputs, which the Program takes as they were, as in "steps = 3".
        summary: what it computes, in words.
        title: the function's name or formula.
        variables: the names of the user's variables, by the slots whose values these held first; they may repeat.
    """

    shaped: Shaped
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    value_count: int
    fixed: tuple[str, ...]
    summary: str
    title: str
    variables: Names

    def told(self, names: Sequence[str], slots: Sequence[int]) -> list[str]:
        """Names with the shapes and types of slots, in words."""
        return [f"{name}: {spoken(self.shaped.abstracts[slot])}" for name, slot in zip(names, slots, strict=True)]

    def notes(self) -> list[str]:
        """What the code takes as it was, for its docstring."""
        if not self.fixed:
            return []
        return ["As at the point of emission:", *(f"    {plain_text(line)}." for line in self.fixed)]


def derived(problem: FlatFunction, mode: str, words: Container[str] = ()) -> Derived:
    """Value and derivative of a function at the problem's point, in forward or reverse mode.

    Reverse mode gives the gradient of a scalar function; else it takes cotangents of the outputs, named y_bar, and
    gives the vector-Jacobian product. Forward mode takes tangents of the inputs, such as x_dot, and gives the
    Jacobian-vector product; of one number it gives the derivative.

    Arguments:
        problem: the function at a point.
        mode: "forward" or "reverse".
        words: names that no input may have.
    Raises: OperatorError for another mode.
    """
    mode = method_named(mode).name
    if mode not in ("forward", "reverse"):
        raise OperatorError(f"code is emitted in mode forward or reverse, not {mode!r}")
    leaves, title = problem.leaves, problem.function.formula or problem.function.name
    names = distinct([_identifier(".".join(path)) for path in problem.paths], words)
    known = [*names, *problem.function.parameters]
    stem = next(each for each in ("y", "value", "result", "y_") if not any(_is_about(name, each) for name in known))
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        trace, slots, names_of_user = traced_variables(problem)
        traced = Shaped(trace.program_of(slots), tuple(map(abstract_of, trace.values)))
        (primal, _), variables = optimised(traced, names_of_user)
        values = [trace.values[slot] for slot in slots]
        is_scalar = len(values) == 1 and not shape_of(values[0])
        if mode == "reverse":
            made = _reverse(primal, leaves, names, values, is_scalar, stem)
        else:
            made = _forward(primal, leaves, names, values, stem)
        whole, variables = optimised(made.shaped, {slot + made.seeds: name for slot, name in variables.items()})
    kind = "gradient" if is_scalar and mode == "reverse" else "derivative"
    summary = f"Value and {kind} of {title}, in {mode} mode."
    inputs, outputs = distinct([*names, *made.more], words), _numbered(stem, values) + made.results
    fixed = tuple(_fixed(problem))
    return Derived(whole, tuple(inputs), tuple(outputs), len(values), fixed, summary, title, variables)


def _fixed(problem: FlatFunction) -> list[str]:
    """The inputs that are no inputs of the Program, with their values where those are short."""
    paths = set(problem.paths)
    given = [(".".join(path), leaf) for path, leaf in leaves_of(problem.inputs) if path not in paths]
    given += [(name, value) for name, value in problem.function.defaults.items() if name not in problem.inputs]
    return [f"{name}: {spoken(abstract_of(leaf))}" if np.ndim(leaf) else f"{name} = {leaf!r}" for name, leaf in given]


def require_short(array: np.ndarray[Any, Any], *, is_decision: bool = False) -> None:
    """Raise OperatorError for a constant array that is too long to be written out."""
    if array.size <= MOST_ENTRIES:
        return
    if is_decision:
        raise OperatorError(f"the function decides on an array of {array.size} entries: emit at a smaller point")
    raise OperatorError(
        f"the function holds a constant array of {array.size} entries: make it an input, so that it can be given"
    )


def distinct(names: Sequence[str], words: Container[str] = ()) -> list[str]:
    """The names, with underscores after those that are taken.

    >>> distinct(["x", "exp", "x"], {"exp"})
    ['x', 'exp_', 'x_']
    """
    found: dict[str, None] = {}
    for name in names:
        while name in words or name in found:
            name += "_"
        found[name] = None
    return list(found)


def _is_about(name: str, stem: str) -> bool:
    """Whether an input's name could be taken for that of an output, its tangent or cotangent."""
    return re.fullmatch(rf"{stem}(\d*|_.*)", name) is not None


def _numbered(stem: str, values: Sequence[Value], end: str = "") -> list[str]:
    """A name for each of the outputs."""
    return [f"{stem}{i + 1 if i else ''}{end}" for i in range(len(values))]


class _Made(NamedTuple):
    """A derivative, before it is optimised.

    Arguments:
        shaped: the Program: its inputs, the seeds, then the primal's operations in their order, then the others.
        seeds: how many slots it has for tangents or cotangents.
        more: the names of those that are inputs.
        results: the derivatives' names.
    """

    shaped: Shaped
    seeds: int
    more: list[str]
    results: list[str]


def _reverse(
    primal: Program, leaves: Sequence[Value], names: list[str], values: list[Value], is_scalar: bool, stem: str
) -> _Made:
    results = [f"{name}_bar" for name in names]
    if is_scalar:
        return _Made(shaped_gradient(primal, leaves), 0, [], results)
    seeds = [np.ones_like(value) if shape_of(value) else 1.0 for value in values]
    made = shaped(adjoint_program(primal, leaves, seeds), [*leaves, *seeds])
    return _Made(made, len(seeds), _numbered(stem, values, "_bar"), results)


def _forward(primal: Program, leaves: Sequence[Value], names: list[str], values: list[Value], stem: str) -> _Made:
    results = _numbered(stem, values, "_dot")
    seeds = [np.ones_like(leaf) if shape_of(leaf) else 1.0 for leaf in leaves]
    tangent = shaped(tangent_program(primal, leaves, seeds), [*leaves, *seeds])
    if len(leaves) > 1 or shape_of(leaves[0]):
        return _Made(tangent, len(seeds), [f"{name}_dot" for name in names], results)
    program = tangent.program  # by one number: the tangent is 1
    known = Program(
        program.instructions, program.inputs[:1], {**program.constants, 1: 1.0}, program.outputs, program.guards
    )
    return _Made(Shaped(known, tangent.abstracts), len(seeds), [], results)


def _identifier(name: str) -> str:
    """A leaf's path as a Python name."""
    word = re.sub(r"\W", "_", name)
    return word if word.isidentifier() else f"x_{word}"


def spoken(abstract: Abstract) -> str:
    """A shape and type in words."""
    return f"{abstract.dtype} array of shape {abstract.shape}" if abstract.shape else abstract.dtype


def plain_text(text: str) -> str:
    """A user's text inside of a docstring."""
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")
