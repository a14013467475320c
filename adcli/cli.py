"""The command line: one file per command in `adcli/commands`, the list of them here."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import typer

from adcli import __version__
from adcli_methods.errors import AdcliError, ExpressionError

INTERRUPTED = 130
LONGEST_MESSAGE = 600
_FLAGS = {"-q", "-h", "-"}
_FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}
"""Errors that a write alone gives; a file of our own turns them into an AdcliError, so here it is standard output."""

COMMANDS = ("diff", "compare", "emit", "explain", "check", "bench", "report", "methods")
"""Each is `run` in the file of that name in `adcli/commands`."""


def application(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands; only the one that was asked for is imported."""
    app = typer.Typer(
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    for name in commands:
        app.command(name=name)(import_module(f"adcli.commands.{name}").run)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"adcli {__version__}")
        raise typer.Exit


def options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Differentiate any formula or Python function, by every method."""


def with_formula_last(arguments: list[str]) -> list[str]:
    """A formula that starts with a minus sign, such as "-x**2", told apart from options.

    >>> with_formula_last(["diff", "-x**2", "--at", "-1"])
    ['diff', '--at', '-1', '--', '-x**2']
    """
    if "--" in arguments:
        return arguments
    for position, argument in enumerate(arguments[1:3], start=1):
        is_value = arguments[position - 1].startswith("--")
        looks_like_flag = not argument.startswith("-") or argument.startswith("--") or argument in _FLAGS
        if not (is_value or looks_like_flag):
            return [*arguments[:position], *arguments[position + 1 :], "--", argument]
    return arguments


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    given = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    _ready_streams()
    code = 0
    try:
        code = _run(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _say_interrupted()
        code = INTERRUPTED
    except OSError as error:
        code = _output_lost(error, code)
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        code = 0  # the reader has gone, which click would end with 1
    sys.exit(code)


def _ready_streams() -> None:
    """Streams that take any text: a closed one takes it nowhere, one that knows ASCII alone replaces the rest."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for the whole run)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(given: list[str]) -> int:
    """Run the command; its exit code, with what went wrong said on stderr."""
    try:
        app = application(given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS)
        code = app(args=with_formula_last(given), prog_name="adcli", standalone_mode=False) or 0
        if code == INTERRUPTED:
            _say_interrupted()
        return int(code)
    except AdcliError as error:
        return _report(error)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _usage(error)


def _output_lost(error: OSError, code: int) -> int:
    """The exit code where standard output takes no more; nothing new where its reader has gone."""
    is_full = error.errno in _FULL and error.filename is None
    if not (is_full or isinstance(error, BrokenPipeError)):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the flush at exit does not fail again
    return _report(AdcliError(f"standard output cannot be written: {error.strerror}")) if is_full else code


def _say_interrupted() -> None:
    print("adcli: interrupted", file=sys.stderr)


def _usage(error: Any) -> int:
    """A wrong option, told in one line."""
    context = getattr(error, "ctx", None)
    where = f" (see {context.command_path} --help)" if context is not None else ""
    _say(error.format_message() + where)
    return int(getattr(error, "exit_code", 2))


def _report(error: AdcliError) -> int:
    _say(str(error))
    if isinstance(error, ExpressionError) and error.column is not None:
        from adcli_methods.expression import caret

        print(caret(error), file=sys.stderr)
    return error.exit_code


def _say(message: str) -> None:
    line = " ".join(message.split())
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    if len(printable) > LONGEST_MESSAGE:
        printable = printable[:LONGEST_MESSAGE] + " ..."
    print(f"adcli: error: {printable}", file=sys.stderr)
