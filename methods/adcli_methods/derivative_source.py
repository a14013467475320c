"""The derivative of a function as source code of its own, which runs without this package."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.buffers import buffers_to_reuse, outputs_to_copy
from adcli_methods.c_emission import c_source
from adcli_methods.c_places import C_WORDS
from adcli_methods.derived import Derived, derived, distinct, plain_text, require_short
from adcli_methods.emission_errors import lacks
from adcli_methods.emitted_numbers import on_numbers
from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.program import Guard
from adcli_methods.shapes import Abstract
from adcli_methods.targets import Target, literal, target
from adcli_methods.variables import distinct_variables
from adcli_methods.writer import Writer, helper_sources, module

TARGETS = ("python", "numpy", "torch", "jax", "c")
_LIBRARIES = {"python": "math"}
_COPIES = {"numpy": "np.array({})", "torch": "{}.clone()", "jax": "{}"}
"""How an array becomes the caller's own; those of jax cannot be written into."""
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
    words = C_WORDS if target_name == "c" else target(_LIBRARIES.get(target_name, target_name)).words()
    made, name = derived(problem, mode, words), f"{name}{'_' * (name in words)}"
    if len(made.shaped.program.instructions) > MOST_LINES:
        count = len(made.shaped.program.instructions)
        raise OperatorError(f"the code would have {count} lines: emit at a smaller point, or use adcli.prepare")
    for guard in made.shaped.program.guards:
        require_short(np.asarray(guard.outcome), is_decision=True)
    if target_name == "c":
        return c_source(made, name, version)
    if target_name == "python":
        return _on_floats(made, name, version, words)
    return _on_arrays(made, target_name, name, version, words)


def _on_arrays(made: Derived, target_name: str, name: str, version: str, words: frozenset[str]) -> str:
    """The source for a library of arrays."""
    reuse = buffers_to_reuse(made.shaped) if target_name == "numpy" else {}
    program = made.shaped.program
    answers = list(zip(program.outputs, made.outputs, strict=True))
    variables = distinct_variables(made.variables, {*made.inputs, *words}, answers)
    writer = Writer(
        program, target(target_name), names=made.inputs, leave=_refuse, comments=True, reuse=reuse,
        variables=variables, taken=[name],
    )  # fmt: skip
    body = [*_checks(made, target_name), *_body(writer, target_name, made.title)]
    outputs = writer.outputs()
    for position in outputs_to_copy(made.shaped):
        outputs[position] = _COPIES[target_name].format(outputs[position])
    return _module(made, writer, body, _answer(made, outputs), name, version)


def _body(writer: Writer, target_name: str, title: str) -> list[str]:
    """The lines, or what the target lacks and the way out."""
    try:
        return writer.body()
    except OperatorError as error:
        assert writer.writing is not None
        assert writer.writing.primitive is not None
        named = f"{writer.target.name} has no {writer.writing.primitive.name}"
        detail = str(error).removeprefix(named).removesuffix(" that can be differentiated")
        raise lacks(target_name, writer.writing, title, detail) from None


def _checks(made: Derived, target_name: str) -> list[str]:
    """The lines that take numbers, lists and NumPy's arrays in, and refuse arrays of another shape."""
    lines, taken_in = [], target(target_name).taken_in
    for own, slot in zip(made.inputs, made.shaped.program.inputs, strict=True):
        dtype, shape = made.shaped.abstracts[slot].dtype, made.shaped.abstracts[slot].shape
        if target_name == "numpy":
            taken_in_numpy = f"np.asarray({own}, dtype=np.{dtype})" if shape else f"np.{dtype}({own})"
            lines.append(f"{own} = {taken_in_numpy}")
        if taken_in is not None:
            lines.append(taken_in.format(own, dtype))
        if shape:
            lines.append(f'if {own}.shape != {shape}: raise ValueError("this code is for {own} of shape {shape}")')
    return lines


def _on_floats(made: Derived, name: str, version: str, words: frozenset[str]) -> str:
    """The source on Python's floats; arrays are taken apart and given back as nested lists."""
    numbers = on_numbers(made, MOST_LINES)
    if numbers is None:
        raise OperatorError(f"this takes whole arrays, or over {MOST_LINES:,} lines of numbers: try --target numpy")
    entries, opened = _entries(made.inputs, numbers.inputs)
    program = numbers.shaped.program
    variables = distinct_variables(numbers.variables, {*made.inputs, *entries, *words}, numbers.answers(made.outputs))
    taken = [*made.inputs, name]
    writer = Writer(
        program, target("math"), names=entries, leave=_refuse, comments=True, variables=variables, taken=taken
    )
    body, flat = [*opened, *_body(writer, "python", made.title)], iter(writer.outputs())
    parts = [_nested([next(flat) for _ in range(each.size)], each.shape, "[]") for each in numbers.outputs]
    return _module(made, writer, body, _answer(made, parts), name, version)


