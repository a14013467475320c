"""Which way a derived Program runs: the one that was asked for, or that promises the least time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from adcli_methods import kernels
from adcli_methods.errors import OperatorError, UnavailableError
from adcli_methods.optimiser import operation_count, optimise
from adcli_methods.optimiser.scalarise import Scalars, scalarise
from adcli_methods.prepared.report import not_compiled
from adcli_methods.prepared.runners import Runner, fused, on_arrays, on_floats, on_gpu, on_machine
from adcli_methods.prepared.way import PICKED, Way
from adcli_methods.shapes import Abstract, Shaped

SCALAR_SECONDS, UNPACK_SECONDS = 2e-8, 8e-8
"""What one operation on Python floats costs, and one entry of an array to take apart or put together."""
ARRAY_SECONDS, ENTRY_SECONDS = 1e-6, 1e-9
"""What one operation on NumPy arrays costs, and what each entry adds."""
CALL_SECONDS = 1.7e-6
"""What taking arrays apart takes before their entries, and a run of the machine before its operations."""
MACHINE_ENTRY_SECONDS = 7e-10
"""What the machine takes for an entry at least."""
KERNEL_SECONDS, FUSED_SHARE = 3e-6, 0.15
"""What fused kernels take at least, and as a share of NumPy's time, on arrays that are small enough for the machine."""
GAIN = 0.8
"""The machine is taken where it promises at most this share of the time of Python's floats or NumPy."""
MOST_SCALARS = 400_000
MOST_MACHINE_ENTRIES, MOST_SHORT_ENTRIES = 4_000_000, 60_000
"""How many entries the machine computes: 8 bytes each while it is prepared. Where kernels compile at once, fewer."""
COMPILE_SECONDS = 4e-4
"""What an operation on arrays costs a compiler."""
MOST_COMPILE_SECONDS, WORTH_RUNS = 1.0, 100
"""A compiler may take by itself one second, or as long as so many runs."""
WORTH_COMPILING_SECONDS = 1e-5
"""A run that takes less than this in Python is not worth a compiler's tenths of a second: it saves at most half."""
MOSTLY = 0.75


def runner_of(given: Shaped, way: Way = PICKED) -> Runner:
    """The Program with the way to run it that was asked for, or that promises the least time.

    Raises: OperatorError for an impossible way; UnavailableError for "c" without a compiler, for a GPU without Triton.
    """
    way.check()
    if way.device != "cpu":
        return on_gpu(given, way.device)
    if way.compile_with == "numpy":
        return on_arrays(given)
    if way.compile_with == "c":
        return fused(given, partial(kernels.compile_program, strict=way.strict), "c")
    if way.compile_with == "python":
        scalars = _scalars(given, MOST_SCALARS)
        runner = None if scalars is None else on_floats(scalars)
        if runner is None:
            raise OperatorError("compile='python' is for functions of few numbers: try compile='auto'")
        return runner
    return _quickest(given)


def _scalars(given: Shaped, most_operations: int) -> Scalars | None:
    """The Program on numbers; None where arrays of another type than float64 come out."""
    outputs = [given.abstracts[slot] for slot in given.program.outputs]
    if not _are_floats(outputs) and any(abstract.shape for abstract in outputs):
        return None
    scalars = scalarise(given, most_operations)
    if scalars is None or scalars.shaped is given:
        return scalars
    return scalars._replace(shaped=optimise(scalars.shaped).shaped)


def _are_floats(outputs: Sequence[Abstract]) -> bool:
    return all(abstract.dtype == "float64" for abstract in outputs)


