"""From what the user names to a Function: "file.py:name", "package.module:name". Loading a file runs it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from adcli_methods.errors import AdcliError, FunctionError
from adcli_methods.function import Function, describe, function_of

_MODULE_AND_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def names_python(target: str) -> bool:
    """Whether a text names a Python function, "file.py:name" or "package.module:name", and is no formula.

    >>> names_python("model.py:loss"), names_python("exp(x**2)"), names_python("x[1:2]")
    (True, False, False)
    """
    if len(target) > 4096:
        return False
    place, colon, _ = target.rpartition(":")
    return (bool(colon) and place.endswith(".py")) or target.endswith(".py") or bool(_MODULE_AND_NAME.fullmatch(target))


def load_python(target: str) -> Function:
    """The function that "file.py:name" or "package.module:name" names. The file is run, as by `python file.py`.

    Raises: FunctionError if there is no such file or name, or the file fails.
    """
    if target.endswith(".py"):
        raise FunctionError(f"{target}: which function? write {target}:name")
    place, _, name = target.rpartition(":")
    return function_named(load_module(place), name, place)


def load_module(place: str) -> ModuleType:
    """The module of a Python file, which is run, or of an importable name.

    Raises: FunctionError if there is no such file or module, or it fails.
    """
    try:
        return _load_file(Path(place)) if place.endswith(".py") else _import(place)
    except AdcliError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError):
            raise FunctionError(f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}") from None
        raise FunctionError(f"loading {place} failed: {describe(error, place)}") from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FunctionError(f"no file {path}: give the path of a Python file, as in model.py:loss")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"_user_{abs(hash(folder))}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and not name.startswith(error.name):
            raise
        raise FunctionError(f"no module {name!r}: give file.py:name, or the name of an importable module") from None


def function_named(module: ModuleType, name: str, place: str) -> Function:
    """The function of that name in a module that `place` led to.

    Raises: FunctionError if there is none.
    """
    found = object_named(module, name, place)
    if isinstance(found, type):
        raise FunctionError(f"{place}:{name} is a class: name one of its instances' methods, or a function")
    if not callable(found):
        raise FunctionError(f"{place}:{name} is a {type(found).__name__}, not a function")
    return function_of(found, is_file=True)


def object_named(module: object, name: str, place: str) -> Any:
    """What a dotted name stands for in a module, or in what else `place` led to.

    Raises: FunctionError if there is nothing of that name.
    """
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [key for key in vars(found) if not key.startswith("_") and callable(getattr(found, key))]
            from difflib import get_close_matches

            near = get_close_matches(part, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:10]) or 'no functions'}"
            raise FunctionError(f"{place} has no {part!r}: {hint}")
        found = getattr(found, part)
    return found
