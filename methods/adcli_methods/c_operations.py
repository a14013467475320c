"""What emitted C code computes entry by entry: the operations of the kernels, and more that C99 has on doubles."""

from __future__ import annotations

from collections.abc import Sequence

from adcli_methods.kernels.c_expressions import expression

_MORE = {"to_integer": "trunc({0})", "gammaln": "lgamma({0})", "gamma": "tgamma({0})", "erfc": "erfc({0})"}
"""Whole numbers are doubles, too."""
ENTRYWISE = frozenset({"to_integer"})
"""The operations among them that are not elementwise for the rules of derivatives."""


def operation(name: str, operands: Sequence[str], exponent: float | None) -> str | None:
    """The C expression of an operation on doubles; None where C has none.

    Arguments:
        name: the primitive.
        operands: the operands' texts.
        exponent: of a power by a known number.
    """
    grouped = [f"({each})" if each[0] == "-" else each for each in operands]
    if name in _MORE:
        return _MORE[name].format(*grouped)
    try:
        return expression(name, grouped, "float64", exponent, True)
    except KeyError:
        return None
