"""The point from the command line: text, a file, or random numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from adcli_methods.errors import AdcliError, PointError

_NAMED = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)(.*)", re.DOTALL)
MOST_RANDOM_ENTRIES = 10**9


def parse_point(text: str) -> Any:
    """The inputs that a text or a file gives.

    Arguments:
        text: "2", "x=1,y=pi/2", "x=[1,2,3]", "1,2,3" (a vector), or the path of a .json, .npz or .csv file.
    Result: a dict of inputs by name, or one number or array.
    Raises: PointError.

    >>> parse_point("x=1,y=[1,2]")
    {'x': 1, 'y': array([1., 2.])}
    """
    suffix = Path(text).suffix.lower() if len(text) < 4096 else ""
    if suffix in _READERS:
        return _read(Path(text), suffix)
    parts = _split(text)
    named = [_NAMED.fullmatch(part) for part in parts]
    if not any(named):
        numbers = [number(part, text) for part in parts]
        return numbers[0] if len(numbers) == 1 else _vector(numbers, text)
    point: dict[str, Any] = {}
    for part, match in zip(parts, named, strict=True):
        if match is None:
            raise PointError(f"--at: {_shown(part)} has no name: write name=value for each input, as in x=1,y=[1,2]")
        name = match.group(1)
        if name in point:
            raise PointError(f"--at: {name} is given twice")
        point[name] = number(match.group(2), text)
    return point


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "...")


def _split(text: str) -> list[str]:
    """The parts between commas that are outside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    if any(not part.strip() for part in parts):
        raise PointError(f"--at: nothing between the commas of {_shown(text)}: write x=1,y=2 or 1,2,3")
    return parts


def number(text: str, whole: str) -> Any:
    """A number or an array written out, constants such as pi/2 and nan, inf included.

    Raises: PointError.
    """
    from adcli_methods.expression import parse
    from adcli_methods.vocabulary import CONSTANTS, vocabulary

    if "_" in text and text.replace("_", "").strip().isdigit():
        _refuse(text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    constants = CONSTANTS | {"nan": float("nan"), "inf": float("inf")}
    try:
        value = parse(text, vocabulary(), _rectangle).evaluate(constants)
    except AdcliError as error:
        raise PointError(f"--at: {_shown(text)} is not a number or a list of numbers: {error}") from None
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float)


def _rectangle(items: list[Any]) -> Any:
    """A list of numbers or of equally long lists as an array."""
    if len({np.shape(item) for item in items}) > 1:
        raise PointError("its lists are of unlike lengths")
    return np.array(items, dtype=float)


def _refuse(text: str) -> None:
    raise PointError(f"--at: {_shown(text)} is not a number: write it without underscores")


def _vector(numbers: list[Any], text: str) -> Any:
    if any(np.ndim(item) for item in numbers):
        raise PointError(f"--at: {_shown(text)} mixes numbers and lists: write name=value for each input")
    return np.array(numbers, dtype=float)


def _read(path: Path, suffix: str) -> Any:
    if not path.is_file():
        raise PointError(f"no file {path}: --at takes numbers or the path of a .json, .npz or .csv file")
    try:
        return _READERS[suffix](path)
    except (ValueError, OSError, KeyError) as error:
        raise PointError(f"{path} cannot be read as a point: {error}") from None


def _read_json(path: Path) -> Any:
    import json

    return json.loads(path.read_text(encoding="utf-8"))


def _read_npz(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_csv(path: Path) -> Any:
    """Columns by the names in the first row; of one row, numbers. Without names, one array."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise ValueError("the file is empty")
    header = [cell.strip() for cell in lines[0].split(",")]
    has_names = not all(_is_number(cell) for cell in header)
    rows = [[float(cell) for cell in line.split(",")] for line in lines[has_names:]]
    table = np.array(rows)
    if not has_names:
        return table[0] if len(table) == 1 else table
    if not rows:
        raise ValueError("there are names but no numbers")
    columns = {name: table[:, position] for position, name in enumerate(header)}
    return {name: float(column[0]) for name, column in columns.items()} if len(rows) == 1 else columns


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_READERS = {".json": _read_json, ".npz": _read_npz, ".csv": _read_csv}


def parse_size(text: str, option: str = "--n") -> int:
    """A number of entries, "1000" or "1e6".

    Arguments: the text, and the option that it was given to.
    Raises: PointError.
    """
    try:
        size = float(text)
    except ValueError:
        size = -1.0
    if not size.is_integer() or not 1 <= size <= MOST_RANDOM_ENTRIES:
        raise PointError(
            f"{option} {text}: a whole number from 1 to {MOST_RANDOM_ENTRIES:.0e} is expected, as in 1000 or 1e6"
        )
    return int(size)


def random_inputs(names: tuple[str, ...], size: int, seed: int) -> dict[str, Any]:
    """A vector of uniform random numbers between 0 and 1 for each input."""
    generator = np.random.default_rng(seed)
    return {name: generator.random(size) for name in names}


def parse_vector(text: str, option: str) -> Any:
    """The vector of --jvp, --vjp or --hvp: numbers, or name=value for each input.

    Raises: PointError.
    """
    try:
        return parse_point(text)
    except PointError as error:
        raise PointError(str(error).replace("--at", option)) from None
