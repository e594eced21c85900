"""A class is graded, for real: the points that each of its students gets, and what is kept."""

import contextlib
import csv
import html
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from class_of_students import CLASS, LEFT_RUNNING, copy_of_the_course, solved
from nbformat.v4 import new_code_cell, new_notebook

from classroom.edition import to_bytes
from classroom.execution import BoundedExecute


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    return copy_of_the_course(tmp_path_factory.mktemp("course"))


def start_grading(course, submissions, *options):
    command = [sys.executable, "-m", "classroom.grade", submissions, "--timeout=20", *options]
    return subprocess.Popen(
        command, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def grade(course, submissions, *options):
    process = start_grading(course, submissions, *options)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def grades_of(submissions):
    return submissions.with_name(f"{submissions.stem}-grades")


def table(course, submissions):
    path = grades_of(submissions) / "grades.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def submissions(tmp_path_factory):
    """In nbgrader's layout."""
    folder = tmp_path_factory.mktemp("submissions") / "class of 2026"
    for handed_in in CLASS:
        for name, content in handed_in.files.items():
            path = folder / handed_in.student / "homework" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def rows(course, submissions):
    grade(course, submissions, "--seed=271828", "--memory=2")
    return table(course, submissions)


@pytest.mark.parametrize("handed_in", CLASS, ids=lambda h: h.student)
def test_each_student_gets_the_points(handed_in, rows):
    own = {row["exercise"]: row for row in rows if row["student"] == handed_in.student}
    points = {exercise: float(row["points"]) for exercise, row in own.items()}
    assert points == handed_in.points, own
    for exercise, words in handed_in.reasons.items():
        assert words in own[exercise]["reason"]
    for exercise, row in own.items():
        lost = float(row["points"]) < float(row["maximum"]) or not exercise
        assert bool(row["reason"]) == lost, row
        assert (exercise in handed_in.remarks) == bool(row["remark"]), row
        assert handed_in.remarks.get(exercise, "") in row["remark"]


def test_totals_are_the_sums(rows, course, submissions):
    path = grades_of(submissions) / "totals.csv"
    totals = pd.read_csv(path, index_col="student")
    assert list(totals) == ["01_forward of 5", "03_bptt of 17", "04_imdb of 8", "total of 30"]
    for student, own in totals.iterrows():
        points = [float(row["points"]) for row in rows if row["student"] == student]
        assert own["total of 30"] == sum(points)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans are not found")
def test_what_a_student_leaves_running_ends_with_grading(rows):
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if LEFT_RUNNING in command]


def test_every_student_gets_a_page(rows, course, submissions):
    pages = grades_of(submissions) / "feedback"
    for student in {row["student"] for row in rows}:
        page = (pages / student / "index.html").read_text(encoding="utf-8")
        own = [row for row in rows if row["student"] == student]
        assert all(html.escape(row["reason"], quote=False) in page for row in own)
        for lesson in {row["lesson"] for row in own if row["exercise"]}:
            annotated = (pages / student / f"{lesson}.html").read_text(encoding="utf-8")
            assert "(Score:" in annotated
            assert len(annotated) < 3_000_000, "what was printed without end is cut"


# -- going on ------------------------------------------------------------------------------------


def test_grading_again_grades_nothing_again(rows, course, submissions):
    results = sorted((course / "build" / "class" / "results").rglob("*.json"))
    before = {path: path.stat().st_mtime_ns for path in results}
    grade(course, submissions, "--seed=271828", "--memory=2")
    assert {path: path.stat().st_mtime_ns for path in results} == before
    assert table(course, submissions) == rows


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
def test_what_formgrader_changes_is_in_the_table(rows, course, submissions, change, back, expected):
    code = (
        "from classroom.course import DATABASE; from nbgrader.api import Gradebook\n"
        "with Gradebook(DATABASE) as gradebook:\n"
        "    where = '01_forward', '01_forward', 'one exercise'\n"
        "    grade = gradebook.find_grade('check-rnn-step', *where)\n"
        "    notebook = gradebook.find_submission_notebook(*where)\n"
        "    {}; gradebook.db.commit()"
    )
    try:
        subprocess.run([sys.executable, "-c", code.format(change)], cwd=course, check=True)
        grade(course, submissions, "--seed=271828", "--memory=2")
        changed = [row for row in table(course, submissions) if row not in rows]
        assert [(row["exercise"], row["points"]) for row in changed] == [expected]
        assert {row["student"] for row in changed} == {"one exercise"}
    finally:
        subprocess.run([sys.executable, "-c", code.format(back)], cwd=course, check=True)


