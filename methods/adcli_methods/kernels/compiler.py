"""Finds the C compiler, compiles kernels into shared objects, and keeps them in a cache of this user's own."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from adcli_methods.errors import UnavailableError

# IEEE arithmetic is kept: errno and traps are all that is left out. GCC would merge sin and cos of one argument into
# sincos, which has no vector form.
_FLAGS = ("-std=gnu99", "-fPIC", "-shared", "-w", "-Werror=implicit-function-declaration",
          "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
          "-fwrapv", "-fno-builtin-sin", "-fno-builtin-cos", "-fno-builtin-sinf", "-fno-builtin-cosf")  # fmt: skip
_SIMD = (("-fopenmp-simd",), ())
_DIGEST_BYTES = hashlib.sha256().digest_size


class Compiler(NamedTuple):
    """A C compiler.

    Arguments:
        command: how it is called.
        version: the first line of what it says of itself.
    """

    command: tuple[str, ...]
    version: str


class Library(NamedTuple):
    """A loaded shared object.

    Arguments:
        functions: where its functions are.
        cached: whether it was on disk already.
    """

    functions: ctypes.CDLL
    cached: bool


def find_compiler() -> Compiler:
    """The first of $CC, cc, gcc, clang and the package ziglang.

    Raises: UnavailableError where there is none.
    """
    return _found(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@cache
def _found(preferred: str, path: str) -> Compiler:
    candidates = [shlex.split(preferred)] if preferred.strip() else []
    candidates += [[name] for name in ("cc", "gcc", "clang")]
    for command in candidates:
        if shutil.which(command[0], path=path or None):
            return Compiler(tuple(command), _version(command))
    if importlib.util.find_spec("ziglang") is not None:
        command = [sys.executable, "-m", "ziglang", "cc"]
        return Compiler(tuple(command), _version(command))
    raise UnavailableError("no C compiler: install gcc or clang, or pip install ziglang, or set CC")


def _version(command: list[str]) -> str:
    try:
        told = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"the C compiler {command[0]} does not run: {error}") from None
    return told.stdout.partition("\n")[0].strip()


def load(source: str, compiler: Compiler, level: str) -> Library:
    """The shared object of a C text, from the cache or compiled now.

    Arguments:
        source: the text.
        compiler: what to compile it with.
        level: of optimisation, -O1 to -O3.
    Raises: UnavailableError where the compiler fails.
    """
    flags = [level, *_FLAGS, _native()]
    name = hashlib.sha256(
        "\0".join([source, *flags, *compiler.command, compiler.version, _processor()]).encode()
    ).hexdigest()
    folder = cache_folder()
    path = folder / f"{name}.so"
    if _is_whole(path):
        return Library(ctypes.CDLL(str(path)), True)
    for simd in _SIMD:
        complaint = _compile(source, [*compiler.command, *flags, "-pthread", *simd], path)
        if not complaint:
            return Library(ctypes.CDLL(str(path)), False)
    raise UnavailableError(f"the C compiler {compiler.command[0]} fails: {complaint}")


def _compile(source: str, command: list[str], path: Path) -> str:
    """Compile into a temporary file that then takes its name, so that another process never sees half of it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        text, made = Path(folder, "kernel.c"), Path(folder, "kernel.so")
        text.write_text(source, encoding="utf-8")
        run = subprocess.run(
            [*command, str(text), "-o", str(made), "-lm"], capture_output=True, text=True, check=False
        )  # the command is the compiler that the user chose
        if run.returncode:
            lines = run.stderr.strip().splitlines()
            return next((line for line in lines if "error" in line), " ".join(lines[:1]) or "it says nothing")
        content = made.read_bytes()
        made.write_bytes(content + hashlib.sha256(content).digest())  # what follows a shared object is not loaded
        os.replace(made, path)
    return ""


def _is_whole(path: Path) -> bool:
    """Whether a file of the cache is there as it was written: a cut one could crash whoever runs it."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content[:-_DIGEST_BYTES]).digest() == content[-_DIGEST_BYTES:]


def _native() -> str:
    return "-march=native" if platform.machine().lower() in ("x86_64", "amd64", "i686") else "-mcpu=native"


@cache
def _processor() -> str:
    """What machine code for this processor depends on."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            told = {line for line in lines if line.startswith(("flags", "Features", "model name"))}
    except OSError:
        told = {platform.processor()}
    return platform.machine() + "".join(sorted(told))


def cache_folder() -> Path:
    """The folder of compiled kernels, of this user alone; a temporary one where that cannot be had."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(home, "adcli", "kernels")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = folder.stat()
        mine = not hasattr(os, "getuid") or told.st_uid == os.getuid()
        if mine and not stat.S_IMODE(told.st_mode) & 0o022 and os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return _temporary_folder()


@cache
def _temporary_folder() -> Path:
    """A folder that goes when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="adcli-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def vector_functions() -> frozenset[str]:
    """The functions of glibc's vector mathematics library, such as exp and expf; none where it is not there."""
    prefixes = {"x86_64": ("_ZGVbN2v", "_ZGVbN4v"), "aarch64": ("_ZGVnN2v", "_ZGVnN4v")}.get(platform.machine())
    if prefixes is None or platform.system() != "Linux":
        return frozenset()
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return frozenset()
    names = set()
    for name, count in VECTORISED.items():
        for prefix, end in zip(prefixes, ("", "f"), strict=True):
            if hasattr(library, f"{prefix}{'v' * (count - 1)}_{name}{end}"):
                names.add(name + end)
    return frozenset(names)


VECTORISED = {
    **dict.fromkeys((
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
        "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "erf",
    ), 1),
    "pow": 2, "atan2": 2, "hypot": 2,
}  # fmt: skip
"""Functions that may have vector forms, and how many arguments they take."""
