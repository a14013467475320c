"""`adcli explain`, as a user types it: the tables as they are printed, folded, in ASCII, and the files."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

PRINTED = Path(__file__).parent / "explained"
SEEDS = {
    "exp_of_square": ("exp(x**2)", "--at", "2"),
    "baydin": ("log(x1)+x1*x2-sin(x2)", "--at", "x1=2,x2=5"),
    "wikipedia": ("x1*x2+sin(x1)", "--at", "x1=2,x2=3"),
    "square_and_sum": ("x1**2+x2", "--at", "x1=2,x2=3"),
}
"""The textbook examples; what is printed for each is kept in a file of that name for each width."""


LONGEST_SECONDS = 4.0
"""Of the processor, for 10,001 operations: a quiet machine takes 1.2, and a crowded one twice as long and more."""


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", SEEDS)
def test_the_textbooks_tables_are_printed_number_for_number(adcli, monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    ran = adcli("explain", *SEEDS[name])
    assert ran.code == 0, ran.err
    assert ran.out == (PRINTED / f"{name}_{width}.txt").read_text(encoding="utf-8")
    assert max(map(len, ran.out.splitlines())) <= width + 40  # combining dots and bars take no room


@pytest.mark.parametrize(
    ("mode", "shown", "absent"),
    [
        ("forward", ["Forward mode", "v̇₁"], ["Reverse mode", "Dual"]),
        ("reverse", ["Primal sweep", "Reverse mode", "v̄₁"], ["Forward mode"]),
        ("dual", ["Dual numbers", "4 + 4ε", "54.5982 + 218.393ε"], ["Reverse mode"]),
    ],
)
def test_each_mode_shows_its_own_trace(adcli, mode, shown, absent):
    ran = adcli("explain", "exp(x**2)", "--at", "2", "--mode", mode)
    assert ran.code == 0, ran.err
    assert all(text in ran.out for text in shown)
    assert not any(text in ran.out for text in absent)


def test_every_explanation_ends_with_the_passes_and_the_memory_of_both_ways(adcli):
    ran = adcli("explain", "x1*x2+sin(x1)", "--at", "x1=2,x2=3")
    assert "forward needs 2 passes here, reverse 1 (2 inputs, 1 output)" in ran.out
    assert "reverse keeps 2 values (16 bytes)" in ran.out


def test_the_seeds_choose_direction_and_output(adcli):
    ran = adcli("explain", "[x*y, sin(x)]", "--at", "x=1,y=2", "--tangent", "y", "--cotangent", "0,1")
    assert ran.code == 0, ran.err
    assert "v̇ = ∂v/∂y" in ran.out
    assert "cotangent (0, 1)" in ran.out
    assert re.search(r"∂/∂x\s+0\.5403023058681398", ran.out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x*y", "--at", "x=1,y=2", "--tangent", "z"), "no input 'z' to seed"),
        (("x*y", "--at", "x=1,y=2", "--mode", "sideways"), "forward, reverse, dual, both"),
        (("sum(x)", "--n", "3", "--steps"), "arrays"),
        (("x*y",), "no point"),
        (("x", "--at", "1", "--graph", "g.doc"), ".svg"),
    ],
)
def test_a_mistake_is_told_in_one_line(adcli, arguments, message):
    ran = adcli("explain", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_an_ascii_terminal_is_written_to_in_aligned_ascii(adcli, monkeypatch):
    from rich.console import ConsoleOptions

    monkeypatch.setattr(ConsoleOptions, "ascii_only", property(lambda self: True))
    for arguments in (("--at", "x1=2,x2=5"), ("--steps",), ("--at", "x1=0,x2=1", "--nan")):
        ran = adcli("explain", "sqrt(x1)*x2**3 + log(x1)/x2", *arguments)
        assert ran.code == 0, ran.err
        assert ran.out.isascii()
        assert "?" not in ran.out
    ran = adcli("explain", "x1*x2", "--at", "x1=2,x2=5")
    header = next(line for line in ran.out.splitlines() if "tangent v_dot" in line)
    row = next(line for line in ran.out.splitlines() if line.startswith("v(-1)"))
    assert row.index("seed") == header.index("tangent")


def test_a_long_trace_is_folded_and_quick(adcli, tmp_path):
    path = tmp_path / "long_loop.py"
    path.write_text(
        "import math\ndef f(x, y):\n"
        "    for i in range(2500):\n        x = x - 0.001 * y * math.cos(x)\n    return x * y\n"
    )
    start = time.process_time()
    ran = adcli("explain", f"{path}:f", "--at", "x=1,y=2")
    seconds = time.process_time() - start
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) < 160
    assert re.search(r"⋮ 9,9\d\d more lines \(--max-rows 60\)", ran.out)
    assert "v̄₁₀₀₀₁" in ran.out  # 10,001 operations
    assert seconds < LONGEST_SECONDS


def test_loops_branches_and_source_lines_are_marked(adcli, tmp_path):
    path = tmp_path / "newton.py"
    path.write_text(
        "def root(x):\n    y = x\n    while abs(y * y - x) > 1e-3:\n        y = (y + x / y) / 2\n"
        "    if y > 1:\n        return y * 2\n    return y\n"
    )
    ran = adcli("explain", f"{path}:root", "--at", "2", "--mode", "forward")
    assert ran.out.count("▸ newton.py:3: while abs(y * y - x) > 1e-3 → true") == 3
    for mark in (
        "newton.py:4: y = (y + x / y) / 2 → pass 3",
        "newton.py:3: while abs(y * y - x) > 1e-3 → false",
        "newton.py:5: if y > 1 → true",
        "newton.py:6: return y * 2",
    ):
        assert f"▸ {mark}\n" in ran.out


def test_arrays_are_shown_by_shape_and_norm(adcli):
    ran = adcli("explain", "sum(x**2)", "--n", "1000")
    assert re.search(r"v₁\s+v₀²\s+1000, ‖[\d.]+‖", ran.out)
    assert "reverse keeps 1 value (8 kB)" in ran.out


def test_the_derivation_is_a_tree_of_rules_that_ends_in_the_formula(adcli):
    ran = adcli("explain", "exp(x**2)", "--steps")
    assert ran.out.splitlines() == [
        "y = exp(x²)",
        "",
        "d/dx exp(x²) = 2x·exp(x²)",
        "chain rule, exponential rule: (exp(u))′ = exp(u)·u′",
        "└── d/dx x² = 2x",
        "    power rule: (u²)′ = 2u·u′",
        "",
        "dy/dx = 2x·exp(x²)",
    ]
    ran = adcli("explain", "x**x", "--steps")
    assert "general power rule" in ran.out
    assert ran.out.splitlines()[-1].strip() == "= x^x·(ln(x) + 1)"


def test_what_is_nested_too_deeply_for_sympy_is_said(adcli, tmp_path):
    path = tmp_path / "deep.py"
    path.write_text("import math\ndef f(x):\n    for _ in range(3000):\n        x = math.sin(x)\n    return x\n")
    ran = adcli("explain", f"{path}:f", "--at", "1", "--steps")
    assert ran.code == 2
    assert "nested too deeply" in ran.err


def test_the_derivation_as_latex(adcli):
    ran = adcli("explain", "exp(x**2)", "--latex")
    assert ran.out.splitlines() == [
        r"\begin{align*}",
        r"\frac{d}{d x} \left(e^{x^{2}}\right) &= 2 x e^{x^{2}} && \text{chain rule, exponential rule} \\",
        r"\frac{d}{d x} \left(x^{2}\right) &= 2 x && \text{power rule} \\",
        r"\frac{d y}{d x} &= 2 x e^{x^{2}} && \text{simplified}",
        r"\end{align*}",
    ]


def test_nan_names_the_line_of_birth_and_what_it_poisoned(adcli, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import numpy as np\ndef f(x, y):\n    a = x - y\n    b = np.log(a)\n    return b * 0.0 + x\n")
    ran = adcli("explain", f"{path}:f", "--at", "x=1,y=1", "--nan")
    assert ran.code == 0, ran.err
    assert "Inf at v₂  v₂ = ln(v₁) is Inf of finite operands" in ran.out
    assert "source     bad.py:4: b = np.log(a)" in ran.out
    assert "reached    v₃, v₄ = z" in ran.out
    assert "poisoned   ∂z/∂x, ∂z/∂y" in ran.out
    ran = adcli("explain", "x**2", "--at", "1", "--nan")
    assert "every value and every derivative is finite" in ran.out
