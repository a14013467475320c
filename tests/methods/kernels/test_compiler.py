"""The compiler and the cache of compiled kernels."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adcli_methods.errors import UnavailableError
from adcli_methods.kernels import compiler

SOURCE = "double answer(void) { return 42.0; }\n"


def test_without_a_compiler_the_way_out_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="ziglang"):
        compiler.find_compiler()


def test_the_users_compiler_comes_first(monkeypatch, tmp_path):
    script = tmp_path / "mine"
    script.write_text("#!/bin/sh\necho mine 1.0\n")
    script.chmod(0o755)
    monkeypatch.setenv("CC", f"{script} -pipe")
    assert compiler.find_compiler() == ((str(script), "-pipe"), "mine 1.0")


def test_a_text_that_does_not_compile_is_reported_in_one_line():
    with pytest.raises(UnavailableError, match="error") as caught:
        compiler.load("nonsense", compiler.find_compiler(), "-O1")
    assert "\n" not in str(caught.value)


def test_the_second_load_comes_from_a_folder_of_this_user_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = [compiler.load(SOURCE, compiler.find_compiler(), "-O1") for _ in range(2)]
    assert [library.cached for library in found] == [False, True]
    folder = tmp_path / "adcli" / "kernels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.suffix for path in folder.iterdir()] == [".so"]


def test_a_cache_that_others_may_write_is_not_used(monkeypatch, tmp_path):
    folder = tmp_path / "adcli" / "kernels"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiler.cache_folder() != folder
    compiler.load(SOURCE, compiler.find_compiler(), "-O1")
    assert list(folder.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_done_without(monkeypatch, tmp_path):
    Path(tmp_path, "adcli").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert os.access(compiler.cache_folder(), os.W_OK)


@pytest.mark.parametrize("damage", [lambda content: content[:-5000], lambda content: b"", lambda content: b"rubbish"])
def test_a_damaged_file_of_the_cache_is_compiled_again(monkeypatch, tmp_path, damage):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = SOURCE.replace("answer", f"answer_{uuid.uuid4().hex}")  # a library of this name was never loaded
    folder = compiler.cache_folder()
    compile_elsewhere(text, tmp_path)
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert not compiler.load(text, compiler.find_compiler(), "-O1").cached
    assert compiler.load(text, compiler.find_compiler(), "-O1").cached


def compile_elsewhere(text, home, count=1):
    """Load a text in processes of their own, at the same time."""
    call = "import sys; from adcli_methods.kernels import compiler as c; c.load(sys.argv[1], c.find_compiler(), '-O1')"
    command = [sys.executable, "-c", call, text]
    runs = [subprocess.Popen(command, env={**os.environ, "XDG_CACHE_HOME": str(home)}) for _ in range(count)]
    assert [run.wait() for run in runs] == [0] * count


def test_processes_may_compile_the_same_text_at_once(tmp_path):
    compile_elsewhere(SOURCE, tmp_path, count=4)
    assert len(list((tmp_path / "adcli" / "kernels").iterdir())) == 1


def test_a_temporary_cache_goes_with_its_process(tmp_path):
    Path(tmp_path, "adcli").write_text("in the way")
    call = "from adcli_methods.kernels.compiler import cache_folder; print(cache_folder())"
    run = subprocess.run([sys.executable, "-c", call], env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
                         capture_output=True, text=True, check=True)  # fmt: skip
    assert "adcli-kernels-" in run.stdout
    assert not Path(run.stdout.strip()).exists()


def test_many_may_compile_the_same_text_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        libraries = list(pool.map(lambda _: compiler.load(SOURCE, compiler.find_compiler(), "-O1"), range(4)))
    assert len(list((tmp_path / "adcli" / "kernels").iterdir())) == 1
    assert all(hasattr(library.functions, "answer") for library in libraries)
