"""Programs made ready for an NVIDIA H100 or H200 that is not here: all but the launch."""

from __future__ import annotations

from types import SimpleNamespace

from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from adcli_methods.kernels.triton_program import TritonProgram, triton_functions
from adcli_methods.kernels.triton_run import Launch

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
        functions, found = triton_functions(ready.source.text), {}
        for launch in (step for step in ready.steps if isinstance(step, Launch)):
            kinds = [argument.kind for argument in launch.arguments]
            made = functions[launch.name].warmup(*kinds, grid=(1,), **launch.options).asm
            assert made["cubin"].startswith(b"\x7fELF")
            found[launch.name] = made["ptx"]
        return found
    finally:
        driver._active = before
