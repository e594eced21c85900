"""Grade a class as a teacher does, with `python -m classroom.grade` in a copy of the course."""

import csv
import html
import subprocess
import sys
from pathlib import Path

import pandas as pd
from class_of_students import ASKED, HandedIn

Row = dict[str, str]


def start_grading(course: Path, submissions: Path, *options: str) -> subprocess.Popen:
    """Start it; what it says goes to the process's stdout."""
    command = [sys.executable, "-m", "classroom.grade", submissions, "--timeout=90", *options]
    return subprocess.Popen(
        command, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def grade(course: Path, submissions: Path, *options: str) -> list[Row]:
    """Grade, and return the rows of grades.csv."""
    process = start_grading(course, submissions, *options)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    with (grades_of(submissions) / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def grades_of(submissions: Path) -> Path:
    """Return the folder of the tables."""
    return submissions.with_name(f"{submissions.name.removesuffix('.zip')}-grades")


def hand_in(folder: Path, students: list[HandedIn]) -> Path:
    """Write what the students hand in, in nbgrader's layout."""
    for handed_in in students:
        for name, content in handed_in.files.items():
            path = folder / handed_in.student / "homework" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def results(course: Path) -> dict[Path, int]:
    """Return the results that are kept, and when each was written."""
    kept = (course / "build" / "class" / "results").rglob("*.json")
    return {path: path.stat().st_mtime_ns for path in kept}


def expect_points_and_reasons(handed_in: HandedIn, rows: list[Row]) -> None:
    """Expect the student's own points, reasons where they were lost, and remarks."""
    own = {row["exercise"]: row for row in rows if row["student"] == handed_in.student}
    points = {exercise: float(row["points"]) for exercise, row in own.items()}
    assert points == handed_in.points, own
    for exercise, row in own.items():
        number = exercise.partition(" ")[0]
        reasons = handed_in.lost | handed_in.half
        assert (number in reasons) == bool(row["reason"]), row
        assert reasons.get(number, "") in row["reason"]
        assert (number in handed_in.remarks) == bool(row["remark"]), row
        assert handed_in.remarks.get(number, "") in row["remark"]


def expect_totals(rows: list[Row], submissions: Path) -> None:
    """Expect a column for each lesson handed in, named with its points, and the sums in them."""
    totals = pd.read_csv(grades_of(submissions) / "totals.csv", index_col="student")
    lessons = sorted({row["lesson"] for row in rows} - {""})
    available = {lesson: sum(e.points for e in ASKED[lesson]) for lesson in lessons}
    columns = [f"{lesson} of {points:g}" for lesson, points in available.items()]
    assert list(totals) == [*columns, f"total of {sum(available.values()):g}"]
    for student, own in totals.iterrows():
        points = [float(row["points"]) for row in rows if row["student"] == student]
        assert own.iloc[-1] == sum(points)


def expect_pages(rows: list[Row], submissions: Path) -> None:
    """Expect a page for every student, with the reasons, and the notebooks with the points."""
    pages = grades_of(submissions) / "feedback"
    for student in {row["student"] for row in rows}:
        page = (pages / student / "index.html").read_text(encoding="utf-8")
        own = [row for row in rows if row["student"] == student]
        assert all(html.escape(row["reason"], quote=False) in page for row in own)
        for lesson in {row["lesson"] for row in own if row["exercise"]}:
            annotated = (pages / student / f"{lesson}.html").read_text(encoding="utf-8")
            assert "(Score:" in annotated
            assert len(annotated) < 3_000_000, "what was printed without end is cut"