def _entries(names: Sequence[str], abstracts: Sequence[Abstract]) -> tuple[list[str], list[str]]:
    """The names of all entries of inputs, and the lines that take arrays apart."""
    entries: list[str] = []
    lines: list[str] = []
    for given, abstract in zip(names, abstracts, strict=True):
        if abstract.shape:
            before = [*names, *entries]
            own = distinct([*before, *(f"{given}_{i}" for i in range(abstract.size))])[len(before) :]
            lines.append(f"{_nested(own, abstract.shape, '()')} = {given}")
            entries += own
        else:
            entries.append(given)
    return entries, lines


def _nested(names: Sequence[str], shape: tuple[int, ...], brackets: str) -> str:
    """Names in brackets nested like an array of this shape."""
    if not shape:
        return names[0]
    size = len(names) // shape[0] if shape[0] else 0
    rows = [_nested(names[i * size : (i + 1) * size], shape[1:], brackets) for i in range(shape[0])]
    comma = "," if brackets == "()" and len(rows) == 1 else ""
    return f"{brackets[0]}{', '.join(rows)}{comma}{brackets[1]}"


def _answer(made: Derived, names: Sequence[str]) -> str:
    """The line that returns the value and the derivative, each a tuple where there are several."""
    both = (names[: made.value_count], names[made.value_count :])
    texts = [part[0] if len(part) == 1 else f"({', '.join(part)})" for part in both]
    return f"return {texts[0]}, {texts[1]}"


def _refuse(condition: str, guard: Guard) -> str:
    """A guard in emitted code: an error where the user's function goes another way."""
    return f'if {condition}: raise ValueError("this code is for another branch of the function")'


def _module(made: Derived, writer: Writer, body: list[str], answer: str, name: str, version: str) -> str:
    texts = helper_sources(writer.helpers)
    constants = {own: writer.program.constants[slot] for slot, own in writer.constants.items()}
    known = {**writer.outcomes, **constants}
    arrays = [f"{own} = {_literal(writer.target, value, len(own))}" for own, value in known.items()]
    header = f"def {name}({', '.join(made.inputs)}):"
    lines = [*_docstring(made, writer.target.name, _may_raise(body)), *body, answer]
    function = "\n".join([header, *[f"    {line}".rstrip() for line in lines]])
    source = module(writer.target, texts, ["\n".join(arrays), function] if arrays else [function])
    gap = "\n" if source.startswith(("import", "from")) else "\n\n"
    return f'"""{plain_text(made.summary)} Written by adcli {version}."""\n{gap}{source}'


def _may_raise(body: Sequence[str]) -> bool:
    """Whether Python computes something that has no value everywhere, or overflows."""
    return any(re.search(r"/|\*\*|\w\(", line.partition("#")[0]) for line in body)


def _docstring(made: Derived, library: str, may_raise: bool) -> list[str]:
    program, abstracts = made.shaped.program, made.shaped.abstracts
    lines = [f'"""{plain_text(made.summary)}', "", "Arguments:"]
    lines += [f"    {line}." for line in made.told(made.inputs, program.inputs)]
    lines += ["Result:", *(f"    {line}." for line in made.told(made.outputs, program.outputs))]
    lines += made.notes()
    raises = ["ValueError where the function would take another branch than at the point of emission."]
    raises = raises if program.guards else []
    if program.guards and library == "jax":
        raises.append("TracerBoolConversionError under jax.jit: the branch is checked in Python.")
    if any(abstracts[slot].shape for slot in program.inputs):
        raises.append("ValueError for an array of another shape.")
    if may_raise and library == "math":
        raises.append("ValueError or ArithmeticError where the function has no finite value, as Python's math does.")
    if raises:
        lines += ["Raises:", *(f"    {line}" for line in raises)]
    return [*lines, '"""']


def _literal(library: Target, given: Any, indent: int) -> str:
    """A constant written out for the target, after a name of so many letters."""
    value, name = np.asarray(given), library.name
    if not value.shape and name in ("math", "numpy"):
        return literal(value)
    require_short(value)
    makers = {"numpy": "np.array", "torch": "torch.tensor", "jax": "jnp.array"}
    before = " " * (indent + len(f" = {makers[name]}("))
    with np.printoptions(legacy=False, nanstr="nan", infstr="inf", sign="-", suppress=False):  # not the user's
        entries = np.array2string(
            value, separator=", ", threshold=value.size + 1, floatmode="unique", max_line_width=110, prefix=before,
            formatter={"bool": str},
        )  # fmt: skip
    entries = entries.replace("nan", "float('nan')").replace("inf", "float('inf')")
    kind = value.dtype.name
    modules = {"numpy": "np.", "torch": "torch.", "jax": "jnp."}
    origin = "" if kind == "bool" and name != "torch" else modules[name]
    shaped = f".reshape({value.shape})" if not value.size and value.ndim > 1 else ""
    return f"{makers[name]}({entries}, dtype={origin}{kind}){shaped}"
