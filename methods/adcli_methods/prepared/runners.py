"""Ways to run a derived Program again and again: Python floats, NumPy, or fused native kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from adcli_methods import kernels
from adcli_methods.buffers import outputs_to_copy
from adcli_methods.emission import compile_guarded
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.optimiser import operation_count, optimise
from adcli_methods.optimiser.scalarise import Scalars, pack, scalarise
from adcli_methods.prepared.tensors import is_tensor, lowered, lowered_outputs
from adcli_methods.prepared.way import PICKED, Way
from adcli_methods.primitive import Value
from adcli_methods.primitives import PRIMITIVES
from adcli_methods.program import Instruction, Program
from adcli_methods.shapes import Abstract, Shaped
from adcli_methods.targets import target
from adcli_methods.targets.numpy_target import QUICK_NUMPY

SCALAR_SECONDS, UNPACK_SECONDS = 4e-8, 8e-8
"""What one operation on Python floats costs, and one entry of an array to take apart or put together."""
ARRAY_SECONDS, ENTRY_SECONDS = 1e-6, 1e-9
"""What one operation on NumPy arrays costs, and what each entry adds."""
MOST_SCALARS = 400_000
MOST_COMPILED_SCALARS = 4_000
"""A compiler takes half a second for this many operations one after the other."""
COMPILE_SECONDS = 4e-4
"""What an operation on arrays costs a compiler."""
MOST_COMPILE_SECONDS, WORTH_RUNS = 1.0, 100
"""A compiler may take by itself one second, or as long as so many runs."""
WORTH_COMPILING_SECONDS = 1e-5
"""A run that takes less than this in Python is not worth a compiler's tenths of a second: it saves at most half."""
MOSTLY = 0.75

Array = np.ndarray[Any, np.dtype[Any]]
Run = Callable[[Sequence[Value]], Sequence[Value] | None]
"""From the inputs to the outputs; None where a guard does not hold or an output is not a number."""

Make = Callable[[Program, Sequence[Abstract]], Any]
"""Compiles a Program: the result has `run` and `report`, as `kernels.CompiledProgram`."""


class Runner(NamedTuple):
    """A derived Program, ready to run.

    Arguments:
        run: takes the inputs.
        backend: "python", "numpy", "c" or "triton".
        operations: how many operations one run takes.
        scalar: the function of one float, where that is all that the Program needs; it may raise ArithmeticError or
            ValueError outside of a function's domain.
        kernels: the report of the native kernels, if there are any.
    """

    run: Run
    backend: str
    operations: int
    scalar: Callable[[float], Any] | None = None
    kernels: Any = None


def runner_of(given: Shaped, way: Way = PICKED) -> Runner:
    """The Program with the way to run it that was asked for, or that promises the least time.

    Raises: OperatorError for an impossible way; UnavailableError for "c" without a compiler, for a GPU without Triton.
    """
    way.check()
    if way.device != "cpu":
        return _on_gpu(given, way.device)
    if way.compile_with == "numpy":
        return _on_arrays(given)
    if way.compile_with == "c":
        return _native(given, partial(kernels.compile_program, strict=way.strict), "c")
    if way.compile_with == "python":
        scalars = _scalars(given, MOST_SCALARS)
        on_floats = None if scalars is None else _on_floats(scalars)
        if on_floats is None:
            raise OperatorError("compile='python' is for functions of few numbers: try compile='auto'")
        return on_floats
    return _quickest(given)


def _scalars(given: Shaped, most_operations: int) -> Scalars | None:
    scalars = scalarise(given, most_operations)
    if scalars is None or scalars.shaped is given:
        return scalars
    return scalars._replace(shaped=optimise(scalars.shaped).shaped)


