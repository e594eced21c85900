"""The teacher's summary of a class: which mistakes, how many, who."""

import pandas as pd
import pytest

from classroom.mistakes import NOT_BEGUN, OTHER, mistakes, named_in, sections
from classroom.report import COLUMNS
from rnn_lib.language import VARIABLE

STEP, FORWARD = "1.1 rnn_step", "1.2 rnn_forward"
LOST = "rnn_step is wrong; mistake: the bias is lost"


def row(student, exercise, points, reason="", maximum=2.0):
    told = {"student": student, "lesson": "01_forward", "exercise": exercise, "points": points}
    told |= {"maximum": maximum, "reason": reason, "mistake": named_in(reason)}
    return dict.fromkeys(COLUMNS, "") | told


GRADES = pd.DataFrame(
    [
        row("Ana", STEP, 2.0),
        row("Bo", STEP, 0.0, LOST),
        row("<b>Cy</b>", STEP, 0.0, LOST),
        row("Di", STEP, 0.0, "rnn_step is wrong; mistake: W_h is transposed"),
        row("Ed", STEP, 0.0, "not begun: Exercise 1.1: write rnn_step"),
        row("Flo", STEP, 1.0, "NameError: name 'x' is not defined"),
        row("Ana", FORWARD, 2.0),
        row("Ana", "late", -1.0, "handed in after the deadline", maximum=0.0),
        row("Gil", "", 0.0, "not a notebook", maximum=5.0),
    ]
)


@pytest.fixture
def found():
    return mistakes(GRADES)


def test_each_mistake_is_counted_with_its_students_the_named_and_frequent_first(found):
    made = found[found.exercise == STEP]
    assert made[["mistake", "count", "students"]].values.tolist() == [
        ["the bias is lost", 2, "<b>Cy</b>, Bo"],
        ["W_h is transposed", 1, "Di"],
        [OTHER, 1, "Flo"],
        [NOT_BEGUN, 1, "Ed"],
    ]
    assert made["count"].sum() == 5, "all who lost points"


def test_the_mean_is_of_those_who_handed_in_the_lesson(found):
    first, second = found.groupby("exercise").first().to_dict("index").values()
    assert (first["mean"], first["maximum"], first["handed in"]) == (0.5, 2, 6)
    assert (second["mean"], second["handed in"], second["mistake"]) == (2, 1, "")


def test_the_page_says_the_same_and_shows_names_as_text(found):
    page = sections(found)
    assert "<h2>01_forward: 1.1 rnn_step</h2>\n<p>0.5 of 2 points on average, 6 students" in page
    assert "2 of 2 points on average, 1 student<" in page
    assert "the bias is lost" in page and "&lt;b&gt;Cy&lt;/b&gt;" in page and "<b>" not in page


def test_the_page_speaks_the_teachers_language(found, monkeypatch):
    monkeypatch.setenv(VARIABLE, "ja")
    page = sections(found)
    assert "平均0.5点／2点、提出6人" in page and "<th>誤り</th>" in page
    assert "バイアスが抜けています" in page and "（未着手）" in page
    assert "the bias is lost" in list(found.mistake), "the table for programs is as it was"


def test_a_class_without_a_graded_notebook_has_no_mistakes():
    nothing = mistakes(GRADES[GRADES.student == "Gil"])
    assert len(nothing) == 0 and sections(nothing) == ""
