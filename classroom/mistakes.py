"""What the class got wrong: for the next lecture.

The checks name a mistake where they know it, each in its notebook's language; here they are counted
by their English names. Other rows with points lost are counted, too, so that the numbers add up.
"""

import html

import pandas as pd

from rnn_lib.language import Message, joined, translated

NOT_BEGUN, OTHER = "(not begun)", "(no known mistake)"
COLUMNS = ["lesson", "exercise", "mean", "maximum", "handed in", "mistake", "count", "students"]
"""Of mistakes.csv: a row for each exercise and mistake, named mistakes first, the frequent before
the rare."""


def mistakes(grades: pd.DataFrame) -> pd.DataFrame:
    """Count the mistakes of a class.

    Parameters
    ----------
    grades : DataFrame
        The columns of grades.csv, and the mistake; rows without an exercise are left out.

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
        found = lost.groupby("mistake").student.agg(sorted)
        in_order = sorted(found.index, key=lambda m: (m in (NOT_BEGUN, OTHER), -len(found[m]), m))
        for mistake in in_order:
            rows.append([*row, mistake, len(found[mistake]), ", ".join(found[mistake])])
        if found.empty:
            rows.append([*row, "", 0, ""])
    return pd.DataFrame(rows, columns=COLUMNS)


def named_in(reason: str) -> str:
    """Return what a reason counts as, by the mistake that it names in the end."""
    if reason.startswith("not begun"):
        return NOT_BEGUN
    return reason.partition("; mistake: ")[2] or OTHER


def sections(found: pd.DataFrame) -> str:
    """Return the same as HTML, a section for each exercise, in the reader's language."""
    parts = []
    for (lesson, exercise), own in found.groupby(["lesson", "exercise"]):
        first = own.iloc[0]
        one = "{mean:g} of {maximum:g} points on average, {n} student"
        more = "{mean:g} of {maximum:g} points on average, {n} students"
        n = first["handed in"]
        told = Message(one if n == 1 else more, mean=first["mean"], maximum=first.maximum, n=n)
        heading = html.escape(f"{lesson}: {exercise}")
        parts.append(f"<h2>{heading}</h2>\n<p>{translated(told)}</p>")
        made = own.loc[own["count"] > 0, ["count", "mistake", "students"]]
        names = [joined("{most}; {last}", mistake.split("; ")) for mistake in made.mistake]
        made["mistake"] = [translated(name) for name in names]
        made = made.rename(columns=translated)
        if len(made):
            with pd.option_context("display.max_colwidth", None):
                parts.append(made.to_html(index=False, border=0))
    return "\n".join(parts)
