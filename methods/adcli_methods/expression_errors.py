"""A formula's text, checked and parsed: what is wrong with it is told with the place and a way out."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from keyword import iskeyword
from math import isinf
from typing import NamedTuple

from adcli_methods.errors import ExpressionError

MAX_LENGTH = 100_000
MAX_NESTING = 200
MAX_SIGNS = 200
MAX_DIGITS = 400
MAX_NAME = 64
_PICTURE_WIDTH = 70
_MESSAGE_WIDTH = 200
_FRAGMENT_WIDTH = 40

_BLANKS = " \t\r\n"
_TOKEN = re.compile(
    r"[ \t]*(?:"
    r"(?P<number>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?(?:[jJ](?!\w))?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|//|[<>=!:]=|[-+*/%@<>()\[\],:=])"
    r"|(?P<other>[\s\S]))"
)
_CLOSING = {"(": ")", "[": "]"}
_UNARY = ("+", "-", "not")
_WORD_SIGNS = ("and", "or", "not")
_WORDS = {**dict.fromkeys(_WORD_SIGNS, "sign"), **dict.fromkeys(("True", "False", "None"), "number")}

_CHARACTER_ERRORS = {
    **dict.fromkeys("\n\r", "a formula is one line"),
    **dict.fromkeys("'\"", "text in quotes is not part of a formula"),
    **dict.fromkeys("{}", "braces are not part of a formula; write a list, [a, b]"),
    "^": "'^' is XOR in Python; write ** for powers",
    ".": "attributes are not part of a formula; write sin(x), not np.sin(x)",
    "!": "'!' is not part of a formula; the factorial of n is gamma(n + 1)",
    "&": "'&' is not part of a formula; write and",
    "|": "'|' is not part of a formula; write or, or abs(x)",
    "~": "'~' is not part of a formula; write not",
}
_LOOKALIKES = {
    **dict.fromkeys("−–—‐", "-"),
    **dict.fromkeys("×·⋅∙•∗", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "√": "sqrt(x)",
}


class _Token(NamedTuple):
    """A number, a name or a sign of the formula, and where it starts."""

    kind: str
    text: str
    column: int


def caret(error: ExpressionError) -> str:
    """Draw the formula with a caret under the place of the error.

    Arguments: the error. Result: two lines, clipped to about 70 columns; the text alone where the error has
    no place, and nothing where it has no text.

    >>> print(caret(ExpressionError("what is this?", "x + ?", 4)))
    x + ?
        ^
    """
    text, column = error.text, min(error.column or 0, len(error.text))
    width = _PICTURE_WIDTH if text.isascii() else _PICTURE_WIDTH // 2
    before, after = visible(text[max(0, column - width) : column]), visible(text[column : column + width])
    kept = min(len(before), max(width - len(after), width // 2))
    head = "..." if column > width or len(before) > kept else ""
    tail = "..." if column + width < len(text) or len(after) > width - kept else ""
    before = before[len(before) - kept :]
    line = head + before + after[: width - kept] + tail
    below = f"\n{' ' * (len(head) + _cells(before))}^"
    return line + below if line and error.column is not None else line


def visible(text: str) -> str:
    """Escape what a terminal would not show as itself: a tab becomes a backslash and a t."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(fragment: str) -> str:
    """Name a part of the formula in a message: escaped, clipped and in quotes."""
    clipped = fragment if len(fragment) <= _FRAGMENT_WIDTH else fragment[:_FRAGMENT_WIDTH] + "..."
    return f"'{visible(clipped)}'"


def canonical(name: str) -> str:
    """Spell a name as Python does (NFKC), and the Greek letter as pi."""
    normal = unicodedata.normalize("NFKC", name)
    return "pi" if normal == "π" else normal


def suggestion(name: str, known: Iterable[str]) -> str:
    """Name the one or two known names nearest to a mistaken one: the end of a message.

    >>> suggestion("cosin", ["cos", "exp"])
    '; did you mean cos?'
    """
    import difflib

    nearest = difflib.get_close_matches(name.lower(), list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(nearest)}?" if nearest else ""


