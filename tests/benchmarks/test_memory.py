"""Peak memory, and the meters that read it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from adcli_benchmarks import memory, meters
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.meters import CUDA, RESIDENT, TRACEMALLOC, meter_for, peak_of
from adcli_methods.method import Settings
from adcli_methods.methods import method_named

MEBIBYTE = 2**20
BLOCK = 64 * MEBIBYTE
has_proc = pytest.mark.skipif(not meters._STATUS.exists(), reason="no /proc here")


def measured(problem: str, method: str, size: int):
    return memory.measure(Cell("memory", problem, method, size))


@pytest.mark.parametrize("meter", [TRACEMALLOC, pytest.param(RESIDENT, marks=has_proc)])
def test_a_known_block_is_measured_within_a_twentieth(meter):
    peak = peak_of(lambda: np.ones(BLOCK // 8).sum(), meter)
    assert peak.peak_bytes == pytest.approx(BLOCK, rel=0.05)
    assert peak.meter == meter
    assert peak.result == BLOCK // 8


@has_proc
def test_blocks_freed_before_do_not_hide_those_that_follow():
    peak_of(lambda: None, RESIDENT)
    np.ones(2 * BLOCK // 8).sum()
    assert peak_of(lambda: np.ones(BLOCK // 8).sum(), RESIDENT).peak_bytes == pytest.approx(BLOCK, rel=0.05)


@has_proc
def test_tracemalloc_is_blind_to_torch_and_the_resident_set_is_not():
    torch = pytest.importorskip("torch")
    torch.ones(8).sum()
    found = {
        meter: peak_of(lambda: torch.ones(BLOCK // 4).sum(), meter).peak_bytes for meter in (TRACEMALLOC, RESIDENT)
    }
    assert found[TRACEMALLOC] < MEBIBYTE
    assert found[RESIDENT] == pytest.approx(BLOCK, rel=0.05)


def test_without_proc_the_high_water_mark_since_start_is_read(monkeypatch):
    monkeypatch.setattr(meters, "_reset_high_water", lambda: False)
    peak = peak_of(lambda: np.ones(4 * BLOCK // 8).sum(), RESIDENT)
    assert peak.meter == "resident set, since start"
    assert 0 <= peak.peak_bytes < 5 * BLOCK


def test_on_a_gpu_torchs_own_count_is_read(monkeypatch):
    held = SimpleNamespace(now=100, most=100)

    def allocate():
        held.most = max(held.most, held.now + 1000)

    cuda = SimpleNamespace(synchronize=lambda: None, memory_allocated=lambda: held.now,
                           reset_peak_memory_stats=lambda: setattr(held, "most", held.now),
                           max_memory_allocated=lambda: held.most)  # fmt: skip
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert peak_of(allocate, CUDA)[:2] == (1000, CUDA)


@pytest.mark.parametrize(
    ("method", "device", "meter"),
    [("reverse", "cpu", TRACEMALLOC), ("symbolic", "cpu", TRACEMALLOC), ("torch", "cpu", RESIDENT),
     ("jax-jit", "cpu", RESIDENT), ("reverse", "cuda", CUDA), ("torch", "cuda", CUDA)],
)  # fmt: skip
def test_each_method_has_the_meter_that_sees_it(method, device, meter):
    assert meter_for(method_named(method)(Settings(device))) == meter


def test_reverse_holds_a_multiple_of_its_inputs_and_keeps_what_its_rules_read():
    values = measured("trigonometric-sum", "reverse", 100_000)
    vector = 8 * 100_000
    assert values["kept_bytes"] == 4 * vector  # x, exp(x**2), sin(x), and 1 + x**2
    assert 2 * vector < values["peak_bytes"] < 30 * vector
    assert values["meter"] == TRACEMALLOC
    assert values["norm_relative_error"] < 1e-14


def test_torch_keeps_the_same_bytes_by_its_own_hooks():
    pytest.importorskip("torch")
    assert measured("trigonometric-sum", "torch", 10_000)["kept_bytes"] == 4 * 80_000


def test_a_method_of_many_passes_is_measured_at_one():
    values = measured("trigonometric-sum", "forward-difference", 20_000)
    assert (values["measured_passes"], values["all_passes"]) == (1, 20_000)
    assert 20_000 * 8 < values["peak_bytes"] < 20 * 20_000 * 8