def _quickest(given: Shaped) -> Runner:
    """By the estimated seconds of one run; compiled code where a run takes long enough to be worth it."""
    array_seconds = _array_seconds(given)
    scalars = _scalars_within(given, min(array_seconds, WORTH_COMPILING_SECONDS))
    seconds = array_seconds if scalars is None else _float_seconds(scalars)
    if seconds > WORTH_COMPILING_SECONDS:
        try:
            return _compiled(given, array_seconds)
        except UnavailableError as error:
            runner = _on_floats_within(given, array_seconds) or _in_blocks(given) or on_arrays(given)
            return runner._replace(note=not_compiled(runner.backend, runner.kernels, error))
    machine = None
    if seconds > CALL_SECONDS:
        with suppress(UnavailableError):
            machine = _by_machine(given, MOST_SHORT_ENTRIES, GAIN * seconds)
    return machine or (None if scalars is None else on_floats(scalars)) or on_arrays(given)


def _scalars_within(given: Shaped, seconds: float) -> Scalars | None:
    """The Program on numbers, if a run on Python's floats takes at most so long."""
    scalars = _scalars(given, int(min(MOST_SCALARS, 2 * seconds / SCALAR_SECONDS)))
    return scalars if scalars is not None and _float_seconds(scalars) <= seconds else None


def _on_floats_within(given: Shaped, seconds: float) -> Runner | None:
    scalars = _scalars_within(given, seconds)
    return None if scalars is None else on_floats(scalars)


def _compiled(given: Shaped, array_seconds: float) -> Runner:
    """By the machine or by kernels; on floats or by NumPy where a compiler would take too long for kernels.

    Raises: UnavailableError where there is no compiler.
    """
    operations = operation_count(given.program)
    if operations * COMPILE_SECONDS < max(MOST_COMPILE_SECONDS, WORTH_RUNS * array_seconds):
        kernel_seconds = max(KERNEL_SECONDS, FUSED_SHARE * array_seconds)
        machine = _by_machine(given, MOST_SHORT_ENTRIES, kernel_seconds)
        return machine or fused(given, kernels.compile_program, "c")
    machine = _by_machine(given, MOST_MACHINE_ENTRIES, array_seconds)
    return machine or _on_floats_within(given, array_seconds) or on_arrays(given)


def _by_machine(given: Shaped, most_entries: int, seconds: float) -> Runner | None:
    """By the machine, if a run promises to take less than that.

    Raises: UnavailableError where there is no compiler.
    """
    kernels.find_compiler()  # before there is any work in vain
    if not _are_floats([given.abstracts[slot] for slot in given.program.outputs]):
        return None
    entries = int(min(most_entries, seconds / MACHINE_ENTRY_SECONDS))
    try:
        code = kernels.MachineCode(given, entries + len(given.program.instructions))
    except kernels.NotForTheMachineError:
        return None
    return on_machine(given, code) if CALL_SECONDS + code.seconds < seconds else None


def _in_blocks(given: Shaped) -> Runner | None:
    """NumPy in blocks that fit the cache; None where that gains little."""
    blocked = fused(given, kernels.BlockedProgram, "numpy")
    return blocked if blocked.kernels is not None and _is_mostly_fused(blocked.kernels) else None


def _array_seconds(given: Shaped) -> float:
    entries = sum(abstract.size for abstract in given.abstracts)
    return operation_count(given.program) * ARRAY_SECONDS + entries * ENTRY_SECONDS


def _is_mostly_fused(report: kernels.KernelReport) -> bool:
    """Whether blocks gain more, by staying in the cache, than they lose by computing again what two of them need."""
    return report.fused_operations >= MOSTLY * (report.fused_operations + report.numpy_operations)


def _float_seconds(scalars: Scalars) -> float:
    seconds, entries = operation_count(scalars.shaped.program) * SCALAR_SECONDS, _taken_apart(scalars)
    return seconds + CALL_SECONDS + entries * UNPACK_SECONDS if entries else seconds


def _taken_apart(scalars: Scalars) -> int:
    """How many entries are taken out of arrays, or put together to some."""
    return sum(abstract.size for abstract in (*scalars.inputs, *scalars.outputs) if abstract.shape)
