"""A formula's text becomes an Expression: read by a whitelist of Python's syntax, never executed.

The text is checked and parsed (`expression_errors`), and its syntax tree turned into steps on a stack.
Neither turning nor evaluating recurses, so that no formula exhausts Python's own stack.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import pairwise
from typing import Any

from adcli_methods.errors import ExpressionError
from adcli_methods.expression_errors import canonical, caret, first_line, quoted, suggestion, syntax_tree

__all__ = ["Expression", "NamedFunction", "caret", "parse"]

MAX_NODES = 20_000
MAX_DEPTH = 3_000
MAX_INTEGER = 2**53
MAX_INDEX = 2**31

_Step = tuple[int, Any, int]
"""How many values an action takes off the stack (or _NUMBER or _NAME), the action, the column to blame."""
_NUMBER = -1
_NAME = -2

_OPERATORS: dict[type[ast.AST], tuple[str, Callable[..., Any] | str]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", "divide"),
    ast.FloorDiv: ("//", "floor_divide"),
    ast.Mod: ("%", "mod"),
    ast.Pow: ("**", "pow"),
    ast.MatMult: ("@", "matmul"),
    ast.USub: ("-", operator.neg),
    ast.Not: ("not", "logical_not"),
    ast.And: ("and", "logical_and"),
    ast.Or: ("or", "logical_or"),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
"""Each operator's sign, and what it applies: a function, or the name of one in the table of functions."""


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """A function that a formula may call.

    Arguments:
        name: its name in a formula.
        call: what the name stands for.
        least, most: how many positional arguments it takes; most is None where any number will do.
        keywords: keywords that it takes too; their values are integers, True, False or tuples of integers.

    >>> NamedFunction("double", lambda x: 2 * x, 1, 1).call(4)
    8
    """

    name: str
    call: Callable[..., Any]
    least: int
    most: int | None
    keywords: tuple[str, ...] = ()

    @property
    def arguments(self) -> str:
        """How many positional arguments it takes, in words."""
        counts = {None: f"at least {self.least}", self.least: f"{self.least}"}
        plural = "s" * ((self.most or self.least) != 1)
        return f"{counts.get(self.most, f'{self.least} to {self.most}')} argument{plural}"


Functions = Mapping[str, NamedFunction]
"""Every function that a formula may call, by name."""


class Expression:
    """A formula that has been read; `parse` makes it.

    `text` is the formula as given, `names` its variables and constants in order of first appearance.

    >>> from math import sin
    >>> formula = parse("2*sin(x) + y", {"sin": NamedFunction("sin", sin, 1, 1)}, list)
    >>> formula.names, formula.evaluate({"x": 0.0, "y": 3})
    (('x', 'y'), 3.0)
    """

    __slots__ = ("_columns", "_functions", "_steps", "names", "text")

    def __init__(self, text: str, steps: list[_Step], columns: dict[str, int], functions: Functions) -> None:
        self.text = text
        self.names = tuple(columns)
        self._steps = tuple(steps)
        self._columns = columns
        self._functions = functions

    def require(self, bindings: Collection[str]) -> None:
        """Raise an ExpressionError, with its place, for the first name that is not among the bindings."""
        for name in self.names:
            if name not in bindings:
                is_function = f" ({name} is a function: write {name}(x))" if name in self._functions else ""
                near = suggestion(name, set(bindings) - set(self.names))
                message = f"no value for '{name}'; write --at {name}=...{is_function}{near}"
                raise ExpressionError(message, self.text, self._columns[name])

    def evaluate(self, bindings: Mapping[str, Any]) -> Any:
        """Compute the formula's value.

        Arguments: a value for each of `names`: anything with the operators, which the functions take.
        Errors: ExpressionError for a name without a value, and, with its place, for an operation that raises
        ValueError, TypeError or IndexError; any other exception of an operation passes.
        """
        self.require(bindings)
        stack: list[Any] = []
        try:
            for count, action, column in self._steps:  # noqa: B007 (the handler reads the column)
                if count < 0:
                    stack.append(action if count == _NUMBER else bindings[action])
                    continue
                if count == 2:
                    right = stack.pop()
                    value = action(stack.pop(), right)
                else:
                    split = len(stack) - count
                    value = action(*stack[split:])
                    del stack[split:]
                if type(value) is int and not -MAX_INTEGER <= value <= MAX_INTEGER:
                    value = float(value)
                stack.append(value)
        except (ValueError, TypeError, IndexError) as error:
            raise ExpressionError(first_line(error), self.text, column) from error
        return stack[0]


def parse(text: str, functions: Functions, array: Callable[[list[Any]], Any]) -> Expression:
    """Read a formula without executing anything.

    Arguments:
        text: the formula, in Python's syntax.
        functions: every function that it may call, by name. The operators / // % ** @ and or not call those
            named divide, floor_divide, mod, pow, matmul, logical_and, logical_or and logical_not.
        array: makes a vector or matrix of a list of values.

    Result: an Expression. Errors: ExpressionError, which says what is wrong, where, and the way out.

    >>> parse("[x, 2*x]", {}, tuple).evaluate({"x": 3})
    (3, 6)
    """
    root, columns = syntax_tree(text, functions)
    converter = _Converter(text, columns, functions, array)
    converter.convert(root)
    return Expression(text, converter.steps, converter.names, functions)


