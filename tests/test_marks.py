"""Marks are read back as Moodle's and Canvas' importers read them.

Both readers here are written after the importers' own source: `mod/assign/feedback/offline` of
Moodle, with the names of its English language pack, and `lib/gradebook_importer.rb` of Canvas.
"""

import csv
import io
import re

import pandas as pd
import pytest

from classroom.marks import uploads
from classroom.report import COLUMNS
from classroom.submissions import Submission

ONE, THREE = "01_forward", "03_bptt"


def row(student, lesson, exercise, points, maximum):
    told = {"student": student, "lesson": lesson, "exercise": exercise, "points": points}
    return dict.fromkeys(COLUMNS, "") | told | {"maximum": maximum}


GRADES = pd.DataFrame(
    [
        row("Ana López", ONE, "1.1 rnn_step", 2.0, 2.0),
        row("Ana López", ONE, "1.2 rnn_forward", 1.5, 3.0),
        row("Ana López", THREE, "3.1 rnn_step_backward", 3.0, 3.0),
        row("Ana López", THREE, "late", -1.0, 0.0),
        row("Ana López", ONE, "", 0.0, 0.0),  # an earlier attempt
        row("=Bo; +1", ONE, "", 0.0, 5.0),  # a file that could not be graded
        row("Cy", ONE, "1.1 rnn_step", 2.0, 2.0),
        row("Cy", ONE, "1.2 rnn_forward", 3.0, 3.0),
        row("Cy", "", "", 0.0, 0.0),
        row("Di", ONE, "1.1 rnn_step", 2.0, 2.0),
    ]
)


def handed_in(platform):
    """Return what came in from a platform; Moodle's numbers differ for each assignment."""
    third = "13" if platform == "Moodle" else "11"
    known = {"platform": platform}
    return [
        Submission("Ana López", "a1", ONE, platform_id="11", **known),
        Submission("Ana López", "a1 earlier", ONE, platform_id="99", is_spare=True, **known),
        Submission("Ana López", "a3", THREE, platform_id=third, **known),
        Submission("=Bo; +1", "b1", ONE, problem="damaged", platform_id="12", **known),
        Submission("=Bo; +1", "b2", ONE, problem="damaged", platform_id="12", **known),
        Submission("Di", "d1", ONE, platform_id="anon_x", **known),
        Submission("Cy", "c1", ONE),  # put beside the export by hand
        Submission("Cy", "c.txt", platform_id="14", **known),
    ]


def moodle_reads(content):
    """Return grades by participant, as Moodle's reader of grading worksheets finds them."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    at = {name: header.index(name) for name in ("Identifier", "Grade", "Last modified (grade)")}
    read = {}
    for line in rows:
        assert len(line) == len(header)
        number = int(line[at["Identifier"]][len("Participant ") :])
        read[number] = float(line[at["Grade"]])
        assert 0 <= read[number] <= float(line[header.index("Maximum Grade")])
    return read


def canvas_reads(content):
    """Return points possible, and grades by user and assignment, as Canvas' importer does."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    assert len(header) > 3 and "Student" in header[0] and "ID" in header[1]
    n_who = 3
    if re.search(r"SIS\s+User\s+ID", header[2]) and re.search(r"SIS\s+Login\s+ID", header[3]):
        n_who = 5
    assert "Section" in header[n_who - 1]
    possible, grades = {}, {}
    for line in rows:
        cells = dict(zip(header[n_who:], line[n_who:], strict=True))
        if "Points Possible" in line[0]:
            possible = {name: float(cell) for name, cell in cells.items()}
        else:
            grades[int(line[1])] = {n: float(cell) for n, cell in cells.items() if cell}
    return possible, grades


def test_moodle_reads_a_worksheet_for_each_assignment():
    files = dict(uploads(handed_in("Moodle"), GRADES))
    read = {name: moodle_reads(content) for name, content in files.items()}
    assert read == {"moodle_01_forward.csv": {11: 3.5, 12: 0}, "moodle_03_bptt.csv": {13: 2}}


def test_canvas_reads_one_table_for_the_course():
    ((name, content),) = uploads(handed_in("Canvas"), GRADES)
    assert name == "canvas.csv"
    possible, grades = canvas_reads(content)
    assert possible == {ONE: 5, THREE: 3}
    assert grades == {11: {ONE: 3.5, THREE: 2}, 12: {ONE: 0}}
    assert b"'=Bo;'" in content


@pytest.mark.parametrize("platform", ["", "Blackboard"])
def test_nothing_is_written_for_what_is_not_from_moodle_or_canvas(platform):
    assert dict(uploads(handed_in(platform), GRADES)) == {}