def first_line(error: Exception) -> str:
    """The first line of an exception's text, or its type where it has none."""
    lines = str(error).splitlines() or [type(error).__name__]
    return visible(lines[0].strip())[:_MESSAGE_WIDTH]


def syntax_tree(text: str, functions: Collection[str]) -> tuple[ast.expr, Sequence[int]]:
    """Check a formula and parse it.

    Arguments: the text, and the names of the functions that it may call.
    Result: the root of the tree, and for every byte offset in the tree the column in the text.
    Errors: ExpressionError for whatever no formula holds, and whatever Python's parser refuses.

    >>> root, columns = syntax_tree(" π + x", {})
    >>> columns[root.right.col_offset]
    5
    """
    if len(text) > MAX_LENGTH:
        message = f"the formula has {len(text):,} characters; at most {MAX_LENGTH:,} are read"
        raise ExpressionError(message, text)
    start, end = len(text) - len(text.lstrip(_BLANKS)), len(text.rstrip(_BLANKS))
    if start >= end:
        raise ExpressionError("the formula is empty", text, 0)
    checks = _Checks(text, functions)
    checks.read_tokens(start, end)
    checks.match_brackets()
    checks.check_neighbours()
    body = text[start:end]
    try:
        root = ast.parse(body, mode="eval").body
    except SyntaxError as error:
        raise checks.refusal(error, start, end) from error
    except (RecursionError, MemoryError) as error:
        raise ExpressionError("the formula is too long or nested too deeply", text, start) from error
    except ValueError as error:
        raise ExpressionError(first_line(error), text, start) from error
    columns = [start + column for column, character in enumerate(body) for _ in character.encode()]
    return root, [*columns, end]


