"""One kernel as C: a function of a range of its outermost loop, and the loop over such ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import prod

from adcli_methods.kernels.body import Body
from adcli_methods.kernels.c_expressions import C_TYPES, CDialect, suffix
from adcli_methods.kernels.loops import Nest, Region, Root, box, holds, nest_of
from adcli_methods.kernels.maps import Map, strides_of
from adcli_methods.kernels.phases import KernelPlan
from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.stages import Stage, in_stages

_CHUNK = 4096
"""Entries that one thread takes at a time; fixed, so that sums do not depend on the number of threads."""
_MOST_PARTIAL_ARRAYS = 64
_WORTH_THREADS = 300_000
"""Operations from which on threads pay."""
_SHORT = 16
"""Innermost loops up to this length are left to the compiler."""
_IDENTITY = {"sum": "0", "max": "-__builtin_inf()", "min": "__builtin_inf()"}


class Kernel:
    """The C text of one kernel, for `c_source`.

    Arguments:
        plan: the plan.
        phase: when it runs.
        kernel: its results.
        strict: as of `compile_program`.
    """

    def __init__(self, plan: Plan, phase: int, kernel: KernelPlan, strict: bool) -> None:
        self.plan, self.phase, self.strict = plan, phase, strict
        self.nest: Nest = nest_of(plan, phase, kernel)
        self.name = f"kernel_{min(root.slot for root in self.nest.roots)}"
        self.reads: set[int] = set()
        self.inner = prod(self.nest.lengths[1:])
        self.rows = self._rows()
        self.chunks = max(1, -(-self.nest.lengths[0] // self.rows))
        self.text = self._function()
        self.numbers = sorted({int(slot) for slot in re.findall(r"\bs(\d+)\b", self.text)})
        if self.parallel:
            self.text += self._chunk_function()

    @property
    def reductions(self) -> list[Root]:
        """The results that are reductions."""
        return [root for root in self.nest.roots if root.operand != root.slot]

    def partial_size(self, root: Root) -> int:
        """Entries of memory that a reduction needs for its parts; 0 where each part has a place of its own."""
        return self.chunks * root.size if self._crosses_chunks(root) else 0

    def _crosses_chunks(self, root: Root) -> bool:
        group = self.nest.groups[0]
        return root.operand != root.slot and (not group or group[0] in root.axes)

    def _inner_reduced(self, root: Root) -> bool:
        group = self.nest.groups[-1]
        return not group or group[0] in root.axes

    def _rows(self) -> int:
        rows = max(1, _CHUNK // max(self.inner, 1))
        if any(self._crosses_chunks(root) and root.size > 1 for root in self.reductions):
            rows = max(rows, -(-self.nest.lengths[0] // _MOST_PARTIAL_ARRAYS))
        return rows

    # the function

    def _function(self) -> str:
        lines = [line for root in self.reductions for line in self._begin(root)]
        lines += self._loop(0, {axis: (0, length) for axis, length in enumerate(self.nest.shape)})
        lines += [line for root in self.reductions for line in self._end(root)]
        text = "\n".join(f"    {line}" for line in lines)
        numbers = sorted({int(slot) for slot in re.findall(r"\bs(\d+)\b", text)})
        arguments = ["const long low", "const long high", "const long chunk"]
        arguments += [f"const {self._type(slot)} *restrict a{slot}" for slot in sorted(self.reads)]
        arguments += [f"const {self._type(slot)} s{slot}" for slot in numbers]
        arguments += [f"{self._type(root.slot)} *restrict o{root.slot}" for root in self.nest.roots]
        return f"static void {self.name}({', '.join(arguments)}) {{\n{text}\n}}\n"

    def _type(self, slot: int) -> str:
        return C_TYPES[self.plan.node(slot).abstract.dtype]

    def _begin(self, root: Root) -> Iterator[str]:
        """Start values: of a number of this chunk, or of the part of an array that this chunk fills."""
        kind, identity = self._type(root.slot), _IDENTITY[_name(root)]
        if root.size == 1:
            yield f"{kind} r{root.slot} = {identity};"
        elif self._crosses_chunks(root):
            yield f"o{root.slot} += chunk * {root.size};"
            yield f"for (long j = 0; j < {root.size}; j++) o{root.slot}[j] = {identity};"
        else:
            row = self.nest.steps(self.nest.place, root.strides)[0][0]
            yield f"for (long j = low * {row}; j < MIN2(high * {row}, {root.size}); j++) o{root.slot}[j] = {identity};"

    def _end(self, root: Root) -> Iterator[str]:
        if root.size == 1:
            yield f"o{root.slot}[chunk] = r{root.slot};"

    def _loop(self, loop: int, region: Region) -> list[str]:
        """The loops from this one inward."""
        last = loop == len(self.nest.groups) - 1
        group = self.nest.groups[loop]
        rows = [root for root in self.reductions if last and self._inner_reduced(root) and root.size > 1]
        lines = [f"{self._type(root.slot)} r{root.slot} = {_IDENTITY[_name(root)]};" for root in rows]
        for start, stop in self.nest.intervals(loop):
            if start == stop:
                continue
            inside = region | {group[0]: (start, stop)} if len(group) == 1 else region
            parts = loop == 0 and self.chunks > 1
            first = f"MAX2(low, {start})" if parts else str(start)
            end = f"MIN2(high, {stop})" if parts else str(stop)
            if last:
                lines += self._innermost(loop, inside, first, end, stop - start)
            elif inner := self._loop(loop + 1, inside):
                lines += [f"for (long i{loop} = {first}; i{loop} < {end}; i{loop}++) {{", *_indented(inner), "}"]
        lines += [f"{self._combined(root, self._target(root), f'r{root.slot}')};" for root in rows]
        return lines

    def _innermost(self, loop: int, region: Region, first: str, end: str, length: int) -> list[str]:
        dialect = CDialect(self.strict)
        body = Body(self.plan, self.phase, lambda condition: holds(condition, region), self._load, dialect)
        roots = [root for root in self.nest.roots if all(holds(condition, region) for condition in box(root))]
        tiled = [root for root in roots if root in self.reductions and self._inner_reduced(root) and length > _SHORT]
        results = []
        for root in roots:
            value = body.value(root.operand, self.nest.place)
            if root.operand == root.slot:
                results.append(f"{self._target(root)} = {value};")
            elif root in tiled:
                results.append(f"t{root.slot}[l] = {value};")
            else:
                total = f"r{root.slot}" if self._inner_reduced(root) else self._target(root)
                results.append(f"{self._combined(root, total, value)};")
        if not results:
            return []
        if length <= _SHORT:
            lines = [*body.lines, *results]
            return [f"for (long i{loop} = {first}; i{loop} < {end}; i{loop}++) {{", *_indented(lines), "}"]
        arrays = [f"{self._type(root.slot)} t{root.slot}[TILE];" for root in tiled]
        stages, types = in_stages(body.lines, results)
        arrays += [f"{kind} b{name}[TILE];" for name, kind in types.items()]
        loops = [line for stage in stages for line in _stage_loop(stage, types, loop)]
        parts = [(root, f"{_helper(root)}(t{root.slot}, m)") for root in tiled]
        sums = [f"{self._combined(root, f'r{root.slot}', part)};" for root, part in parts]
        return [
            f"for (long t = {first}, end = {end}; t < end; t += TILE) {{",
            *_indented(["const long m = MIN2(end - t, TILE);", *arrays, *loops, *sums]),
            "}",
        ]

    def _target(self, root: Root) -> str:
        return f"o{root.slot}[{self._address(root.strides, self.nest.place)}]"

    def _combined(self, root: Root, total: str, part: str) -> str:
        name = _name(root)
        return (
            f"{total} += {part}"
            if name == "sum"
            else f"{total} = {name}2{suffix(root.node.abstract.dtype)}({total}, {part})"
        )

    def _load(self, slot: int, place: Map) -> str:
        base = self.plan.base(slot)
        self.reads.add(base)
        return f"a{base}[{self._address(strides_of(self.plan.node(slot).abstract.shape), place)}]"

    def _address(self, strides: Sequence[int], place: Map) -> str:
        steps, offset = self.nest.steps(place, strides)
        terms = [f"i{loop}" if step == 1 else f"{step} * i{loop}" for loop, step in enumerate(steps) if step]
        return " + ".join([*terms, *([str(offset)] if offset or not terms else [])]).replace("+ -", "- ")

    # the call

    @property
    def parallel(self) -> bool:
        """Whether it is worth threads."""
        return self.chunks > 1 and self.nest.lengths[0] * self.inner * (self.nest.operations + 4) > _WORTH_THREADS

    def _values(self) -> Iterator[tuple[str, str]]:
        """The type and the name of each value that the function is given, after the bounds of its chunk."""
        for slot in sorted(self.reads):
            yield f"const {self._type(slot)} *", f"a{slot}"
        for slot in self.numbers:
            yield f"{self._type(slot)} ", f"s{slot}"
        for root in self.nest.roots:
            yield f"{self._type(root.slot)} *", f"o{root.slot}"

    def _chunk_function(self) -> str:
        """The function again, as the pool calls it: for one chunk, with all values in a structure."""
        fields = "".join(f" {kind}{name};" for kind, name in self._values())
        given = "".join(f", k->{name}" for _, name in self._values())
        return (
            f"struct {self.name}_values {{{fields} }};\n"
            f"static void {self.name}_chunk(void *given, long c) {{\n"
            f"    const struct {self.name}_values *k = given;\n"
            f"    {self.name}({self._bounds()}{given});\n}}\n"
        )

    def _bounds(self) -> str:
        length = self.nest.lengths[0]
        return f"c * {self.rows}, c == {self.chunks - 1} ? {length} : (c + 1) * {self.rows}, c"

    def call(self, partials: dict[int, str]) -> Iterator[str]:
        """The statements that run the kernel; `partials` has the memory for the parts of each reduction."""
        memory = {f"o{slot}": name for slot, name in partials.items()}
        given = [memory.get(name, name) for _, name in self._values()]
        if self.parallel:
            yield f"struct {self.name}_values k{self.name[7:]} = {{{', '.join(given)}}};"
            yield f"P({self.name}_chunk, &k{self.name[7:]}, {self.chunks}, threads);"
        else:
            yield f"for (long c = 0; c < {self.chunks}; c++) {self.name}({', '.join([self._bounds(), *given])});"
        for root in self.reductions:
            if root.slot in partials:
                yield from self._total(root, partials[root.slot])

    def _total(self, root: Root, partial: str) -> Iterator[str]:
        name, slot = _name(root), root.slot
        if root.node.scalar:
            yield f"s{slot} = {_helper(root)}({partial}, {self.chunks});"
        elif root.size == 1:
            yield f"o{slot}[0] = {_helper(root)}({partial}, {self.chunks});"
        else:
            yield f"for (long j = 0; j < {root.size}; j++) o{slot}[j] = {_IDENTITY[name]};"
            yield f"for (long c = 0; c < {self.chunks}; c++)"
            total = self._combined(root, f"o{slot}[j]", f"{partial}[c * {root.size} + j]")
            yield f"    for (long j = 0; j < {root.size}; j++) {total};"


def _stage_loop(stage: Stage, types: dict[str, str], loop: int) -> list[str]:
    taken = [f"const {types[name]} {name} = b{name}[l];" for name in stage.taken]
    handed = [f"b{name}[l] = {name};" for name in stage.handed]
    lines = [f"const long i{loop} = t + l;", *taken, *stage.lines, *handed]
    return ["#pragma omp simd", "for (long l = 0; l < m; l++) {", *_indented(lines), "}"]


def _name(root: Root) -> str:
    return root.node.name


def _helper(root: Root) -> str:
    """The C function that reduces entries in memory."""
    return _name(root) + suffix(root.node.abstract.dtype)


def _indented(lines: Sequence[str], levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]
