"""`adcli check`."""

from __future__ import annotations

import typer


def run(
    target: str = typer.Argument(..., help='A file.py, "file.py:name", "problem:name", or a formula.'),
    grad: str = typer.Option(None, help="The derivative to check: file.py:name or a formula."),
    at: str = typer.Option(None, help="The point: 2, x=1,y=2, x=[1,2], or a .json, .npz or .csv file."),
    n: str = typer.Option(None, help="Random inputs of this many entries."),
    points: int = typer.Option(None, min=1, help="How many points.  [default: 1 with --at, else 5]"),
    seed: int = typer.Option(0, min=0, help="The seed of random points and directions."),
    wrt: str = typer.Option(None, help="The inputs to differentiate by, as in x,y."),
    kind: str = typer.Option(None, help="gradient, jacobian, hessian, hvp, jvp, vjp or value_and_gradient."),
    torch: bool = typer.Option(False, "--torch", help="A torch function or module: its own autograd is checked."),
    rtol: float = typer.Option(None, help="Relative tolerance, in place of the derived one."),
    atol: float = typer.Option(None, help="Absolute tolerance: it excuses errors below it."),
    strict: bool = typer.Option(False, "--strict", help="UNCLEAR fails too."),
    timeout: float = typer.Option(60.0, min=0.1, help="Seconds for each claim."),
    form: str = typer.Option("rich", "--format", help="rich, json, github or junit."),
) -> None:
    """Check hand-written derivatives: which are wrong, where, and why.

    A Python file that you name is run, in a process of its own. Exit code 0: all pass; 1: a finding; 3: nothing could
    be checked; 4: some could not.
    """
    from adcli.checking.finding import exit_code
    from adcli.checking.order import Order
    from adcli.checking.run import check_all, orders_of
    from adcli_methods.checking.claims import KINDS
    from adcli_methods.errors import AdcliError

    if form not in ("rich", "json", "github", "junit"):
        raise AdcliError(f"--format {form}: rich, json, github or junit is expected")
    if kind is not None and kind not in KINDS:
        raise AdcliError(f"--kind {kind}: {', '.join(KINDS)} are known")
    if torch and grad is not None:
        raise AdcliError("--torch checks the function's own autograd: leave --grad out")
    orders = orders_of(Order(target, grad, kind, at, n, points, seed, wrt, rtol, atol, torch))
    checked = check_all(orders, timeout)
    if form == "rich":
        from adcli.report.check_text import print_findings

        findings = print_findings(checked, is_alone=len(orders) == 1)
    else:
        from adcli.report import check_formats

        findings = list(checked)
        typer.echo(getattr(check_formats, f"check_{form}")(findings, strict))
    raise typer.Exit(exit_code(findings, strict))
