"""How a derivative comes about: a function's evaluation trace with the tangent and the adjoint sweep beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods import formula_text as build
from adcli_methods.differentiate import Request, flat_problem
from adcli_methods.errors import PointError
from adcli_methods.explanation import Explanation, PassCount, output_symbol
from adcli_methods.explanation_lines import Numbers, lines_of
from adcli_methods.function import FlatFunction, Function
from adcli_methods.landmarks import landmarks
from adcli_methods.liveness import ancestors, held_forward, kept_slots, memory_bytes
from adcli_methods.notes import notes_of
from adcli_methods.operators import as_vector
from adcli_methods.pieces import Pieces, added
from adcli_methods.primitive import Value, shape_of
from adcli_methods.structure import leaves_of, rebuild
from adcli_methods.sweeps import _strict_times, contributions, filled, push_one, seeded
from adcli_methods.trace import Trace


def explain(
    function: Function,
    at: Any,
    *,
    wrt: Sequence[str | int] | str | int | None = None,
    tangent: Any = None,
    cotangent: Any = None,
    dtype: str | None = None,
) -> Explanation:
    """The evaluation trace of a function at a point, with both sweeps, line by line.

    Arguments:
        function: what to explain.
        at: the point.
        wrt: the inputs to differentiate by, None for all floating-point ones.
        tangent: the seed of the forward sweep: an input's name, or numbers; None for the first input.
        cotangent: the seed of the reverse sweep: an output's name, or numbers; None for the (first) output.
        dtype: "float32" or "float64"; None keeps the inputs' own.
    Raises: AdcliError.

    >>> from adcli_methods.formula import formula_function
    >>> for line in explain(formula_function("exp(x**2)"), 2.0).lines:
    ...     print(line.name, line.formula, line.value, line.tangent, line.adjoint)
    v₀ x 2.0 1.0 218.39260013257694
    v₁ v₀² 4.0 4.0 54.598150033144236
    v₂ exp(v₁) 54.598150033144236 218.39260013257694 1.0
    """
    problem = flat_problem(function, at, Request(wrt=wrt, dtype=dtype))
    with np.errstate(all="ignore"):
        trace, outputs = problem.traced
        return _explained(problem, trace, outputs, tangent, cotangent)


def _explained(
    problem: FlatFunction, trace: Trace, outputs: Sequence[int], tangent: Any, cotangent: Any
) -> Explanation:
    names = [".".join(path) for path in problem.paths]
    symbol = output_symbol([*problem.inputs, problem.function.name])
    output_names = [".".join((symbol, *path)) for path, _ in leaves_of(problem.output)]
    values = [np.float64(value) if type(value) is float else value for value in trace.values]
    seeds, direction = _tangent_seed(tangent, problem.leaves, names)
    cotangents, weights = _cotangent_seed(cotangent, [values[slot] for slot in outputs], output_names)
    reached = ancestors(trace, outputs)
    slots = _line_slots(trace, outputs, reached)
    tangents = _tangents(trace, values, seeds, reached)
    adjoints, terms = _adjoints(trace, values, outputs, cotangents)
    kept = kept_slots(trace, outputs)
    marks = landmarks(trace, slots)
    lines = lines_of(trace, slots, names, set(outputs), kept, marks, Numbers(values, tangents, adjoints, terms))
    position = {slot: index for index, slot in enumerate(slots)}
    held = held_forward(trace, outputs)
    derivative: dict[str, Value] = {name: line.adjoint for name, line in zip(names, lines, strict=False)}
    if any(np.isnan(values[slot]).any() for slot in outputs):
        derivative = {name: adjoint + math.nan for name, adjoint in derivative.items()}  # no value, no derivative
    is_finite = all(np.isfinite(part).all() for part in derivative.values())
    numbers = iter([trace.values[slot] for slot in outputs])
    return Explanation(
        function=problem.function.formula or problem.function.name,
        formula=problem.function.formula,
        point=dict(zip(names, problem.leaves, strict=True)),
        inputs=tuple(names),
        lines=lines,
        outputs=tuple(position[slot] for slot in outputs),
        output_names=tuple(output_names),
        seed_direction=direction,
        cotangent=weights,
        value=rebuild(problem.output, lambda path, leaf: next(numbers)),
        tangents=tuple(filled(tangents[slot], trace.values[slot]) for slot in outputs),
        derivative=derivative,
        branches=tuple(marks),
        passes=_passes(problem.leaves, [trace.values[slot] for slot in outputs]),
        kept_values=len(kept),
        kept_bytes=memory_bytes(trace.values[slot] for slot in kept),
        held_values=held.values,
        held_forward_bytes=held.memory_bytes,
        kinks=_kinks(trace, slots),
        notes=tuple(notes_of(trace, outputs, problem.paths, is_finite)),
    )


def _line_slots(trace: Trace, outputs: Sequence[int], reached: set[int]) -> list[int]:
    """The slots that are lines: the inputs, what the outputs were computed from, and outputs that are constant."""
    inputs = range(trace.input_count)
    is_line = [slot in outputs or trace.instructions[slot].primitive is not None for slot in range(len(trace.values))]
    return [*inputs, *[slot for slot in sorted(reached) if slot >= trace.input_count and is_line[slot]]]


def _tangent_seed(tangent: Any, leaves: Sequence[Value], names: Sequence[str]) -> tuple[list[Value], str]:
    """A tangent for each input, and the direction in words."""
    if tangent is None or isinstance(tangent, str):
        name = names[0] if tangent is None else tangent
        return _first_entry(name, leaves, names, "input")
    return as_vector(tangent, leaves, names), f"({_entries(tangent)})"


def _cotangent_seed(cotangent: Any, values: Sequence[Value], names: Sequence[str]) -> tuple[list[Value], str]:
    if cotangent is None or isinstance(cotangent, str):
        return _first_entry(names[0] if cotangent is None else cotangent, values, names, "output")
    return as_vector(cotangent, values, names), f"({_entries(cotangent)})"


def _first_entry(name: str, values: Sequence[Value], names: Sequence[str], kind: str) -> tuple[list[Value], str]:
    """1 in the first entry of the one with this name, 0 elsewhere."""
    if name not in names:
        raise PointError(f"no {kind} {name!r} to seed: there are {', '.join(names)}, or give numbers such as 1,0")
    seeds: list[Value] = [filled(None, value) if shape_of(value) else 0.0 for value in values]
    position = names.index(name)
    if not shape_of(values[position]):
        seeds[position] = 1.0
        return seeds, name
    unit = np.zeros(shape_of(values[position]), dtype=np.asarray(values[position]).dtype)
    unit[(0,) * unit.ndim] = 1.0
    seeds[position] = unit
    return seeds, f"{name}[{', '.join('0' * unit.ndim)}]"


def _entries(vector: Any) -> str:
    if isinstance(vector, dict):
        return ", ".join(f"{name}={entry:g}" if np.ndim(entry) == 0 else f"{name}=…" for name, entry in vector.items())
    flat = np.ravel(np.asarray(vector, dtype=float))
    shown = [build.number_text(entry) for entry in flat[:4].tolist()]
    return ", ".join(shown if flat.size <= 4 else [*shown[:2], "…", build.number_text(float(flat[-1]))])


def _tangents(trace: Trace, values: list[Value], seeds: Sequence[Value], reached: set[int]) -> list[Value | None]:
    """The tangent sweep, every tangent kept."""
    moved: list[Value | None] = [None] * len(values)
    moved[: len(seeds)] = [_like(seed, value) for seed, value in zip(seeds, values, strict=False)]
    for slot in range(trace.input_count, len(values)):
        if trace.active[slot] and slot in reached:
            moved[slot] = push_one(trace.instructions[slot], values, moved, values[slot], _times)
    return moved


def _like(seed: Value, value: Value) -> Value:
    return np.asarray(seed, dtype=np.asarray(value).dtype)[()]


def _times(partial: Value, sensitivity: Value) -> Value:
    """Their product; along a chain an exact zero stays zero beside an infinite factor."""
    product = partial * sensitivity
    is_plain = product == product if type(product) is np.float64 else np.all(product == product)
    return product if is_plain else _strict_times(partial, sensitivity)


Terms = dict[int, list[tuple[int, int, Value]]]
"""For each slot its contributions (source slot, position of the operand there, value)."""


def _adjoints(
    trace: Trace, values: list[Value], outputs: Sequence[int], cotangents: Sequence[Value]
) -> tuple[list[Value | None], Terms]:
    """The adjoint sweep, every adjoint and every contribution kept."""
    cotangents = [_like(seed, values[slot]) for slot, seed in zip(outputs, cotangents, strict=True)]
    waiting = seeded(trace, outputs, cotangents)
    totals, terms = list(waiting), Terms()
    source, positions = -1, iter([0])
    for slot, operand, part in contributions(trace, values, waiting, _times):
        if slot != source:
            source, positions = slot, iter(_differentiated(trace, slot))
        read = part.pieces[-1] if type(part) is Pieces else part
        terms.setdefault(operand, []).append((slot, next(positions), read))
        waiting[operand] = totals[operand] = added(waiting[operand], part)
    return [None if x is None else filled(x, v) for x, v in zip(totals, values, strict=True)], terms


def _differentiated(trace: Trace, slot: int) -> list[int]:
    """The positions of the operands that an adjoint is handed back to, in the order of the sweep."""
    primitive, slots = trace.instructions[slot].primitive, trace.instructions[slot].operands
    assert primitive is not None
    rules = [primitive.rule(position, len(slots)) if trace.active[i] else None for position, i in enumerate(slots)]
    return [position for position, rule in enumerate(rules) if rule is not None and getattr(rule, "constant", 1) != 0]


def _passes(leaves: Sequence[Value], outputs: Sequence[Value]) -> PassCount:
    n, m = (sum(math.prod(shape_of(value)) for value in values) for values in (leaves, outputs))
    return PassCount(forward=n, reverse=m, inputs=n, outputs=m)


def _kinks(trace: Trace, slots: Sequence[int]) -> tuple[tuple[int, str], ...]:
    found = []
    for position, slot in enumerate(slots):
        instruction = trace.instructions[slot]
        primitive = instruction.primitive
        if primitive is None or primitive.kink is None or not trace.active[slot]:
            continue
        operands = [np.asarray(trace.values[operand])[()] for operand in instruction.operands]
        if np.any(primitive.kink(*operands, **instruction.parameters)):
            found.append((position, primitive.convention))
    return tuple(found)
