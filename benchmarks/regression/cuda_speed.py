"""Value and gradient by Triton kernels on a GPU, beside torch's autograd and a plain copy of as many bytes.

Run: python benchmarks/regression/cuda_speed.py results/cuda_speed.csv [--n 100000000] [--device cuda]

The bytes that must move are those of the point, read once, and of the gradient, written once: just what a copy moves,
so that its time over a contender's is the share of the copy bandwidth. The contenders take turns in rounds; a time is
that of a whole call, from Python to Python.

With TRITON_INTERPRET=1 and --device cpu:0 the script itself can be tried without a GPU; then its times mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tables
import torch
from compiled_speed import fused_sum, logistic, rosenbrock

from adcli_methods.devices import require
from adcli_methods.errors import UnavailableError
from adcli_methods.function import FlatFunction, Function
from adcli_methods.optimiser import optimise
from adcli_methods.prepared.choice import runner_of
from adcli_methods.prepared.runners import Runner
from adcli_methods.prepared.way import Way
from adcli_methods.program import Instruction, Program
from adcli_methods.rewriting import shaped_gradient
from adcli_methods.shapes import Abstract, Shaped

ROUNDS, CALLS = 15, 3
SMALL = 1009
"""The size at which a function is traced: a trace at 10**8 entries would hold every value of the function."""
PROBLEMS: dict[str, tuple[Callable[..., Any], float, float]] = {
    "fused sum": (fused_sum, 0.0, 1.0),
    "rosenbrock": (rosenbrock, 0.0, 1.0),
    "logistic map of 20 steps": (logistic, 0.1, 0.9),
}
"""The function, and the interval of its points."""
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
"""Of the norm of value and gradient."""
Run = Callable[[], Any]


def gradient_at(function: Callable[..., Any], count: int, dtype: str) -> Shaped:
    """The optimised Program of value and gradient for so many entries."""
    point = np.linspace(0.2, 0.8, count).astype(dtype)
    flat = FlatFunction(Function(function.__name__, lambda x: function(np, x), ("x",)), {"x": point}, [("x",)])
    return optimise(shaped_gradient(flat.program, flat.leaves)).shaped


def resized(given: Shaped, before: int, after: int) -> Shaped:
    """A Program for another number of entries: each length of `before`, or one less, is that much of `after`."""
    lengths = {before: after, before - 1: after - 1}

    def other(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(other, value))
        if isinstance(value, slice):
            return slice(other(value.start), other(value.stop), value.step)
        return lengths.get(value, value) if type(value) is int else value

    instructions = [
        Instruction(each.primitive, each.operands, {name: other(value) for name, value in each.parameters.items()})
        for each in given.program.instructions
    ]
    program = given.program
    made = Program(instructions, program.inputs, program.constants, program.outputs, program.guards)
    return Shaped(made, tuple(Abstract(other(abstract.shape), abstract.dtype) for abstract in given.abstracts))


def by_triton(function: Callable[..., Any], point: torch.Tensor, device: str) -> tuple[Run, Runner]:
    """This package's kernels."""
    dtype = str(point.dtype).rpartition(".")[2]
    program = resized(gradient_at(function, SMALL, dtype), SMALL, len(point))
    runner = runner_of(program, Way(device=device))
    return lambda: runner.run([point]), runner


def by_torch(function: Callable[..., Any], point: torch.Tensor) -> Run:
    """torch's autograd, operation by operation."""
    leaf = point.clone().requires_grad_()

    def run() -> Any:
        value = function(torch, leaf)
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    return run


def by_copy(point: torch.Tensor) -> Run:
    """Reads and writes as many bytes as a gradient must."""
    other = torch.empty_like(point)
    return lambda: other.copy_(point)


def wait(device: str) -> None:
    """Until all that was started on the device has ended."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def check(ours: Any, theirs: Any, dtype: str) -> None:
    """Raise AssertionError unless value and gradient agree."""
    for a, b in zip(ours, theirs, strict=True):
        a, b = (torch.as_tensor(part, dtype=torch.float64).cpu() for part in (a, b))
        error = float(torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(b))
        assert error <= TOLERANCES[dtype], f"relative error {error:.1e}"


def measure(name: str, dtype: str, n: int, device: str) -> Iterator[dict[str, Any]]:
    """A row for each contender."""
    function, low, high = PROBLEMS[name]
    generator = torch.Generator(device).manual_seed(0)
    point = torch.rand(n, dtype=getattr(torch, dtype), device=device, generator=generator) * (high - low) + low
    started = time.perf_counter()
    triton, runner = by_triton(function, point, device)
    found = triton()
    wait(device)
    first_seconds = time.perf_counter() - started
    runs = {"triton": triton, "copy": by_copy(point), "torch": by_torch(function, point)}
    try:
        check(found, runs["torch"](), dtype)
    except torch.OutOfMemoryError as error:
        print(f"{name}, {dtype}: torch left out: {error}", file=sys.stderr)
        del runs["torch"]
    del found
    seconds = in_turns(runs, device)
    moved, report = 2 * n * point.element_size(), runner.kernels
    assert report is not None
    for contender, times in seconds.items():
        yield {
            "problem": name,
            "dtype": dtype,
            "n": n,
            "contender": contender,
            "share_of_copy_bandwidth": f"{min(seconds['copy']) / min(times):.3f}",
            "time_over_triton": f"{min(times) / min(seconds['triton']):.3g}",
            "bytes_per_second": f"{moved / min(times):.3e}",
            "min_seconds": f"{min(times):.3e}",
            "median_seconds": f"{statistics.median(times):.3e}",
            "kernels": report.kernels if contender == "triton" else "",
            "operations_per_entry": report.fused_operations if contender == "triton" else "",
            "first_call_seconds": f"{first_seconds:.2f}" if contender == "triton" else "",
            "rounds": len(times),
            "gpu": torch.cuda.get_device_name() if device.startswith("cuda") else "none",
            "versions": f"torch {torch.__version__}, {report.compiler}",
        }


def in_turns(runs: dict[str, Run], device: str) -> dict[str, list[float]]:
    """Seconds a call, one number for each round: the least of the round's calls."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            gc.collect()
            run()
            calls = []
            for _ in range(CALLS):
                wait(device)
                started = time.perf_counter()
                run()
                wait(device)
                calls.append(time.perf_counter() - started)
            seconds[name].append(min(calls))
    return seconds


def main(arguments: list[str]) -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--n", type=lambda text: int(float(text)), default=10**8)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu:0"))
    given = parser.parse_args(arguments)
    try:
        require("cpu" if given.device.startswith("cpu") else given.device)
    except UnavailableError as error:
        parser.error(str(error))
    rows: list[dict[str, Any]] = []
    for dtype in TOLERANCES:
        for name in PROBLEMS:
            for row in measure(name, dtype, given.n, given.device):
                tables.show(row)
                rows.append(row)
            tables.write(rows, given.path)


if __name__ == "__main__":
    main(sys.argv[1:])
