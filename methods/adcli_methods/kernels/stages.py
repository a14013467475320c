"""Long loop bodies in stages.

A processor overlaps the iterations of a short body; in a long chain of dependent operations it can only wait. So a long
body becomes several loops over one tile, which hand values on through small arrays in the first cache.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LONGEST = 40
_STAGE = 16
"""Statements in a body that stays one loop, and in each stage of a longer one."""
_DEFINITION = re.compile(r"const (\w+) (v\w+) = ")
_VALUE = re.compile(r"\bv\d\w*")
_DEAR = re.compile(r"\w\(|/|\?")


class Stage(NamedTuple):
    """One loop over a tile: its statements, the values that it takes over and those that it hands on."""

    lines: tuple[str, ...]
    taken: tuple[str, ...]
    handed: tuple[str, ...]


class Stages(NamedTuple):
    """A body in stages, and the C type of each value that is handed on."""

    stages: tuple[Stage, ...]
    types: dict[str, str]


def in_stages(lines: Sequence[str], results: Sequence[str]) -> Stages:
    """A body split where it is long.

    Arguments:
        lines: definitions, each of one name, in an order in which they can run.
        results: statements that use names and define none.
    """
    parts = _parts(lines, results)
    definitions = {found[2]: line for line in lines if (found := _DEFINITION.match(line))}
    home = {name: number for number, part in enumerate(parts) for name in map(_defined, part) if name}
    taken: list[list[str]] = []
    for number, part in enumerate(parts):
        foreign = {name for line in part for name in _VALUE.findall(line) if home[name] < number}
        again, from_memory = _again(foreign, definitions)
        part[:0] = again
        taken.append(from_memory)
    passed = sorted(set().union(*taken))
    stages = [
        Stage(tuple(part), tuple(taken[number]), tuple(name for name in passed if home[name] == number))
        for number, part in enumerate(parts)
    ]
    return Stages(tuple(stages), {name: definitions[name].split()[1] for name in passed})


def _defined(line: str) -> str:
    found = _DEFINITION.match(line)
    return found[2] if found else ""


def _again(names: set[str], definitions: dict[str, str]) -> tuple[list[str], list[str]]:
    """Of the values that a stage needs from before: the statements that compute cheap ones again, and the others."""
    again: list[str] = []
    from_memory: set[str] = set()
    for name in [name for name in definitions if name in names]:
        line = definitions[name]
        sources = [other for other in _VALUE.findall(line) if other != name]
        if len(set(sources)) > 1 or _DEAR.search(line.partition("=")[2]):
            from_memory.add(name)
        else:
            again.append(line)
            from_memory.update(sources)
    known = {_defined(line) for line in again}
    return again, sorted(from_memory - known)


def _parts(lines: Sequence[str], results: Sequence[str]) -> list[list[str]]:
    """The statements of each stage; a result stands in the stage of the last value that it uses."""
    if len(lines) <= _LONGEST:
        return [[*lines, *results]]
    count = -(-len(lines) // _STAGE)
    length = -(-len(lines) // count)
    parts = [list(lines[start : start + length]) for start in range(0, len(lines), length)]
    for result in results:
        parts[_stage_of(parts, set(_VALUE.findall(result)))].append(result)
    return parts


def _stage_of(parts: Sequence[Sequence[str]], names: set[str]) -> int:
    found = [number for number, part in enumerate(parts) for line in part if _defined(line) in names]
    return max(found, default=0)