def _quickest(given: Shaped) -> Runner:
    """By the estimated seconds of one run; native kernels where a run takes long enough to be worth a compiler."""
    entries = sum(abstract.size for abstract in given.abstracts)
    operations = operation_count(given.program)
    array_seconds = operations * ARRAY_SECONDS + entries * ENTRY_SECONDS
    scalars = _scalars(given, min(MOST_SCALARS, int(2 * array_seconds / SCALAR_SECONDS)))
    float_seconds = np.inf if scalars is None else _float_seconds(scalars)
    is_short = operations * COMPILE_SECONDS < max(MOST_COMPILE_SECONDS, WORTH_RUNS * array_seconds)
    if min(array_seconds, float_seconds) > WORTH_COMPILING_SECONDS:
        try:
            if scalars is None and is_short:
                return _native(given, kernels.compile_program, "c")
            if scalars is not None and operation_count(scalars.shaped.program) <= MOST_COMPILED_SCALARS:
                return _native_scalars(scalars)
        except UnavailableError:
            if scalars is None:
                in_blocks = _native(given, kernels.BlockedProgram, "numpy")
                return in_blocks if _is_mostly_fused(in_blocks.kernels) else _on_arrays(given)
    on_floats = _on_floats(scalars) if scalars is not None and float_seconds < array_seconds else None
    return on_floats or _on_arrays(given)


def _is_mostly_fused(report: kernels.KernelReport) -> bool:
    """Whether blocks gain more, by staying in the cache, than they lose by computing again what two of them need."""
    return report.fused_operations >= MOSTLY * (report.fused_operations + report.numpy_operations)


def _float_seconds(scalars: Scalars) -> float:
    unpacked = sum(abstract.size for abstract in (*scalars.inputs, *scalars.outputs) if abstract.shape)
    return operation_count(scalars.shaped.program) * SCALAR_SECONDS + unpacked * UNPACK_SECONDS


def _on_floats(scalars: Scalars) -> Runner | None:
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
        parts.append((start, start + abstract.size, abstract.shape))
        start += abstract.size

    def assemble(flat: Array) -> list[Value]:
        return [flat[a:b].reshape(shape) if shape else flat.item(a) for a, b, shape in parts]

    return assemble


def _on_arrays(given: Shaped) -> Runner:
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


def _on_gpu(given: Shaped, device: str) -> Runner:
    """Triton's kernels; the results are tensors where an input is one, and NumPy's otherwise."""
    from adcli_methods.kernels.triton_program import TritonProgram  # here, for the CPU does without

    runner = _native(given, partial(TritonProgram, device=device), "triton")
    kinds = [given.abstracts[slot].dtype for slot in given.program.outputs]

    def run(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found = runner.run(inputs)
        return found if found is None or any(map(is_tensor, inputs)) else lowered_outputs(found, kinds)

    return runner._replace(run=run)


def _native(given: Shaped, make: Make, backend: str) -> Runner:
    """Fused kernels on arrays: native ones, or without a compiler NumPy in blocks that fit the cache."""
    checked, count = _checked(given)
    run, report = _kernels(checked, make)

    def run_checked(inputs: Sequence[Value]) -> Sequence[Value] | None:
        found = run(inputs)
        return None if found is None else _numbers(found, count)

    return Runner(run_checked, backend, operation_count(given.program), kernels=report)


def _native_scalars(scalars: Scalars) -> Runner:
    """One native straight-line function, from one array of all entries to one of all results."""
    packed = pack(scalars.shaped)
    run, report = _kernels(packed, kernels.compile_program)
    assemble = _assembler(scalars.outputs)

    def run_packed(inputs: Sequence[Value]) -> Sequence[Value] | None:
        flat = [np.ravel(value) for value in inputs]
        found = run([flat[0] if len(flat) == 1 else np.concatenate(flat)])
        if found is None or np.isnan(found[0]).any():
            return None
        return assemble(found[0])

    return Runner(run_packed, "c", operation_count(scalars.shaped.program), kernels=report)


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
    """The Program with the sums of its array outputs as outputs more, and how many outputs it had.

    A sum is NaN where an entry is; in a kernel it costs nothing, for the entry is at hand.
    """
    program = given.program
    instructions, outputs, abstracts = list(program.instructions), list(program.outputs), list(given.abstracts)
    for slot in dict.fromkeys(program.outputs):
        abstract = given.abstracts[slot]
        if abstract.shape:
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
