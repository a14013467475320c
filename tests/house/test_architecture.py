"""The rules of the house, held by tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {
    "adcli_methods": ROOT / "methods" / "adcli_methods",
    "adcli_benchmarks": ROOT / "benchmarks" / "adcli_benchmarks",
    "adcli": ROOT / "adcli",
}
MAY_IMPORT = {
    "adcli_methods": {"adcli_methods"},
    "adcli_benchmarks": {"adcli_methods", "adcli_benchmarks"},
    "adcli": {"adcli_methods", "adcli_benchmarks", "adcli"},
}
HEAVY = {"torch", "sympy", "scipy", "mpmath", "jax", "autograd", "casadi", "numdifftools", "matplotlib"}
HEAVY_FILES = re.compile(r"targets/(torch|sympy|mpmath|complex|numpy|jax|autograd|casadi)_\w+\.py$")
"""Files that are imported only when their library is asked for."""


def _sources() -> Iterator[tuple[str, Path]]:
    for floor, folder in FLOORS.items():
        for path in sorted(folder.rglob("*.py")):
            yield floor, path


def _imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node


@pytest.mark.parametrize(("floor", "path"), list(_sources()), ids=lambda value: str(value).removeprefix(str(ROOT)))
def test_nothing_imports_upward(floor, path):
    for name, _ in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = name.split(".")[0]
        if top in FLOORS:
            assert top in MAY_IMPORT[floor], f"{path} imports {name}"
        assert top not in ("methods", "benchmarks", "tests", "results")


@pytest.mark.parametrize(("floor", "path"), list(_sources()), ids=lambda value: str(value).removeprefix(str(ROOT)))
def test_heavy_packages_are_imported_inside_functions(floor, path):
    if HEAVY_FILES.search(path.as_posix()):
        pytest.skip("a target's own file")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_start = [node for node in ast.iter_child_nodes(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    for name, node in _imports(tree):
        if node in at_start:
            assert name.split(".")[0] not in HEAVY, f"{path} imports {name} at start"


def test_files_stay_under_300_lines():
    long = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for _, path in _sources()}
    assert {path: count for path, count in long.items() if count > 300} == {}


def test_user_text_is_never_evaluated():
    for _, path in _sources():
        if path.name in ("emission.py", "triton_program.py") or "targets" in path.parts:
            continue  # these compile our own emitted source
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path


def test_every_module_and_public_function_has_a_docstring():
    for _, path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree) is not None, path
        if path.parent.name == "targets" and path.stem.endswith("_functions"):
            continue  # each function is named as the primitive that it computes
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node) is not None, f"{path}: {node.name}"


def _module_name(floor: str, path: Path) -> str:
    parts = path.relative_to(FLOORS[floor].parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported_modules(tree: ast.AST, known: set[str]) -> set[str]:
    """Our own modules that a file imports anywhere, other than for type checking."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & known or {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
    return found


def test_no_imports_go_in_a_circle():
    files = {_module_name(floor, path): path for floor, path in _sources()}
    waiting = {name: _imported_modules(ast.parse(path.read_text("utf-8")), set(files)) - {name}
               for name, path in files.items()}  # fmt: skip
    while free := [name for name, needs in waiting.items() if not needs & set(waiting)]:
        for name in free:
            del waiting[name]
    assert waiting == {}
