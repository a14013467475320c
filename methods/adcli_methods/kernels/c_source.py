"""A plan as C: entry functions, each for a run of phases without library calls between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adcli_methods.kernels.body import Body, affine
from adcli_methods.kernels.c_expressions import C_TYPES, FLOATS, HELPERS, PRELUDE, CDialect, suffix
from adcli_methods.kernels.c_kernel import Kernel
from adcli_methods.kernels.compiler import VECTORISED, vector_functions
from adcli_methods.kernels.loops import holds
from adcli_methods.kernels.maps import Map, strides_of
from adcli_methods.kernels.memory import DATA, Home, Layout
from adcli_methods.kernels.nodes import Kind
from adcli_methods.kernels.plan import Plan

_MOST_NUMBERS = 400
"""In one function: compilers take more than linear time for long ones."""


COMPUTED = (Kind.ELEMENTWISE, Kind.VIEW, Kind.REDUCTION)
"""What numbers C computes."""


@dataclass
class Scope:
    """A C function that runs a part of an entry: its statements and the numbers that it defines."""

    name: str
    lines: list[str] = field(default_factory=list)
    defined: set[int] = field(default_factory=set)

    def mentioned(self, letter: str) -> set[int]:
        """The slots of the names of one letter (s12, a3) in the statements."""
        text = "\n".join(self.lines)
        return {int(slot) for slot in re.findall(rf"\b{letter}(\d+)\b", text)}


@dataclass(frozen=True)
class Entry:
    """A function that Python calls: the parts that run one after another from a phase on."""

    name: str
    phase: int
    parts: tuple[str, ...]


class CSource:
    """The C text of a plan.

    Arguments:
        plan: the plan.
        strict: as of `compile_program`.

    `text`, `entries`, `layout`: the source, its functions, and where all values are. `kernels`: the number of loops.
    `parallel`: whether any of them is worth threads.
    """

    def __init__(self, plan: Plan, strict: bool) -> None:
        self.plan, self.strict = plan, strict
        self.layout = Layout(plan)
        self._kernel_texts: list[str] = []
        self._scopes: list[Scope] = []
        self.parallel = False
        self.entries: list[Entry] = []
        self._write()
        self.kernels = len(self._kernel_texts)
        self.layout.cross(_read_by_python(plan))
        for scope in self._scopes:
            self.layout.cross(scope.mentioned("s") - scope.defined)
        self.layout.settle()
        self.text = self._text()

    def _write(self) -> None:
        begun: int | None = None
        first = 0
        for number, phase in enumerate(self.plan.phases):
            if phase.by_numpy:
                self._end_entry(begun, first)
                begun, first = None, len(self._scopes)
            if phase.numbers or phase.stacks or phase.kernels:
                if begun is None:
                    begun = number
                    self._begin_scope()
                self._numbers(number, phase.numbers)
                self._stacks(number, phase.stacks)
                for kernel in phase.kernels:
                    self._kernel(Kernel(self.plan, number, kernel, self.strict))
        self._end_entry(begun, first)

    def _begin_scope(self) -> None:
        self._scopes.append(Scope(f"part_{len(self._scopes)}"))

    def _end_entry(self, phase: int | None, first: int) -> None:
        if phase is not None:
            parts = tuple(scope.name for scope in self._scopes[first:])
            self.entries.append(Entry(f"run_{len(self.entries)}", phase, parts))

    def _body(self, phase: int, tag: str) -> Body:
        def load(slot: int, place: Map) -> str:
            base = self.plan.base(slot)
            self.layout.read(base, phase)
            offset = affine(place, strides_of(self.plan.node(slot).abstract.shape))[1]
            return f"a{base}[{offset}]"

        return Body(self.plan, phase, lambda condition: holds(condition, {}), load, CDialect(self.strict), tag=tag)

    def _numbers(self, phase: int, slots: Sequence[int]) -> None:
        for start in range(0, len(slots), _MOST_NUMBERS):
            if len(slots) > _MOST_NUMBERS:
                self._begin_scope()
            scope, body = self._scopes[-1], self._body(phase, f"n{phase}_")
            for slot in slots[start : start + _MOST_NUMBERS]:
                body.number(slot)
                scope.lines += body.lines
                body.lines.clear()
                scope.defined.add(slot)
        if len(slots) > _MOST_NUMBERS:
            self._begin_scope()

    def _stacks(self, phase: int, slots: Sequence[int]) -> None:
        body, scope = self._body(phase, f"k{phase}_"), self._scopes[-1]
        for slot in slots:
            self.layout.write(slot, phase)
            for position, operand in enumerate(self.plan.node(slot).instruction.operands):
                value = body.value(operand, ())
                scope.lines.append(f"o{slot}[{position}] = {value};")

    def _kernel(self, kernel: Kernel) -> None:
        scope = self._scopes[-1]
        self._kernel_texts.append(kernel.text)
        self.parallel |= kernel.parallel
        for slot in kernel.reads:
            self.layout.read(slot, kernel.phase)
        partials = {}
        for root in kernel.nest.roots:
            size, kind = kernel.partial_size(root), root.node.abstract.dtype
            if size:
                partials[root.slot] = f"p{root.slot}"
                self.layout.part(root.slot, size, kind, kernel.phase)
            if root.node.scalar:
                scope.lines.append(f"{C_TYPES[kind]} s{root.slot};")
                scope.defined.add(root.slot)
            else:
                self.layout.write(root.slot, kernel.phase)
        scope.lines += kernel.call(partials)

    # the whole text

    def _text(self) -> str:
        scopes = "\n".join(self._scope_text(scope) for scope in self._scopes)
        entries = "\n".join(
            f"void {entry.name}(char **T, char *S, char *W, Parallel *P, long threads) {{\n"
            + "".join(f"    {part}(T, S, W, P, threads);\n" for part in entry.parts)
            + "}\n"
            for entry in self.entries
        )
        functions = "\n".join([*self._kernel_texts, scopes])
        return "\n".join([PRELUDE, DATA, *declarations(functions, self.strict), functions, entries])

    def _scope_text(self, scope: Scope) -> str:
        lines = [*self._pointers(scope), *self._numbers_given(scope), *scope.lines]
        handed = sorted(scope.defined & self.layout.numbers.keys())
        lines += [f"{self._cell(slot)} = s{slot};" for slot in handed]
        body = "".join(f"    {line}\n" for line in lines)
        return f"static void {scope.name}(char **T, char *S, char *W, Parallel *P, long threads) {{\n{body}}}\n"

    def _cell(self, slot: int) -> str:
        """Where a number is handed from function to function."""
        kind = self.plan.node(slot).abstract.dtype
        return f"(({'double' if kind in (*FLOATS, 'bool') else 'int64_t'} *)S)[{self.layout.numbers[slot]}]"

    def _numbers_given(self, scope: Scope) -> Iterator[str]:
        for slot in sorted(scope.mentioned("s") - scope.defined):
            yield f"const {C_TYPES[self.plan.node(slot).abstract.dtype]} s{slot} = {self._cell(slot)};"

    def _pointers(self, scope: Scope) -> Iterator[str]:
        for letter, constant in (("a", "const "), ("o", ""), ("p", "")):
            for slot in sorted(scope.mentioned(letter)):
                home = self.layout.parts[slot] if letter == "p" else self.layout.homes[slot]
                kind = C_TYPES[self.plan.node(slot).abstract.dtype]
                yield f"{constant}{kind} *{letter}{slot} = ({constant}{kind} *){_address(home)};"


def _read_by_python(plan: Plan) -> set[int]:
    """The numbers from C that are outputs or that library calls take."""
    wanted = set(plan.program.outputs)
    for node in plan.nodes:
        if node is not None and node.kind is Kind.LIBRARY:
            wanted.update(node.instruction.operands)
            wanted.update(map(plan.shown, node.instruction.operands))
    return {slot for slot in wanted if plan.node(slot).scalar and plan.node(slot).kind in COMPUTED}


def _address(home: Home) -> str:
    return f"DATA({home.place})" if home.place is not None else f"(W + {home.offset})"


def declarations(text: str, strict: bool) -> Iterator[str]:
    """The functions that a text uses: helpers of the C library and our own."""
    for kind in FLOATS:
        end = suffix(kind)
        helpers = [name for name in HELPERS if re.search(rf"\b{name}2?{end}\(", text)]
        made = "\n".join(_helper(name, kind) for name in helpers)
        used = set(re.findall(r"\b[a-z][a-z0-9]*(?=\()", text + made))
        for name, count in sorted({**VECTORISED, **_SCALAR}.items()):
            if name + end in used:
                vector = not strict and name + end in vector_functions()
                attribute = "VECTOR " if vector else ""
                arguments = ", ".join([C_TYPES[kind]] * count)
                yield f"{attribute}{C_TYPES[kind]} {name}{end}({arguments});"
        if made:
            yield made


_SCALAR = {"sqrt": 1, "fabs": 1, "floor": 1, "ceil": 1, "trunc": 1, "rint": 1, "copysign": 2, "fmod": 2}


def _helper(name: str, kind: str) -> str:
    text = re.sub(r"\bT\b", C_TYPES[kind], HELPERS[name]).replace("SPLIT", "4097" if suffix(kind) else "134217729")
    return re.sub(r"S(?=\(|_t)", suffix(kind), text)
