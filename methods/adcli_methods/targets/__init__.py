"""Targets: the number types and libraries that a Program runs on, each imported when first needed."""

from __future__ import annotations

import importlib
import inspect
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import FunctionError, OperatorError, UnavailableError
from adcli_methods.primitive import Primitive, Value, use_targets

Entry = str | Callable[..., Value]
"""How a target does a primitive: a function, or a template such as "torch.sum({0}, dim={axis})"."""

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
"""The primitives that Python has an operator for."""


_LANGUAGE = frozenset({"ValueError", "float", "isinstance", "slice"})
"""Names of Python's own that emitted source uses beside those in templates."""


class Target:
    """A number type, or a library's arrays, with the value of every primitive on it.

    Arguments:
        name: how the target is asked for.
        table: the name of each primitive -> its Entry.
        namespace: what the templates' names mean.
        takes_numbers: names of the primitives that take Python numbers beside the target's own values.
        imports: the import lines of emitted source.

    `setup` holds lines that emitted source runs after its imports, `differs` when two arrays of one shape differ,
    `taken_in` how source turns another value than the target's own into one, of a type.
    """

    setup: tuple[str, ...] = ()
    differs = "not np.array_equal({0}, {1})"
    taken_in: str | None = None

    def __init__(
        self,
        name: str,
        table: Mapping[str, Entry],
        namespace: Mapping[str, Any] | None = None,
        takes_numbers: frozenset[str] = frozenset(),
        imports: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.table = table
        self.namespace = dict(namespace or {})
        self.takes_numbers = takes_numbers
        self.imports = tuple(imports)
        self._calls: dict[str, Callable[..., Value]] = {}

    def words(self) -> frozenset[str]:
        """The names that emitted source uses for itself, which no input may have."""
        templates = [entry for entry in self.table.values() if isinstance(entry, str)]
        return bare_words([*templates, *self.imports]) | frozenset(self.namespace) | _LANGUAGE

    def call(self, primitive: Primitive) -> Callable[..., Value]:
        """The primitive as a function of operands and keyword parameters."""
        known = self._calls.get(primitive.name)
        if known is None:
            known = self._calls[primitive.name] = self.adapt(primitive, self._function(primitive))
        return known

    def entry(self, primitive: Primitive) -> Entry:
        """The table's entry, or an OperatorError that names the primitive."""
        entry = self.table.get(primitive.name)
        if entry is None:
            raise OperatorError(f"{self.name} has no {primitive.name} that can be differentiated")
        return entry

    def adapt(self, primitive: Primitive, function: Callable[..., Value]) -> Callable[..., Value]:
        """What `call` answers: the function made fit for mixed operands."""
        return function

    def context(self, inputs: Sequence[Value]) -> Any:
        """What a Program's constants are converted to (hashable), read off its inputs."""
        return None

    def convert(self, value: Value, context: Any) -> Value:
        """A plain number or array of a Program as a value of this target."""
        return value

    def check(self, primitive: Primitive, parameters: Mapping[str, Any]) -> None:
        """Raise an OperatorError for parameters that the target's function does not cover."""

    def expression(self, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
        """Source text of the primitive on named operands."""
        self.check(primitive, parameters)
        entry = self.entry(primitive)
        if isinstance(entry, str):
            return entry.format(*operands, **{name: literal(value) for name, value in parameters.items()})
        named = [f"{name}={literal(value)}" for name, value in parameters.items()]
        return f"{entry.__name__}({', '.join([*operands, *named])})"

    def statements(
        self, name: str, primitive: Primitive, operands: Sequence[str], parameters: Mapping[str, Any]
    ) -> list[str] | None:
        """Lines that bind the primitive's result to a name, where one expression would not be readable."""
        return None

    def helpers(self, expression: str) -> dict[str, Callable[..., Value]]:
        """The functions of the target's own that source text calls by their bare names."""
        called = re.findall(r"(?<![\w.])(\w+)\(", expression)
        return {name: self.namespace[name] for name in called if inspect.isfunction(self.namespace.get(name))}

    def _function(self, primitive: Primitive) -> Callable[..., Value]:
        entry = self.entry(primitive)
        return compile_template(entry, self.namespace) if isinstance(entry, str) else entry


def bare_words(templates: Sequence[str]) -> frozenset[str]:
    """The names in templates that stand by themselves, without attributes, keywords and fields.

    >>> sorted(bare_words(["np.sum({0}, axis={axis})", "float(floor({0}))"]))
    ['float', 'floor', 'np']
    """
    text = re.sub(r"\{\w*\}", " ", "\n".join(templates))
    return frozenset(re.findall(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*=(?!=))", text))


def compile_template(template: str, namespace: Mapping[str, Any]) -> Callable[..., Value]:
    """The function of a template: its numbered fields are operands, its named fields keyword parameters."""
    fields = sorted({name for _, name, _, _ in string.Formatter().parse(template) if name})
    operands = [f"v{name}" for name in fields if name.isdigit()]
    parameters = [name for name in fields if not name.isdigit()]
    header = ", ".join(operands + (["*", *parameters] if parameters else []))
    body = template.format(*operands, **{name: name for name in parameters})
    code = compile(f"lambda {header}: {body}", f"<{template}>", "eval")
    function: Callable[..., Value] = eval(code, dict(namespace))  # this package's own text
    return function


def literal(value: Any) -> str:
    """Source text of a parameter or a number, which needs no import."""
    if isinstance(value, tuple):
        items = ", ".join(map(literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, type) or hasattr(value, "newbyteorder"):
        return repr(np.dtype(value).name)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value - value != 0:
        return f"float('{value}')"
    return "..." if value is Ellipsis else repr(value)


def index_text(index: Sequence[Any], arrays: Sequence[str] = ()) -> str:
    """The text between the brackets of a getitem, its index arrays given by name."""
    given, parts = iter(arrays), []
    for item in index:
        if isinstance(item, slice):
            ends = ["" if end is None else literal(end) for end in (item.start, item.stop)]
            parts.append(":".join(ends if item.step is None else [*ends, literal(item.step)]))
        else:
            parts.append(next(given) if isinstance(item, str) else literal(item))
    return ", ".join(parts) or "()"


_KNOWN = ("numpy", "torch", "math", "mpmath", "sympy", "complex", "jax", "autograd", "casadi")
_by_name: dict[str, Target] = {}


def target(name: str) -> Target:
    """The target of a name: numpy, torch, math, mpmath, sympy, complex, jax, autograd or casadi."""
    known = _by_name.get(name)
    if known is None:
        if name not in _KNOWN:
            raise FunctionError(f"no target is called {name}; there are {', '.join(_KNOWN)}")
        try:
            module = importlib.import_module(f"adcli_methods.targets.{name}_target")
            known = getattr(module, name.upper())
        except ModuleNotFoundError as error:
            raise UnavailableError(f"{name} is not installed here: pip install {name}") from error
        _by_name[name] = known
    assert known is not None
    return known


def target_of(value: Value) -> Target:
    """The target that a value which is no plain NumPy value belongs to."""
    for kind in inspect.getmro(type(value)):
        module = kind.__module__.partition(".")[0]
        if module in ("torch", "mpmath", "sympy", "jax", "jaxlib", "autograd"):
            return target("jax" if module == "jaxlib" else module)
        if kind.__name__ in ("complex", "complexfloating"):
            return target("complex")
    # numbers of other libraries, NumPy's rarer types, and lists of numbers
    entries = np.asarray(value).dtype.kind if isinstance(value, (np.ndarray, np.generic, list, tuple)) else "O"
    if entries in "fiub" or (entries == "O" and hasattr(value, "__float__")):
        return target("numpy")
    raise FunctionError(f"a value of type {type(value).__name__} cannot be computed with")


use_targets(target_of)
