"""What ends a call of `make grade`, and what it leaves: without grading anything."""

import errno
import os
import sys

import pytest
from class_of_students import ONE, solved

import classroom.grade
from classroom.files import lock, to_bytes, write_whole
from classroom.submissions import Result

EARLIER = b"student,lesson\n"
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call `make grade` for a class of one whose tables are there from an earlier call."""
    course, inbox = tmp_path / "course", tmp_path / "inbox"
    write_whole(inbox / f"Anna_{ONE}.ipynb", to_bytes(solved(ONE)))
    write_whole(tmp_path / "inbox-grades" / "grades.csv", EARLIER)
    monkeypatch.setattr(classroom.grade, "COURSE", course)
    monkeypatch.setattr(classroom.grade, "prepare", lambda lessons: None)
    monkeypatch.setattr(sys, "argv", ["grade", str(inbox), "--seed=1"])

    def called(grade):
        monkeypatch.setattr(classroom.grade, "grade", grade)
        with pytest.raises(SystemExit) as ended:
            classroom.grade.main()
        assert (tmp_path / "inbox-grades" / "grades.csv").read_bytes() == EARLIER
        return str(ended.value)

    return called


def failed(submissions, *others):
    """Grade as a worker does that found no room."""
    submissions[0].problem = "grading failed: OperationalError: database or disk is full"
    yield Result(submissions[0])


def test_a_second_call_says_who_is_at_work(call):
    with lock(classroom.grade.COURSE, "process 7 on desk, since noon"):
        said = call(failed)
    assert said == (
        "Nothing was graded. This class is being graded already: process 7 on desk, since noon"
    )
    assert not (classroom.grade.COURSE / "submitted").exists()


@pytest.mark.parametrize("where", ["a worker", "a result", "the tables"])
def test_a_full_disk_is_an_error_that_leaves_the_earlier_tables(call, where, monkeypatch):
    def full(*arguments):
        raise FULL

    if where == "a worker":
        monkeypatch.setattr(classroom.grade, "write_whole", full)
        said = call(failed)
    elif where == "a result":
        said = call(full)
    else:
        monkeypatch.setattr(classroom.grade.report, "write", full)
        said = call(lambda *_: iter([]))
    assert "No space left on device" in said
    assert said.endswith("the same command resumes from here.")


def test_a_file_whose_text_speaks_of_a_full_disk_is_one_row(call, monkeypatch):
    """Only a disk that is full ends the class, not a student who says so."""
    written = []

    def write(out, results, *others):
        written.extend(results)
        raise FULL  # the class came this far

    monkeypatch.setattr(classroom.grade.report, "write", write)
    call(failed)
    assert len(written) == 1
    assert not (classroom.grade.COURSE / "room").exists()
