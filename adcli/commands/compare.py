"""`adcli compare`."""

from __future__ import annotations

import typer

SOME_FAILED = 4


def run(
    target: str = typer.Argument(..., help='A formula, "file.py:name", "problem:name", or - for standard input.'),
    at: str = typer.Option(None, help="The point: 2, x=1,y=2, x=[1,2], or a .json, .npz or .csv file."),
    wrt: str = typer.Option(None, help="The inputs to differentiate by, as in x,y."),
    order: int = typer.Option(1, help="How often to differentiate."),
    n: str = typer.Option(None, help="Random inputs of this many entries, uniform in (0, 1)."),
    seed: int = typer.Option(0, min=0, help="The seed of random inputs."),
    derivative: str = typer.Option(None, help="The hand-written derivative, for the row of manual."),
    dtype: str = typer.Option(None, help="float32 or float64."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    timeout: float = typer.Option(10.0, min=0.1, help="Seconds for each method, and for the reference."),
    as_json: bool = typer.Option(False, "--json", help="JSON on stdout."),
) -> None:
    """Differentiate by every method, with errors against a 50-digit reference.

    Exit code 4: a method failed with an error, or none gave a result.
    """
    from adcli.commands.common import function_at, user_code
    from adcli.comparison import compare_methods
    from adcli_methods.differentiate import Request

    names = [name.strip() for name in wrt.split(",")] if wrt else None
    with user_code():
        function, point = function_at(target, at, n, seed, derivative)
        request = Request("auto", names, order, None, None, dtype, device)
        comparison = compare_methods(function, point, request, timeout)
    if as_json:
        from adcli.report.as_json import comparison_json

        typer.echo(comparison_json(comparison))
    else:
        from adcli.report.table import print_comparison

        print_comparison(comparison)
    outcomes = {row.outcome for row in comparison.rows}
    if "failed" in outcomes or "ok" not in outcomes:
        raise typer.Exit(SOME_FAILED)
