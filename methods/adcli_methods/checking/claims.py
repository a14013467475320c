"""A claim: a function that says what the derivative of another function is, and what its result means."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adcli_methods.checking.matrices import Matrix
from adcli_methods.checking.subject import Array, Subject
from adcli_methods.errors import OperatorError
from adcli_methods.structure import is_node

KINDS = ("derivative", "gradient", "jacobian", "hessian", "hvp", "jvp", "vjp", "value_and_gradient")
PRODUCTS = ("hvp", "jvp", "vjp")
_NAMES = {
    "hvp": r"hvp|hessp|hess\w*_(p|prod|vec)",
    "jvp": r"jvp|jac_vec|pushforward",
    "vjp": r"vjp|pullback|backward",
    "hessian": r"hess",
    "value_and_gradient": r"value_and_grad|fun_and_grad|with_grad|fg$",
    "jacobian": r"jac",
}


@dataclass(frozen=True)
class Claim:
    """A claimed derivative.

    Arguments:
        name: what to call it in reports.
        call: takes the function's inputs; of hvp, jvp and vjp the vector comes last.
        kind: one of KINDS, None to find out from the name and the shape of its result.
        black_box: None to trace the function; else why it is checked by differences alone.
    """

    name: str
    call: Callable[..., Any]
    kind: str | None = None
    black_box: str | None = None


class ShapeError(Exception):
    """A claim's result that cannot be the derivative: the cause's kind ("shape", "transposed") and a sentence."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def claim_of(claim: Any, kind: str | None) -> Claim:
    """A Claim from a callable.

    Raises: OperatorError for an unknown kind or what cannot be called.
    """
    if isinstance(claim, Claim):
        made = replace(claim, kind=kind or claim.kind)
    else:
        name = getattr(claim, "__name__", None) or getattr(claim, "name", None) or type(claim).__name__
        call = claim if callable(claim) else getattr(claim, "call", None)
        if call is None:
            raise OperatorError(f"{claim!r} is no derivative: give a function that returns it")
        made = Claim(str(name), call, kind)
    if made.kind not in (None, *KINDS):
        raise OperatorError(f"unknown kind of claim {made.kind!r}: {', '.join(KINDS)}")
    return made


def kind_by_name(claim: Claim, input_count: int) -> str | None:
    """The kind that the claim's name or its count of parameters tells, or None."""
    if claim.kind is not None:
        return claim.kind
    for kind, pattern in _NAMES.items():
        if re.search(pattern, claim.name.lower()) and (kind not in PRODUCTS or _required(claim.call) != input_count):
            return kind
    return None


def _required(call: Callable[..., Any]) -> int | None:
    """How many inputs a callable needs, where it can be known."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(parameter.default is parameter.empty for parameter in parameters)


def kind_by_shape(result: Any, subject: Subject) -> str:
    """The kind that the shape of a claim's result tells."""
    shape, n, m = np.shape(_plain(result)) if not is_node(result) else None, subject.n, subject.m
    if isinstance(result, tuple) and len(result) == 2 and m == 1 and _is_value(result, subject):
        return "value_and_gradient"
    if m == 1 and n > 1 and shape in ((n, n), subject.shapes[0] * 2) and len(subject.shapes) == 1:
        return "hessian"
    if m == n and n > 1 and shape == subject.shapes[0] and shape == subject.output_shape:
        return "derivative"
    if m > 1:
        return "jacobian"
    return "derivative" if n == 1 else "gradient"


def _is_value(result: tuple[Any, Any], subject: Subject) -> bool:
    first, _ = result
    if np.size(_plain(first)) != 1 or is_node(first):
        return False
    return len(subject.problem.paths) == 1 and (subject.shapes[0] != () or np.allclose(first, subject.y, rtol=1e-3))


def _plain(value: Any) -> Any:
    if type(value).__name__ in ("Tensor", "Parameter"):
        return value.detach().cpu().numpy()
    return value


def matrix_of(result: Any, kind: str, subject: Subject) -> Matrix:
    """A claim's result as a matrix: outputs by inputs, or inputs by inputs for a Hessian.

    Raises: ShapeError.
    """
    if kind == "derivative" and subject.m == subject.n > 1:
        return Matrix(_numbers(result, subject.output_shape, "one slope for each entry").ravel(), diagonal=True)
    if kind == "hessian":
        return Matrix(_blocks(result, subject, subject.n, None))
    return Matrix(_blocks(result, subject, subject.m, subject.output_shape))


