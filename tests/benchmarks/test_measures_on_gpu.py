"""Measures on a GPU, played by the CPU: torch's tensors stay there, and its calls to the device are counted."""

from __future__ import annotations

import pytest

from adcli_benchmarks import accuracy, memory, passes, speed
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.meters import CUDA
from adcli_benchmarks.request import BenchRequest
from adcli_methods import devices
from adcli_methods.errors import UnavailableError

SIZE = 200_000


@pytest.fixture
def waits(monkeypatch):
    """A GPU that is the CPU; gives the list of its synchronizations."""
    torch = pytest.importorskip("torch")
    from adcli_methods.targets import torch_target

    lift, calls = torch_target.lift, []
    monkeypatch.setattr(torch_target, "lift", lambda leaves, device: lift(leaves, "cpu"))
    monkeypatch.setattr(devices, "require", lambda device: None)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append(1))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 1000)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 5000)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    return calls


def cell_of(measure: str, method: str, size: int = SIZE, **settings) -> Cell:
    return Cell(measure, "trigonometric-sum", method, size, device="cuda", settings=tuple(settings.items()))


@pytest.mark.parametrize("method", ["reverse", "torch"])
def test_speed_waits_for_the_device_and_gives_the_share_of_its_copy_rate(waits, method):
    values = speed.measure(cell_of("speed", method, seconds=0.05))
    assert values["moved_bytes"] == 2 * 8 * SIZE
    assert 0 < values["copy_rate_share"] < 10
    assert values["time_over_primal"] > 0
    assert "manual_seconds" not in values
    assert len(waits) > 2 * values["rounds_count"]


@pytest.mark.parametrize("method", ["forward", "reverse", "torch"])
def test_passes_are_counted_there_as_here(waits, method):
    values = passes.measure(cell_of("passes", method, 1000, budget_seconds=0.0))
    total = values["primal_evaluations"] + values["tangent_sweeps"] + values["adjoint_sweeps"]
    assert total == (1001 if method == "forward" else 2)
    assert (values["peak_bytes"], values["meter"]) == (4000, CUDA)
    assert waits


def test_memory_is_read_from_the_devices_allocator(waits):
    values = memory.measure(cell_of("memory", "reverse", 1000))
    assert (values["peak_bytes"], values["meter"]) == (4000, CUDA)


def test_accuracy_holds_there_too(waits):
    assert accuracy.measure(cell_of("accuracy", "reverse", 10))["correct_digits"] >= 15


@pytest.mark.parametrize("measure", [accuracy, memory, passes, speed])
def test_only_methods_that_run_there_are_planned(measure):
    cells = measure.cells(BenchRequest(("speed",), device="cuda"))
    assert {cell.method for cell in cells} <= {"forward", "reverse", "torch", "torch-func", "torch-compile"}
    assert {cell.device for cell in cells} == {"cuda"}


def test_without_a_gpu_every_measure_says_so():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    for measure in (accuracy, memory, passes, speed):
        with pytest.raises(UnavailableError, match="cuda"):
            measure.measure(cell_of(measure.__name__.rpartition(".")[2], "reverse", 10))
