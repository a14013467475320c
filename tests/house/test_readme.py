"""What the README shows is what the program prints."""

from __future__ import annotations

import doctest
import re
import shlex
import sys
from pathlib import Path

import pytest

from adcli.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
_CONSOLE = re.compile(r"```console\n\$ adcli (.*)\n((?:.*\n)*?)```")
_DURATION = re.compile(r" *[\d.]+ (?:s|ms|µs|ns)\b")
EXAMPLES = _CONSOLE.findall(README.read_text(encoding="utf-8"))


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command of the README prints, at 80 columns."""
    with pytest.raises(SystemExit):
        main(shlex.split(command))
    captured = capsys.readouterr()
    return captured.err + captured.out


def comparable(text: str) -> str:
    """Text without durations, and without the widths of columns and the breaks of lines that durations set."""
    text = re.sub(r"from \d+ calls on|at once", "<when>", text.strip())  # which durations decide
    text = re.sub(r"\s*\n {2}", " ", _DURATION.sub(" <time>", text))  # as they decide where lines are broken
    lines = text.splitlines()
    return "\n".join(re.sub("([ ─])\\1+", r"\1", line).rstrip() for line in lines)


def test_the_readme_has_examples():
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_each_command_prints_what_the_readme_shows(command, shown, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert comparable(printed(command, capsys)) == comparable(shown)


def test_the_python_examples_are_right():
    results = doctest.testfile(str(README), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0


def test_the_shown_model_is_the_file():
    source = (ROOT / "examples" / "model.py").read_text(encoding="utf-8").split('"""\n\n', 1)[1]
    shown = re.search(r"```python\n(import numpy.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown.group(1).split() == source.split()


def test_the_test_command_is_what_ci_runs():
    assert "<!-- test-command -->" in README.read_text(encoding="utf-8")
    assert "<!-- test-command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
