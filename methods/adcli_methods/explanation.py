"""What an explanation of a derivative is made of: the lines of the evaluation trace with both sweeps beside them.

The names follow Griewank and Walther, Evaluating Derivatives (2008): the inputs of a function of n of them are
v_(1-n) ... v_0, the operations v_1, v_2, ...; a dot marks a tangent, a bar an adjoint.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from adcli_methods.primitive import Value
from adcli_methods.program import Location

_OUTPUT_SYMBOLS = ("y", "f", "z", "output")


def output_symbol(taken: Collection[str]) -> str:
    """What to call the output: y, or the next symbol that no input has.

    >>> output_symbol(["x", "y"])
    'f'
    """
    return next((symbol for symbol in _OUTPUT_SYMBOLS if symbol not in taken), "result")


@dataclass(frozen=True)
class Term:
    """One contribution to an adjoint: the adjoint of a later line times the local partial.

    Arguments:
        source: the line j that hands it back.
        partial_formula: the partial of line j by this line, as text; empty where the operation has no elementwise one.
        partial: its value; None where the rule is a transpose or a tangent (a sum, a matrix product).
        adjoint_formula: the contribution as text, "v̄₃·v₂".
        value: the contribution; of an array of which a part was read, what comes back to that part.
    """

    source: int
    partial_formula: str
    partial: Value | None
    adjoint_formula: str
    value: Value


@dataclass(frozen=True)
class Line:
    """One line of the evaluation trace. Constants are written in place and are no line.

    Arguments:
        index: its position in the list of lines.
        slot: its slot in the Program.
        name: v₋₁, v₀ for inputs, v₁, v₂ ... for operations.
        kind: "input", "operation", or "output" for an operation whose value is an output.
        operation: the primitive's name, or "input".
        formula: the operation as text, "v₁·v₀" or "exp(v₁)"; for an input its name in the function.
        value: the primal.
        operands: the lines it is computed from, one for each operand that is a line (a line used twice stands twice).
        partials: for each of the operands the local partial, None where there is no elementwise one.
        partial_formulas: the same as text, empty where there is none.
        tangent_formula: the tangent as text, "v₀·v̇₁ + v₁·v̇₀"; "seed" for an input, empty where none flows.
        tangent: its value; None where no derivative flows (a comparison).
        adjoint_formula: the adjoint as a sum of all its terms, "v̄₃·v₂ + v̄₄·cos(v₀)"; it starts with "seed" for an
            output, is "0" where the output does not depend on this line, and empty where no derivative flows.
        adjoint: its value; None where no derivative flows.
        terms: the contributions that the adjoint collects, in the order of the sweep (last line first).
        location: the user's line; None for a formula.
        branch: what the user's code decided or repeated just before this line; None for nothing.
        kept: whether the reverse sweep needs its value.
    """

    index: int
    slot: int
    name: str
    kind: str
    operation: str
    formula: str
    value: Value
    operands: tuple[int, ...]
    partials: tuple[Value | None, ...]
    partial_formulas: tuple[str, ...]
    tangent_formula: str
    tangent: Value | None
    adjoint_formula: str
    adjoint: Value | None
    terms: tuple[Term, ...]
    location: Location | None
    branch: str | None
    kept: bool


@dataclass(frozen=True)
class PassCount:
    """How many sweeps a full Jacobian takes: forward one for each input number, reverse one for each output number.

    Arguments:
        forward: tangent sweeps for all derivatives.
        reverse: adjoint sweeps for all derivatives.
        inputs: n, the number of input numbers differentiated by.
        outputs: m, the number of output numbers.
    """

    forward: int
    reverse: int
    inputs: int
    outputs: int


@dataclass(frozen=True)
class Explanation:
    """How a derivative comes about at a point.

    Arguments:
        function: the function's name or formula.
        formula: the formula's text, None for a Python function.
        point: the inputs differentiated by, by name.
        inputs: their names, in the order of the first lines.
        lines: the evaluation trace, inputs first.
        outputs: the lines of the outputs.
        output_names: y, or y.0, y.1, ... of several (f where an input is called y).
        seed_direction: what the forward sweep differentiates by: "x1", "x[0]", or a direction such as "(1, 0)".
        cotangent: what the reverse sweep differentiates: "y", "y[0]", or weights such as "(1, 0)".
        value: the function's value, in the form that it returned it.
        tangents: the outputs' tangents, one for each of the outputs.
        derivative: the inputs' adjoints by name, the gradient of one output; NaN where the function has no value.
        branches: the decisions and repetitions of the user's code, each with the line that it stands before.
        passes: the number of sweeps for all derivatives.
        kept_values: how many values the reverse sweep keeps.
        kept_bytes: their memory.
        held_values: how many values and tangents the forward sweep holds at most at a time.
        held_forward_bytes: their memory.
        kinks: the lines that are at a kink, with the convention used there.
        notes: kinks, births of NaN and Inf, inputs without influence.
    """

    function: str
    formula: str | None
    point: dict[str, Value]
    inputs: tuple[str, ...]
    lines: tuple[Line, ...]
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    seed_direction: str
    cotangent: str
    value: Value
    tangents: tuple[Value, ...]
    derivative: dict[str, Value]
    branches: tuple[tuple[int, str], ...]
    passes: PassCount
    kept_values: int
    kept_bytes: int
    held_values: int
    held_forward_bytes: int
    kinks: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        from adcli_methods.html_text import explanation_html

        return explanation_html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from adcli_methods.html_text import bundle

        return bundle(self._repr_html_(), f"{self.function}: a trace of {len(self.lines)} lines", include, exclude)
