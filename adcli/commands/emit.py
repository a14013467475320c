"""`adcli emit`."""

from __future__ import annotations

from pathlib import Path

import typer


def run(
    target: str = typer.Argument(..., help='A formula, "file.py:name", "problem:name", or - for standard input.'),
    at: str = typer.Option(None, help="A point, which gives the inputs' shapes: 2, x=[1,2], or a file."),
    mode: str = typer.Option("reverse", help="reverse or forward."),
    to: str = typer.Option("python", "--target", help="python, numpy, torch, jax or c."),
    wrt: str = typer.Option(None, help="The inputs to differentiate by, as in x,y."),
    n: str = typer.Option(None, help="Random inputs of this many entries, for their shapes."),
    name: str = typer.Option(None, help="The emitted function's name."),
    out: Path = typer.Option(None, help="Write the source to this file."),
) -> None:
    """Write source code that computes a function and its derivative, and needs no adcli.

    A Python file that you name is run.
    """
    from adcli.commands.common import user_code
    from adcli.source import emitted, written

    names = [item.strip() for item in wrt.split(",")] if wrt else None
    with user_code():
        source = emitted(target, at, n, mode, to, names, name)
    typer.echo(written(source, out) if out else source.rstrip("\n"))
