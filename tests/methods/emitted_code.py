"""Runs emitted code, for tests."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from adcli_methods.function import FlatFunction, function_of

LIBRARIES = {"torch": "torch", "jax": "jax"}


def problem_of(function, *inputs):
    names = [f"x{i}" for i in range(len(inputs))]
    return FlatFunction(function_of(function), dict(zip(names, inputs, strict=True)), [(name,) for name in names])


def flat(values):
    return np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in values])


def run_python(source, inputs, target):
    """The emitted function's value and derivatives; the source sees no adcli."""
    namespace = {}
    exec(compile(source, "<emitted>", "exec"), namespace)
    function = namespace["f"]
    if target == "torch":
        torch = pytest.importorskip("torch")
        inputs = [torch.tensor(x, dtype=torch.float64) for x in inputs]
    if target == "python":
        inputs = [np.asarray(x).tolist() for x in inputs]
    if target == "jax":
        jnp = pytest.importorskip("jax.numpy")
        inputs = [jnp.asarray(x) for x in inputs]
    return flat([each for part in function(*inputs) for each in (part if isinstance(part, tuple) else (part,))])


def run_c(source, made, inputs, folder):
    """The emitted C function, compiled by the system's compiler with every warning an error."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    path = folder / "f.c"
    path.write_text(source)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-pedantic"]
    command = ["cc", *flags, "-shared", "-fPIC", str(path), "-o", str(folder / "f.so"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / "f.so"))
    program, abstracts = made.shaped
    pointer, arrays, given = ctypes.POINTER(ctypes.c_double), [], []
    for x in inputs:
        arrays.append(np.ascontiguousarray(x, dtype=float))
        given.append(arrays[-1].ctypes.data_as(pointer) if np.shape(x) else ctypes.c_double(float(x)))
    outputs = [np.empty(abstracts[slot].shape) for slot in program.outputs]
    work = np.empty(int(source.partition("work: ")[2].split()[0]) + 1)
    work[-1] = 12345.0
    code = library.f(*given, *(each.ctypes.data_as(pointer) for each in (*outputs, work)))
    assert work[-1] == 12345.0
    return code, flat(outputs)
