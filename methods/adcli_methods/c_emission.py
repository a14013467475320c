"""The derivative of a function as one self-contained C99 function, for embedding.

Views of arrays (slices, transposes, broadcasts) are offsets and strides; every other operation on arrays is a loop.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.c_body import CBody
from adcli_methods.c_operations import ENTRYWISE, operation
from adcli_methods.c_places import (
    C_WORDS,
    VIEWS,
    Place,
    commented,
    helper_text,
    indices_of,
    number_text,
    static_array,
    strides_of,
    view_of,
)
from adcli_methods.derived import Derived, plain_text, require_short
from adcli_methods.emission_errors import lacks
from adcli_methods.errors import OperatorError
from adcli_methods.kernels.c_expressions import LARGEST
from adcli_methods.primitives.structural import fill_index
from adcli_methods.program import Instruction, Location
from adcli_methods.shapes import Abstract, last_uses
from adcli_methods.variables import distinct_variables


def c_source(made: Derived, name: str, version: str) -> str:
    """Source of a C function of a Program: inputs, then pointers to the outputs, then working memory.

    Raises: OperatorError for an operation or a type that C code is not written for.
    """
    return _CWriter(made).source(name, version)


class _CWriter(CBody):
    """Writes one Program."""

    def __init__(self, made: Derived) -> None:
        outputs = [f"{own}_out" for own in made.outputs]
        named = {slot: own for slot, own in made.variables.items() if re.fullmatch(r"[A-Za-z]\w*", own, re.ASCII)}
        super().__init__(made.shaped, made.inputs, distinct_variables(named, {*made.inputs, *outputs, *C_WORDS}))
        self.made = made
        self.helpers: set[str] = set()
        self.base = list(range(len(self.abstracts)))
        self.last = last_uses(self.program)
        self.line_of_user: Location | None = None

    def source(self, name: str, version: str) -> str:
        """The whole file."""
        arguments = [self._input(slot, own) for slot, own in zip(self.program.inputs, self.made.inputs, strict=True)]
        self._statements()
        outputs = [f"{own}_out" for own in self.made.outputs]
        for slot, own in zip(self.program.outputs, outputs, strict=True):
            self._copy_out(slot, own)
        used = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", "\n".join(self.lines))))
        unused = [f"(void){own};" for own in (*self.made.inputs, *outputs, "work") if own not in used]
        body = "\n".join(f"    {line}" for line in [*self.lines, *unused, "return 0;"])
        parts = [self._comment(name, version), "#include <math.h>", *[f"#define MAX {LARGEST}"] * ("MAX" in used)]
        parts += [helper_text(each) for each in sorted(self.helpers)]
        parts += [text for own, text in self.arrays.items() if own in used]
        header = f"int {name}({', '.join([*arguments, *(f'double *{own}' for own in outputs), 'double *work'])})"
        return "\n\n".join([*parts, f"{header}\n{{\n{body}\n}}"]) + "\n"

    def _statements(self) -> None:
        """The lines of all operations."""
        for slot in self.program.constants:
            self._constant(slot)
        self._views()
        for guard in self.program.guards:
            if guard.slot in self.program.inputs:
                self._guard(guard.slot, guard.outcome)
        for slot, instruction in enumerate(self.program.instructions):
            if instruction.primitive is not None:
                self._instruction(slot, instruction)

    def _comment(self, name: str, version: str) -> str:
        fixed = [*self.made.notes(), ""] if self.made.fixed else []
        inputs = self.made.told(self.made.inputs, self.program.inputs)
        outputs = self.made.told([f"{own}_out" for own in self.made.outputs], self.program.outputs)
        lines = [f"{plain_text(self.made.summary)} Written by adcli {version}.", "", *inputs, *outputs,
                 f"work: {self.work_entries} doubles", "", *fixed,
                 "Answers 0; 1 where the function takes another branch.",
                 "Arrays are in C order. Compile with -lm."]  # fmt: skip
        return commented("\n   ".join(lines)).replace("   \n", "\n")

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

    def _constant(self, slot: int) -> None:
        value = np.asarray(self.program.constants[slot], dtype=float)
        if not value.shape:
            self.numbers[slot] = number_text(float(value))
            return
        own = f"{self.constant}{slot}"
        require_short(value)
        self.places[slot] = Place(own, 0, strides_of(value.shape))
        self.arrays[own] = static_array("double", own, [number_text(entry) for entry in value.ravel().tolist()])

    def _views(self) -> None:
        """An array lives as long as what may be a view of it."""
        for slot, instruction in reversed(list(enumerate(self.program.instructions))):
            if instruction.primitive is not None and instruction.primitive.name in VIEWS:
                source = instruction.operands[0]
                self.last[source] = max(self.last[source], self.last[slot])

    def _instruction(self, slot: int, instruction: Instruction) -> None:
        primitive, abstract = instruction.primitive, self._checked(slot)
        assert primitive is not None
        location = instruction.location
        if location is not None and location != self.line_of_user:
            self.lines.append(commented(location.text))
            self.line_of_user = location
        is_view = self._look(slot, instruction, abstract)
        if not is_view and (primitive.elementwise or primitive.name in ENTRYWISE):
            self._map(slot, instruction, abstract)
        elif not is_view:
            writer = _LOOPS.get(primitive.name)
            if writer is None:
                raise lacks("c", instruction, self.made.title)
            getattr(self, writer)(slot, instruction, abstract)
        for guard in self.program.guards:
            if guard.slot == slot:
                self._guard(slot, guard.outcome)
        for operand in {self.base[operand] for operand in instruction.operands}:
            if operand in self.owned and self.last[operand] <= slot:
                start, size = self.owned.pop(operand)
                self.free.setdefault(size, []).append(start)

    def _guard(self, slot: int, outcome: Any) -> None:
        shape = self.abstracts[slot].shape
        known = self.outcomes(np.asarray(outcome)).at(indices_of(shape)) if shape else number_text(float(outcome))
        self.loop(shape, f"if ({self.read(slot, indices_of(shape), shape)} != {known}) return 1;")

    def _map(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        indices = indices_of(abstract.shape)
        operands = [self.read(operand, indices, abstract.shape) for operand in instruction.operands]
        assert instruction.primitive is not None
        name = instruction.primitive.name
        if name in ("mod", "gaussian"):
            self.helpers.add(name)
        exponent = self.program.constants.get(instruction.operands[-1]) if name == "power" else None
        power = float(exponent) if isinstance(exponent, (int, float)) else None
        text = operation(name, operands, power)
        if text is None:
            raise lacks("c", instruction, self.made.title)
        if not abstract.shape:
            self.number(slot, text)
        else:
            self.loop(abstract.shape, f"{self.buffer(slot, abstract).at(indices)} = {text};")

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
            self.put(self.buffer(slot, abstract), abstract.shape, source, "=")
            return True
        try:
            place = view_of(
                self.places[source], self.abstracts[source].shape, lambda x: move(x, **instruction.parameters)
            )
        except (ValueError, AttributeError):
            return False  # a reshape that no strides describe
        if abstract.shape:
            self.places[slot], self.base[slot] = place, self.base[source]
        else:
            self.number(slot, place.at([]))
        return True

    def _reshape(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        (source,) = instruction.operands
        given = self.abstracts[source].shape
        indices = indices_of(given)
        place = Place(self.buffer(slot, abstract).pointer, self.places[slot].offset, strides_of(given))
        self.loop(given, f"{place.at(indices)} = {self.read(source, indices, given)};")

    def _reduce(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        assert instruction.primitive is not None
        start, step = _REDUCTIONS[instruction.primitive.name]
        (source,) = instruction.operands
        shape, axis = self.abstracts[source].shape, instruction.parameters["axis"]
        indices = indices_of(shape)
        if abstract.shape:
            place = self.buffer(slot, abstract)
            own = indices_of(abstract.shape)
            self.loop(abstract.shape, f"{place.at(own)} = {start};")
            keep = instruction.parameters["keepdims"]
            kept = [("0" if k in axis else i) for k, i in enumerate(indices) if keep or k not in axis]
            target = place.at(kept)
        else:
            self.number(slot, start)
            target = self.numbers[slot]
        self.loop(shape, step.format(target, self.read(source, indices, shape)))

    def _scatter(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        parameters = instruction.parameters
        whole = self.buffer(slot, abstract)
        self.loop(abstract.shape, f"{whole.at(indices_of(abstract.shape))} = 0.0;")
        source, *arrays = instruction.operands
        if "index" in parameters:
            self.put_at(whole, abstract, self._index(parameters["index"], arrays), source, "+=")
            return
        for index, source in zip(parameters["indices"], instruction.operands, strict=True):
            self.put_at(whole, abstract, index, source, "+=")

    def _index(self, index: tuple[Any, ...], arrays: Sequence[int]) -> tuple[Any, ...]:
        """The index with its index arrays put in, which must be constants."""
        if any(slot not in self.program.constants for slot in arrays):
            raise OperatorError(_MOVING_INDEX)
        return fill_index(index, tuple(np.asarray(self.program.constants[slot]) for slot in arrays))

    def _pick(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        source, *arrays = instruction.operands
        index = self._index(instruction.parameters["index"], arrays)
        entry, shape = self.picked(self.places[source], self.abstracts[source].shape, index)
        self.loop(shape, f"{self.buffer(slot, abstract).at(indices_of(shape))} = {entry};")

    def _update(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        a, b, *arrays = instruction.operands
        whole = self.buffer(slot, abstract)
        self.put(whole, abstract.shape, a, "=")
        self.put_at(whole, abstract, self._index(instruction.parameters["index"], arrays), b, "=")

    def _join(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        whole, axis = self.buffer(slot, abstract), instruction.parameters.get("axis")
        starts = (
            itertools.accumulate((self.abstracts[o].shape[axis] for o in instruction.operands), initial=0)
            if axis is not None
            else itertools.count()
        )
        for source, start in zip(instruction.operands, starts, strict=False):
            length = self.abstracts[source].shape[axis] if axis is not None else None
            index = (start,) if axis is None else (*[slice(None)] * axis, slice(start, start + length))
            self.put_at(whole, abstract, index, source, "=")

    def _matmul(self, slot: int, instruction: Instruction, abstract: Abstract) -> None:
        a, b = instruction.operands
        *batch, row, column = indices_of(abstract.shape)
        inner = self.abstracts[a].shape[-1]
        full = abstract.shape[:-2]
        left = self.read(a, [*batch, row, "k"], (*full, abstract.shape[-2], inner))
        right = self.read(b, [*batch, "k", column], (*full, inner, abstract.shape[-1]))
        target = self.buffer(slot, abstract).at([*batch, row, column])
        self.loop(
            abstract.shape, f"{{ {target} = 0.0; for (long k = 0; k < {inner}; k++) {target} += {left} * {right}; }}"
        )

    def _copy_out(self, slot: int, pointer: str) -> None:
        abstract = self.abstracts[slot]
        if abstract.shape:
            self.put(Place(pointer, 0, strides_of(abstract.shape)), abstract.shape, slot, "=")
        else:
            self.lines.append(f"*{pointer} = {self.numbers[slot]};")


_MOVING_INDEX = "C code is not written for index arrays that depend on the inputs: try --target numpy"
_REDUCTIONS = {
    "sum": ("0.0", "{0} += {1};"),
    "max": ("-INFINITY", "if (!({0} > {1}) && {0} == {0}) {0} = {1};"),
    "min": ("INFINITY", "if (!({0} < {1}) && {0} == {0}) {0} = {1};"),
}
"""The first value, and the step with the result {0} and an entry {1}; NaN stays."""
_LOOPS = {
    "reshape": "_reshape", "sum": "_reduce", "max": "_reduce", "min": "_reduce", "scatter_add": "_scatter",
    "scatter_sum": "_scatter", "index_update": "_update", "concatenate": "_join", "stack": "_join", "matmul": "_matmul",
    "getitem": "_pick",
}  # fmt: skip
