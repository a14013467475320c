"""Where something is measured: machine, system, versions, commit, threads, load."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Environment = Mapping[str, Any]
"""Named facts for JSON: text, numbers, and mappings of them."""

PACKAGES = ("adcli", "numpy", "scipy", "sympy", "mpmath", "torch", "jax", "autograd", "casadi", "numdifftools")
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""The variables by which libraries are told how many threads to use."""
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


def here(seed: int, device: str = "cpu") -> dict[str, Any]:
    """The environment of this process; what cannot be found out is left out.

    Arguments:
        seed: of the random inputs.
        device: the GPU is asked for only with "cuda".
    """
    found = {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "gpu": _output(_QUERY) if device == "cuda" else None,
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": dict(_versions()),
        "commit": _commit(),
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "governor": _text(_GOVERNOR),
        "seed": seed,
    }
    return {name: value for name, value in found.items() if value is not None}


def one_thread() -> dict[str, str]:
    """The variables that keep a worker to one thread, save those that the user has set."""
    return {name: os.environ.get(name, "1") for name in THREADS}


def _cpu() -> str:
    text = _text(Path("/proc/cpuinfo")) or ""
    models = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _commit() -> str | None:
    """The commit of the tree that adcli runs from, with "+" if it was changed since; None outside of one."""
    folder = Path(__file__).resolve().parent
    git = ("git", "-C", str(folder))
    if not _output((*git, "ls-files", "--error-unmatch", __file__)):
        return None  # installed inside somebody else's tree
    commit = _output((*git, "rev-parse", "--short=12", "HEAD"))
    changed = _output((*git, "status", "--porcelain", "--untracked-files=no"))
    return f"{commit}+" if changed else commit


def _output(command: tuple[str, ...]) -> str | None:
    """What a program prints; None if it is not here or fails."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.strip() or None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
