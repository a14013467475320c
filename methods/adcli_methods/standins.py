"""Unmodified NumPy and math code under a trace: names are rebound to stand-ins while a function is traced.

Names bound to numpy, math, scipy.special and scipy.linalg, or to functions of theirs, are rebound in the modules
of the user that the function can reach (`reach`), never through `sys.modules`: other libraries import NumPy too.
"""

from __future__ import annotations

import builtins
import threading
import weakref
from collections.abc import Callable
from types import MethodType, ModuleType, TracebackType
from typing import Any

from adcli_methods.errors import TraceError
from adcli_methods.reach import Plan, plan_of
from adcli_methods.standin_modules import DEPTH, MODULES, standin_of

__all__ = ["rebound", "standin_of"]

_lock = threading.RLock()
_MOST_KNOWN = 256
_known: dict[Any, tuple[Callable[[], Any], Rebinding]] = {}


def rebound(function: Callable[..., Any]) -> Rebinding:
    """A context in which the names that a function can reach are bound to stand-ins."""
    return _current(function, id(function), function)


class Rebinding:
    """The context manager of `rebound`: may be nested, and entered in several threads at a time."""

    __slots__ = ("bound", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bound = plan.bound

    def __enter__(self) -> None:
        if not self.bound and not self.plan.imports:
            return
        with _lock:
            for place in self.bound:
                place.hold()
            if self.plan.imports:
                _imports.watch(self)
        DEPTH.value += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.bound or self.plan.imports:
            DEPTH.value -= 1
            with _lock:
                if self.plan.imports:
                    _imports.unwatch()
                for place in self.bound:
                    place.release()
        if error is not None and isinstance(error.__cause__, TraceError) and not isinstance(error, TraceError):
            raise error.__cause__ from None  # NumPy wraps what the conversion of an item raises


def _current(function: Any, key: Any, owner: Any, top: str | None = None) -> Rebinding:
    """What is known of a function or module, found out anew where a name was bound anew."""
    if type(function) is MethodType:
        owner = function.__self__
        key = id(function.__func__), id(owner)
    known = _known.get(key)
    if known is not None and known[0]() is owner and known[1].plan.is_current():
        return known[1]
    with _lock:
        made = Rebinding(plan_of(function, top))
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)), None)
        _known[key] = _weakly(owner, key), made
    return made


def _weakly(owner: Any, key: Any) -> Callable[[], Any]:
    table = _known  # a module's names are gone when the interpreter ends

    def forget(reference: Any) -> None:
        known = table.get(key)
        if known is not None and known[0] is reference:
            table.pop(key, None)

    try:
        return weakref.ref(owner, forget)
    except TypeError:
        return lambda: owner


class _Imports:
    """`import math` in a function's body: answered with the stand-in in the user's modules, while one is traced.

    A module of the user that is imported there for the first time is rebound too, until the trace ends.
    """

    def __init__(self) -> None:
        self.count = 0
        self.real: Callable[..., Any] = builtins.__import__

    def watch(self, rebinding: Rebinding) -> None:
        """Answer the imports of what a function can reach, for one more trace."""
        DEPTH.watching.append((rebinding.plan, []))
        if not self.count:
            self.real = builtins.__import__
            builtins.__import__ = self.answer
        self.count += 1

    def unwatch(self) -> None:
        """One trace less."""
        for rebinding in DEPTH.watching.pop()[1]:
            rebinding.__exit__(None, None, None)
        self.count -= 1
        if not self.count and builtins.__import__ == self.answer:
            builtins.__import__ = self.real

    def answer(self, name: str, globals: Any = None, *args: Any, **keywords: Any) -> Any:  # noqa: A002
        """The module, or what stands in for it where one of the user's traced modules asks."""
        module = self.real(name, globals, *args, **keywords)
        if not DEPTH.watching or type(module) is not ModuleType:
            return module
        plan, included = DEPTH.watching[-1]
        if not any(known.reaches(globals) for known in (plan, *(one.plan for one in included))):
            return module
        if module.__name__ in MODULES:
            return standin_of(module)
        rebinding = _current(module, (id(module), plan.top), module, plan.top)
        if not any(one is rebinding for one in included):
            rebinding.__enter__()
            included.append(rebinding)
        return module


_imports = _Imports()
