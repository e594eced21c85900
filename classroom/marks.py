"""Marks in the form in which learning platforms read them back.

Moodle takes a grading worksheet for each assignment, Canvas one table for the whole course. Both
know a student by the number that stands in their export, so only what came in as one can go back.
"""

from collections.abc import Iterable, Iterator

import pandas as pd

from classroom.submissions import Submission
from classroom.tables import to_csv


def uploads(submissions: Iterable[Submission], grades: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield the files to upload, by name.

    Parameters
    ----------
    submissions : iterable of Submission
        With the numbers that they have on their platforms.
    grades : DataFrame
        The columns of grades.csv.
    """
    sums = grades.groupby(["student", "lesson"])[["points", "maximum"]].sum()
    rows = [
        (s.platform, s.platform_id, s.student, s.lesson, *sums.loc[s.student, s.lesson])
        for s in submissions
        if s.platform_id.isdigit() and not s.is_spare and sums.maximum.get((s.student, s.lesson))
    ]
    marks = pd.DataFrame(rows, columns=["platform", "id", "student", "lesson", "points", "maximum"])
    marks = marks.drop_duplicates(["platform", "student", "lesson"])  # two files, none graded
    moodle, canvas = (marks[marks.platform == platform] for platform in ("Moodle", "Canvas"))
    for lesson, own in moodle.groupby("lesson"):
        yield f"moodle_{lesson}.csv", _without_mark(to_csv(_worksheet(own)))
    if len(canvas):
        yield "canvas.csv", _without_mark(to_csv(_gradebook(canvas)))


def _worksheet(marks: pd.DataFrame) -> pd.DataFrame:
    """Return Moodle's grading worksheet: it looks for these names, and for the number."""
    who = {"Identifier": "Participant " + marks.id, "Full name": marks.student}
    # Moodle passes over a mark that was changed there after this date.
    mark = {"Grade": marks.points, "Maximum Grade": marks.maximum, "Last modified (grade)": ""}
    return pd.DataFrame(who | mark)


def _gradebook(marks: pd.DataFrame) -> pd.DataFrame:
    """Return Canvas' gradebook: five columns that say who, then one for each assignment."""
    possible = marks.groupby("lesson")[["maximum"]].max().T
    possible.index = pd.MultiIndex.from_tuples([("    Points Possible", "")])
    points = marks.set_index(["student", "id", "lesson"]).points.unstack()
    table = pd.concat([possible, points]).rename_axis(["Student", "ID"]).reset_index()
    for place, name in enumerate(("SIS User ID", "SIS Login ID", "Section"), start=2):
        table.insert(place, name, "")
    return table


def _without_mark(table: bytes) -> bytes:
    """Leave out the byte order mark: it would be a part of the first column's name."""
    return table.decode("utf-8-sig").encode()
