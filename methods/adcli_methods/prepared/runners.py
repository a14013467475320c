"""Ways to run a derived Program again and again: Python floats, NumPy, the machine for numbers, or fused kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from adcli_methods import kernels
from adcli_methods.buffers import outputs_to_copy
from adcli_methods.emission import compile_guarded
from adcli_methods.errors import OperatorError
from adcli_methods.kernels import KernelReport
from adcli_methods.optimiser import operation_count
from adcli_methods.optimiser.scalarise import Scalars
from adcli_methods.prepared.tensors import is_tensor, lowered, lowered_outputs
from adcli_methods.primitive import Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction, Program
from adcli_methods.shapes import Abstract, Shaped
from adcli_methods.targets import target
from adcli_methods.targets.numpy_target import QUICK_NUMPY

Array = np.ndarray[Any, np.dtype[Any]]
Run = Callable[[Sequence[Value]], Sequence[Value] | None]
"""From the inputs to the outputs; None where a guard does not hold or an output is not a number."""

Make = Callable[[Program, Sequence[Abstract]], Any]
"""Compiles a Program: the result has `run` and `report`, as `kernels.CompiledProgram`."""


class Runner(NamedTuple):
    """A derived Program, ready to run.

    Arguments:
        run: takes the inputs.
        backend: "python", "numpy", "machine" (see `kernels.machine`), "c" or "triton".
        operations: how many operations one run takes.
        scalar: the function of one float, where that is all that the Program needs; it may raise ArithmeticError or
            ValueError outside of a function's domain.
        kernels: the report of the native kernels, if there are any.
        note: why there are none, where some would be worth it.
    """

    run: Run
    backend: str
    operations: int
    scalar: Callable[[float], Any] | None = None
    kernels: KernelReport | None = None
    note: str = ""


def on_floats(scalars: Scalars) -> Runner | None:
    """Straight-line Python on floats; None where it has an operation that Python's math lacks, or gives no number."""
    program = scalars.shaped.program
    if not program.outputs:
        return None
    assemble, numbers = _assembler(scalars.outputs), Struct(f"{len(program.outputs)}d")
    plain = all(not abstract.shape for abstract in (*scalars.inputs, *scalars.outputs))
    try:
        function = compile_guarded(scalars.shaped, target("math"), checked=plain)
    except OperatorError:
        return None

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        try:
            found = function(*(inputs if plain else _entries(inputs)))
            if found is None or plain:
                return found
            flat = np.frombuffer(bytearray(numbers.pack(*found)))  # a quarter of np.array's time
        except (ArithmeticError, ValueError):
            return None
        return None if np.isnan(flat).any() else assemble(flat)

    return Runner(run, "python", operation_count(program), function if plain and len(scalars.inputs) == 1 else None)


def _entries(values: Sequence[Value]) -> list[float]:
    """All entries of numbers and arrays, in C order."""
    if len(values) == 1:
        return np.ravel(values[0]).tolist()
    entries: list[float] = []
    for value in values:
        entries += [value] if type(value) is float else np.ravel(value).tolist()
    return entries


def _assembler(abstracts: Sequence[Abstract]) -> Callable[[Array], list[Value]]:
    """What makes numbers and arrays of these shapes from one array of all their entries."""
    parts, start = [], 0
    for abstract in abstracts:
        stop, shape = start + abstract.size, abstract.shape
        parts.append((slice(start, stop), shape if len(shape) > 1 else None) if shape else (start, None))
        start = stop

    def assemble(flat: Array) -> list[Value]:
        return [
            flat.item(place) if type(place) is int else flat[place] if shape is None else flat[place].reshape(shape)
            for place, shape in parts
        ]

    return assemble


def on_arrays(given: Shaped) -> Runner:
    """Straight-line NumPy."""
    function = compile_guarded(given, QUICK_NUMPY, checked=True)
    copied = outputs_to_copy(given)

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            found = function(*inputs)
            if found is None or _has_nan(found):
                return None
        numbers = [value if type(value) is np.ndarray else _plain(value) for value in found]
        for position in copied:
            numbers[position] = np.array(numbers[position])
        return numbers

    return Runner(run, "numpy", operation_count(given.program))


