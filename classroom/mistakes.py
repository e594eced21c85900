"""What the class got wrong: for the next lecture.

The checks name a mistake where they know it; a row of grades.csv has the name at the end of its
reason. Other rows with points lost are counted, too, so that the numbers add up.
"""

import html

import pandas as pd

NOT_BEGUN, OTHER = "(not begun)", "(no known mistake)"
COLUMNS = ["lesson", "exercise", "mean", "maximum", "handed in", "mistake", "count", "students"]
"""Of mistakes.csv: a row for each exercise and mistake, named mistakes first, the frequent before
the rare."""


def mistakes(grades: pd.DataFrame) -> pd.DataFrame:
    """Count the mistakes of a class.

    Parameters
    ----------
    grades : DataFrame
        The columns of grades.csv; rows without an exercise are left out.

    Returns
    -------
    DataFrame
        See :data:`COLUMNS`. An exercise in which nobody lost points has a row without a mistake.
    """
    rows = []
    asked = grades[grades.maximum.gt(0) & grades.exercise.ne("")]
    for (lesson, exercise), own in asked.groupby(["lesson", "exercise"]):
        row = [lesson, exercise, round(own.points.mean(), 2), own.maximum.max(), len(own)]
        lost = own[own.points < own.maximum]
        found = lost.groupby(lost.reason.map(_mistake)).student.agg(sorted)
        in_order = sorted(found.index, key=lambda m: (m in (NOT_BEGUN, OTHER), -len(found[m]), m))
        for mistake in in_order:
            rows.append([*row, mistake, len(found[mistake]), ", ".join(found[mistake])])
        if found.empty:
            rows.append([*row, "", 0, ""])
    return pd.DataFrame(rows, columns=COLUMNS)


def _mistake(reason: str) -> str:
    if reason.startswith("not begun"):
        return NOT_BEGUN
    return reason.partition("; mistake: ")[2] or OTHER


def sections(found: pd.DataFrame) -> str:
    """Return the same as HTML, a section for each exercise."""
    parts = []
    for (lesson, exercise), own in found.groupby(["lesson", "exercise"]):
        first = own.iloc[0]
        n_students = first["handed in"]
        parts.append(
            f"<h2>{html.escape(f'{lesson}: {exercise}')}</h2>\n"
            f"<p>{first['mean']:g} of {first.maximum:g} points on average, {n_students} "
            f"{'student' if n_students == 1 else 'students'}</p>"
        )
        made = own.loc[own["count"] > 0, ["count", "mistake", "students"]]
        if len(made):
            with pd.option_context("display.max_colwidth", None):
                parts.append(made.to_html(index=False, border=0))
    return "\n".join(parts)
