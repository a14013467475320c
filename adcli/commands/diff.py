"""`adcli diff`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import typer

SOME_FAILED = 4


def run(
    target: str = typer.Argument(..., help='A formula, "file.py:name", "problem:name", or - for standard input.'),
    at: str = typer.Option(None, help="The point: 2, x=1,y=2, x=[1,2], or a .json, .npz or .csv file."),
    mode: str = typer.Option("auto", help="The method (see adcli methods)."),
    wrt: str = typer.Option(None, help="The inputs to differentiate by, as in x,y."),
    order: int = typer.Option(1, help="How often to differentiate."),
    jacobian: bool = typer.Option(False, "--jacobian", help="The Jacobian."),
    hessian: bool = typer.Option(False, "--hessian", help="The Hessian of a scalar function."),
    jvp: str = typer.Option(None, help="The Jacobian times this vector, as in 1,0."),
    vjp: str = typer.Option(None, help="This vector times the Jacobian."),
    hvp: str = typer.Option(None, help="The Hessian times this vector."),
    n: str = typer.Option(None, help="Random inputs of this many entries, uniform in (0, 1)."),
    seed: int = typer.Option(0, min=0, help="The seed of random inputs."),
    derivative: str = typer.Option(None, help="The hand-written derivative for --mode manual."),
    step: float = typer.Option(None, help="The step of differences."),
    dtype: str = typer.Option(None, help="float32 or float64."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    as_json: bool = typer.Option(False, "--json", help="JSON on stdout."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="The bare numbers."),
    out: Path = typer.Option(None, help="Write value and derivative to this .npz file (rows: .npz or .csv)."),
    points: str = typer.Option(None, help="Differentiate at each row of this .csv or .npz file, or - for CSV."),
    compiled: bool = typer.Option(False, "--compile", help="Fused native kernels."),
    strict: bool = typer.Option(False, "--strict", help="With --compile: the C library's own scalar functions."),
    chunk: int = typer.Option(None, min=1, help="How many tangents or cotangents a sweep takes."),
) -> None:
    """Differentiate a formula or a Python function at a point, or at each row of a file.

    A Python file that you name is run.
    """
    from adcli.commands.common import function_at, user_code
    from adcli.point import parse_vector
    from adcli_methods.differentiate import Request, differentiate
    from adcli_methods.errors import OperatorError

    if strict and not compiled:
        raise OperatorError("--strict is about native kernels: give --compile too")
    vectors = {"jvp": jvp, "vjp": vjp, "hvp": hvp}
    chosen = [name for name, given in {"jacobian": jacobian, "hessian": hessian, **vectors}.items() if given]
    if len(chosen) > 1:
        raise OperatorError(f"--{chosen[0]} and --{chosen[1]} together: ask for one operator at a time")
    operator = chosen[0] if chosen else None
    text = vectors.get(operator) if operator else None
    vector = parse_vector(text, f"--{operator}") if text else None
    names = [name.strip() for name in wrt.split(",")] if wrt else None
    if points:
        from adcli.rows import RowsRequest, differentiate_rows, fixed_inputs, require_rows_alone

        others: dict[str, Any] = {
            f"--{operator}": operator,
            "--order": order != 1,
            "--n": n,
            "--derivative": derivative,
        }
        others |= {"--step": step, "--dtype": dtype, "--device": device != "cpu", "--json": as_json, "--chunk": chunk}
        require_rows_alone(others)
        rows = RowsRequest(points, out, names, mode, "c" if compiled else "auto", strict, quiet, fixed_inputs(at))
        if differentiate_rows(target, rows):
            raise typer.Exit(SOME_FAILED)
        return
    with user_code():
        function, point = function_at(target, at, n, seed, derivative)
        request = Request(mode, names, order, operator, vector, dtype, device, step, chunk)
        run_it = _compiled(strict) if compiled else differentiate
        result = run_it(function, point, request)
    if out is not None:
        from adcli.report.archive import write

        write(result, out)
    if as_json:
        from adcli.report.as_json import diff_json as render
    elif quiet:
        from adcli.report.bare import numbers as render
    else:
        from adcli.report.lines import print_derivative

        print_derivative(result, function, point)
        return
    typer.echo(render(result))


def _compiled(strict: bool) -> Any:
    """What differentiates by native kernels; a plain derivative starts without it."""
    from adcli_methods.prepared.once import differentiate_compiled

    return partial(differentiate_compiled, strict=strict)
