"""The table of primitives: every operation that a Program can hold, with its derivative rules."""

from __future__ import annotations

from adcli_methods.primitive import Primitive
from adcli_methods.primitives import elementary, linear_algebra, special, structural

PRIMITIVES: dict[str, Primitive] = {
    row.name: row
    for module in (elementary, special, structural, linear_algebra)
    for row in vars(module).values()
    if isinstance(row, Primitive)
}
"""Every primitive by its name."""
