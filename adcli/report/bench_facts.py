"""Where and when a run was measured, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from adcli.report.bench_numbers import memory, span
from adcli.report.numbers import count
from adcli_benchmarks.record import Record


def facts(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Names and texts: the machine, the versions, the commit, the dates, the outcomes."""
    found = records[-1].environment
    started = sorted(record.started_at[:16].replace("T", " ") for record in records)
    outcomes = Counter(record.outcome.replace("_", " ") for record in records)
    measuring, starting = (
        span(sum(getattr(record, name) for record in records)) for name in ("worker_seconds", "start_seconds")
    )
    machine = (found.get("cpu"), count(int(found.get("cores", 0)), "core"), memory(found.get("memory_bytes")))
    lines = {
        "measured": " to ".join(dict.fromkeys((started[0], started[-1]))),
        "cells": f"{len(records):,}: " + ", ".join(f"{number:,} {name}" for name, number in outcomes.most_common()),
        "time": f"{measuring} of measuring, {starting} of starting processes",
        "machine": ", ".join(str(part) for part in (*machine, found.get("os")) if part),
        "GPU": str(found.get("gpu") or ""),
        "Python": ", ".join([str(found.get("python", "")), *_pairs(found.get("versions", {}))]),
        "threads": ", ".join(_pairs(found.get("threads", {}))),
        "commit": str(found.get("commit") or ""),
        "seed": str(found.get("seed", "")),
    }
    return [(name, text) for name, text in lines.items() if text]


def _pairs(found: Mapping[str, Any]) -> list[str]:
    return [f"{name} {value}" for name, value in found.items()]
