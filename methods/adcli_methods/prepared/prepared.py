"""A derivative prepared once and called often: what may change between calls is checked, and prepared again.

The contract. Between calls may change: the numbers in every floating-point input; their shapes, types and the values
of other inputs (a new version is prepared for each form); the branches and loop counts that the numbers decide (each
run checks the decisions, and a way not yet taken is prepared). What the function reads from elsewhere (globals,
attributes, closures, files) is taken as it was when a version was prepared. Calls from several threads may overlap.
The results are the caller's own arrays. A pickled one is prepared again where it is loaded, from the first example.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adcli_methods.differentiate import Request, check_device, differentiate
from adcli_methods.errors import OperatorError, PointError
from adcli_methods.function import Function, function_of
from adcli_methods.prepared.call import PRODUCTS, Call, Formed
from adcli_methods.prepared.report import PreparedReport, VersionReport
from adcli_methods.prepared.tensors import has_tensors, on_device, on_host
from adcli_methods.prepared.version import MATRICES, branches_of, form_of, form_on_device, prepare_version
from adcli_methods.prepared.way import Way
from adcli_methods.structure import Tree

OPERATORS = ("gradient", "jvp", "vjp", "hvp", "jacobian", "hessian")
MODES = ("reverse", "forward", "auto")
MOST_VERSIONS = 32
"""Ways through the branches that are kept for one form of the inputs; the one unused longest goes."""
AT_ONCE_VERSIONS = 8
"""With so many a new way is prepared when it is taken the second time: most ways of a long loop are taken once."""
MOST_SEEN = 10_000
_MISSING = object()
_TRIED = 3
"""Versions that a call tries by running them before it asks the function which way it goes."""


def prepare(
    function: Function | Callable[..., Tree],
    at: Any,
    *,
    operator: str = "gradient",
    mode: str = "auto",
    wrt: Sequence[str | int] | str | int | None = None,
    vector: Any = None,
    compile: str = "auto",  # noqa: A002 (the word that users know)
    strict: bool = False,
    chunk: int | None = None,
    device: str = "cpu",
) -> PreparedDerivative:
    """Prepare a derivative at a point, to be called at many.

    Arguments:
        function: a Function or a callable.
        at: an example of the inputs, as of `differentiate`.
        operator: "gradient" of a scalar function; "jvp", "vjp" or "hvp", which take the vector as last argument;
            "jacobian", or "hessian" of a scalar function.
        mode: of a gradient, "reverse" or "forward" (the tangents of all entries at once), "auto" is reverse; of a
            Jacobian, columns by "forward", rows by "reverse", "auto" takes the fewer; of a Hessian, the gradient's.
        wrt: the inputs to differentiate by; None: all floating-point ones.
        vector: an example of the vector; None: ones.
        compile: "auto", "c" for native kernels, "numpy", or "python" for functions of few numbers.
        strict: whether the kernels of "c" use the C library's scalar functions, as `math` does, and not vector ones,
            which are up to 4 units in the last place off.
        chunk: of a Jacobian or Hessian, how many columns or rows a sweep gives; None: as many as fit the cache.
        device: "cpu", or "cuda" for Triton kernels, the function traced on the CPU all the same. There each input may
            be a torch tensor on the device: then arrays come back as tensors there, numbers as Python's. With NumPy's
            inputs the results are NumPy's. No copy is made where inputs are given by position, each one array.
    Result: a callable of the function's own inputs that returns (value, derivative).
    Raises: OperatorError, PointError, FunctionError, UnavailableError.

    >>> f = prepare(lambda x: np.exp(x**2), 2.0)
    >>> f(2.0)
    (54.598150033144236, 218.39260013257694)
    >>> f.report.versions[0].backend
    'python'
    """
    if operator not in OPERATORS:
        raise OperatorError(f"operator {operator!r} cannot be prepared: one of {', '.join(OPERATORS)}")
    if mode not in MODES:
        raise OperatorError(f"mode {mode!r} cannot be prepared: one of {', '.join(MODES)}")
    check_device(device)
    way = Way(compile, strict, device)
    way.check()
    if chunk is not None and (operator not in MATRICES or chunk < 1):
        raise OperatorError(f"chunk={chunk}: a number from 1 on, of a jacobian or hessian, not of a {operator}")
    if device != "cpu" and operator in MATRICES:
        raise OperatorError(f"a prepared {operator} runs on the cpu, not on {device}: diff takes --device {device}")
    given = function if isinstance(function, Function) else function_of(function)
    request = Request(mode, wrt, operator=operator, vector=on_host(vector), device=device, chunk=chunk)
    return PreparedDerivative(given, on_host(at), request, way)


class PreparedDerivative:
    """See `prepare`."""

    def __init__(self, function: Function, at: Any, request: Request, way: Way) -> None:
        self._function = function
        self._at = at
        self._request = request
        self._way = way
        self._form_of = form_of if request.device == "cpu" else form_on_device
        self._lock = threading.Lock()
        self._versions: dict[Any, tuple[Formed, ...]] = {}
        self._reports: list[VersionReport] = []
        self._new_forms = self._new_branches = self._fallbacks = 0
        self._seen: set[int] = set()
        self._scalar: Callable[[float], tuple[Tree, Tree] | None] | None = None
        self._quick: Formed | None = None
        call = Call(function, at, request)
        self._positions = call.positions()
        self._add(call, self._prepared(call))

    def __reduce__(self) -> tuple[Any, ...]:
        return PreparedDerivative, (self._function, self._at, self._request, self._way)

    @property
    def report(self) -> PreparedReport:
        """What was prepared, optimised, fused and compiled so far."""
        name = self._function.formula or self._function.name
        counts = (self._new_forms, self._new_branches, self._fallbacks)
        return PreparedReport(name, str(self._request.operator), tuple(self._reports), *counts)

    def __repr__(self) -> str:
        return f"<prepared {str(self.report).splitlines()[0]}>"

    def __call__(self, first: Any = _MISSING, /, *others: Any, **keywords: Any) -> tuple[Tree, Tree]:
        """The value and the derivative at these inputs."""
        if type(first) is float and self._scalar is not None and not others and not keywords:
            try:
                found = self._scalar(first)
            except (ArithmeticError, ValueError):
                found = None
            if found is not None:
                return found
        return self._called(others if first is _MISSING else (first, *others), keywords)

    def _called(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> tuple[Tree, Tree]:
        """The call by the version that ran last, if the inputs have its form."""
        quick = self._quick
        if quick is not None and not keywords and len(arguments) == len(quick.forms):
            leaves = [arguments[position] for position in quick.positions]
            if all(self._form_of(leaf) == form for leaf, form in zip(leaves, quick.forms, strict=True)):
                outputs = quick.version.runner.run(leaves)
                if outputs is not None:
                    return quick.result(outputs)
        if self._request.device != "cpu" and has_tensors([*arguments, *keywords.values()]):
            value, derivative = self._general(on_host(arguments), on_host(keywords))
            return on_device(value, self._request.device), on_device(derivative, self._request.device)
        return self._general(arguments, keywords)

    def _general(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> tuple[Tree, Tree]:
        """The call for inputs of any form: a known version if one holds, else the way that the function now takes."""
        *point, vector = arguments if self._request.operator in PRODUCTS else (*arguments, None)
        at = _named(self._function, point, keywords)
        call = Call(self._function, at, replace(self._request, vector=vector))
        known = self._versions.get(call.key, ())
        for formed in known[:_TRIED]:
            outputs = formed.version.runner.run(call.leaves)
            if outputs is not None:
                self._quick = formed if formed.positions else self._quick
                return formed.result(outputs)
        return self._another_way(call)

    def _another_way(self, call: Call) -> tuple[Tree, Tree]:
        """No version at hand holds: find out which way the function goes here, and prepare it if it is new."""
        with np.errstate(all="ignore"):  # infinities and NaN are values here
            branches = branches_of(call.problem.program)
        known = self._versions.get(call.key, ())
        formed = next((each for each in known if each.version.branches == branches), None)
        if formed is not None:
            self._add(call, formed)
        elif len(known) < AT_ONCE_VERSIONS or self._is_seen(call, branches):
            formed = self._new_version(call, branches)
        outputs = None if formed is None else formed.version.runner.run(call.leaves)
        if formed is not None and outputs is not None:
            return formed.result(outputs)
        self._fallbacks += 1
        found = differentiate(self._function, call.at, call.request, with_notes=False)
        return found.value, found.derivative

    def _is_seen(self, call: Call, branches: tuple[Any, ...]) -> bool:
        """Whether this way was taken before."""
        way = hash((call.key, branches))
        is_seen = way in self._seen
        if len(self._seen) == MOST_SEEN:
            self._seen = set()
        self._seen.add(way)
        return is_seen

    def _new_version(self, call: Call, branches: tuple[Any, ...]) -> Formed:
        """Prepare a version, unless another thread has just done so."""
        with self._lock:
            known = self._versions.get(call.key, ())
            for formed in known:
                if formed.version.branches == branches:
                    return formed
            formed = self._prepared(call)
            self._new_branches += bool(known)
            self._new_forms += not known
            self._add(call, formed)
            return formed

    def _prepared(self, call: Call) -> Formed:
        mode, operator = self._request.mode, str(self._request.operator)
        version = prepare_version(call.problem, call.moving, operator, call.seeds, self._way, mode, self._request.chunk)
        self._reports.append(version.report)
        return Formed(version, call)

    def _add(self, call: Call, formed: Formed) -> None:
        """Put a version first, where calls look first."""
        others = tuple(each for each in self._versions.get(call.key, ()) if each is not formed)
        self._versions[call.key] = (formed, *others[: MOST_VERSIONS - 1])
        if formed.positions:
            self._quick = formed
            self._scalar = formed.version.runner.scalar


def _named(function: Function, point: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a call by name.

    Raises: PointError for too many, none, or one that the function has not.
    """
    names = function.parameters
    if len(point) > len(names):
        raise PointError(f"{function.name} takes {len(names)} input{'s' * (len(names) > 1)}, got {len(point)}")
    at = {**dict(zip(names, point, strict=False)), **keywords}
    for name in at:
        if name not in names:
            raise PointError(f"{function.name} has no input {name!r}: its inputs are {', '.join(names)}")
    if not at and names[0] not in function.defaults:
        raise PointError(f"no value for {names[0]}: {function.name} takes {', '.join(names)}")
    return at or {names[0]: function.defaults[names[0]]}
