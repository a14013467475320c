"""Places where names are bound, and the stand-ins that a trace binds there for a while."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType, NoneType
from typing import Any, NamedTuple

import numpy as np

from adcli_methods.standin_modules import is_instance, standin_of

_ABSENT = object()
_COMPARED = {
    ModuleType, FunctionType, BuiltinFunctionType, type, int, float, str, bool, NoneType, np.ufunc, type(np.sum),
}  # fmt: skip


_DATA = {int, float, complex, str, bytes, bool, NoneType, np.ndarray, np.float64, np.float32, np.int64, np.bool_}
"""Values that hold no function: one may take the place of another without anything to rebind."""


class Binding(NamedTuple):
    """A name (or position) in a store, what is bound to it, and what stands in for that."""

    store: Any
    key: Any
    real: Any
    standin: Any


class Attributes:
    """The attributes of an object as a store."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self.owner, name, value)


class _Same:
    """Equal to one object alone, which it does not keep alive."""

    __slots__ = ("identity", "is_data")
    __hash__ = None  # type: ignore[assignment]  # only compared

    def __init__(self, value: Any) -> None:
        self.identity = id(value)
        self.is_data = type(value) in _DATA

    def __eq__(self, other: object) -> bool:
        return id(other) == self.identity


def _is_equal(known: Any, value: Any) -> bool:
    try:
        return bool(known == value)
    except Exception:  # a user's __eq__ may raise anything
        return False


class Place:
    """A module's namespace, a cell, a class, a function's defaults, or a table of functions."""

    __slots__ = ("__weakref__", "bindings", "count", "imports", "needs_isinstance", "owner", "stamp")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.bindings: list[Binding] = []
        self.count = 0
        self.stamp: list[Any] = []
        self.imports = False
        self.needs_isinstance = False

    def is_current(self) -> bool:
        """Whether a namespace still holds what it held when it was read; true while stand-ins are in place."""
        if self.count > 0:
            return True
        try:
            is_same = self.stamp == list(self.owner.values())
        except Exception:  # a user's __eq__ may raise anything
            is_same = False
        return is_same or self._has_other_data_only()

    def _has_other_data_only(self) -> bool:
        """Whether just numbers, texts and arrays changed, as from one step of a loop to the next."""
        now = list(self.owner.values())
        if len(now) != len(self.stamp):
            return False
        for known, value in zip(self.stamp, now, strict=True):
            was_data = known.is_data if type(known) is _Same else type(known) in _DATA
            if not (known is value or (was_data and type(value) in _DATA) or _is_equal(known, value)):
                return False
        self.stamp = self._stamp()
        return True

    def _stamp(self) -> list[Any]:
        return [
            value if type(value) in _COMPARED or key.startswith("__") else _Same(value)
            for key, value in self.owner.items()
        ]

    def read(self, items: Iterable[tuple[Any, Any]], store: Any) -> list[Any]:
        """Note which of the items have stand-ins, and give the other values."""
        others, bindings = [], []
        for key, value in items:
            standin = standin_of(value)
            if standin is None:
                others.append(value)
            else:
                bindings.append(Binding(store, key, value, standin))
        self.bindings = bindings
        return others

    def read_namespace(self) -> list[Any]:
        """Read a module's names."""
        names = list(self.owner.items())
        self.needs_isinstance = self.imports = False
        self.stamp = self._stamp()
        return self.read([item for item in names if not item[0].startswith("__")], self.owner)

    def add_isinstance(self) -> None:
        """Bind the stand-in for isinstance too."""
        if self.needs_isinstance or "isinstance" in self.owner:
            return
        self.needs_isinstance = True
        binding = Binding(self.owner, "isinstance", _ABSENT, is_instance)
        self.bindings.append(binding)
        if self.count:
            self.owner["isinstance"] = is_instance

    def hold(self) -> None:
        """Put the stand-ins in place, for one more trace."""
        self.count += 1
        if self.count == 1:
            for store, key, _, standin in self.bindings:
                store[key] = standin

    def release(self) -> None:
        """One trace less; the last one puts the real ones back."""
        self.count -= 1
        if not self.count:
            for store, key, real, _ in self.bindings:
                if real is _ABSENT:
                    store.pop(key, None)
                else:
                    store[key] = real


PLACES: weakref.WeakValueDictionary[int, Place] = weakref.WeakValueDictionary()
"""Every place that some plan holds, by its owner's id."""
