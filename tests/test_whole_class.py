"""The whole class is graded, for real: who does what, what is kept, and what ends with it."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from class_of_students import CLASS, LEFT_RUNNING, ONE, SMALL_CLASS, solved
from grading import (
    expect_pages,
    expect_points_and_reasons,
    expect_totals,
    grade,
    grades_of,
    hand_in,
    results,
    start_grading,
)
from nbformat.v4 import new_code_cell, new_notebook

import rnn_lib
from classroom import execution
from classroom.course import copy_of_the_course
from classroom.execution import BoundedExecute, Process
from classroom.files import to_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return copy_of_the_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    return hand_in(tmp_path_factory.mktemp("submissions") / "class of 2026", CLASS)


@pytest.fixture(scope="module")
def rows(course, submissions):
    return grade(course, submissions, "--seed=271828", "--memory=2")


@pytest.mark.parametrize("handed_in", CLASS, ids=lambda h: h.student)
def test_each_student_gets_the_points_and_the_reasons(handed_in, rows):
    expect_points_and_reasons(handed_in, rows)


def test_totals_are_the_sums(rows, submissions):
    expect_totals(rows, submissions)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans are not found")
def test_processes_left_running_end_with_grading(rows):
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if LEFT_RUNNING in command]


def test_every_student_gets_a_page(rows, submissions):
    expect_pages(rows, submissions)


@pytest.mark.parametrize(
    ("change", "back", "expected"),
    [
        ("grade.manual_score = 1.5", "grade.manual_score = None", ("1.1 rnn_step", "1.5")),
        (
            "notebook.late_submission_penalty = 2",
            "notebook.late_submission_penalty = 0",
            ("late", "-2.0"),
        ),
    ],
    ids=["by hand", "late"],
)
def test_changes_in_formgrader_are_in_the_table(rows, course, submissions, change, back, expected):
    student = "all but one exercise"
    code = (
        "from classroom.course import DATABASE; from nbgrader.api import Gradebook\n"
        "with Gradebook(DATABASE) as gradebook:\n"
        f"    where = '01_forward', '01_forward', {student!r}\n"
        "    grade = gradebook.find_grade('check-rnn-step', *where)\n"
        "    notebook = gradebook.find_submission_notebook(*where)\n"
        "    {}; gradebook.db.commit()"
    )
    try:
        subprocess.run([sys.executable, "-c", code.format(change)], cwd=course, check=True)
        after = grade(course, submissions, "--seed=271828", "--memory=2")
        changed = [row for row in after if row not in rows]
        assert [(row["exercise"], row["points"]) for row in changed] == [expected]
        assert {row["student"] for row in changed} == {student}
    finally:
        subprocess.run([sys.executable, "-c", code.format(back)], cwd=course, check=True)


def test_the_name_of_the_mistake_does_not_depend_on_the_printed_row(course, tmp_path, monkeypatch):
    """Grade with a library whose messages are worded in another way."""
    library = Path(shutil.copytree(Path(rnn_lib.__file__).parent, tmp_path / "other" / "rnn_lib"))
    messages = library / "checks" / "messages.py"
    text = messages.read_text(encoding="utf-8")
    assert '("mistake", ' in text, "here the row's word stands"
    messages.write_text(text.replace('("mistake", ', '("Fehler", '), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(library.parent), prepend=os.pathsep)
    student = next(h for h in SMALL_CLASS if h.student == "mistake W_h transposed")
    folder = hand_in(tmp_path / "class", [student])
    expect_points_and_reasons(student, grade(course, folder, "--seed=1"))
    page = grades_of(folder) / "feedback" / student.student / "01_forward.html"
    assert "    Fehler " in page.read_text(encoding="utf-8")


# -- stopped, called again -----------------------------------------------------------------------


@pytest.fixture
def three(tmp_path):
    """Three students, flat, as a learning platform exports them."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("Anna", "Bob Q", "Ümit"):
        (folder / f"{name}_01_forward.ipynb").write_bytes(to_bytes(solved(ONE)))
    return folder


def test_grading_that_was_killed_resumes_where_it_stopped(course, three):
    process = start_grading(course, three, "--jobs=1", "--seed=1")

    def done():
        return {
            path: time
            for path, time in results(course).items()
            if path.parent.name in ("Anna", "Bob Q", "Ümit")
        }

    while not done():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    kill_tree(process)
    process.communicate()
    kept = done()
    assert 0 < len(kept) < 3
    rows = grade(course, three, "--jobs=1", "--seed=1")
    assert kept.items() <= done().items()
    assert {row["student"] for row in rows} == {"Anna", "Bob Q", "Ümit"}
    assert all(row["points"] == row["maximum"] for row in rows)


def kill_tree(process):
    """Kill -9, for it and for all that it has started."""
    family = [*psutil.Process(process.pid).children(recursive=True), process]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def test_only_edited_notebooks_are_graded_again_also_from_a_zip(course, three):
    archive = Path(shutil.make_archive(str(three), "zip", three))
    before = grade(course, archive, "--seed=1")
    wrong = to_bytes(solved(ONE, e1_1="def rnn_step(*args):\n    return 0"))
    (three / "Anna_01_forward.ipynb").write_bytes(wrong)
    changed = {row["student"] for row in grade(course, three, "--seed=1") if row not in before}
    assert changed == {"Anna"}


def test_pages_of_removed_students_are_removed(course, three):
    grade(course, three, "--seed=1")
    (three / "Anna_01_forward.ipynb").unlink()
    grade(course, three, "--seed=1")
    pages = {path.name for path in (grades_of(three) / "feedback").iterdir()}
    assert pages == {"Bob Q", "Ümit"}


def test_everything_is_graded_again_without_the_gradebook(tmp_path, three):
    """In a course of its own, since the others need theirs."""
    copy_of_the_course(tmp_path)
    before = grade(tmp_path, three, "--seed=1")
    (tmp_path / "build" / "class" / "gradebook.db").unlink()
    assert grade(tmp_path, three, "--seed=1") == before


@pytest.mark.parametrize(("n_deaths", "n_starts"), [(0, 1), (2, 3), (9, 3)])
def test_kernel_that_dies_at_its_start_is_restarted(n_deaths, n_starts, monkeypatch, tmp_path):
    """As happens when two kernels that start at the same time choose the same port."""
    started = []

    class DiesAtFirst(Process):
        def __enter__(self):
            process = super().__enter__()
            started.append(self._popen.pid)
            if len(started) <= n_deaths:
                self._popen.kill()
            return process

    monkeypatch.setattr(execution, "Process", DiesAtFirst)
    outcome = contextlib.nullcontext()
    if n_deaths >= n_starts:
        outcome = pytest.raises(RuntimeError, match="[Kk]ernel died")
    marks = {"grade": True, "solution": False, "grade_id": "check", "points": 1}
    notebook = new_notebook(cells=[new_code_cell("1 + 1", metadata={"nbgrader": marks})])
    with outcome:
        BoundedExecute(is_sandboxed=False).preprocess(
            notebook, {"metadata": {"path": str(tmp_path)}}
        )
    assert len(started) == n_starts
