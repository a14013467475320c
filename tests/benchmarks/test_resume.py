"""A sweep that is killed again and again; `kill_and_resume.py` does it 200 times."""

from __future__ import annotations

from .kill_and_resume import kill_and_resume


def test_no_kill_loses_or_repeats_a_finished_cell(tmp_path):
    kill_and_resume(tmp_path, kills=4)
