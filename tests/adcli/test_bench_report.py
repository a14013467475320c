"""Reports of benchmark runs: tables, Markdown, the page, figures."""

from __future__ import annotations

import io
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from adcli.report import bench_report
from adcli.report.bench_grids import grids
from adcli.report.bench_markdown import markdown
from adcli.report.bench_numbers import memory, power, span
from adcli.report.bench_page import page
from adcli.report.bench_table import tables
from adcli.report.figure_style import spread_apart
from adcli_benchmarks.cell import Cell
from adcli_benchmarks.measures import MEASURES
from adcli_benchmarks.record import Record

ENVIRONMENT = {"cpu": "a CPU", "cores": 2, "memory_bytes": 8 * 10**9, "versions": {"numpy": "2"}, "seed": 0}


def record(measure: str, method: str, size: int | None = None, outcome: str = "ok", reason: str = "",
           problem: str = "rosenbrock", settings: Any = (), **values: Any) -> Record:  # fmt: skip
    cell = Cell(measure, problem, method, size, settings=tuple(settings))
    return Record(cell, outcome, reason, values, ENVIRONMENT, "2026-01-02T03:04:05", 1.0, 0.5)


ERRORS = {"norm_relative_error": 2e-16, "worst_entry_error": 3e-16, "worst_ulp": 1.5, "correct_digits": 15}


def accuracy(method: str, **more: Any) -> Record:
    return record("accuracy", method, 10, **{**ERRORS, **more})


def speed(method: str, seconds: float, problem: str = "rosenbrock", **more: Any) -> Record:
    times = {"prepare_seconds": 1e-3, "first_call_seconds": 2e-3, "run_seconds": seconds, "primal_seconds": 1e-5,
             "time_over_primal": seconds / 1e-5, "time_over_manual": seconds / 2e-5}  # fmt: skip
    return record("speed", method, 100, problem=problem, **{**times, **ERRORS, **more})


def passes(method: str, n: int, counts: tuple[int, int, int], seconds: float, measured: int | None = None) -> Record:
    return record("passes", method, n, primal_evaluations=counts[0], tangent_sweeps=counts[1],
                  adjoint_sweeps=counts[2], run_seconds=seconds, is_projection=measured is not None,
                  measured_passes=measured or n, all_passes=n, peak_bytes=8 * n, inputs_count=n, **ERRORS)  # fmt: skip


def whole_run() -> list[Record]:
    """A record of every kind."""
    steps = [10.0**-k for k in range(17)]
    run = [accuracy("reverse"), accuracy("forward-difference", norm_relative_error=1e-8, correct_digits=8)]
    run += [record("accuracy", "central-difference", 10, settings=[("step", "curve")], curve_steps=steps,
                   curve_errors=[1e-6 + h for h in steps], best_step=1e-16, **ERRORS)]  # fmt: skip
    run += [record("accuracy", "forward", 10, settings=[("order", k)], **ERRORS) for k in (2, 3, 4)]
    for size, method in product((1, 2, 4), ("symbolic", "forward", "reverse")):
        counts = {"function_operations": 3 * size, "derivative_operations": 3**size, "derive_seconds": 1e-3}
        more = {"cse_operations": 4 * size, "simplify_outcome": "stopped after 2 s", "cse_seconds": 1e-3}
        run += [record("swell", method, size, settings=[("order", 1)], **counts,
                       **(more if method == "symbolic" else {"optimised_operations": 5 * size}))]  # fmt: skip
    for size, method in product((10, 100, 1000), ("reverse", "torch")):
        run += [record("memory", method, size, peak_bytes=100 * size, kept_bytes=32 * size, meter="tracemalloc",
                       inputs_count=size)]  # fmt: skip
    for n in (1, 1000, 10**6):
        projected = 8 if n == 10**6 else None
        run += [passes("forward-difference", n, (n + 1, 0, 0), 0.07 * n, projected),
                passes("forward", n, (1, n, 0), 0.05 * n, projected), passes("reverse", n, (1, 0, 1), 0.1)]  # fmt: skip
    run += [record("imports", "forward", problem="adcli diff", imported_packages=2, packages="numpy scipy")]
    return [*run, speed("manual", 2e-5), speed("reverse", 3e-5, operation_ratio=2.5), speed("jax-jit", 6e-5)]


def shown(records: list[Record], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for part in tables(records):
        console.print(part)
    return console.file.getvalue()


def test_a_million_inputs_are_a_table_of_counts_seconds_bytes_and_errors_with_projections_marked():
    text = shown([r for r in whole_run() if r.cell.measure == "passes" and r.cell.size == 10**6])
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.split()}
    assert rows["forward-difference"] == ["1,000,001", "0", "0", "~19.4", "h", "8", "MB", "2.0e-16"]
    assert rows["forward"][:3] == ["1", "1,000,000", "0"]
    assert rows["reverse"] == ["1", "0", "1", "100", "ms", "8", "MB", "2.0e-16"]
    assert "~ projected from measured passes: forward-difference 8, forward 8" in " ".join(text.split())


def test_tables_fit_80_columns_and_name_every_measure():
    text = shown(whole_run())
    assert max(len(line) for line in text.splitlines()) <= 80
    for measure in MEASURES:
        assert f"{measure}:" in text
    assert "…" not in text


