"""Small formulas as textbooks print them: 2v₁·v̇₁, v̄₃/v₂, exp(v₁), v₀².

A formula is a tree of tuples: ("name", text), ("number", value), ("negative", a), ("add", a, b), ("subtract", a, b),
("multiply", a, b), ("divide", a, b), ("power", a, b), ("compare", sign, a, b) and ("call", name, *arguments).
The functions that build one leave out what a textbook leaves out: factors of 1, double signs, fractions in fractions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adcli_methods.primitive import Value, shape_of

Formula = tuple[Any, ...]

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
_CONSTANTS = {
    math.pi: "π",
    **{factor * math.pi: f"{factor}π" for factor in range(2, 10)},
    math.e: "e",
    math.log(2.0): "ln 2",
    math.log(10.0): "ln 10",
    2.0 / math.sqrt(math.pi): "2/√π",
    1.0 / math.sqrt(2.0 * math.pi): "1/√(2π)",
}
_MOST_ARGUMENTS = 4
DOT, BAR = "\u0307", "\u0304"
ONE: Formula = ("number", 1)


def subscript(number: int) -> str:
    """A whole number as an index.

    >>> subscript(-12)
    '₋₁₂'
    """
    return str(number).translate(_SUBSCRIPTS)


def superscript(number: int) -> str:
    """A whole number as an exponent.

    >>> superscript(-12)
    '⁻¹²'
    """
    return str(number).translate(_SUPERSCRIPTS)


def named(text: str) -> Formula:
    """A variable."""
    return ("name", text)


def given(value: Value) -> Formula:
    """A constant: a number, or an array by its entries if they are few, else by its shape."""
    if shape_of(value) == ():
        number = value.item() if isinstance(value, np.ndarray) else value
        return ("number", number) if not isinstance(number, bool) else named("true" if number else "false")
    array = np.asarray(value)
    if array.ndim == 1 and array.size <= _MOST_ARGUMENTS and array.dtype.kind in "fiu":
        return ("call", "[]", *[("number", entry.item()) for entry in array])
    return named("⟨" + "×".join(map(str, array.shape)) + "⟩")


def _is(a: Formula, number: float) -> bool:
    return bool(a[0] == "number" and a[1] == number)


def negative(a: Formula) -> Formula:
    """-a."""
    if a[0] == "negative":
        return a[1]  # type: ignore[no-any-return]  # a part of a formula is one
    return ("number", -a[1]) if a[0] == "number" else ("negative", a)


def add(a: Formula, b: Formula) -> Formula:
    """a + b."""
    if _is(a, 0):
        return b
    if b[0] == "negative" or (b[0] == "number" and b[1] < 0):
        return ("subtract", a, negative(b))
    return a if _is(b, 0) else ("add", a, b)


def subtract(a: Formula, b: Formula) -> Formula:
    """a - b."""
    if a[0] == b[0] == "number":
        return ("number", a[1] - b[1])
    if b[0] == "negative":
        return ("add", a, b[1])
    return a if _is(b, 0) else negative(b) if _is(a, 0) else ("subtract", a, b)


def _are_whole(*numbers: Formula) -> bool:
    return all(float(number[1]).is_integer() for number in numbers)


def multiply(a: Formula, b: Formula) -> Formula:
    """a b, numbers in front, one fraction at most."""
    if a[0] == "negative":
        return negative(multiply(a[1], b))
    if b[0] == "negative":
        return negative(multiply(a, b[1]))
    if a[0] == "number":
        return b if a[1] == 1 else negative(multiply(negative(a), b)) if a[1] < 0 else _scaled(a, b)
    if b[0] == "number":
        return multiply(b, a)
    if b[0] == "divide":
        return divide(multiply(b[1], a) if b[1][0] == "number" else multiply(a, b[1]), b[2])
    if a[0] == "divide":
        return divide(multiply(a[1], b), a[2])
    return ("power", a, ("number", 2)) if a == b else ("multiply", a, b)


def _scaled(a: Formula, b: Formula) -> Formula:
    if b[0] == "number" and _are_whole(a, b):
        return ("number", a[1] * b[1])
    if b[0] == "divide":
        return divide(multiply(a, b[1]), b[2])
    return ("multiply", a, b)


def divide(a: Formula, b: Formula) -> Formula:
    """a / b."""
    if a[0] == "negative":
        return negative(divide(a[1], b))
    if a[0] == "number" and a[1] < 0:
        return negative(divide(("number", -a[1]), b))
    if a[0] == "divide":
        return divide(a[1], multiply(a[2], b))
    if b[0] == "divide":
        return divide(multiply(a, b[2]), b[1])
    return a if _is(b, 1) else ("divide", a, b)


def power(a: Formula, b: Formula) -> Formula:
    """a to the power of b."""
    if _is(b, 1):
        return a
    if a[0] == "divide" and _is(a[1], 1):
        return ("divide", ONE, power(a[2], b))
    return ("power", a, b)


def text_of(formula: Formula) -> str:
    """The formula's text.

    >>> v = named("v₁")
    >>> text_of(multiply(v, multiply(("number", 2.0), divide(ONE, add(v, ONE)))))
    '2v₁/(v₁ + 1)'
    """
    return _print(formula)[0]


def _within(formula: Formula, least: int) -> str:
    """The formula's text, in parentheses where it binds less than asked for."""
    text, rank = _print(formula)
    return text if rank >= least else f"({text})"


