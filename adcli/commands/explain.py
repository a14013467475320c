"""`adcli explain`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

_NAME = re.compile(r"[^\W\d][\w.]*")


def run(
    target: str = typer.Argument(..., help='A formula, "file.py:name", "problem:name", or - for standard input.'),
    at: str = typer.Option(None, help="The point: 2, x=1,y=2, x=[1,2], or a .json, .npz or .csv file."),
    mode: str = typer.Option("both", help="The trace: forward, reverse, dual (numbers), or both sweeps."),
    wrt: str = typer.Option(None, help="The inputs to differentiate by, as in x,y."),
    tangent: str = typer.Option(None, help="The seed of the forward sweep: an input's name, or numbers, as in 1,0."),
    cotangent: str = typer.Option(None, help="The seed of the reverse sweep: an output's name, or numbers."),
    steps: bool = typer.Option(False, "--steps", help="The derivation, rule by rule, ending in the formula."),
    latex: bool = typer.Option(False, "--latex", help="The derivation as LaTeX."),
    graph: Path | None = typer.Option(None, help="Draw the graph into this .svg, .png, .dot, .mmd or .json file."),
    html: Path | None = typer.Option(None, help="Write a self-contained page that plays both sweeps."),
    nan: bool = typer.Option(False, "--nan", help="Where a NaN, Inf or kink was born, and what it reached."),
    max_rows: int = typer.Option(60, min=3, help="The most rows of a table."),
    n: str = typer.Option(None, help="Random inputs of this many entries, uniform in (0, 1)."),
    seed: int = typer.Option(0, min=0, help="The seed of random inputs."),
    dtype: str = typer.Option(None, help="float32 or float64."),
) -> None:
    """Show how a derivative comes about: both sweeps line by line, the rules used, the graph.

    A Python file that you name is run.
    """
    from adcli.commands.common import function_at, user_code
    from adcli.report import explain_view as view
    from adcli_methods.errors import OperatorError
    from adcli_methods.explaining import explain

    names = [name.strip() for name in wrt.split(",")] if wrt else None
    if steps or latex:
        _print_steps(target, at, (n, seed), names, latex, max_rows)
        return
    if mode not in view.MODES:
        raise OperatorError(f"--mode {mode}: {', '.join(view.MODES)}")
    with user_code():
        function, point = function_at(target, at, n, seed, None)
        seeds = {"tangent": _seed(tangent, "--tangent"), "cotangent": _seed(cotangent, "--cotangent")}
        explanation = explain(function, point, wrt=names, dtype=dtype, **seeds)
    if nan:
        from adcli.report.explain_nan import print_births

        print_births(explanation)
    elif graph is None and html is None:
        view.print_explanation(explanation, mode, max_rows)
    if graph is not None:
        from adcli.report.explain_graph import write_graph

        write_graph(explanation, graph)
    if html is not None:
        from adcli.report.explain_page import write_page

        write_page(explanation, html)
    for path in (graph, html):
        if path is not None:
            typer.echo(f"written to {path}")


def _seed(text: str | None, option: str) -> Any:
    """A seed from the command line: a name, or numbers."""
    from adcli.point import parse_vector

    return text if text is None or _NAME.fullmatch(text) else parse_vector(text, option)


def _print_steps(
    target: str, at: str | None, size: tuple[str | None, int], wrt: Any, as_latex: bool, max_rows: int
) -> None:
    from adcli.commands.common import formula_without_point, function_at, user_code
    from adcli.report.explain_steps import latex_of, print_steps
    from adcli_methods.derivation import derivations
    from adcli_methods.errors import OperatorError

    try:
        with user_code():
            alone = formula_without_point(target) if at is None and size[0] is None else None
            function, point = (alone, None) if alone else function_at(target, at, *size, None)
            found = derivations(function, point, wrt=wrt)
        if as_latex:
            typer.echo(latex_of(found))
        else:
            print_steps(found, max_rows)
    except RecursionError:
        raise OperatorError(f"{target} is nested too deeply for SymPy: leave out --steps to see its trace") from None
