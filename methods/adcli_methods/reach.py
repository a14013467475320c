"""What a user's function can reach: the places whose names a trace rebinds to stand-ins."""

from __future__ import annotations

import functools
import opcode
import os
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any

import numpy as np

from adcli_methods.places import PLACES, Attributes, Binding, Place
from adcli_methods.standin_modules import standin_of

_NEVER = frozenset({"adcli", "adcli_methods", "numpy", "scipy", "builtins", "sys", "torch", "jax", "sympy"})
_LIBRARIES = frozenset({"adcli_benchmarks"})
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_IMPORT_NAME = opcode.opmap["IMPORT_NAME"]
_MOST_ITEMS = 64
_MOST_VALUES = 20_000


class Plan:
    """The places that a function can reach."""

    __slots__ = ("bound", "imports", "namespaces", "top")

    def __init__(self, places: list[Place], namespaces: list[Place], top: str) -> None:
        self.top = top
        self.bound = tuple(place for place in places if place.bindings)
        self.namespaces = tuple(namespaces)
        self.imports = any(place.imports for place in places)

    def is_current(self) -> bool:
        """Whether nothing was bound anew since."""
        for place in self.namespaces:  # noqa: SIM110  # a generator costs as much as the comparison
            if not place.is_current():
                return False
        return True

    def reaches(self, namespace: Any) -> bool:
        """Whether a namespace is that of a module in the plan."""
        return any(place.owner is namespace for place in self.namespaces)


def plan_of(root: Any, top: str | None = None) -> Plan:
    """Follow a function through everything of the user's that it can reach.

    Arguments: the function (or a module), and the package that counts as the user's own (the function's own).
    """
    return _Walk(root, top_of(root) if top is None else top).plan()


class _Walk:
    def __init__(self, root: Any, top: str) -> None:
        self.top = top
        self.queue = [root]
        self.seen: dict[int, Any] = {}
        self.places: dict[int, Place] = {}
        self.namespaces: list[Place] = []

    def plan(self) -> Plan:
        while self.queue and len(self.seen) < _MOST_VALUES:
            value = self.queue.pop()
            if id(value) not in self.seen and type(value) not in _LEAVES:
                self.seen[id(value)] = value
                self.queue.extend(self._visit(value))
        return Plan(list(self.places.values()), self.namespaces, self.top)

    def _place(self, owner: Any) -> tuple[Place, bool]:
        """The place of an owner, and whether it is to be read now."""
        place = PLACES.get(id(owner))
        if place is None:
            place = PLACES[id(owner)] = Place(owner)
        is_new = id(owner) not in self.places
        self.places[id(owner)] = place
        return place, is_new and not place.count

    def _visit(self, value: Any) -> Iterable[Any]:
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, ModuleType):
            return self._namespace(vars(value)) if self._is_own(vars(value)) else ()
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, (dict, list)):
            if value is sys.modules or (isinstance(value, dict) and "__builtins__" in value):
                return ()
            place, is_due = self._place(value)
            items = value.items() if isinstance(value, dict) else enumerate(value)
            first = [item for _, item in zip(range(_MOST_ITEMS), items, strict=False)]
            return place.read(first, value) if is_due else [item for _, item in first]
        return _inside(value) if isinstance(value, _WRAPPERS) else self._instance(value)

    def _function(self, function: FunctionType) -> Iterator[Any]:
        yield vars(function).get("__wrapped__")
        cells = function.__closure__ or ()
        if not self._is_own(function.__globals__):
            yield from _contents(cells)
            return
        yield from self._namespace(function.__globals__)
        place, _ = self._place(function.__globals__)
        imports, uses_isinstance = _habits(function.__code__)
        place.imports = place.imports or imports
        if uses_isinstance:
            place.add_isinstance()
        for cell, content in zip(cells, _contents(cells), strict=False):
            cell_place, is_due = self._place(cell)
            yield from cell_place.read([("cell_contents", content)], Attributes(cell)) if is_due else ()
        yield from self._defaults(function)

    def _defaults(self, function: FunctionType) -> Iterator[Any]:
        defaults = function.__defaults__
        if defaults:
            standins = tuple(standin_of(value) for value in defaults)
            place, is_due = self._place(function)
            if is_due and any(standin is not None for standin in standins):
                new = tuple(a if b is None else b for a, b in zip(defaults, standins, strict=True))
                place.bindings = [Binding(Attributes(function), "__defaults__", defaults, new)]
            yield from defaults
        if function.__kwdefaults__:
            yield function.__kwdefaults__

    def _namespace(self, names: dict[str, Any]) -> list[Any]:
        if id(names) in self.places:
            return []
        place, is_due = self._place(names)
        self.namespaces.append(place)
        if is_due:
            return place.read_namespace()
        return [value for name, value in list(names.items()) if not name.startswith("__")]

    def _class(self, kind: type) -> Iterator[Any]:
        if not self._is_own(vars(sys.modules.get(kind.__module__, _NO_MODULE))):
            return
        place, is_due = self._place(kind)
        items = [(name, value) for name, value in vars(kind).items() if not isinstance(value, ModuleType)]
        if is_due:
            yield from place.read(items, Attributes(kind))
        yield from kind.__mro__

    def _instance(self, value: Any) -> Iterator[Any]:
        kind = type(value)
        if self._is_own(vars(sys.modules.get(kind.__module__, _NO_MODULE))):
            yield kind
            yield from list(getattr(value, "__dict__", {}).values())[:_MOST_ITEMS]

    def _is_own(self, names: Any) -> bool:
        """Whether a namespace is the user's own: not a library's, or of the traced function's own package."""
        top = str(names.get("__name__", "")).partition(".")[0]
        if top in _NEVER or top == self.top:
            return top not in _NEVER
        return top not in _LIBRARIES and _is_user_file(top, names.get("__file__"))


_NO_MODULE = ModuleType("__no_module__")
_LEAVES = {NoneType, int, float, str, bytes, bool, complex, np.ndarray, CodeType}
_WRAPPERS = (
    MethodType, staticmethod, classmethod, property, functools.partial, functools.partialmethod, tuple,
    functools.cached_property, type(functools.cache(len)),
)  # fmt: skip


def _inside(wrapper: Any) -> Iterator[Any]:
    """What a method, property, partial or tuple holds."""
    if isinstance(wrapper, tuple):
        yield from wrapper[:_MOST_ITEMS]
        return
    for name in ("__func__", "__self__", "__wrapped__", "fget", "func", "args", "keywords"):
        yield getattr(wrapper, name, None)


def _contents(cells: Iterable[Any]) -> list[Any]:
    found = []
    for cell in cells:
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not yet filled
            found.append(None)
    return found


def top_of(root: Any) -> str:
    """The name of the package that a function belongs to."""
    module = getattr(root, "__module__", None) or getattr(type(root), "__module__", None) or ""
    return str(root.__name__ if isinstance(root, ModuleType) else module).partition(".")[0]


@functools.cache
def _is_user_file(top: str, file: str | None) -> bool:
    if file is None:
        return top not in sys.builtin_module_names and top not in sys.stdlib_module_names
    return not (file.startswith(_STANDARD_LIBRARY) or "site-packages" in file or "dist-packages" in file)


def _habits(code: CodeType) -> tuple[bool, bool]:
    """Whether a function's body imports, and whether it asks isinstance."""
    imports, uses = _IMPORT_NAME in code.co_code[::2], "isinstance" in code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner_imports, inner_uses = _habits(constant)
            imports, uses = imports or inner_imports, uses or inner_uses
    return imports, uses