def _print(formula: Formula) -> tuple[str, int]:
    kind = formula[0]
    if kind == "name":
        return formula[1], _ATOM
    if kind == "number":
        return number_text(formula[1]), _SUM if formula[1] < 0 else _ATOM
    if kind == "negative":
        return f"−{_within(formula[1], _PRODUCT)}", _SUM
    if kind in ("add", "subtract"):
        sign = "+" if kind == "add" else "−"
        return f"{_within(formula[1], _SUM)} {sign} {_within(formula[2], _SUM + (kind == 'subtract'))}", _SUM
    if kind == "multiply":
        return _print_product(formula[1], formula[2]), _PRODUCT
    if kind == "divide":
        return f"{_within(formula[1], _PRODUCT)}/{_within(formula[2], _POWER)}", _PRODUCT
    if kind == "power":
        return _print_power(formula[1], formula[2])
    if kind == "compare":
        return f"{_within(formula[2], _SUM)} {formula[1]} {_within(formula[3], _SUM)}", _SUM - 1
    return _print_call(formula[1], formula[2:])


def _print_product(a: Formula, b: Formula) -> str:
    left, right = _within(a, _PRODUCT), _within(b, _PRODUCT)
    is_coefficient = a[0] == "number" and left.replace(".", "").isdigit() and not right[0].isdigit()
    return left + right if is_coefficient else f"{left}·{right}"


def _print_power(a: Formula, b: Formula) -> tuple[str, int]:
    base = _within(a, _ATOM)
    if b[0] == "number" and float(b[1]).is_integer() and abs(b[1]) < 1000:
        return base + superscript(int(b[1])), _POWER
    return f"{base}^{_within(b, _ATOM)}", _POWER


def _print_call(name: str, arguments: tuple[Formula, ...]) -> tuple[str, int]:
    if name == "√":
        return f"√{_within(arguments[0], _ATOM)}", _POWER
    if name == "ᵀ":
        return f"{_within(arguments[0], _ATOM)}ᵀ", _POWER
    if name == "@":
        return f"{_within(arguments[0], _POWER)} @ {_within(arguments[1], _POWER)}", _PRODUCT
    if name in ("index", "at"):
        return f"{_within(arguments[0], _ATOM)}{' at ' * (name == 'at')}{arguments[1][1]}", _ATOM
    texts = [text_of(argument) for argument in arguments]
    if len(texts) > _MOST_ARGUMENTS:
        texts = [*texts[:2], "…", texts[-1]]
    joined = ", ".join(texts)
    if name in ("[]", "||"):
        return f"{name[0]}{joined}{name[1]}", _ATOM
    return f"{name}({joined})", _ATOM


def number_text(number: Value) -> str:
    """A constant in a formula: a whole number, π and its like by name, else six digits.

    >>> number_text(2.0), number_text(-0.1), number_text(3.141592653589793)
    ('2', '−0.1', 'π')
    """
    magnitude = abs(number)
    if magnitude in _CONSTANTS:
        text = _CONSTANTS[magnitude]
    elif math.isfinite(magnitude) and float(magnitude).is_integer() and magnitude < 1e15:
        text = str(int(magnitude))
    else:
        text = {"inf": "∞", "nan": "NaN"}.get(f"{magnitude:.6g}", f"{magnitude:.6g}")
    return f"−{text}" if number < 0 else text
