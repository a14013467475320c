"""Value and derivative in an .npz file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adcli_methods.derivative import Derivative
from adcli_methods.errors import AdcliError
from adcli_methods.structure import leaves_of
from adcli_methods.whole_file import replacing


def write(result: Derivative, path: Path) -> None:
    """Write `value` and `derivative`, or `derivative.<input>` for several inputs, to a .npz file.

    Raises: AdcliError if the name does not end in .npz or the folder cannot be written to.
    """
    if path.suffix != ".npz":
        raise AdcliError(f"--out {path}: the name must end in .npz")
    trees = {"value": result.value, "derivative": result.derivative}
    arrays = {
        ".".join((name, *parts)): np.asarray(leaf) for name, tree in trees.items() for parts, leaf in leaves_of(tree)
    }
    with replacing(path, f"--out {path}") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # names are the keys
