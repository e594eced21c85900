"""Files that are written whole or not at all; one process at a time; nothing half done stays."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from classroom import files
from classroom.files import lock, remove_unfinished, renewed, write_whole
from rnn_lib import storage


def everything(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def tables(tmp_path):
    """Tables of an earlier call, a page in a folder, and a file of the teacher's own."""
    for name in ("grades.csv", "feedback/Anna/index.html", "feedback/Bo/index.html", "notes.txt"):
        write_whole(tmp_path / "class-grades" / name, b"of an earlier call")
    return tmp_path / "class-grades"


NEW = {"grades.csv": b"new", "totals.csv": b"new", "feedback/Anna/index.html": b"new"}


def write_new(tables):
    with renewed(tables, "grades.csv", "totals.csv", "feedback") as new:
        for name, content in NEW.items():
            write_whole(new / name, content)


def test_what_is_not_written_again_is_removed_and_other_files_stay(tables):
    write_new(tables)
    assert everything(tables) == NEW | {"notes.txt": b"of an earlier call"}
    assert {path.name for path in tables.iterdir()} == {
        *("grades.csv", "totals.csv", "feedback", "notes.txt")
    }


@pytest.mark.parametrize("n_written", range(3))
def test_a_disk_that_is_full_at_any_file_leaves_the_earlier_tables(tables, n_written, monkeypatch):
    before, written = everything(tables), []

    def write(path, content):
        if len(written) == n_written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        written.append(path)
        return storage_write(path, content)

    storage_write = storage.write_whole
    monkeypatch.setattr(files.storage, "write_whole", write)
    with pytest.raises(OSError, match="No space left"):
        write_new(tables)
    assert everything(tables) == before
    assert not [path for path in tables.iterdir() if path.name.startswith(".")]


def test_leftovers_of_a_killed_process_are_removed(tables):
    for leftover in (".new", ".old"):
        write_whole(tables / leftover / "totals.csv", b"half")
    write_new(tables)
    assert everything(tables) == NEW | {"notes.txt": b"of an earlier call"}


KILLED = """
import os, pathlib, signal, sys
from classroom import files
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
files.write_whole(pathlib.Path(sys.argv[1]) / "result.json", b"half")
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_unfinished_files_of_a_killed_process_are_removed(tables):
    before = everything(tables)
    ended = subprocess.run([sys.executable, "-c", KILLED, tables])
    assert ended.returncode == -signal.SIGKILL
    assert len(everything(tables)) == len(before) + 1, "something half written is left"
    remove_unfinished(tables)
    assert everything(tables) == before


HOLDS = """
import pathlib, sys, time
from classroom.files import lock
held = lock(pathlib.Path(sys.argv[1]), "process 7")
print("held", flush=True)
time.sleep(60)
"""


def test_one_process_at_a_time_also_after_a_kill(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match="^process 7$"):
            lock(tmp_path, "process 8")
    finally:
        other.kill()
        other.communicate()
    with lock(tmp_path, "process 9"), pytest.raises(BlockingIOError, match="^process 9$"):
        lock(tmp_path, "process 10")
    lock(tmp_path, "process 11").close()
