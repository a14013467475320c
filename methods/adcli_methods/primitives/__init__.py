"""The table of primitives: every operation that a Program can hold, with its derivative rules."""

from __future__ import annotations

import copyreg

from adcli_methods.primitive import Primitive
from adcli_methods.primitives import elementary, linear_algebra, special, structural

PRIMITIVES: dict[str, Primitive] = {
    row.name: row
    for module in (elementary, special, structural, linear_algebra)
    for row in vars(module).values()
    if isinstance(row, Primitive)
}
"""Every primitive by its name."""


def primitive_named(name: str) -> Primitive:
    """The row of a name."""
    return PRIMITIVES[name]


copyreg.pickle(Primitive, lambda primitive: (primitive_named, (primitive.name,)))
