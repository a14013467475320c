"""A Program as readable straight-line Python source, and that source compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from adcli_methods.buffers import buffers_to_reuse
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.shapes import Shaped
from adcli_methods.straight_line import StraightLine
from adcli_methods.targets import Target
from adcli_methods.writer import Writer


def emit(program: Program, target: Target, name: str = "function") -> str:
    """Source of a function of inputs x0, x1, ... and constants c0, c1, ... that answers the list of outputs.

    Arguments:
        program: what to write down; operations that no output needs are left out.
        target: the library that the source calls; it imports nothing else.
        name: the function's name.
    """
    return Writer(program, target).source(name)


def emitted_constants(program: Program, target: Target) -> dict[str, Value]:
    """The values of c0, c1, ... in the emitted source, as the Program has them."""
    writer = Writer(program, target)
    writer.lines()
    return {name: program.constants[slot] for slot, name in writer.constants.items()}


def compile_program(program: Program, target: Target) -> Callable[[Sequence[Value]], list[Value]]:
    """The emitted source, executed: a function of the list of inputs that answers the list of outputs.

    The constants are converted once for each dtype and device that the inputs come in.
    """
    function, names = _executed(program, target)
    converted: dict[Any, dict[str, Value]] = {}

    def run(inputs: Sequence[Value]) -> list[Value]:
        context = target.context(inputs)
        constants = converted.get(context)
        if constants is None:
            constants = converted[context] = {
                name: target.convert(program.constants[slot], context) for slot, name in names.items()
            }
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            outputs: list[Value] = function(*[target.convert(value, context) for value in inputs], **constants)
        return outputs

    return run


def bare_function(program: Program, target: Target, leaves: Sequence[Value]) -> Callable[..., list[Value]]:
    """The emitted source, executed: a function of the target's own values that neither converts nor checks them.

    Arguments:
        program: what to compile.
        target: the library that it calls.
        leaves: values of the dtype and on the device that the function will be given.
    """
    function, names = _executed(program, target)
    context = target.context(leaves)
    constants = {name: target.convert(program.constants[slot], context) for slot, name in names.items()}
    return partial(function, **constants) if constants else function


def _executed(program: Program, target: Target) -> tuple[Callable[..., list[Value]], dict[int, str]]:
    """The emitted function, and the names that it takes constants' slots by."""
    writer = Writer(program, target)
    source = writer.source("function")
    namespace: dict[str, Any] = {}
    exec(compile(source, "<emitted program>", "exec"), namespace)  # this package's own text
    return namespace["function"], writer.constants


def compile_guarded(given: Shaped, target: Target, *, checked: bool) -> Callable[..., Sequence[Value] | None]:
    """The Program as a function of its inputs, one argument each, that answers its outputs as a tuple.

    It answers None as soon as a guard does not hold.

    Arguments:
        given: what to compile.
        target: the library to compute with; the constants are converted once, for its own numbers.
        checked: whether it answers None too where an output that is a number is NaN.
    """
    program = given.program
    writer = StraightLine(given, target, buffers_to_reuse(given))
    lines, outputs = writer.body(), writer.outputs()
    numbers = [name for slot, name in zip(program.outputs, outputs, strict=True) if not given.abstracts[slot].shape]
    if checked and numbers:
        lines.append(f"if {' or '.join(f'{name} != {name}' for name in dict.fromkeys(numbers))}: return None")
    lines.append(f"return {', '.join(outputs)},")
    source = "\n".join([f"def function({', '.join(writer.inputs)}):", *[f"    {line}" for line in lines]])
    context = target.context(())
    constants = {name: target.convert(program.constants[slot], context) for slot, name in writer.constants.items()}
    namespace: dict[str, Any] = {**target.namespace, "np": np, "outcomes": writer.outcomes, **constants}
    if "special." in source:
        from scipy import special

        namespace["special"] = special
    exec(compile(source, "<prepared program>", "exec"), namespace)  # this package's own text
    function: Callable[..., Sequence[Value] | None] = namespace["function"]
    return function
