"""`adcli methods`."""

from __future__ import annotations

import typer


def run(as_json: bool = typer.Option(False, "--json", help="JSON on stdout.")) -> None:
    """What each method can do here, and how to install what it lacks."""
    from adcli_methods.methods import installed_methods

    if as_json:
        from adcli.report.as_json import methods_json

        typer.echo(methods_json(installed_methods()))
        return
    from adcli.report.table import print_methods

    print_methods(installed_methods())
