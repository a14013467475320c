"""The derivative of a function as one self-contained C99 function, for embedding.

Views of arrays (slices, transposes, broadcasts) are offsets and strides; every other operation on arrays is a loop.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.c_places import VIEWS, Place, helper_text, indices_of, number_text, strides_of, view_of
from adcli_methods.derived import Derived, plain_text, spoken
from adcli_methods.errors import OperatorError
from adcli_methods.kernels.c_expressions import LARGEST, expression, functions
from adcli_methods.program import Instruction, Location
from adcli_methods.shapes import Abstract, last_uses
from adcli_methods.writer import free_prefix


def c_source(made: Derived, name: str, version: str) -> str:
    """Source of a C function of a Program: inputs, then pointers to the outputs, then working memory.

    Raises: OperatorError for an operation or a type that C code is not written for.
    """
    return _CWriter(made).source(name, version)


class _CWriter:
    """Writes one Program; `places` holds the arrays' places, `numbers` the names or literals of single numbers."""

    def __init__(self, made: Derived) -> None:
        self.made = made
        self.program, self.abstracts = made.shaped
        self.places: dict[int, Place] = {}
        self.numbers: dict[int, str] = {}
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self.work_entries = 0
        self.free: dict[int, list[int]] = {}
        self.owned: dict[int, tuple[int, int]] = {}
        self.base = list(range(len(self.abstracts)))
        self.last = last_uses(self.program)
        self.result, self.constant = (free_prefix(prefix, made.inputs) for prefix in "vc")
        self.line_of_user: Location | None = None

    def source(self, name: str, version: str) -> str:
        """The whole file."""
        arguments = [self._input(slot, own) for slot, own in zip(self.program.inputs, self.made.inputs, strict=True)]
        constants = [self._constant(slot) for slot in self.program.constants]
        self._views()
        for guard in self.program.guards:
            if guard.slot in self.program.inputs:
                self._guard(guard.slot, guard.outcome)
        for slot, instruction in enumerate(self.program.instructions):
            if instruction.primitive is not None:
                self._instruction(slot, instruction)
        outputs = [f"double *{own}_out" for own in self.made.outputs]
        for slot, own in zip(self.program.outputs, self.made.outputs, strict=True):
            self._copy_out(slot, f"{own}_out")
        header = f"int {name}({', '.join([*arguments, *outputs, 'double *work'])})"
        given = [*self.made.inputs, *(f"{own}_out" for own in self.made.outputs), "work"]
        used = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", "\n".join(self.lines))))
        ends = [*(f"(void){own};" for own in given if own not in used), "return 0;"]
        body = "\n".join(f"    {line}" for line in [*self.lines, *ends])
        helpers = [f"#define MAX {LARGEST}"] if "MAX" in used else []
        helpers += [helper_text(each) for each in sorted(self.helpers)]
        parts = [self._comment(name, version), "#include <math.h>", *helpers, *[each for each in constants if each]]
        return "\n\n".join([*parts, f"{header}\n{{\n{body}\n}}"]) + "\n"

    def _comment(self, name: str, version: str) -> str:
        inputs = [f"{own}: {spoken(self.abstracts[slot])}" for own, slot in
                  zip(self.made.inputs, self.program.inputs, strict=True)]  # fmt: skip
        outputs = [f"{own}_out: {spoken(self.abstracts[slot])}" for own, slot in
                   zip(self.made.outputs, self.program.outputs, strict=True)]  # fmt: skip
        lines = [f"{plain_text(self.made.summary)} Written by adcli {version}.", "", *inputs, *outputs,
                 f"work: {self.work_entries} doubles", "", *self._fixed(),
                 "Answers 0; 1 where the function takes another branch.",
                 "Arrays are in C order. Compile with -lm."]  # fmt: skip
        return _commented("\n   ".join(lines)).replace("   \n", "\n")

    def _fixed(self) -> list[str]:
        """The inputs that the code takes as they were."""
        if not self.made.fixed:
            return []
        return ["As at the point of emission:", *(f"    {plain_text(line)}" for line in self.made.fixed), ""]

    def _input(self, slot: int, own: str) -> str:
        abstract = self._checked(slot)
        if not abstract.shape:
            self.numbers[slot] = own
            return f"double {own}"
        self.places[slot] = Place(own, 0, strides_of(abstract.shape))
        return f"const double *{own}"

    def _checked(self, slot: int) -> Abstract:
        abstract = self.abstracts[slot]
        if abstract.dtype not in ("float64", "bool", "int64"):
            raise OperatorError(f"C code is written for float64, not for {abstract.dtype}: try --target numpy")
        return abstract

    def _constant(self, slot: int) -> str | None:
        value = np.asarray(self.program.constants[slot], dtype=float)
        if not value.shape:
            self.numbers[slot] = number_text(float(value))
            return None
        own = f"{self.constant}{slot}"
        self.places[slot] = Place(own, 0, strides_of(value.shape))
        entries = ", ".join(number_text(entry) for entry in value.ravel().tolist())
        return f"static const double {own}[{value.size}] = {{{entries}}};"

    def _views(self) -> None:
        """An array lives as long as the views of it."""
        for slot, instruction in enumerate(self.program.instructions):
            if instruction.primitive is not None and instruction.primitive.name in VIEWS:
                root = self.base[instruction.operands[0]]
                self.base[slot] = root
                self.last[root] = max(self.last[root], self.last[slot])

    def _instruction(self, slot: int, instruction: Instruction) -> None:
        primitive, abstract = instruction.primitive, self._checked(slot)
        assert primitive is not None
        location = instruction.location
        if location is not None and location != self.line_of_user:
            self.lines.append(_commented(location.text))
            self.line_of_user = location
        if not self._look(slot, instruction, abstract):
            self.base[slot] = slot
            if primitive.elementwise:
                self._map(slot, instruction, abstract)
            else:
                writer = _LOOPS.get(primitive.name)
                if writer is None:
                    raise OperatorError(f"C code is not written for {primitive.name}: try --target numpy")
                getattr(self, writer)(slot, instruction, abstract)
        for guard in self.program.guards:
            if guard.slot == slot:
                self._guard(slot, guard.outcome)
        for operand in {self.base[operand] for operand in instruction.operands}:
            if operand in self.owned and self.last[operand] <= slot:
                start, size = self.owned.pop(operand)
                self.free.setdefault(size, []).append(start)

    def _guard(self, slot: int, outcome: Any) -> None:
        if not isinstance(outcome, (bool, int)):
            raise OperatorError("C code is not written for index arrays that depend on the inputs: try --target numpy")
        self.lines.append(f"if ({self.numbers[slot]} != {int(outcome)}) return 1;")

    def _buffer(self, slot: int, abstract: Abstract) -> Place:
        """Working memory for a new array, that of one no longer needed if there is one of its size."""
        kept = self.free.get(abstract.size)
        start = kept.pop() if kept else self.work_entries
        self.work_entries = max(self.work_entries, start + abstract.size)
        self.owned[slot] = (start, abstract.size)
        self.places[slot] = Place("work", start, strides_of(abstract.shape))
        return self.places[slot]

    def _read(self, slot: int, indices: Sequence[str], shape: tuple[int, ...]) -> str:
        """One entry of an operand that is broadcast to a shape with these indices."""
        if slot in self.numbers:
            return self.numbers[slot]
        own = self.abstracts[slot].shape
        kept = indices[len(shape) - len(own) :]
        return self.places[slot].at(["0" if length == 1 else i for i, length in zip(kept, own, strict=True)])

    def _loop(self, shape: Sequence[int], statement: str) -> None:
        loops = "".join(f"for (long i{k} = 0; i{k} < {length}; i{k}++) " for k, length in enumerate(shape))
        self.lines.append(f"{loops}{statement}")

    def _map(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        indices = indices_of(abstract.shape)
        operands = [self._read(operand, indices, abstract.shape) for operand in instruction.operands]
        assert instruction.primitive is not None
        name = instruction.primitive.name
        if name in ("mod", "gaussian"):
            self.helpers.add(name)
        exponent = self.program.constants.get(instruction.operands[-1]) if name == "power" else None
        power = float(exponent) if isinstance(exponent, (int, float)) else None
        try:
            text = expression(
                name, [f"({each})" if each[0] == "-" else each for each in operands], "float64", power, True
            )
        except KeyError:
            raise OperatorError(f"C has no {name}: try --target numpy") from None
        if not abstract.shape:
            self._number(slot, text)
        else:
            self._loop(abstract.shape, f"{self._buffer(slot, abstract).at(indices)} = {text};")

    def _look(self, slot: int, instruction: Instruction, abstract: Abstract) -> bool:
        assert instruction.primitive is not None
        move = VIEWS.get(instruction.primitive.name)
        source = instruction.operands[0]
        if move is None or len(instruction.operands) > 1:
            return False
        if source in self.numbers and not abstract.shape:
            self.numbers[slot] = self.numbers[source]
            return True
        if source in self.numbers:  # a number in all places of an array
            self.base[slot] = slot
            self._put(self._buffer(slot, abstract), abstract.shape, source, "=")
            return True
        try:
            place = view_of(
                self.places[source], self.abstracts[source].shape, lambda x: move(x, **instruction.parameters)
            )
        except (ValueError, AttributeError):
            return False  # a reshape that no strides describe
        if abstract.shape:
            self.places[slot] = place
        else:
            self._number(slot, place.at([]))
        return True

    def _number(self, slot: int, text: str) -> None:
        """A single number of its own."""
        self.numbers[slot] = f"{self.result}{slot}"
        self.lines.append(f"double {self.numbers[slot]} = {text};")

    def _reshape(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        (source,) = instruction.operands
        given = self.abstracts[source].shape
        indices = indices_of(given)
        place = Place(self._buffer(slot, abstract).pointer, self.places[slot].offset, strides_of(given))
        self._loop(given, f"{place.at(indices)} = {self._read(source, indices, given)};")

    def _reduce(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        assert instruction.primitive is not None
        start, step = _REDUCTIONS[instruction.primitive.name]
        (source,) = instruction.operands
        shape, axis = self.abstracts[source].shape, instruction.parameters["axis"]
        indices = indices_of(shape)
        if abstract.shape:
            place = self._buffer(slot, abstract)
            own = indices_of(abstract.shape)
            self._loop(abstract.shape, f"{place.at(own)} = {start};")
            keep = instruction.parameters["keepdims"]
            kept = [("0" if k in axis else i) for k, i in enumerate(indices) if keep or k not in axis]
            target = place.at(kept)
        else:
            self._number(slot, start)
            target = self.numbers[slot]
        self._loop(shape, step.format(target, self._read(source, indices, shape)))

    def _put(self, target: Place, shape: tuple[int, ...], source: int, sign: str) -> None:
        """Write or add an operand into a place of this shape."""
        indices = indices_of(shape)
        self._loop(shape, f"{target.at(indices)} {sign} {self._read(source, indices, shape)};")

    def _scatter(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        parameters = instruction.parameters
        whole = self._buffer(slot, abstract)
        self._loop(abstract.shape, f"{whole.at(indices_of(abstract.shape))} = 0.0;")
        indices = parameters["indices"] if "indices" in parameters else [parameters["index"]]
        if len(indices) != len(instruction.operands):
            raise OperatorError("C code is not written for index arrays: try --target numpy")
        for index, source in zip(indices, instruction.operands, strict=True):
            self._put_at(whole, abstract, index, source, "+=")

    def _put_at(self, whole: Place, abstract: Abstract, index: Any, source: int, sign: str) -> None:
        shape = np.broadcast_to(0.0, abstract.shape)[index].shape
        self._put(view_of(whole, abstract.shape, lambda x: x[(*index, ...)]), shape, source, sign)

    def _update(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        a, b, *arrays = instruction.operands
        if arrays:
            raise OperatorError("C code is not written for index arrays: try --target numpy")
        whole = self._buffer(slot, abstract)
        self._put(whole, abstract.shape, a, "=")
        self._put_at(whole, abstract, instruction.parameters["index"], b, "=")

    def _join(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        whole, axis = self._buffer(slot, abstract), instruction.parameters.get("axis")
        starts = (
            itertools.accumulate((self.abstracts[o].shape[axis] for o in instruction.operands), initial=0)
            if axis is not None
            else itertools.count()
        )
        for source, start in zip(instruction.operands, starts, strict=False):
            length = self.abstracts[source].shape[axis] if axis is not None else None
            index = (start,) if axis is None else (*[slice(None)] * axis, slice(start, start + length))
            self._put_at(whole, abstract, index, source, "=")

    def _matmul(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        a, b = instruction.operands
        *batch, row, column = indices_of(abstract.shape)
        inner = self.abstracts[a].shape[-1]
        full = abstract.shape[:-2]
        left = self._read(a, [*batch, row, "k"], (*full, abstract.shape[-2], inner))
        right = self._read(b, [*batch, "k", column], (*full, inner, abstract.shape[-1]))
        target = self._buffer(slot, abstract).at([*batch, row, column])
        self._loop(
            abstract.shape, f"{{ {target} = 0.0; for (long k = 0; k < {inner}; k++) {target} += {left} * {right}; }}"
        )

    def _copy_out(self, slot: int, pointer: str) -> None:
        abstract = self.abstracts[slot]
        if abstract.shape:
            self._put(Place(pointer, 0, strides_of(abstract.shape)), abstract.shape, slot, "=")
        else:
            self.lines.append(f"*{pointer} = {self.numbers[slot]};")


def _commented(text: str) -> str:
    return f"/* {text.replace('*/', '* /').replace('/*', '/ *')} */"


C_WORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool "
    "_Complex _Imaginary k work main NAN INFINITY abs ceil div erfc fdim fma fmax fmin frexp labs ldexp lgamma logb "
    "lrint lround modf nan nearbyint nextafter remainder remquo round scalbn signbit tgamma".split()
) | frozenset(f"i{axis}" for axis in range(32)) | functions()  # fmt: skip
"""Names that the code uses for itself, or that mean something in C."""
_REDUCTIONS = {
    "sum": ("0.0", "{0} += {1};"),
    "max": ("-INFINITY", "if (!({0} > {1}) && {0} == {0}) {0} = {1};"),
    "min": ("INFINITY", "if (!({0} < {1}) && {0} == {0}) {0} = {1};"),
}
"""The first value, and the step with the result {0} and an entry {1}; NaN stays."""
_LOOPS = {
    "reshape": "_reshape", "sum": "_reduce", "max": "_reduce", "min": "_reduce", "scatter_add": "_scatter",
    "scatter_sum": "_scatter", "index_update": "_update", "concatenate": "_join", "stack": "_join", "matmul": "_matmul",
}  # fmt: skip