class _Checks:
    """What can be told from a formula's tokens alone, better than Python's parser tells it."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.text = text
        self.functions = functions
        self.tokens: list[_Token] = []
        self.partners: dict[int, int] = {}

    def read_tokens(self, start: int, end: int) -> None:
        """Split the text, and refuse characters, numbers and names that no formula holds."""
        for match in _TOKEN.finditer(self.text, start, end):
            kind = str(match.lastgroup)
            token = _Token(kind, match[kind], match.start(kind))
            if kind == "other":
                raise self._error(_character_error(token.text), token.column)
            if kind == "number":
                self._check_number(token)
            self.tokens.append(self._named(token) if kind == "name" else token)

    def match_brackets(self) -> None:
        """Pair the brackets' positions, both ways."""
        unclosed: list[int] = []
        for position, (_, sign, column) in enumerate(self.tokens):
            if sign in _CLOSING:
                unclosed.append(position)
                if len(unclosed) > MAX_NESTING:
                    raise self._error(f"brackets are nested more than {MAX_NESTING} deep", column)
            elif sign in _CLOSING.values():
                if not unclosed:
                    raise self._error(f"'{sign}' closes nothing", column)
                opener = unclosed.pop()
                if _CLOSING[self.tokens[opener].text] != sign:
                    raise self._error(f"'{sign}' does not match '{self.tokens[opener].text}'", column)
                self.partners[opener], self.partners[position] = position, opener
            elif sign == ":=" or (sign == "=" and not self._in_call(unclosed)):
                raise self._error(f"'{sign}' has no place here; write the right-hand side alone", column)
        if unclosed:
            _, sign, column = self.tokens[unclosed[-1]]
            raise self._error(f"'{sign}' is never closed", column)

    def check_neighbours(self) -> None:
        """Refuse a long run of signs, and operands without an operator between them."""
        signs = int(self.tokens[0].text in _UNARY)
        for position, (left, right) in enumerate(pairwise(self.tokens)):
            signs = signs + 1 if right.text in _UNARY else 0
            if signs > MAX_SIGNS:
                raise self._error(f"more than {MAX_SIGNS} signs in a row", right.column)
            touching = left.column + len(left.text) == right.column
            if left.kind == "number" and right.text in _WORD_SIGNS and touching:
                raise self._error(f"write a blank before {right.text}", right.column)
            ends = left.kind != "sign" or left.text in _CLOSING.values()
            starts = right.kind != "sign" or right.text in ("([" if left.kind == "number" else "(")
            if ends and starts and not (left.kind == "name" and right.text == "("):
                raise self._error(self._missing_operator(position), right.column)

    def refusal(self, error: SyntaxError, start: int, end: int) -> ExpressionError:
        """What Python's parser refused, in the words of a formula."""
        column = start + error.offset - 1 if error.offset else end
        if not error.msg.startswith("invalid syntax"):
            return self._error(first_line(Exception(error.msg)), column)
        found = [text for _, text, begin in self.tokens if begin <= column < begin + len(text)]
        message = f"unexpected {quoted(found[0])}" if found else "the formula ends too early"
        return self._error(message, column)

    def _in_call(self, unclosed: list[int]) -> bool:
        return bool(unclosed) and unclosed[-1] > 0 and self.tokens[unclosed[-1] - 1].kind == "name"

    def _check_number(self, token: _Token) -> None:
        _, shown, column = token
        if len(shown) > MAX_DIGITS:
            raise self._error(f"a number has at most {MAX_DIGITS} digits", column)
        if shown[-1] in "jJ":
            product = f"{shown[:-1][:_FRAGMENT_WIDTH]}*{shown[-1]}"
            raise self._error(f"a formula has no complex numbers; for a product write {product}", column)
        if isinf(float(shown.replace("_", ""))):
            raise self._error("the number is too large; the largest is about 1.8e308", column)

    def _named(self, token: _Token) -> _Token:
        """The token of a name, or of a keyword that a formula may hold."""
        _, shown, column = token
        strange = [place for place, character in enumerate(shown) if not f"a{character}".isidentifier()]
        if strange:
            raise self._error(_character_error(shown[strange[0]]), column + strange[0])
        name = canonical(shown)
        if max(len(name), len(shown)) > MAX_NAME:
            raise self._error(f"a name has at most {MAX_NAME} characters", column)
        if name.startswith("__"):
            raise self._error(f"names such as '{name}' are not part of a formula", column)
        if name == shown and name in _WORDS:
            return _Token(_WORDS[name], name, column)
        if iskeyword(name):
            instead = "where(condition, a, b)" if name in ("if", "else") else f"{name}_ for a name"
            raise self._error(f"'{name}' is a Python keyword, not part of a formula; write {instead}", column)
        return token

    def _missing_operator(self, position: int) -> str:
        """The message where the operand that ends at the position meets the next one."""
        left, right = self.tokens[position], self.tokens[position + 1]
        opener = position + 1 + (right.kind == "name")
        second = self._source(position + 1, max(position + 1, self.partners.get(opener, 0)))
        if left.kind == "name" and canonical(left.text) in self.functions:
            return f"write {left.text}({second})"
        first = self.partners.get(position, position)
        called = 0 < first < position and self.tokens[first - 1].kind == "name"
        return f"write {self._source(first - called, position)}*{second}: multiplication needs *"

    def _source(self, first: int, last: int) -> str:
        end = self.tokens[last].column + len(self.tokens[last].text)
        source = visible(self.text[self.tokens[first].column : end])
        return source if len(source) <= _FRAGMENT_WIDTH else source[:_FRAGMENT_WIDTH] + "..."

    def _error(self, message: str, column: int) -> ExpressionError:
        return ExpressionError(message, self.text, column)


def _character_error(character: str) -> str:
    if character in _CHARACTER_ERRORS:
        return _CHARACTER_ERRORS[character]
    if character.isascii() and character.isprintable():
        return f"{quoted(character)} is not part of a formula"
    name = unicodedata.name(character, "without a name")
    plain = unicodedata.normalize("NFKC", character)
    if character in _LOOKALIKES:
        way_out = f"; write {_LOOKALIKES[character]}"
    elif unicodedata.decomposition(character).startswith("<super>") and plain.isdecimal():
        way_out = f"; write **{plain}"
    elif plain.isascii() and plain.isprintable():
        way_out = f"; write {plain}" if plain != " " else "; write an ordinary blank"
    else:
        way_out = "; delete it" if unicodedata.category(character) in ("Cf", "Cc") else ""
    return f"character U+{ord(character):04X} ({name}) is not part of a formula{way_out}"


def _cells(text: str) -> int:
    """The columns that a terminal gives to a text: two to a wide character, none to a combining one."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
