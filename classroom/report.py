"""What teacher and students get to read: two tables, and a page for each student.

The points are read from nbgrader's gradebook every time, so that a teacher's changes in Formgrader
and late penalties are in the tables after the next ``make grade``.
"""

import html
import os
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from classroom.course import COURSE, DATABASE
from classroom.files import renewed, write_whole
from classroom.lessons import exercises
from classroom.marks import uploads
from classroom.mistakes import OTHER, mistakes, sections
from classroom.repair import named
from classroom.similar import similar
from classroom.submissions import Result, student_id
from classroom.tables import to_csv
from rnn_lib.language import VARIABLE, Message, translated

COLUMNS = ["student", "lesson", "exercise", "points", "maximum", "reason", "remark", "file"]
"""Of grades.csv. The reason says why points were lost; a remark asks for a look at the notebook."""

ON_PAGES = ["exercise", "points", "maximum", "reason", "file"]

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc }}
th, td {{ text-align: left; vertical-align: top }}
</style>
<h1>{title}</h1>
{sections}
</html>
"""


def write(
    out: Path,
    results: Iterable[Result],
    lessons: dict[str, NotebookNode],
    absent: Collection[str] = (),
) -> list[Path]:
    """Write the tables, the files to upload, and a page for each student.

    Parameters
    ----------
    out : Path
        The folder.
    results : iterable of Result
        One for each file.
    lessons : dict of str to NotebookNode
        The complete lessons, by name.
    absent : collection of str
        Students who handed in nothing.

    Returns
    -------
    list of Path
        What was written.
    """
    results = list(results)
    with Gradebook(DATABASE) as gradebook:
        rows = [row for result in results for row in _rows_or_reason(result, lessons, gradebook)]
    grades = pd.DataFrame(rows, columns=[*COLUMNS, "mistake", "language"])
    grades = grades.sort_values(["student", "lesson", "exercise", "file"], ignore_index=True)
    found = mistakes(grades)
    submissions = [result.submission for result in results]
    names = "grades.csv", "totals.csv", "mistakes.csv", "mistakes.html", "similar.csv"
    names += "upload", "feedback"
    with renewed(out, *names) as new:
        write_whole(new / "grades.csv", to_csv(grades[COLUMNS]))
        write_whole(new / "totals.csv", to_csv(_totals(grades, absent).reset_index()))
        write_whole(new / "mistakes.csv", to_csv(found))
        page = _page(translated("What the class got wrong"), sections(found))
        write_whole(new / "mistakes.html", page)
        write_whole(new / "similar.csv", to_csv(similar(submissions, lessons)))
        for name, content in uploads(submissions, grades):
            write_whole(new / "upload" / name, content)
        for student, own in grades.groupby("student"):
            try:
                _write_page(new / "feedback", student, own)
            except OSError:  # of the disk, which concerns all
                raise
            except Exception as error:  # no file may end the class
                print(f"{student} has no page: {named(error)}")
    return [out / name for name in names if (out / name).exists()]


def _rows_or_reason(
    result: Result, lessons: dict[str, NotebookNode], gradebook: Gradebook
) -> list[dict[str, object]]:
    """Return a submission's rows, or the one that says why not: no file may end the class."""
    try:
        return list(_rows(result, lessons, gradebook))
    except Exception as error:
        result.submission.problem = Message("reporting failed: {error}", error=named(error))
        return list(_rows(result, lessons, gradebook))


def _rows(
    result: Result, lessons: dict[str, NotebookNode], gradebook: Gradebook
) -> Iterator[dict[str, object]]:
    submission, language = result.submission, result.submission.language
    row = {"student": submission.student, "lesson": submission.lesson, "file": submission.file}
    row |= {"exercise": "", "points": 0.0, "maximum": 0.0, "reason": "", "remark": ""}
    row |= {"mistake": OTHER, "language": language}
    asked = list(exercises(lessons[submission.lesson])) if submission.lesson in lessons else []
    if submission.problem:
        maximum = 0.0 if submission.is_spare else sum(exercise.points for exercise in asked)
        yield row | {"maximum": maximum, "reason": translated(submission.problem, language)}
        return
    student, lesson = student_id(submission.student), submission.lesson
    grades = gradebook.find_submission_notebook(lesson, lesson, student).grades
    points = {grade.name: (grade.score, grade.max_score) for grade in grades}
    for n, exercise in enumerate(asked):
        cell = exercise.check.id
        got, maximum = points[cell]
        handed_in = "" if n else translated(submission.remark, language)
        remarks = [handed_in, result.remarks.get(cell, "")]
        yield row | {
            "exercise": str(exercise),
            "points": got,
            "maximum": maximum,
            "reason": result.reasons.get(cell, "") if got < maximum else "",
            "remark": "; ".join(filter(None, remarks)),
            "mistake": result.mistakes.get(cell, OTHER),
        }
    late = gradebook.find_submission(lesson, student).late_submission_penalty
    if late:
        reason = translated("handed in after the deadline", language)
        yield row | {"exercise": "late", "points": -late, "reason": reason}


def _totals(grades: pd.DataFrame, absent: Collection[str]) -> pd.DataFrame:
    """Add the points up: a row for each student, a column for each lesson.

    Who handed in nothing has no points for any lesson, and 0 in total.
    """
    sums = grades.groupby(["student", "lesson"])[["points", "maximum"]].sum()
    points, maximum = (sums[column].unstack().drop(columns="", errors="ignore") for column in sums)
    without_exercises = [lesson for lesson in maximum if not maximum[lesson].max()]
    points, maximum = (table.drop(columns=without_exercises) for table in (points, maximum))
    points = points.reindex(points.index.union(pd.Index(absent, name="student", dtype=object)))
    points["total"], maximum["total"] = points.sum(axis=1), maximum.max().sum()
    names = {lesson: f"{lesson} of {maximum[lesson].max():g}" for lesson in points}
    return points.rename(columns=names)


def _write_page(folder: Path, student: str, own: pd.DataFrame) -> None:
    """Write a student's page, with nbgrader's page of each lesson beside it, in one language."""
    folder = folder / student_id(student)
    language = next(iter(own.language.dropna()), None)
    lessons = []
    for lesson, rows in own.groupby("lesson"):
        annotated = COURSE / "feedback" / folder.name / lesson / f"{lesson}.html"
        title = html.escape(lesson or translated("not recognized", language))
        if annotated.exists() and (rows.exercise != "").any():
            write_whole(folder / annotated.name, annotated.read_bytes())
            title = f'<a href="{annotated.name}">{title}</a>'
        cells = rows[ON_PAGES].rename(columns=partial(translated, language=language))
        with pd.option_context("display.max_colwidth", None):
            table = cells.to_html(index=False, border=0, float_format="{:g}".format)
        sums = {"points": rows.points.sum(), "maximum": rows.maximum.sum()}
        total = translated(Message("{points:g} of {maximum:g} points", **sums), language)
        lessons.append(f"<h2>{title}: {total}</h2>\n{table}")
    write_whole(folder / "index.html", _page(student, "\n".join(lessons), language))


def _page(title: str, sections: str, language: str | None = None) -> bytes:
    language = language or os.environ.get(VARIABLE, "en")
    return _PAGE.format(title=html.escape(title), sections=sections, language=language).encode()
