"""Programs made ready for an NVIDIA H100 or H200 that is not here: all but the launch."""

from __future__ import annotations

from types import SimpleNamespace

from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from adcli_methods.kernels.triton_program import OPTIONS, TritonProgram

HOPPER = SimpleNamespace(
    get_current_device=lambda: 0,
    get_current_stream=lambda device: 0,
    get_current_target=lambda: GPUTarget("cuda", 90, 32),
)


def for_hopper(program, abstracts):
    """The PTX of each function of a Program, all of which became machine code."""
    before = driver._active  # where there is no GPU, there is none to go back to
    driver.set_active(HOPPER)
    try:
        ready = TritonProgram(program, abstracts, "cpu")  # where the constants are
        found = {}
        for function in ready.source.functions:
            kinds = [ready.kind_of(argument) for argument in function.arguments]
            made = ready.functions[function.name].warmup(*kinds, grid=(1,), **OPTIONS).asm
            assert made["cubin"].startswith(b"\x7fELF")
            found[function.name] = made["ptx"]
        return found
    finally:
        driver._active = before