@dataclass
class _Converter:
    """Turns a syntax tree into steps, operands first; whatever is not written here is refused."""

    text: str
    columns: Sequence[int]
    functions: Functions
    array: Callable[[list[Any]], Any]
    steps: list[_Step] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def convert(self, root: ast.expr) -> None:
        """Append the steps of a whole formula."""
        top = _without_plus(root)
        if isinstance(top, ast.Compare | ast.BoolOp) or isinstance(getattr(top, "op", None), ast.Not):
            ways_out = "write where(condition, a, b), or left - right for an equation"
            raise self._error(f"a condition has no derivative; {ways_out}", top)
        pending: list[tuple[ast.expr | _Step, int]] = [(root, 1)]
        nodes = 0
        while pending:
            item, depth = pending.pop()
            if isinstance(item, tuple):
                self.steps.append(item)
                continue
            nodes += 1
            if nodes > MAX_NODES:
                raise self._error(f"the formula has more than {MAX_NODES:,} operations and operands", item)
            if depth > MAX_DEPTH:
                raise self._error(f"the formula is nested more than {MAX_DEPTH:,} deep", item)
            step, operands = self._visit(_without_plus(item))
            pending.append((step, depth))
            pending.extend((operand, depth + 1) for operand in reversed(operands))

    def _visit(self, node: ast.expr) -> tuple[_Step, Sequence[ast.expr]]:
        """The step of one node, and the operands whose steps come before it."""
        start = self.columns[node.col_offset]
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return (_NUMBER, float(value) if value > MAX_INTEGER else value, start), ()
            case ast.Name(id=identifier):
                name = canonical(identifier)
                self.names.setdefault(name, start)
                return (_NAME, name, start), ()
            case ast.UnaryOp(op=op, operand=operand):
                return (1, self._operation(op, start), start), (operand,)
            case ast.BinOp(left=left, op=op, right=right):
                sign = self._sign_after(left)
                return (2, self._operation(op, sign), sign), (left, right)
            case ast.BoolOp(op=op, values=values):
                sign = self._sign_after(values[0])
                combine = self._operation(op, sign)
                return (len(values), lambda *given: reduce(combine, given), sign), values
            case ast.Compare(left=left, ops=ops, comparators=others):
                sign = self._sign_after(left)
                return (1 + len(others), self._comparison(ops, sign), sign), (left, *others)
            case ast.Call(func=ast.Name(id=identifier), args=arguments):
                return (len(arguments), self._callable(canonical(identifier), node), start), arguments
            case ast.Subscript(value=value, slice=index):
                return (1, operator.itemgetter(self._index(index)), self._sign_after(value)), (value,)
            case ast.List(elts=elements):
                return (len(elements), lambda *given: self.array(list(given)), start), elements
            case ast.Tuple():
                raise self._error("a tuple is not part of a formula; write a list, [a, b]", node)
        raise self._error("this is not part of a formula", node)

    def _operation(self, op: ast.AST, column: int) -> Callable[..., Any]:
        sign, action = _OPERATORS.get(type(op), (type(op).__name__, ""))
        if not isinstance(action, str):
            return action
        if action not in self.functions:
            raise ExpressionError(f"operator '{sign}' is not supported", self.text, column)
        return self.functions[action].call

    def _comparison(self, ops: Sequence[ast.cmpop], column: int) -> Callable[..., Any]:
        comparisons = [self._operation(op, column) for op in ops]
        if len(comparisons) == 1:
            return comparisons[0]
        return partial(_chain, comparisons, self._operation(ast.And(), column))

    def _callable(self, name: str, node: ast.Call) -> Callable[..., Any]:
        function = self.functions.get(name)
        if function is None:
            is_variable = len(name) == 1 or name in self.names
            hint = f"; for a product write {name}*(...)" if is_variable else suggestion(name, self.functions)
            raise self._error(f"unknown function '{name}'{hint}", node)
        given = len(node.args)
        if given < function.least or (function.most is not None and given > function.most):
            raise self._error(f"{name} takes {function.arguments}, got {given}", node)
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            word = keyword.arg or "**"
            if word in keywords or word not in function.keywords:
                message = f"{name} takes no {'second ' * (word in keywords)}keyword {quoted(word)}"
                raise self._error(message, keyword.value)
            truth = getattr(keyword.value, "value", None)
            keywords[word] = truth if isinstance(truth, bool) else self._index(keyword.value)
        return partial(function.call, **keywords) if keywords else function.call

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Tuple):
            return tuple(self._one_index(part) for part in node.elts)
        return self._one_index(node)

    def _one_index(self, node: ast.expr) -> int | slice:
        if isinstance(node, ast.Slice):
            bounds = (node.lower, node.upper, node.step)
            return slice(*(None if bound is None else self._integer(bound) for bound in bounds))
        return self._integer(node)

    def _integer(self, node: ast.expr) -> int:
        factor = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            node, factor = node.operand, -1
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value < MAX_INDEX:
            return factor * node.value
        raise self._error("only a whole number, written out, can stand here", node)

    def _sign_after(self, operand: ast.expr) -> int:
        """The column of the sign behind its left operand: blanks and closing brackets lie between."""
        column = self.columns[operand.end_col_offset or 0]
        while self.text[column] in " \t)":
            column += 1
        return column

    def _error(self, message: str, node: ast.expr) -> ExpressionError:
        return ExpressionError(message, self.text, self.columns[node.col_offset])


def _without_plus(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        node = node.operand
    return node


def _chain(comparisons: Sequence[Callable[..., Any]], both: Callable[..., Any], *values: Any) -> Any:
    return reduce(both, (compare(*pair) for compare, pair in zip(comparisons, pairwise(values), strict=True)))