def _has_nan(outputs: Sequence[Value]) -> bool:
    """Whether an entry of an array is NaN: then, and only then, the sum of squares is, which BLAS takes at once."""
    for value in outputs:
        if type(value) is np.ndarray and value.dtype.kind == "f":
            flat = value if value.ndim == 1 else value.ravel(order="K")
            square = flat.dot(flat)
            if square != square:
                return True
    return False


def on_gpu(given: Shaped, device: str) -> Runner:
    """Triton's kernels; the results are tensors where an input is one, and NumPy's otherwise."""
    from adcli_methods.kernels.triton_program import TritonProgram  # here, for the CPU does without

    runner = fused(given, partial(TritonProgram, device=device), "triton")
    kinds = [given.abstracts[slot].dtype for slot in given.program.outputs]

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found = runner.run(inputs)
        return found if found is None or any(map(is_tensor, inputs)) else lowered_outputs(found, kinds)

    return runner._replace(run=run)


def fused(given: Shaped, make: Make, backend: str) -> Runner:
    """Fused kernels on arrays, as `make` makes them: in C, in Triton, or NumPy in blocks that fit the cache."""
    checked, count = _checked(given)
    run, report = _kernels(checked, make)

    def run_checked(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found = run(inputs)
        return None if found is None else _numbers(found, count)

    return Runner(run_checked, backend, operation_count(given.program), kernels=report)


def on_machine(given: Shaped, code: kernels.MachineCode) -> Runner:
    """All operations one after the other in C, on registers.

    Arguments: given: the Program, and its code.
    Raises: UnavailableError where there is no C compiler.
    """
    program, abstracts = given
    outcomes = [float(guard.outcome) for guard in program.guards]
    machine, end = kernels.MachineProgram(code), code.outputs - len(outcomes)
    assemble = _assembler([abstracts[slot] for slot in program.outputs])

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found, has_nan = machine.run(inputs)
        if outcomes and found[end:].tolist() != outcomes:
            return None
        return None if has_nan else assemble(found)

    return Runner(run, "machine", code.operations, kernels=machine.report)


def _kernels(given: Shaped, make: Make) -> tuple[Run, Any]:
    """A compiled Program that answers None where a guard does not hold, and the compiler's report.

    What the guards decide on is computed beside the outputs.
    """
    program, guards = given.program, given.program.guards
    outputs = (*program.outputs, *(guard.slot for guard in guards))
    compiled = make(Program(program.instructions, program.inputs, program.constants, outputs), given.abstracts)
    end = len(program.outputs)

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found: Sequence[Value] = compiled.run(inputs)
        for guard, value in zip(guards, found[end:], strict=True):
            if not np.array_equal(lowered(value), guard.outcome):
                return None
        return found[:end]

    return run, compiled.report


def _checked(given: Shaped) -> tuple[Shaped, int]:
    """The Program with the sums of its floating-point array outputs as outputs more, and how many outputs it had.

    A sum is NaN where an entry is, and where infinities of both signs are, which costs a sweep in vain; in a kernel it
    costs nothing, for the entry is at hand.
    """
    program = given.program
    instructions, outputs, abstracts = list(program.instructions), list(program.outputs), list(given.abstracts)
    for slot in dict.fromkeys(program.outputs):
        abstract = given.abstracts[slot]
        if abstract.shape and abstract.dtype.startswith("float"):
            axes = {"axis": tuple(range(len(abstract.shape))), "keepdims": False}
            outputs.append(len(instructions))
            instructions.append(Instruction(PRIMITIVES["sum"], (slot,), axes))
            abstracts.append(Abstract((), abstract.dtype))
    made = Program(instructions, program.inputs, program.constants, outputs, program.guards)
    return Shaped(made, tuple(abstracts)), len(program.outputs)


def _numbers(found: Sequence[Value], count: int) -> list[Value] | None:
    """The outputs; None if one of them holds NaN."""
    for value in found:
        if not getattr(value, "shape", ()) and value != value:
            return None
    return [_plain(value) for value in found[:count]]


def _plain(value: Value) -> Value:
    return float(value) if isinstance(value, np.float64) else value
