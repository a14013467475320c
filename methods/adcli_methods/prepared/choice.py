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

SCALAR_SECONDS, UNPACK_SECONDS = 4e-8, 8e-8
"""What one operation on Python floats costs, and one entry of an array to take apart or put together."""
ARRAY_SECONDS, ENTRY_SECONDS = 1e-6, 1e-9
"""What one operation on NumPy arrays costs, and what each entry adds."""
MACHINE_CALL_SECONDS, MACHINE_ENTRY_SECONDS = 4e-6, 7e-10
"""What a run of the machine for numbers takes before its operations, and each entry that it computes at least."""
FUSED_SHARE = 0.2
"""What fused kernels take, as a share of NumPy's time, on arrays that are small enough to be taken apart."""
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
    runner = _on_floats_within(given, min(array_seconds, WORTH_COMPILING_SECONDS))
    if runner is not None or array_seconds <= WORTH_COMPILING_SECONDS:
        return runner or on_arrays(given)
    try:
        runner = _compiled(given, array_seconds) or _on_floats_within(given, array_seconds)
    except UnavailableError as error:
        runner = _on_floats_within(given, array_seconds) or _in_blocks(given) or on_arrays(given)
        return runner._replace(note=not_compiled(runner.backend, runner.kernels, error))
    return runner or on_arrays(given)


def _on_floats_within(given: Shaped, seconds: float) -> Runner | None:
    """Straight-line Python on floats, if a run takes at most so long."""
    scalars = _scalars(given, int(min(MOST_SCALARS, 2 * seconds / SCALAR_SECONDS)))
    return on_floats(scalars) if scalars is not None and _float_seconds(scalars) <= seconds else None


def _compiled(given: Shaped, array_seconds: float) -> Runner | None:
    """By the machine for numbers or by kernels; None where a compiler would take too long.

    Raises: UnavailableError where there is no compiler.
    """
    kernels.find_compiler()  # before there is any work in vain
    operations = operation_count(given.program)
    is_short = operations * COMPILE_SECONDS < max(MOST_COMPILE_SECONDS, WORTH_RUNS * array_seconds)
    worth_seconds = array_seconds * (FUSED_SHARE if is_short else 1.0)
    entries = int(min(MOST_SHORT_ENTRIES if is_short else MOST_MACHINE_ENTRIES, worth_seconds / MACHINE_ENTRY_SECONDS))
    if _are_floats([given.abstracts[slot] for slot in given.program.outputs]):
        with suppress(kernels.NotForTheMachineError):
            code = kernels.MachineCode(given, entries + len(given.program.instructions))
            if MACHINE_CALL_SECONDS + code.seconds < worth_seconds:
                return on_machine(given, code)
    return fused(given, kernels.compile_program, "c") if is_short else None


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
    return operation_count(scalars.shaped.program) * SCALAR_SECONDS + _taken_apart(scalars) * UNPACK_SECONDS


def _taken_apart(scalars: Scalars) -> int:
    """How many entries are taken out of arrays, or put together to some."""
    return sum(abstract.size for abstract in (*scalars.inputs, *scalars.outputs) if abstract.shape)
