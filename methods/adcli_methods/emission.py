"""A Program as readable straight-line Python source, and that source compiled."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Sequence
from functools import partial
from types import CodeType
from typing import Any

import numpy as np

from adcli_methods.execution import needed_slots
from adcli_methods.primitive import Value
from adcli_methods.program import Program
from adcli_methods.targets import Target, literal


def emit(program: Program, target: Target, name: str = "function") -> str:
    """Source of a function of inputs x0, x1, ... and constants c0, c1, ... that answers the list of outputs.

    Arguments:
        program: what to write down; operations that no output needs are left out.
        target: the library that the source calls; it imports nothing else.
        name: the function's name.
    """
    return _Writer(program, target).source(name)


def emitted_constants(program: Program, target: Target) -> dict[str, Value]:
    """The values of c0, c1, ... in the emitted source, as the Program has them."""
    writer = _Writer(program, target)
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
    writer = _Writer(program, target)
    source = writer.source("function")
    namespace: dict[str, Any] = {}
    exec(compile(source, "<emitted program>", "exec"), namespace)  # this package's own text
    return namespace["function"], writer.constants


def compile_guarded(program: Program, target: Target, *, numbers: bool) -> Callable[..., Sequence[Value] | None]:
    """The Program as a function of its inputs, one argument each, that answers its outputs as a list.

    It answers None as soon as a guard does not hold.

    Arguments:
        program: what to compile; all of it is needed.
        target: the library to compute with; the constants are converted once, for its own numbers.
        numbers: whether all outputs are single numbers; then it answers None where one of them is NaN too.
    """
    writer = _Writer(program, target)
    lines = writer.lines(guarded=True)
    if numbers:
        names = dict.fromkeys(writer._name(slot) for slot in program.outputs)
        lines.insert(-1, f"if {' or '.join(f'{name} != {name}' for name in names)}: return None")
    arguments = ", ".join(writer.names[slot] for slot in program.inputs)
    source = "\n".join([f"def function({arguments}):", *[f"    {line}" for line in lines]])
    context = target.context(())
    constants = {name: target.convert(program.constants[slot], context) for slot, name in writer.constants.items()}
    namespace: dict[str, Any] = {**target.namespace, "np": np, "outcomes": writer.outcomes, **constants}
    exec(compile(source, "<prepared program>", "exec"), namespace)  # this package's own text
    function: Callable[..., Sequence[Value] | None] = namespace["function"]
    return function


class _Writer:
    """Writes one Program for one target; `constants` gathers the slots that become c0, c1, ..."""

    def __init__(self, program: Program, target: Target) -> None:
        self.program = program
        self.target = target
        self.constants: dict[int, str] = {}
        self.helpers: dict[str, Callable[..., Value]] = {}
        self.outcomes: list[Any] = []
        self.names = {slot: f"x{i}" for i, slot in enumerate(program.inputs)}

    def source(self, name: str) -> str:
        """The whole module."""
        lines = self.lines()
        arguments = [self.names[slot] for slot in self.program.inputs]
        if self.constants:
            arguments += ["*", *self.constants.values()]
        texts = _helper_sources(self.helpers)
        name += "_" * (name in texts)
        function = "\n".join([f"def {name}({', '.join(arguments)}):", *[f"    {line}" for line in lines]])
        parts = [*self.target.setup, *texts.values(), function]
        used = set(re.findall(r"\w+", "\n".join(parts)))
        imports = [line for line in self.target.imports if line.split()[-1] in used]
        if texts:
            imports.insert(0, "from __future__ import annotations\n")
        return "\n\n\n".join(["\n".join(imports), *parts]).lstrip() + "\n"

    def lines(self, guarded: bool = False) -> list[str]:
        """One line for each operation that is needed, and the return; with guards, also those that leave early."""
        needed = [True] * len(self.program.instructions) if guarded else needed_slots(self.program)
        guards = {guard.slot: guard.outcome for guard in self.program.guards} if guarded else {}
        lines = [self._guard(slot, guards[slot]) for slot in self.program.inputs if slot in guards]
        for slot, instruction in enumerate(self.program.instructions):
            primitive = instruction.primitive
            if primitive is None or not needed[slot]:
                continue
            self.names[slot] = f"v{slot}"
            operands = self._operands(primitive.name, instruction.operands)
            expression = self.target.expression(primitive, operands, instruction.parameters)
            self.helpers |= self.target.helpers(expression)
            lines.append(f"v{slot} = {expression}")
            if slot in guards:
                lines.append(self._guard(slot, guards[slot]))
        outputs = [self._name(slot) for slot in self.program.outputs]
        return [*lines, f"return [{', '.join(outputs)}]"]

    def _guard(self, slot: int, outcome: Any) -> str:
        """The line that leaves where a decision falls otherwise than it did."""
        name = self._name(slot)
        if isinstance(outcome, bool):
            return f"if {'not ' * outcome}{name}: return None"
        if isinstance(outcome, int):
            return f"if {name} != {outcome}: return None"
        self.outcomes.append(outcome)
        return f"if not np.array_equal({name}, outcomes[{len(self.outcomes) - 1}]): return None"

    def _operands(self, name: str, slots: Sequence[int]) -> list[str]:
        """The operands' names; a constant number is written out where the operation takes one."""
        numbers = [self._number(slot) for slot in slots]
        if name not in self.target.takes_numbers or None not in numbers:
            return [self._name(slot) for slot in slots]
        return [number or self._name(slot) for slot, number in zip(slots, numbers, strict=True)]

    def _number(self, slot: int) -> str | None:
        value = self.program.constants.get(slot)
        if not isinstance(value, (int, float, np.generic)):
            return None
        text = literal(value)
        return f"({text})" if text.startswith("-") else text

    def _name(self, slot: int) -> str:
        if slot not in self.names:
            self.names[slot] = self.constants[slot] = f"c{len(self.constants)}"
        return self.names[slot]


def _helper_sources(helpers: dict[str, Callable[..., Value]]) -> dict[str, str]:
    """The sources of functions and of what they use of their own module, by name, the used ones first."""
    found: dict[str, str] = {}

    def add(name: str, value: Any, module: dict[str, Any]) -> None:
        if name in found:
            return
        if isinstance(value, (str, float, int)):
            found[name] = f"{name} = {literal(value)}"
        elif inspect.isfunction(value) and value.__globals__ is module:
            for other in _global_names(value.__code__):
                if other in module and other != name:
                    add(other, module[other], module)
            found[name] = inspect.getsource(value).rstrip()

    for name, helper in sorted(helpers.items()):
        add(name, helper, helper.__globals__)
    return found


def _global_names(code: CodeType) -> list[str]:
    """The global names that a function reads, in the order of their first use."""
    names = [str(i.argval) for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _global_names(constant)
    return list(dict.fromkeys(names))
