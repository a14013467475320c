"""`adcli methods`."""

from __future__ import annotations

import typer


def run(as_json: bool = typer.Option(False, "--json", help="JSON on stdout.")) -> None:
    """What each method can do here, and how to install what it lacks; then the peers measured beside them."""
    from adcli_methods.methods import installed_methods, peer_methods

    methods = (*installed_methods(), *peer_methods())
    if as_json:
        from adcli.report.as_json import methods_json

        typer.echo(methods_json(methods))
        return
    from adcli.report.table import print_methods

    print_methods(methods)
