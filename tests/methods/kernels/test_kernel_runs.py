"""Compiled Programs on large arrays: threads, forks, memory, and what runs without a compiler."""

from __future__ import annotations

import os
import threading
import warnings

import numpy as np
import pytest

from adcli_methods.errors import PointError
from adcli_methods.execution import execute
from adcli_methods.kernels import BlockedProgram, blocked, compile_program
from adcli_methods.shapes import abstract_values
from adcli_methods.targets.numpy_target import NUMPY

from .random_programs import random_gradient
from .test_kernels import assert_same, gradient_of, stencil

LARGE = np.random.default_rng(4).normal(size=100_000)


@pytest.fixture(scope="module")
def large():
    """A gradient large enough for threads, compiled for one thread and for two."""
    (program, abstracts), _ = gradient_of(lambda x: np.sum(np.exp(-x * x) * np.sin(x)), LARGE)
    return [compile_program(program, abstracts, threads=count) for count in (1, 2)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_alone(large):
    expected = large[1].run([LARGE])[0]
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of a fork beside threads, which is what is tried here
        child = os.fork()
    if child == 0:
        os.write(write, b"same" if large[1].run([LARGE])[0] == expected else b"other")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 5) == b"same"


def test_results_do_not_depend_on_the_number_of_threads(large):
    one, two = (ready.run([LARGE]) for ready in large)
    assert one[0] == two[0]
    assert np.array_equal(one[1], two[1])


def test_two_threads_may_run_the_same_compiled_program(large):
    ready, points = large[1], [LARGE * factor for factor in (0.5, 1.5)]
    expected = [ready.run([point]) for point in points]
    failures = []

    def work(which):
        for _ in range(30):
            value, slope = ready.run([points[which]])
            if value != expected[which][0] or not np.array_equal(slope, expected[which][1]):
                failures.append(which)

    workers = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []


def test_results_and_views_of_them_are_never_written_again(large):
    first = large[0].run([LARGE])[1][10:20]
    kept = first.copy()
    for factor in range(6):
        large[0].run([LARGE * factor])
    assert np.array_equal(first, kept)


def test_an_input_of_another_shape_is_refused(large):
    with pytest.raises(PointError, match=r"shape \(100000,\), not \(3,\)"):
        large[0].run([np.ones(3)])


@pytest.mark.parametrize(
    ("function", "kernels"),
    [
        (stencil, 0),
        (lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x)) * x**2)), 3),
        (lambda x: np.sum((x[1:] - x[:-1] ** 2) ** 2 * np.exp(x[1:])), 1),
    ],
)
def test_without_a_compiler_numpy_computes_the_same_in_blocks(function, kernels):
    (program, abstracts), inputs = gradient_of(function, LARGE)
    ready = BlockedProgram(program, abstracts)
    assert "NumPy in blocks" in ready.report.compiler
    assert ready.report.kernels == kernels
    # The cotangents that a gradient is made of are about 1: log-sum-exp's has the rounding of 1 - sum(softmax).
    assert_same(ready.run(inputs), execute(program, inputs, NUMPY), ulps=8.0, scale=1.0)


@pytest.mark.parametrize("seed", range(20))
def test_blocks_compute_random_gradients(seed, monkeypatch):
    monkeypatch.setattr(blocked, "BLOCK", 3)
    program, inputs = random_gradient(seed, [(5,), (4, 3), (23,), (2, 3, 4), (1, 3)][seed % 5])
    ready = BlockedProgram(program, abstract_values(program, inputs))
    assert_same(ready.run(inputs), execute(program, inputs, NUMPY), ulps=512.0)