def test_wrong_results_are_never_ranked():
    wrong = speed("torch", 1e-9)
    wrong = Record(
        wrong.cell, "wrong", "entry 1 is -2 where 2 is right", wrong.values, *list(vars(wrong).values())[4:8]
    )
    (table, beside, said) = grids([speed("reverse", 3e-5), wrong, speed("jax-jit", 6e-5)], is_short=True)
    assert [row[0] for row in table.rows] == ["reverse", "jax-jit"]
    assert [row[0] for row in beside.rows] == ["jax-jit"]
    assert said.notes == ("torch: wrong on rosenbrock: entry 1 is -2 where 2 is right",)
    flat = replace(accuracy("torch"), outcome="wrong", reason="zeros")
    assert grids([accuracy("reverse"), flat], is_short=True)[0].rows[1] == ("torch", "wrong")


def test_each_reason_is_said_once_with_its_methods_and_problems():
    late = [record("swell", method, 10, "timeout", "no result after 1 s", problem=f"p{k}")
            for k in range(8) for method in ("symbolic", "torch")]  # fmt: skip
    (said,) = grids(late, is_short=True)[-1:]
    assert said.notes == (
        "symbolic, torch: timeout on p0, p1, p2, p3, p4, p5 and 2 more (16 cells): no result after 1 s",
    )


def test_many_problems_are_summed_up_by_geometric_means():
    records = [speed(method, seconds * (k + 1), problem=f"p{k}") for k in range(5)
               for method, seconds in (("reverse", 2e-5), ("jax-jit", 8e-5))]  # fmt: skip
    summary, beside = grids(records, is_short=True)
    assert summary.rows[0] == ("reverse", "5 of 5", "5.21", "2", "10", "5")
    assert beside.rows == (("jax-jit", "0.25"),)
    assert len(grids(records, is_short=False)) == 2 + 5


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("outcome", ["timeout", "unsupported", "crashed", "wrong"])
def test_a_run_without_a_single_result_is_reported_too(measure, outcome, tmp_path):
    records = [
        record(measure, "reverse", 10, outcome, "because"),
        record(measure, "gone-plugin", 10, outcome, "because"),
    ]
    assert f"reverse, gone-plugin: {outcome}" in " ".join(shown(records).split())
    bench_report.write_reports(records, tmp_path / "run")
    assert "because" in (tmp_path / "run.html").read_text()


def test_reports_are_the_same_bytes_for_the_same_records(tmp_path):
    records = [r for r in whole_run() if r.cell.measure == "memory"]
    for name in ("a/run", "b/run"):
        (tmp_path / name).parent.mkdir()
        bench_report.write_reports(records, tmp_path / name)
    first, second = (sorted((tmp_path / folder).rglob("*.*")) for folder in "ab")
    assert {path.suffix for path in first} == {".md", ".html", ".png", ".svg"}
    assert [path.name for path in first] == [path.name for path in second]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(first, second, strict=True))


def test_every_measure_has_its_figures(tmp_path):
    bench_report.write_reports(whole_run(), tmp_path / "run")
    names = {path.name for path in (tmp_path / "run-figures").iterdir()}
    for stem in ("accuracy-steps-rosenbrock-n-10", "accuracy-orders-rosenbrock-n-10", "swell-size-rosenbrock",
                 "memory-rosenbrock", "passes-count-rosenbrock", "passes-time-rosenbrock",
                 "speed-over-function"):  # fmt: skip
        assert {f"{stem}.png", f"{stem}.svg"} <= names
    assert "](run-figures/passes-count-rosenbrock.png)" in (tmp_path / "run.md").read_text()


def test_without_matplotlib_there_are_tables_and_no_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_report, "find_spec", lambda name: None)
    assert bench_report.write_reports(whole_run(), tmp_path / "run") == [tmp_path / "run.md", tmp_path / "run.html"]
    assert "Figures" not in (tmp_path / "run.md").read_text()


class Balanced(HTMLParser):
    """Counts open tags, and collects what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else():
    text = page(whole_run(), "a <run> & more", {"passes-count": b"<svg/>"})
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert all(link.startswith("data:image/svg+xml;base64,") for link in parser.fetched)
    assert "a &lt;run&gt; &amp; more" in text
    assert "http" not in text
    assert "<script" not in text


def test_markdown_leaves_names_as_they_are():
    records = [accuracy("reverse"), record("accuracy", "x|y", 10, "failed", "a|b *c* <d>")]
    text = markdown(records, "run", ["run-figures/a-b.png"])
    assert "| x\\|y | failed |" in text
    assert "a\\|b \\*c\\* \\<d>" in text
    assert "![a b](run-figures/a-b.png)" in text
    widths = {line.count(" | ") for line in text.splitlines() if line.startswith("| ")}
    assert len(widths) == 1


@given(st.lists(st.floats(0.0, 100.0), max_size=8).map(sorted), st.floats(1.0, 12.0))
def test_labels_are_a_gap_apart_and_in_order(heights, gap):
    places = spread_apart(heights, gap, 0.0, 100.0)
    assert all(b - a >= gap * (1 - 1e-9) for a, b in pairwise(places))
    assert all(-1e-9 <= place <= 100.0 + 1e-9 for place in places)


def test_numbers_have_their_units():
    assert [span(s) for s in (5e-7, 0.25, 59.9, 60.0, 7200.0, 864000.0)] == [
        "500 ns", "250 ms", "59.9 s", "1 min", "2 h", "10 d"]  # fmt: skip
    assert [memory(b) for b in (0, 999, 1000, 2_500_000, 3 * 10**9)] == ["0 B", "999 B", "1 kB", "2.5 MB", "3 GB"]
    assert [power(n) for n in (1, 9999, 10_000, 12_000, 10**6)] == ["1", "9,999", "1e4", "12,000", "1e6"]
