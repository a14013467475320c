"""A benchmark run from its options to its records and files, whatever interrupts it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from adcli_benchmarks.cell import Cell
from adcli_benchmarks.environment import here
from adcli_benchmarks.measures import measure_named, planned
from adcli_benchmarks.outcomes import FAILURES
from adcli_benchmarks.record import Record
from adcli_benchmarks.request import MEBIBYTE, BenchRequest
from adcli_benchmarks.run_files import RunFile, create, ending, reopen, stem_of, write_csv
from adcli_benchmarks.runner import require_functions, run
from adcli_methods.devices import require
from adcli_methods.errors import AdcliError

if TYPE_CHECKING:
    from adcli.report.bench_progress import Progress

TOUR = ("accuracy", "swell", "memory", "passes", "speed")
TOUR_TIMEOUT_SECONDS = 20.0
DTYPES = ("float64", "float32")
SECONDS_BETWEEN_CSVS = 2.0


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Arguments:
        records: of the finished cells, those from before a resume first.
        planned: how many cells there are in all.
        stem: its files' path without ending; None without --out.
        is_interrupted: by Ctrl-C.
    """

    records: tuple[Record, ...]
    planned: int
    stem: Path | None
    is_interrupted: bool

    @property
    def has_failures(self) -> bool:
        """Whether a cell that should have given a result has none."""
        return any(record.outcome in FAILURES for record in self.records)


def names(text: str | None) -> tuple[str, ...] | None:
    """The names of a comma-separated list; None for none.

    >>> names("reverse, forward"), names(None)
    (('reverse', 'forward'), None)
    """
    if text is None:
        return None
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise AdcliError(f"{text!r} names nothing: write names with commas between them")
    return found


def request_of(
    words: Sequence[str],
    problems: str | None = None,
    methods: str | None = None,
    sizes: str | None = None,
    n: str | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    seed: int = 0,
    timeout_seconds: float | None = None,
    memory_megabytes: int | None = None,
) -> BenchRequest:
    """The request that options describe: measures by name, else the tour; with a size alone, the passes at it.

    Raises: AdcliError for what is unknown.
    """
    from adcli.point import parse_size

    for word in words:
        measure_named(word)
    if n is not None and sizes is not None:
        raise AdcliError("--n and --sizes together: give one of them")
    option, chosen = ("--sizes", names(sizes)) if n is None else ("--n", names(n))
    dtypes = names(dtype) or ()
    if unknown := [name for name in dtypes if name not in DTYPES]:
        raise AdcliError(f"unknown dtype {unknown[0]!r}: {' or '.join(DTYPES)}")
    if (timeout_seconds is not None and timeout_seconds <= 0) or (
        memory_megabytes is not None and memory_megabytes <= 0
    ):
        raise AdcliError("--timeout and --memory must be above 0")
    is_tour = not words and problems is None and chosen is None
    default = ("passes",) if n is not None else TOUR
    request = BenchRequest(
        measures=tuple(dict.fromkeys(words)) or default,
        problems=names(problems),
        methods=names(methods),
        sizes=None if chosen is None else tuple(parse_size(size, option) for size in chosen),
        dtypes=dtypes,
        device=device,
        seed=seed,
        is_tour=is_tour,
    )
    if timeout_seconds is not None or is_tour:
        request = replace(request, timeout_seconds=timeout_seconds or TOUR_TIMEOUT_SECONDS)
    return request if memory_megabytes is None else replace(request, memory_bytes=memory_megabytes * MEBIBYTE)


def benchmark(request: BenchRequest, out: str | None, progress: Progress) -> Ended:
    """Measure all that a request asks for.

    Raises: AdcliError if nothing can be measured, a function of the user's cannot be loaded, or the files cannot be
        written.
    """
    require(request.device)
    cells = planned(request)
    if not cells:
        raise AdcliError("nothing to measure: no method that was asked for runs on this device (see adcli methods)")
    require_functions(request)
    file = None if out is None else create(stem_of(out), request)
    return _measure(request, cells, file, [], progress)


def resume(run_name: str, progress: Progress) -> Ended:
    """Go on with a run; finished cells are not measured again.

    Raises: AdcliError if there is no such run, or its files cannot be written.
    """
    file, request, records = reopen(stem_of(run_name))
    require(request.device)
    return _measure(request, planned(request), file, records, progress)


def _measure(
    request: BenchRequest, cells: Sequence[Cell], file: RunFile | None, records: list[Record], progress: Progress
) -> Ended:
    finished = {record.cell.key for record in records}
    waiting = [cell for cell in cells if cell.key not in finished]
    is_interrupted = False
    with _kept(file, records) as keep, progress.shown(len(cells), records):
        try:
            for record in run(waiting, request, here(request.seed, request.device), progress.started):
                keep(record)
                progress.finished(record)
        except KeyboardInterrupt:
            is_interrupted = True
    return Ended(tuple(records), len(cells), file.stem if file else None, is_interrupted)


class _Keeper:
    """Puts a record where it is safe: its line in the .jsonl file, and now and then the .csv file."""

    def __init__(self, file: RunFile | None, records: list[Record]) -> None:
        self.file, self.records, self._next_csv = file, records, 0.0

    def __call__(self, record: Record) -> None:
        if self.file is not None:
            self.file.append(record)
        self.records.append(record)
        if time.monotonic() >= self._next_csv:
            self.write_csv()
            self._next_csv = time.monotonic() + SECONDS_BETWEEN_CSVS

    def write_csv(self) -> None:
        if self.file is not None:
            write_csv(self.records, ending(self.file.stem, ".csv"))


@contextmanager
def _kept(file: RunFile | None, records: list[Record]) -> Iterator[_Keeper]:
    keeper = _Keeper(file, records)
    try:
        yield keeper
        keeper.write_csv()
    finally:
        if file is not None:
            file.close()


def way_on(ended: Ended) -> str:
    """What to tell after Ctrl-C: what is kept, and how to go on."""
    count = f"{len(ended.records)} of {ended.planned} cells are finished"
    if ended.stem is None:
        return f"{count}; with --out NAME they are kept and the run can be resumed"
    return f"{count} and kept in {ending(ended.stem, '.jsonl')}: go on with adcli bench --resume {ended.stem}"
