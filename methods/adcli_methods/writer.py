"""Writes a Program as straight-line Python source for a target."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, MappingProxyType
from typing import Any

import numpy as np

from adcli_methods.execution import needed_slots
from adcli_methods.primitive import Value
from adcli_methods.program import Guard, Instruction, Program
from adcli_methods.targets import Target, literal


class Writer:
    """Writes one Program for one target; `constants` gathers the slots that become c0, c1, ...

    Arguments:
        program: what to write.
        target: the library that the source calls.
        names: the inputs' names; None: x0, x1, ...
        leave: from the text of a condition under which a guard does not hold, and the guard, to the line that leaves
            there; None: guards are not written.
        comments: whether the user's lines stand above what was made of them.
        reuse: for slots whose operation may write into an operand that is not needed any more, that operand.
        variables: the names of slots; the others become v7, v8, ...
        taken: names that stand for something else.

    `outcomes` gathers the arrays that decisions are compared with, by their names; `writing` is the operation at hand.
    """

    def __init__(
        self,
        program: Program,
        target: Target,
        *,
        names: Sequence[str] | None = None,
        leave: Callable[[str, Guard], str] | None = None,
        comments: bool = False,
        reuse: Mapping[int, int] = MappingProxyType({}),
        variables: Mapping[int, str] = MappingProxyType({}),
        taken: Sequence[str] = (),
    ) -> None:
        self.program = program
        self.target = target
        self.leave = leave
        self.comments = comments
        self.reuse = reuse
        self.constants: dict[int, str] = {}
        self.helpers: dict[str, Callable[..., Value]] = {}
        self.variables = variables
        self.outcomes: dict[str, Any] = {}
        self.writing: Instruction | None = None
        given = names or [f"x{i}" for i in range(len(program.inputs))]
        self.names = dict(zip(program.inputs, given, strict=True))
        known = [*given, *variables.values(), *taken] if names else []
        self.result, self.constant, self.outcome = (free_prefix(prefix, known) for prefix in ("v", "c", "outcome"))

    def source(self, name: str) -> str:
        """The whole module, constants as arguments."""
        lines = self.lines()
        arguments = [self.names[slot] for slot in self.program.inputs]
        if self.constants:
            arguments += ["*", *self.constants.values()]
        texts = helper_sources(self.helpers)
        name += "_" * (name in texts)
        function = "\n".join([f"def {name}({', '.join(arguments)}):", *[f"    {line}" for line in lines]])
        return module(self.target, texts, [function])

    def lines(self) -> list[str]:
        """One line for each operation that is needed, those that leave where a guard does not hold, and the return."""
        return [*self.body(), f"return [{', '.join(self.outputs())}]"]

    def outputs(self) -> list[str]:
        """The outputs' names, once the body is written."""
        return [self.name(slot) for slot in self.program.outputs]

    def body(self) -> list[str]:
        """The lines without the return."""
        guards = {guard.slot: guard for guard in self.program.guards} if self.leave is not None else {}
        needed = needed_slots(self.program, tuple(guards))
        lines = [self._guard(guards[slot]) for slot in self.program.inputs if slot in guards]
        line_of_user = None
        for slot, instruction in enumerate(self.program.instructions):
            if instruction.primitive is None or not needed[slot]:
                continue
            location = instruction.location if self.comments else None
            if location is not None and location != line_of_user:
                lines.append(f"# {location.text}".rstrip())
                line_of_user = location
            self.writing = instruction
            own = self.variables.get(slot) or f"{self.result}{slot}"
            lines += self._statements(slot, own, instruction)
            self.names[slot] = own
            if slot in guards:
                lines.append(self._guard(guards[slot]))
        return lines

    def _statements(self, slot: int, name: str, instruction: Instruction) -> list[str]:
        primitive, parameters = instruction.primitive, instruction.parameters
        assert primitive is not None
        operands = self._operands(primitive.name, instruction.operands)
        if slot in self.reuse:
            return [f"{name} = np.{primitive.name}({', '.join(operands)}, out={self.name(self.reuse[slot])})"]
        statements = self.target.statements(name, primitive, operands, parameters)
        if statements is not None:
            return statements
        expression = self.target.expression(primitive, operands, parameters)
        self.helpers |= self.target.helpers(expression)
        return [f"{name} = {expression}"]

    def _guard(self, guard: Guard) -> str:
        """The line that leaves where a decision falls otherwise than it did."""
        assert self.leave is not None
        name, outcome = self.name(guard.slot), plain_outcome(guard.outcome)
        condition = condition_to_leave(name, outcome)
        if condition is None:
            known = f"{self.outcome}{len(self.outcomes)}"
            self.outcomes[known] = outcome
            condition = self.target.differs.format(name, known)
        return self.leave(condition, guard)

    def _operands(self, name: str, slots: Sequence[int]) -> list[str]:
        """The operands' names; a constant number is written out where the operation takes one."""
        numbers = [number_text(self.program.constants.get(slot)) for slot in slots]
        if name not in self.target.takes_numbers or None not in numbers:
            return [self.name(slot) for slot in slots]
        return [number or self.name(slot) for slot, number in zip(slots, numbers, strict=True)]

    def name(self, slot: int) -> str:
        """A slot's name."""
        if slot not in self.names:
            self.names[slot] = self.constants[slot] = f"{self.constant}{len(self.constants)}"
        return self.names[slot]


def plain_outcome(outcome: Any) -> Any:
    """A decision's outcome as a bool, an int, or an array that has axes."""
    return outcome if np.ndim(outcome) else np.asarray(outcome).item()


def condition_to_leave(name: str, outcome: Any) -> str | None:
    """When a decision, held by this name, falls otherwise than it did; None where the outcome is an array."""
    if isinstance(outcome, bool):
        return f"{'not ' * outcome}{name}"
    return f"{name} != {outcome}" if isinstance(outcome, int) else None


def number_text(value: Any) -> str | None:
    """A constant number as an operand; None for anything else."""
    if not isinstance(value, (int, float, np.generic)):
        return None
    text = literal(value)
    return f"({text})" if text.startswith("-") else text


def free_prefix(prefix: str, names: Sequence[str]) -> str:
    """The prefix, or one a little longer, that with a number after it is none of these names.

    >>> free_prefix("v", ["x", "v0"])
    'v_'
    """
    while any(re.fullmatch(rf"{prefix}\d+", name) for name in names):
        prefix += "_"
    return prefix


_NO_CODE = re.compile(r'"""(?s:.*?)"""|#[^\n]*')


def module(target: Target, helpers: Mapping[str, str], parts: Sequence[str]) -> str:
    """A module of these parts, with what the target sets up, the helpers, and the imports that all this needs."""
    texts = [*target.setup, *helpers.values(), *parts]
    used = set(re.findall(r"\w+", _NO_CODE.sub("", "\n".join(texts))))
    imports = _joined([line for line in target.imports if line.split()[-1] in used])
    if helpers:
        imports.insert(0, "from __future__ import annotations\n")
    return "\n\n\n".join(["\n".join(imports), *texts]).lstrip() + "\n"


def _joined(imports: Sequence[str]) -> list[str]:
    """Imports from one module in one line."""
    names: dict[str, list[str]] = {}
    for line in imports:
        origin, is_from, name = line.partition(" import ")
        names.setdefault(origin if is_from else line, []).extend([name] if is_from else [])
    return [f"{origin} import {', '.join(own)}" if own else origin for origin, own in names.items()]


def helper_sources(helpers: dict[str, Callable[..., Value]]) -> dict[str, str]:
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
