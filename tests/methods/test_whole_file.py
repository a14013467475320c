"""A file is written whole or not at all, and stays what it was: a link, a pipe, a file for its owner alone."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adcli_methods.errors import AdcliError
from adcli_methods.whole_file import replacing, write_whole


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("old")

    def write():
        with replacing(path) as stream:
            stream.write(b"new")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_file_keeps_its_mode(tmp_path):
    path = tmp_path / "private"
    path.write_text("old")
    path.chmod(0o600)
    write_whole(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to(tmp_path):
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_whole(path, b"new")
    reader.join()
    assert read == [b"new"]
    assert path.is_fifo()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(AdcliError, match="cannot be written: Is a directory"):
        write_whole(tmp_path, b"new")


def test_threads_do_not_meet(tmp_path):
    path = tmp_path / "numbers"
    contents = [bytes([number]) * 100_000 for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda k: write_whole(path, contents[k % 4]), range(100)))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