def vector_of(result: Any, subject: Subject, by_input: bool) -> Array:
    """A claimed product as a flat vector of the inputs' or the outputs' entries.

    Raises: ShapeError.
    """
    if by_input:
        return np.array(_blocks(result, subject, 1, ())).ravel()  # a copy: the claim may return its own memory
    return _numbers(_joined(result), subject.output_shape, "the outputs' shape").flatten()


def _joined(result: Any) -> Any:
    if isinstance(result, (tuple, list)) and len({np.shape(_plain(part)) for part in result}) > 1:
        return np.concatenate([np.ravel(_plain(part)) for part in result])
    return result


def _blocks(result: Any, subject: Subject, rows: int, rows_shape: tuple[int, ...] | None) -> Any:
    """A dense or sparse matrix from whatever form the claim chose."""
    n, count = subject.n, len(subject.shapes)
    if hasattr(result, "tocsr"):
        return _sparse(result, rows, n)
    if rows_shape is None:  # a Hessian: by its rows' inputs, then by columns
        parts = _by_input(result, subject) if is_node(result) and count > 1 else None
        if parts is None:
            shape = subject.shapes[0] * 2 if count == 1 else (n, n)
            return _numbers(result, shape, f"{n} rows and columns", (n, n)).reshape(n, n)
        sized = zip(parts, subject.sizes, subject.shapes, strict=True)
        return np.concatenate([_blocks(part, subject, size, shape) for part, size, shape in sized])
    parts = _by_input(result, subject) if is_node(result) and (count > 1 or isinstance(result, dict)) else None
    if parts is None:
        shape = rows_shape + subject.shapes[0] if count == 1 else (*rows_shape, n)
        return _numbers(result, shape, "the inputs' shape after the outputs'", (rows, n)).reshape(rows, n)
    wanted = zip(parts, subject.shapes, subject.sizes, strict=True)
    return np.hstack([_numbers(p, rows_shape + s, "its input's", (rows, k)).reshape(rows, k) for p, s, k in wanted])


def _sparse(result: Any, rows: int, columns: int) -> Any:
    if result.shape == (rows, columns):
        return result.tocsr().astype(np.float64)
    kind = "transposed" if result.shape == (columns, rows) else "shape"
    raise ShapeError(kind, f"the claim has shape {result.shape}, expected {(rows, columns)}")


def _by_input(result: Any, subject: Subject) -> list[Any] | None:
    """The claim's part for each leaf, None where it has another form."""
    parts = []
    names = list(dict.fromkeys(path[0] for path in subject.problem.paths))
    for path in subject.problem.paths:
        part = result
        steps = path if isinstance(result, dict) and path[0] in result else path[1:]
        if not isinstance(result, dict) and len(names) > 1:
            steps = (str(names.index(path[0])), *path[1:])
        for step in steps:
            if isinstance(part, dict) and step in part:
                part = part[step]
            elif isinstance(part, (tuple, list)) and step.isdigit() and int(step) < len(part):
                part = part[int(step)]
            elif isinstance(part, dict):
                raise ShapeError("shape", f"the claim has no entry for {'.'.join(path)}")
            else:
                return None
        parts.append(part)
    return parts


def _numbers(result: Any, shape: tuple[int, ...], words: str, other: tuple[int, ...] | None = None) -> Array:
    """A result as numbers of a shape; vectors stand for any shape of their size."""
    result = _plain(result)
    if result is None:
        raise ShapeError("shape", "the claim returned None: does it lack a return statement?")
    try:
        array = np.asarray(result)
        if array.dtype.kind not in "fiubO":
            raise TypeError(array.dtype)
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise ShapeError("shape", f"the claim returned no array of real numbers, but {type(result).__name__}") from None
    size = int(np.prod(shape))
    if array.size != size:
        raise ShapeError("shape", f"the claim has shape {array.shape} ({array.size} entries), expected {shape}")
    squeezed = tuple(k for k in array.shape if k != 1)
    if array.shape in (shape, other) or squeezed == tuple(k for k in shape if k != 1) or len(squeezed) <= 1:
        return array
    if other is not None and squeezed == tuple(k for k in other if k != 1):
        return array
    kind = "transposed" if sorted(squeezed) == sorted(k for k in (other or shape) if k != 1) else "shape"
    raise ShapeError(kind, f"the claim has shape {array.shape}, expected {shape}: {words}")