@pytest.fixture
def three(tmp_path):
    """Three students, flat, as a learning platform exports them."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("Anna", "Bob Q", "Ümit"):
        (folder / f"{name}_01_forward.ipynb").write_bytes(to_bytes(solved("01_forward")))
    return folder


def test_killed_half_way_it_goes_on_where_it_stopped(course, three):
    process = start_grading(course, three, "--jobs=1", "--seed=1")
    results = course / "build" / "class" / "results"

    def done():
        return {p.parent.name for p in results.rglob("*.json")} & {"Anna", "Bob Q", "Ümit"}

    while not done():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    kill_tree(process)
    process.communicate()
    kept = {path: path.stat().st_mtime_ns for name in done() for path in (results / name).iterdir()}
    assert kept
    grade(course, three, "--jobs=1", "--seed=1")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert sorted(row["student"] for row in table(course, three)) == [
        *("Anna", "Anna", "Bob Q", "Bob Q", "Ümit", "Ümit")
    ]
    assert all(row["points"] == row["maximum"] for row in table(course, three))


def kill_tree(process):
    """Kill -9, for it and for all that it has started."""
    family = [*psutil.Process(process.pid).children(recursive=True), process]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def test_what_nbgrader_collected_is_not_overwritten(course, three):
    inside = course / "build" / "class" / "inbox"
    shutil.copytree(three, inside)
    process = start_grading(course, inside)
    assert "Nothing was graded. build/class/ is for nbgrader" in process.communicate()[0]
    assert process.returncode == 1
    shutil.rmtree(inside)


def test_what_was_edited_is_graded_again_and_a_zip_will_do(course, three):
    archive = shutil.make_archive(str(three), "zip", three)
    grade(course, Path(archive), "--seed=1")
    before = table(course, three)
    wrong = to_bytes(solved("01_forward", e1_1="def rnn_step(*args):\n    return 0"))
    (three / "Anna_01_forward.ipynb").write_bytes(wrong)
    grade(course, three, "--seed=1")
    changed = {row["student"] for row in table(course, three) if row not in before}
    assert changed == {"Anna"}


def test_a_name_that_looks_like_a_formula_is_kept_from_the_spreadsheet(course, tmp_path):
    folder = tmp_path / "odd"
    (folder / "=1+1").mkdir(parents=True)
    (folder / "=1+1" / "01_forward.ipynb").write_bytes(b"")
    (folder / "=1+1" / "<script>.ipynb").write_bytes(b"")
    grade(course, folder)
    assert {row["student"] for row in table(course, folder)} == {"'=1+1"}
    page = next((grades_of(folder) / "feedback").glob("*/index.html")).read_text()
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--jobs=0", "--jobs: expected a number of at least 1, got 0"),
        ("--timeout=-1", "--timeout: expected a number of at least 1, got -1"),
        ("--memory=0.1", "--memory: expected a number of at least 1, got 0.1"),
        ("--seed=abc", "--seed: expected a number of at least 0, got abc"),
    ],
)
def test_bad_settings_are_refused(course, three, option, message):
    process = start_grading(course, three, option)
    assert message in process.communicate()[0]
    assert process.returncode != 0


def test_pages_of_students_who_are_gone_go_too(course, three):
    grade(course, three, "--seed=1")
    (three / "Anna_01_forward.ipynb").unlink()
    grade(course, three, "--seed=1")
    pages = {path.name for path in (grades_of(three) / "feedback").iterdir()}
    assert pages == {"Bob Q", "Ümit"}


def test_without_the_gradebook_all_is_graded_again(tmp_path, three):
    """In a course of its own, since the others need theirs."""
    copy_of_the_course(tmp_path)
    grade(tmp_path, three, "--seed=1")
    before = table(tmp_path, three)
    (tmp_path / "build" / "class" / "gradebook.db").unlink()
    grade(tmp_path, three, "--seed=1")
    assert table(tmp_path, three) == before


@pytest.mark.parametrize(("n_deaths", "n_starts"), [(0, 1), (2, 3), (9, 3)])
def test_a_kernel_that_dies_at_its_start_is_started_again(n_deaths, n_starts):
    """As happens when two kernels that start at the same time choose the same port."""
    started = []

    class DiesAtFirst(BoundedExecute):
        def start_new_kernel(self, **kwargs):
            super().start_new_kernel(**kwargs)
            started.append(self.km.provisioner.pid)
            if len(started) <= n_deaths:
                psutil.Process(started[-1]).kill()

    outcome = contextlib.nullcontext()
    if n_deaths >= n_starts:
        outcome = pytest.raises(RuntimeError, match="[Kk]ernel died")
    with outcome:
        DiesAtFirst().preprocess(new_notebook(cells=[new_code_cell("1 + 1")]), {})
    assert len(started) == n_starts
