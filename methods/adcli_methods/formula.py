"""A formula as a Function: its variables are its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adcli_methods.errors import PointError
from adcli_methods.expression import Expression, parse
from adcli_methods.function import Function
from adcli_methods.primitive import Value, shape_of
from adcli_methods.primitives.structural import broadcast_to, stack
from adcli_methods.vocabulary import CONSTANTS, vocabulary


def array(items: list[Value]) -> Value:
    """A list in a formula as an array; entries of unlike shapes are broadcast to the longest."""
    shape = max((shape_of(item) for item in items), key=len, default=())
    return stack(*[item if shape_of(item) == shape else broadcast_to(item, shape=shape) for item in items])


@dataclass(frozen=True)
class _Evaluation:
    """A formula's value from those of its inputs; it is pickled as text."""

    text: str
    names: tuple[str, ...]
    expression: Expression

    def __call__(self, *values: Value) -> Value:
        return self.expression.evaluate({**CONSTANTS, **dict(zip(self.names, values, strict=True))})

    def __reduce__(self) -> tuple[Any, ...]:
        return _evaluation, (self.text, self.names)


def _evaluation(text: str, names: tuple[str, ...]) -> _Evaluation:
    return _Evaluation(text, names, parse(text, vocabulary(), array))


def formula_function(text: str, at: Any = None, inputs: Sequence[str] | None = None) -> Function:
    """The Function of a formula's text.

    Arguments:
        text: the formula.
        at: the point; a name that it binds is a variable even where it is also a constant's (e, pi).
        inputs: the inputs' names, where they are not to be read off the formula.
    Raises: ExpressionError.

    >>> formula_function("x*y + e").parameters
    ('x', 'y')
    """
    expression = parse(text, vocabulary(), array)
    bound = set(at) if isinstance(at, Mapping) else set()
    names = tuple(inputs) if inputs is not None else _variables(expression, bound)
    if not names:
        names = tuple(sorted(bound)) or ("x",)
    if isinstance(at, Mapping) and inputs is None:
        expression.require(bound | set(CONSTANTS))
    elif at is not None and inputs is None and len(names) > 1:
        example = ",".join(f"{name}=..." for name in names)
        raise PointError(f"the formula has the variables {', '.join(names)}: write --at {example}")
    return Function(text.strip(), _Evaluation(text, names, expression), names, formula=text.strip())


def formula_inputs(text: str, bound: set[str]) -> tuple[str, ...]:
    """The names in a formula that need a value, in order of appearance, constants that `bound` holds included.

    >>> formula_inputs("e*x + y", {"e"})
    ('e', 'x', 'y')
    """
    return _variables(parse(text, vocabulary(), array), bound)


def _variables(expression: Expression, bound: set[str]) -> tuple[str, ...]:
    """The names that need a value: all but the constants that the point does not bind."""
    return tuple(name for name in expression.names if name in bound or name not in CONSTANTS)
