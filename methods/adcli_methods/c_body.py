"""The statements of an emitted C function: where its arrays lie, its working memory, and loops over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adcli_methods.c_places import Place, indices_of, static_array, strides_of, view_of, with_ellipsis
from adcli_methods.derived import require_short
from adcli_methods.shapes import Abstract, Shaped
from adcli_methods.writer import free_prefix


class CBody:
    """Gathers the lines, and the constant arrays by name.

    `places` holds where arrays lie, `numbers` the names or literals of single numbers.

    Arguments:
        given: the Program.
        names: of its inputs.
        variables: the names of slots; other numbers become v7, v8, ...
    """

    def __init__(self, given: Shaped, names: Sequence[str], variables: Mapping[int, str]) -> None:
        self.program, self.abstracts = given
        self.variables = variables
        self.places: dict[int, Place] = {}
        self.numbers: dict[int, str] = {}
        self.lines: list[str] = []
        self.arrays: dict[str, str] = {}
        self.work_entries = 0
        self.free: dict[int, list[int]] = {}
        self.owned: dict[int, tuple[int, int]] = {}
        self.result, self.constant, self.table = (
            free_prefix(prefix, [*names, *variables.values()]) for prefix in "vcp"
        )

    def number(self, slot: int, text: str) -> None:
        """A single number of its own."""
        self.numbers[slot] = self.variables.get(slot) or f"{self.result}{slot}"
        self.lines.append(f"double {self.numbers[slot]} = {text};")

    def buffer(self, slot: int, abstract: Abstract) -> Place:
        """Working memory for a new array, that of one no longer needed if there is one of its size."""
        kept = self.free.get(abstract.size)
        start = kept.pop() if kept else self.work_entries
        self.work_entries = max(self.work_entries, start + abstract.size)
        self.owned[slot] = (start, abstract.size)
        self.places[slot] = Place("work", start, strides_of(abstract.shape))
        return self.places[slot]

    def read(self, slot: int, indices: Sequence[str], shape: tuple[int, ...]) -> str:
        """One entry of an operand that is broadcast to a shape with these indices."""
        if slot in self.numbers:
            return self.numbers[slot]
        own = self.abstracts[slot].shape
        kept = indices[len(shape) - len(own) :]
        return self.places[slot].at(["0" if length == 1 else i for i, length in zip(kept, own, strict=True)])

    def loop(self, shape: Sequence[int], statement: str) -> None:
        """A statement for each index of a shape."""
        loops = "".join(f"for (long i{k} = 0; i{k} < {length}; i{k}++) " for k, length in enumerate(shape))
        self.lines.append(f"{loops}{statement}")

    def put(self, target: Place, shape: tuple[int, ...], source: int, sign: str) -> None:
        """Write or add an operand into a place of this shape."""
        indices = indices_of(shape)
        self.loop(shape, f"{target.at(indices)} {sign} {self.read(source, indices, shape)};")

    def put_at(self, whole: Place, abstract: Abstract, index: Any, source: int, sign: str) -> None:
        """Write or add an operand into a part of a place that has this shape and type."""
        if any(isinstance(item, np.ndarray) for item in index):
            entry, shape = self.picked(whole, abstract.shape, index)
            self.loop(shape, f"{entry} {sign} {self.read(source, indices_of(shape), shape)};")
            return
        shape = np.broadcast_to(0.0, abstract.shape)[index].shape
        self.put(view_of(whole, abstract.shape, lambda x: x[with_ellipsis(index)]), shape, source, sign)

    def picked(self, place: Place, shape: tuple[int, ...], index: Any) -> tuple[str, tuple[int, ...]]:
        """The entry that index arrays pick, read from a table, and the shape of all that they pick."""
        axes = np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True)
        offsets = sum((axis * stride for axis, stride in zip(axes, place.strides, strict=True)), np.array(place.offset))
        chosen = np.broadcast_to(offsets, shape)[index]
        position = self._static("long", chosen).at(indices_of(chosen.shape))
        return f"{place.pointer}[{position}]", chosen.shape

    def outcomes(self, known: Any) -> Place:
        """The array that a decision is compared with."""
        return self._static("double", known.astype(int))

    def _static(self, kind: str, whole: Any) -> Place:
        """A constant array of whole numbers, in a table of its own."""
        table = f"{self.table}{len(self.arrays)}"
        require_short(whole)
        self.arrays[table] = static_array(kind, table, [str(entry) for entry in whole.ravel()])
        return Place(table, 0, strides_of(whole.shape))
