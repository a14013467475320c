"""The derivative of a function as source code of its own, which runs without this package."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcli_methods.derived import Derived, derived, plain_text, spoken
from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.optimiser import optimise
from adcli_methods.optimiser.scalarise import scalarise
from adcli_methods.program import Guard
from adcli_methods.targets import literal, target
from adcli_methods.writer import Writer, helper_sources, module

TARGETS = ("python", "numpy", "torch", "jax", "c")
MOST_ENTRIES = 4096
"""Entries of a constant array that are written out."""
MOST_LINES = 50_000


def derivative_source(problem: FlatFunction, mode: str, target_name: str, name: str, version: str) -> str:
    """Source of a function that computes the value and the derivative, and needs nothing of this package.

    Arguments:
        problem: the function at a point; the code holds for inputs of the same shapes and types.
        mode: "forward" or "reverse".
        target_name: one of TARGETS.
        name: the function's name.
        version: of this package, for the header.
    Raises: OperatorError for what the target cannot do; UnavailableError if it is not installed.
    """
    if target_name not in TARGETS:
        raise OperatorError(f"no target is called {target_name!r}: there are {', '.join(TARGETS)}")
    made = derived(problem, mode)
    if len(made.shaped.program.instructions) > MOST_LINES:
        count = len(made.shaped.program.instructions)
        raise OperatorError(f"the code would have {count} lines: emit at a smaller point, or use adcli.prepare")
    if target_name == "c":
        from adcli_methods.c_emission import c_source

        return c_source(made, name, version)
    return _on_floats(made, name, version) if target_name == "python" else _on_arrays(made, target_name, name, version)


def _on_arrays(made: Derived, target_name: str, name: str, version: str) -> str:
    """The source for a library of arrays."""
    writer = Writer(made.shaped.program, target(target_name), names=made.inputs, leave=_refuse, comments=True)
    body = writer.body()
    return _module(made, writer, body, _answer(writer.outputs()), name, version)


def _on_floats(made: Derived, name: str, version: str) -> str:
    """The source on Python's floats; arrays are taken apart and given back as nested lists."""
    scalars = scalarise(made.shaped, MOST_LINES)
    if scalars is None:
        raise OperatorError("this function needs arrays as a whole: try --target numpy")
    entries, taken = [], []
    for given, abstract in zip(made.inputs, scalars.inputs, strict=True):
        if abstract.shape:
            own = [f"{given}_{i}" for i in range(abstract.size)]
            taken.append(f"{_nested(own, abstract.shape, '()')} = {given}")
            entries += own
        else:
            entries.append(given)
    small = optimise(scalars.shaped).shaped
    writer = Writer(small.program, target("math"), names=entries, leave=_refuse, comments=True)
    body, flat = [*taken, *writer.body()], iter(writer.outputs())
    parts = [_nested([next(flat) for _ in range(each.size)], each.shape, "[]") for each in scalars.outputs]
    return _module(made, writer, body, _answer(parts), name, version)


def _nested(names: Sequence[str], shape: tuple[int, ...], brackets: str) -> str:
    """Names in brackets nested like an array of this shape."""
    if not shape:
        return names[0]
    size = len(names) // shape[0] if shape[0] else 0
    rows = [_nested(names[i * size : (i + 1) * size], shape[1:], brackets) for i in range(shape[0])]
    comma = "," if brackets == "()" and len(rows) == 1 else ""
    return f"{brackets[0]}{', '.join(rows)}{comma}{brackets[1]}"


def _answer(names: Sequence[str]) -> str:
    """The line that returns the value, and the derivative or a tuple of them."""
    value, *parts = names
    return f"return {value}, {parts[0] if len(parts) == 1 else '(' + ', '.join(parts) + ')'}"


def _refuse(condition: str, guard: Guard) -> str:
    """A guard in emitted code: an error where the user's function goes another way."""
    return f'if {condition}: raise ValueError("this code is for another branch of the function")'


def _module(made: Derived, writer: Writer, body: list[str], answer: str, name: str, version: str) -> str:
    texts = helper_sources(writer.helpers)
    name += "_" * (name in texts)
    arrays = [f"{own} = {_literal(writer, slot)}" for slot, own in writer.constants.items()]
    header = f"def {name}({', '.join(made.inputs)}):"
    lines = [*_docstring(made), *body, answer]
    function = "\n".join([header, *[f"    {line}".rstrip() for line in lines]])
    source = module(writer.target, texts, ["\n".join(arrays), function] if arrays else [function])
    return f'"""{plain_text(made.summary)} Written by adcli {version}."""\n\n{source}'


def _docstring(made: Derived) -> list[str]:
    program, abstracts = made.shaped.program, made.shaped.abstracts
    lines = [f'"""{plain_text(made.summary)}', "", "Arguments:"]
    lines += [f"    {own}: {spoken(abstracts[slot])}." for own, slot in zip(made.inputs, program.inputs, strict=True)]
    results = [f"{own}: {spoken(abstracts[slot])}" for own, slot in zip(made.outputs, program.outputs, strict=True)]
    lines += ["Result:", *(f"    {line}." for line in results)]
    if program.guards:
        lines.append("Raises: ValueError where the function would take another branch than at the point of emission.")
    return [*lines, '"""']


def _literal(writer: Writer, slot: int) -> str:
    """A constant written out for the target."""
    value, name = np.asarray(writer.program.constants[slot]), writer.target.name
    if not value.shape and name in ("math", "numpy"):
        return literal(value)
    if value.size > MOST_ENTRIES:
        raise OperatorError(
            f"the function holds a constant array of {value.size} entries: make it an input, so that it can be given"
        )
    entries = np.array2string(value, separator=", ", threshold=value.size + 1, floatmode="unique", max_line_width=110)
    entries = entries.replace("nan", "float('nan')").replace("inf", "float('inf')")
    makers = {"numpy": "np.array", "torch": "torch.tensor", "jax": "jnp.array"}
    dtypes = {"numpy": "np.", "torch": "torch.", "jax": "jnp."}
    return f"{makers[name]}({entries}, dtype={dtypes[name]}{value.dtype.name})"
