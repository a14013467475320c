"""Which function is the derivative of which, by the names that people give them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adcli_methods.errors import FunctionError

_GRADIENT = r"grad(?:ient)?|der(?:iv|ivative)?|prime|jac(?:obian)?"
_FORMS = (
    (None, rf"(?P<base>.+?)_(?:{_GRADIENT})"),
    (None, rf"(?:{_GRADIENT}|d)_(?P<base>.+)"),
    (None, r"(?P<base>.+?)prime"),
    (None, r"d(?P<base>[^\W\d].*?)(?:_?dx)?"),
    ("hessian", r"(?P<base>.+?)_hess(?:ian)?|hess(?:ian)?_(?P<base_>.+)"),
    ("hvp", r"(?P<base>.+?)_(?:hvp|hessp|hess_prod|hess_vec)|(?:hvp|hessp)_(?P<base_>.+)"),
    ("jvp", r"(?P<base>.+?)_(?:jvp|jac_vec|pushforward)|jvp_(?P<base_>.+)"),
    ("vjp", r"(?P<base>.+?)_(?:vjp|pullback)|vjp_(?P<base_>.+)"),
    ("value_and_gradient", r"(?P<base>.+?)_(?:and|with)_(?:grad(?:ient)?|jac)"),
)
"""Kind of the claim (None: told by the shape of its result), and the form of its name."""
_BARE = {"grad": None, "gradient": None, "jac": None, "jacobian": None, "hess": "hessian", "hessian": "hessian",
         "hessp": "hvp", "hvp": "hvp"}  # fmt: skip
_BARE_BASES = ("fun", "func", "f", "function", "objective", "loss", "cost")
_BOTH = re.compile(r"(?:value|val|loss|fun|cost|f)_(?:and|with)_(?:grad(?:ient)?|jac)")
_GRADIENT_NAME = re.compile(rf"(?:.*_)?(?:{_GRADIENT})s?(?:_.*)?|g|d(?:w|x|f|theta)")
FORMS = "f_grad, grad_f, f_der, df, f_prime, f_jac, f_hess, f_hvp, f_jvp, f_vjp, f_and_grad"


@dataclass(frozen=True)
class Source:
    """A function as its file has it.

    Arguments:
        line: of its definition, from 1.
        returns_both: whether it returns a pair whose second part is named as a gradient.
        is_own: whether the file defines it, and does not import it: only then it is looked at as a claim.
    """

    line: int = 0
    returns_both: bool = False
    is_own: bool = True


@dataclass(frozen=True)
class Pair:
    """A function and the function that claims to be its derivative; both names are one for a (value, gradient)."""

    function: str
    claim: str
    kind: str | None
    line: int = field(default=0, compare=False)


def pairs(functions: Mapping[str, Source]) -> list[Pair]:
    """The pairs among these functions, in the order of the claims.

    >>> names = dict.fromkeys(["f", "df", "fun", "rosen_hess", "rosen"], Source())
    >>> [(pair.function, pair.claim) for pair in pairs(names)]
    [('f', 'df'), ('rosen', 'rosen_hess')]
    """
    found = []
    for name, source in functions.items():
        if not source.is_own:
            continue
        base, kind = _base(name, functions)
        if base is not None:
            found.append(Pair(base, name, kind, source.line))
        elif source.returns_both or _BOTH.fullmatch(name):
            found.append(Pair(name, name, "value_and_gradient", source.line))
    return found


def _base(name: str, functions: Collection[str]) -> tuple[str | None, str | None]:
    """The function that a name says to be the derivative of, and the kind of derivative."""
    for kind, form in _FORMS:
        match = re.fullmatch(form, name)
        if match is None:
            continue
        parts = match.groupdict()
        base = parts["base"] or parts.get("base_") or ""
        if base in functions and base != name:
            return base, kind
    if name in _BARE:
        bases = [base for base in _BARE_BASES if base in functions]
        if len(bases) == 1:
            return bases[0], _BARE[name]
    return None, None


def functions_in(path: Path) -> dict[str, Source]:
    """The functions that a file defines, or imports by name, at its top level, read without running it.

    Raises: FunctionError if it cannot be read.
    """
    if not path.is_file():
        raise FunctionError(f"no file {path}: give the path of a Python file, as in model.py")
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise FunctionError(f"{path}:{error.lineno}: SyntaxError: {error.msg}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FunctionError(f"{path} cannot be read: {error}") from None
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = Source(node.lineno, _returns_both(node))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            found |= {target.id: Source(node.lineno) for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: Source(node.lineno, is_own=False) for alias in node.names}
    return found


def _returns_both(function: ast.FunctionDef) -> bool:
    """Whether every return is a pair whose second part has a gradient's name."""
    returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return bool(returns) and all(
        isinstance(value, ast.Tuple)
        and len(value.elts) == 2
        and isinstance(value.elts[1], ast.Name)
        and _GRADIENT_NAME.fullmatch(value.elts[1].id) is not None
        for value in returns
    )
