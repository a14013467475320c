"""`adcli bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from adcli.benchmarking import Ended

FOUND_WORSE = 1
SOME_FAILED = 4
INTERRUPTED = 130


def run(
    words: list[str] | None = typer.Argument(
        None,
        help="accuracy, swell, memory, passes, speed, imports; compare BASE HEAD; problems. Nothing: a tour of all.",
        metavar="[WHAT]...",
    ),
    problems: str | None = typer.Option(
        None, help='Shipped problems or your own "model.py:loss", as in rosenbrock,lstm.'
    ),
    methods: str | None = typer.Option(None, help="Methods and peers, as in reverse,jax."),
    sizes: str | None = typer.Option(None, help="Problem sizes, as in 10,100,1e6."),
    n: str | None = typer.Option(
        None, help="One size; alone, the passes, time, memory and error of every method at it."
    ),
    dtype: str = typer.Option("float64", help="float64, float32, or both with a comma between."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    seed: int = typer.Option(0, min=0, help="The seed of random inputs."),
    out: str | None = typer.Option(
        None, help="Write results/run1.jsonl, .csv, .md, .html and figures: --out results/run1."
    ),
    resume: str | None = typer.Option(None, help="Go on with a run that was cut short: --resume results/run1."),
    timeout: float | None = typer.Option(None, help="Seconds that one cell may take (60; 20 on the tour)."),
    memory: int | None = typer.Option(None, help="Megabytes that one cell may hold (4096)."),
    fail_above: float | None = typer.Option(
        None, help="With compare: a time ratio from which on slower is a failure: 1.25."
    ),
) -> None:
    """Measure accuracy, expression swell, memory, passes and speed of every method.

    Each cell runs in a process of its own. Exit codes: 1 compare found something worse, 4 some cells failed.
    """
    what, *files = words or [""]
    if what == "compare":
        _compare(files, fail_above)
    elif what == "problems":
        from adcli.report.problems_table import print_problems
        from adcli_methods.errors import AdcliError

        if files:
            raise AdcliError("adcli bench problems lists them all: give nothing else")
        print_problems()
    else:
        from adcli import benchmarking
        from adcli.report.bench_progress import progress
        from adcli_methods.errors import AdcliError

        if fail_above is not None:
            raise AdcliError("--fail-above goes with adcli bench compare BASE HEAD")
        if resume is not None:
            if words or out is not None:
                raise AdcliError("--resume goes on with what was asked for then: give it alone")
            _show(benchmarking.resume(resume, progress()))
            return
        request = benchmarking.request_of(
            words or (), problems, methods, sizes, n, dtype, device, seed, timeout, memory
        )
        _show(benchmarking.benchmark(request, out, progress()))


def _show(ended: Ended) -> None:
    """The tables of a run, and its reports where it has files."""
    from adcli.benchmarking import way_on

    if ended.is_interrupted:
        typer.echo(f"adcli: {way_on(ended)}", err=True)
    if ended.records:
        from adcli.commands.report import show

        show(ended.records, None if ended.is_interrupted else ended.stem)
    if ended.is_interrupted:
        raise typer.Exit(INTERRUPTED)
    if ended.has_failures:
        raise typer.Exit(SOME_FAILED)


def _compare(files: list[str], fail_above: float | None) -> None:
    from pathlib import Path

    from adcli.report.bench_comparison import print_run_comparison
    from adcli_benchmarks.comparison import compare
    from adcli_benchmarks.run_files import ending, read_records, stem_of
    from adcli_methods.errors import AdcliError

    if len(files) != 2:
        raise AdcliError("give two runs: adcli bench compare results/base.jsonl results/head.jsonl")
    base, head = (read_records(Path(ending(stem_of(file), ".jsonl"))) for file in files)
    if fail_above is not None and not fail_above > 1:
        raise AdcliError(f"--fail-above {fail_above:g}: a ratio above 1 is expected, as in 1.25")
    comparison = compare(base, head, fail_above)
    print_run_comparison(comparison)
    if comparison.worse:
        raise typer.Exit(FOUND_WORSE)
