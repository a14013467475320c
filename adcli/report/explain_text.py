"""The numbers of an explanation in six digits, and its texts for terminals that know ASCII alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_SMALL_ARRAY = 3
_MARKS = {"\u0307": "_dot", "\u0304": "_bar"}
_INDEX = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋", "0123456789-")
_EXPONENT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", "0123456789-()")
_PLAIN = {
    "·": "*", "−": "-", "∂": "d", "ε": "eps", "‖": "|", "…": "...", "⋮": ":", "∞": "inf", "π": "pi", "⟨": "<", "⟩": ">",
    "×": "x", "→": "->", "▸": ">", "•": "*", "≤": "<=", "≥": ">=", "≠": "!=", "ᵀ": "^T", "Γ": "Gamma", "ψ": "psi",
    "σ": "sigmoid", "Φ": "Phi", "∛": "cbrt", "─": "-", "↓": "", "↑": "", "′": "'",
}  # fmt: skip


def number(value: Any) -> str:
    """A value in six digits: a number, the entries of a small array, else its shape and norm.

    >>> number(54.598150033144236), number(-1.0), number(np.ones((20, 5)))
    ('54.5982', '−1', '20×5, ‖10‖')
    """
    if value is None:
        return ""
    array = np.asarray(value)
    if array.ndim == 0:
        return _digits(array.item())
    if array.ndim == 1 and 0 < array.size <= _SMALL_ARRAY:
        return "[" + ", ".join(_digits(entry.item()) for entry in array) + "]"
    shape = "×".join(map(str, array.shape))
    if array.dtype.kind == "b":
        return f"{shape}, {np.count_nonzero(array)} true"
    with np.errstate(all="ignore"):
        return f"{shape}, ‖{_digits(float(np.linalg.norm(array.ravel().astype(float))))}‖"


def _digits(entry: Any) -> str:
    if isinstance(entry, bool):
        return "true" if entry else "false"
    text = re.sub("e([+-])0*", lambda sign: "e" + sign[1].replace("+", ""), f"{entry:.6g}")
    return {"inf": "∞", "-inf": "−∞", "nan": "NaN"}.get(text, text.replace("-", "−") if text != "-0" else "−0")


def ascii_text(text: str) -> str:
    """A text without what an ASCII terminal cannot show.

    >>> ascii_text("v̄₋₁ = v̄₂·v₀ − √v₁ + v₃²")
    'v(-1)_bar = v2_bar*v0 - sqrt(v1) + v3^2'
    """
    text = re.sub("√([^ ()·/]+)", r"√(\1)", text).replace("√", "sqrt").replace("|", "|")
    text = re.sub("([^\\W\\d])([\u0307\u0304]?)([₀-₉₋]+)", _named, text)
    text = re.sub("([⁰¹²³⁴-⁹⁻]+)", lambda match: "^" + match[1].translate(_EXPONENT), text)
    text = re.sub("[\u0307\u0304]", lambda match: _MARKS[match[0]], text)
    for character, plain in _PLAIN.items():
        text = text.replace(character, plain)
    return text.translate(_INDEX).translate(_EXPONENT).encode("ascii", "replace").decode()


def _named(match: re.Match[str]) -> str:
    letter, mark, index = match[1], match[2], match[3].translate(_INDEX)
    return letter + (f"({index})" if index.startswith("-") else index) + _MARKS.get(mark, "")
