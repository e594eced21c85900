"""Submissions are found, recognized and put in order, whatever has happened to them."""

import copy
import itertools
import json
import os
import sys
import zipfile

import nbformat
import pytest
from class_of_students import ASKED, LESSONS, edited, notebook, solved, with_cell, without_cells
from nbformat.v4 import new_code_cell

from classroom.files import to_bytes
from classroom.submissions import collect, in_order, name_of, student_id

ONE = "01_forward"
CHECKS = [exercise.check.id for exercise in ASKED[ONE]]


def write(folder, **files):
    """Write files: __ in a name stands for a folder."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def found(source):
    return [(s.student, s.lesson, s.problem) for s in collect(source, LESSONS)]


def checks_in(submitted):
    return [c.id for c in submitted.cells if c.metadata.get("nbgrader", {}).get("grade")]


# -- found --------------------------------------------------------------------------------------

RIGHT = to_bytes(solved(ONE))
THREE = to_bytes(solved("03_bptt"))
BLANK = to_bytes(notebook("03_bptt"))


@pytest.mark.parametrize(
    "path",
    [
        "Ana López/homework 1/01_forward.ipynb",  # nbgrader's layout
        "Ana López/01_forward.ipynb",
        "Ana López/attempt/2/renamed.ipynb",
        "Ana López_01_forward.ipynb",  # flat
        "Ana López-01_forward (1).ipynb",
        "Ana Lo\u0301pez_01_forward.ipynb",  # an accent of its own, as on a Mac
    ],
)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_all_layouts_are_read(tmp_path, path, form):
    (tmp_path / "all").mkdir()
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr(path, RIGHT)
    else:
        (tmp_path / "all" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / path).write_bytes(RIGHT)
    source = tmp_path / ("all.zip" if form == "zip" else "all")
    assert found(source) == [("Ana López", ONE, "")]


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(
    "paths",
    [
        ["Abgaben/anna/01_forward.ipynb", "Abgaben/bo/01_forward.ipynb"],
        ["Abgaben/anna_01_forward.ipynb", "Abgaben/bo_01_forward.ipynb"],
        ["a/b/anna/hw/01_forward.ipynb", "a/b/bo/hw/01_forward.ipynb"],
        ["all/__MACOSX/x", "all/anna/01_forward.ipynb", "all/bo/01_forward.ipynb"],
        ["../anna_01_forward.ipynb", "/bo_01_forward.ipynb"],
        ["01_forward_anna.ipynb", "01_forward - bo (2).ipynb"],
    ],
    ids=range(6),
)
def test_folder_around_all_is_not_a_student(tmp_path, paths, form):
    source = tmp_path / "all.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for path in paths:
            archive.writestr(path, RIGHT)
    if form == "folder":
        source = tmp_path / "all"
        with zipfile.ZipFile(tmp_path / "all.zip") as archive:
            archive.extractall(source)
    assert found(source) == [("anna", ONE, ""), ("bo", ONE, "")]


def test_folders_of_one_student_are_not_students(tmp_path):
    for name in ("01_forward", "03_bptt"):
        (tmp_path / "anna" / name).mkdir(parents=True)
        (tmp_path / "anna" / name / f"{name}.ipynb").write_bytes(RIGHT if name == ONE else THREE)
    assert [student for student, *_ in found(tmp_path)] == ["anna", "anna"]


def test_empty_folders_links_and_zips_get_a_row(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "01_forward.ipynb").write_bytes(RIGHT)
    (tmp_path / "bo").symlink_to(tmp_path / "anna")
    (tmp_path / "cy").mkdir()
    (tmp_path / "di.zip").write_bytes(b"PK")
    assert found(tmp_path) == [
        ("anna", ONE, ""),
        ("bo", "", "a link to another file"),
        ("cy", "", "nothing in this folder"),
        ("di", "", "a zip file: unpack it into a folder with the student's name"),
    ]


def test_renamed_file_goes_to_the_student_whose_name_it_begins_with(tmp_path):
    (tmp_path / "Bo_01_forward.ipynb").write_bytes(RIGHT)
    (tmp_path / "Bo my homework.ipynb").write_bytes(THREE)
    (tmp_path / "nobody.ipynb").write_bytes(RIGHT)
    assert found(tmp_path) == [
        ("Bo", ONE, ""),
        ("Bo", "03_bptt", ""),
        ("nobody", ONE, ""),
    ]


def test_lesson_is_recognized_by_content_then_by_name(tmp_path):
    (tmp_path / "Bo_01_forward.ipynb").write_bytes(THREE)
    (tmp_path / "Cy_01_forward.ipynb").write_bytes(b"{")
    assert [row[:2] for row in found(tmp_path)] == [("Bo", "03_bptt"), ("Cy", ONE)]


def test_newer_of_two_files_for_a_lesson_counts(tmp_path):
    for age, name in enumerate(["Bo_01_forward-2.ipynb", "Bo_01_forward.ipynb"]):
        (tmp_path / name).write_bytes(RIGHT)
        os.utime(tmp_path / name, (10**9 - age, 10**9 - age))
    good, spare = sorted(collect(tmp_path, LESSONS), key=lambda s: s.is_spare)
    assert (good.file, good.problem) == ("Bo_01_forward-2.ipynb", "")
    assert spare.problem == "handed in more than once: Bo_01_forward-2.ipynb is graded"


def test_attempts_with_stamps_are_compared_by_them(tmp_path):
    earlier, later = "ana_1_99_03_bptt.ipynb", "ana_LATE_1_100_03_bptt-1.ipynb"
    for age, name in enumerate([earlier, later]):  # the files' own times say the contrary
        (tmp_path / name).write_bytes(THREE)
        os.utime(tmp_path / name, (10**9 - age, 10**9 - age))
    good, spare = sorted(collect(tmp_path, LESSONS), key=lambda s: s.is_spare)
    assert (good.student, good.file, spare.file) == ("ana", later, earlier)
    assert (good.platform, good.platform_id) == ("Canvas", "1")


def test_equal_times_are_said_and_the_last_name_counts(tmp_path):
    names = ["20261109_03_bptt.ipynb", "20261110_03_bptt.ipynb"]
    for folder, contents in (("Ana", [BLANK, THREE]), ("Bo", [THREE, THREE])):
        write(tmp_path / folder, **dict(zip(names, contents, strict=True)))
    for path in tmp_path.rglob("*"):  # as unpacking leaves them
        os.utime(path, (10**9, 10**9))
    said = {s.file: s.remark for s in collect(tmp_path, LESSONS) if s.notebook}
    assert said == {
        f"Ana/{names[1]}": f"Ana/{names[0]} has the same time and is not graded",
        f"Bo/{names[1]}": "",  # the two are the same
    }


def test_whole_project_handed_in_is_graded_by_the_students_edition(tmp_path):
    files = {
        "Ana__rnn__build__student__03_bptt.ipynb": BLANK,
        "Ana__rnn__notebooks__01_forward.ipynb": RIGHT,
        "Ana__rnn__notebooks__03_bptt.ipynb": THREE,
        "Bo__03_bptt.ipynb": THREE,
    }
    write(tmp_path, **files)
    assert [(s.file, bool(s.remark)) for s in collect(tmp_path, LESSONS)] == [
        ("Ana/rnn/build/student/03_bptt.ipynb", True),
        ("Bo/03_bptt.ipynb", False),
    ]


def test_gradescopes_list_is_read_from_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("export/submission_7/03_bptt.ipynb", THREE)
        archive.writestr(
            "export/submission_metadata.yml",
            "submission_7:\n  :submitters:\n  - :name: Zoë\n    :sid: '100'\n",
        )
    (submission,) = collect(tmp_path / "export.zip", LESSONS)
    assert (submission.student, submission.platform_id) == ("Zoë", "100")


def test_what_the_platform_added_alone_is_an_error(tmp_path):
    write(tmp_path, **{"Working files__Ana__03_bptt.ipynb": THREE})
    with pytest.raises(ValueError, match="nothing in it that a student handed in"):
        collect(tmp_path, LESSONS)


def test_students_come_from_the_table_and_the_roster(tmp_path):
    (tmp_path / "Copy of 03_bptt.ipynb").write_bytes(THREE)
    (tmp_path / "Copy of 03_bptt(1).ipynb").write_bytes(THREE)
    (tmp_path / "neilbo - 03_bptt.ipynb").write_bytes(THREE)
    (tmp_path / "di - 03_bptt.ipynb").write_bytes(THREE)
    students = {"Copy of 03_bptt(1).ipynb": "Ana", "di - 03_bptt.ipynb": "Di"}
    submissions = collect(tmp_path, LESSONS, students, {"neilbo": "Bo Neil"})
    assert [(s.student, s.problem) for s in submissions] == [
        ("", "whose it is cannot be known"),
        ("Ana", ""),
        ("Bo Neil", ""),
        ("Di", ""),
    ]


def test_members_of_one_name_are_all_there(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Ana/01_forward.ipynb", RIGHT)
        archive.writestr("/Ana/01_forward.ipynb", RIGHT)
    assert len(found(tmp_path / "all.zip")) == 2


@pytest.mark.parametrize(
    ("source", "name"),
    [("2026.11.20", "2026.11.20"), ("2026.11.20.zip", "2026.11.20"), ("A.ZIP", "A"), ("b", "b")],
)
def test_a_dot_in_a_folders_name_is_no_ending(tmp_path, source, name):
    assert name_of(tmp_path / source) == name


def test_files_of_the_operating_system_are_ignored(tmp_path):
    for name in ("__MACOSX", ".ipynb_checkpoints"):
        (tmp_path / "Bo" / name).mkdir(parents=True)
        (tmp_path / "Bo" / name / "01_forward.ipynb").write_bytes(RIGHT)
    (tmp_path / "Bo" / "01_forward.ipynb").write_bytes(RIGHT)
    (tmp_path / "Bo" / "._01_forward.ipynb").write_bytes(b"\0")
    (tmp_path / "Bo" / "timestamp.txt").write_text("2026-11-22 10:00:00 UTC")
    (submission,) = collect(tmp_path, LESSONS)
    assert submission.timestamp == "2026-11-22 10:00:00 UTC"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (RIGHT[:-100], "not a complete notebook"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"[]", "not a complete notebook"),
        (b"{}", "not a complete notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}', "not a complete"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "without cells"),
        (b"[" * 100_000, "not a complete notebook"),
        (to_bytes(solved(ONE)).replace(b'"source"', b'"\\ud800"'), "not a complete notebook"),
        (to_bytes(nbformat.v4.new_notebook(cells=[new_code_cell("1")])), "not recognized"),
    ],
    ids=range(11),
)
def test_reason_is_given_for_what_cannot_be_graded(tmp_path, content, problem):
    (tmp_path / "Bo").mkdir()
    (tmp_path / "Bo" / "file.ipynb").write_bytes(content)
    ((student, _, said),) = found(tmp_path)
    assert student == "Bo"
    assert problem in said


def test_lesson_without_exercises_is_not_graded(tmp_path):
    prose = [cell for cell in LESSONS[ONE].cells if "nbgrader" not in cell.metadata]
    lessons = LESSONS | {ONE: nbformat.v4.new_notebook(cells=prose)}
    (tmp_path / "Bo_01_forward.ipynb").write_bytes(RIGHT)
    (submission,) = collect(tmp_path, lessons)
    assert (submission.lesson, submission.problem) == (ONE, "this lesson has no exercises")


def test_byte_order_mark_and_older_format_are_read(tmp_path):
    old = nbformat.v4.downgrade(copy.deepcopy(solved(ONE)))
    (tmp_path / "Bo_01_forward.ipynb").write_bytes(b"\xef\xbb\xbf" + RIGHT)
    (tmp_path / "Cy_01_forward.ipynb").write_text(nbformat.v3.writes_json(old), encoding="utf-8")
    assert found(tmp_path) == [("Bo", ONE, ""), ("Cy", ONE, "")]


@pytest.mark.parametrize("marks", [[], "mine", {"grade_id": ["a list"]}, {"grade_id": {}}, None])
def test_malformed_metadata_does_no_harm(tmp_path, marks):
    """What fuzzing found, as what stands in the tests below it."""
    submitted = solved(ONE)
    for cell in submitted.cells:
        cell.metadata["nbgrader"] = marks
    (tmp_path / "Bo_01_forward.ipynb").write_text(json.dumps(submitted), encoding="utf-8")
    assert found(tmp_path) == [("Bo", ONE, "")]


def test_half_of_an_emoji_is_graded_as_a_question_mark(tmp_path):
    text = json.dumps(with_cell(solved(ONE), "face = '\ud83d'"))
    (tmp_path / "Bo_01_forward.ipynb").write_text(text, encoding="utf-8")
    (submission,) = collect(tmp_path, LESSONS)
    assert b"face = '?'" in to_bytes(submission.notebook)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_name_in_another_encoding_can_be_written_into_the_table(tmp_path):
    for name in (b"Jos\xe9", b"Jos\xe8"):
        with open(os.fsencode(tmp_path) + b"/" + name + b"_01_forward.ipynb", "wb") as file:
            file.write(RIGHT)
    students = [student for student, _, _ in found(tmp_path)]
    assert students == [r"Jos\udce8", r"Jos\udce9"]
    assert [student.encode() for student in students]


def test_damaged_zip_or_its_members_are_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Bo_01_forward.ipynb", RIGHT[:300])
        archive.writestr("/", b"")
    content = (tmp_path / "all.zip").read_bytes()
    for place, bit in itertools.product(range(0, len(content), 3), (0, 3, 7)):
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        (tmp_path / "all.zip").write_bytes(changed)
        try:
            assert all(problem for _, _, problem in found(tmp_path / "all.zip"))
        except ValueError as error:
            assert "zip file" in str(error) or "no files" in str(error)


@pytest.mark.parametrize(("kind", "error"), [("none", FileNotFoundError), ("text", ValueError)])
def test_source_must_be_a_folder_or_a_zip(tmp_path, kind, error):
    if kind == "text":
        (tmp_path / "x").write_text("hello")
    with pytest.raises(error, match="folder or"):
        collect(tmp_path / "x", LESSONS)


def test_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no files in it"):
        collect(tmp_path, LESSONS)


def test_zip_is_never_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("../../Bo_01_forward.ipynb", RIGHT)
        archive.writestr("/etc/Cy_01_forward.ipynb", RIGHT)
    before = sorted(tmp_path.parent.rglob("*"))
    assert all(not problem for _, _, problem in found(tmp_path / "all.zip"))
    assert sorted(tmp_path.parent.rglob("*")) == before


# -- in order -----------------------------------------------------------------------------------


def order(submitted):
    return in_order(copy.deepcopy(submitted), LESSONS[ONE])


def test_complete_submission_is_unchanged_but_for_the_ways_on():
    """Otherwise a ready function would answer for the student in the cells below."""
    submitted = solved(ONE)
    ways_on = [cell for cell in submitted.cells if cell.id.startswith("way-on-")]
    assert len(ways_on) == 2
    assert order(submitted).cells == [cell for cell in submitted.cells if cell not in ways_on]


@pytest.mark.parametrize("lost", ["marks", "ids", "both"])
def test_ways_on_are_known_by_what_stands_in_them(lost):
    submitted = solved(ONE)
    for cell in submitted.cells:
        if lost in ("marks", "both"):
            cell.metadata.clear()
        if lost in ("ids", "both"):
            cell["id"] = new_code_cell().id
    assert not any("To read on" in cell.source for cell in order(submitted).cells)


def test_what_a_student_wrote_into_a_way_on_stays():
    mine = "# To read on without exercise 1.1, run this cell (no points).\nmine = 1"
    submitted = edited(solved(ONE), "way-on-1-1", mine)
    assert mine in [cell.source for cell in order(submitted).cells]


def test_missing_checks_are_restored_below_their_exercises():
    mended = order(without_cells(solved(ONE), *CHECKS))
    assert mended.cells == order(solved(ONE)).cells


def test_edited_check_stays_above_the_real_one():
    mended = order(edited(solved(ONE), CHECKS[0], "print('fine')"))
    assert checks_in(mended) == CHECKS
    sources = [cell.source for cell in mended.cells]
    assert sources.index("print('fine')") + 1 == sources.index("checks.check_step(rnn_step)")
    assert len({cell.id for cell in mended.cells}) == len(mended.cells)


def test_check_stands_where_the_student_checked_last():
    tried = notebook(ONE)
    again = [
        copy.deepcopy(c) for c in solved(ONE).cells if c.id in ("exercise-rnn-step", CHECKS[0])
    ]
    for cell in again:
        cell["id"] = new_code_cell().id
    tried.cells += again
    mended = order(tried)
    assert checks_in(mended) == [*CHECKS[1:], CHECKS[0]]
    assert mended.cells[-1].id == CHECKS[0]


@pytest.mark.parametrize("lost", ["marks", "ids", "both"])
def test_cells_are_recognized_by_what_is_left(lost):
    submitted = solved("03_bptt")
    for cell in submitted.cells:
        if lost in ("marks", "both"):
            cell.metadata.clear()
        if lost in ("ids", "both"):
            cell["id"] = new_code_cell().id
    mended = in_order(submitted, LESSONS["03_bptt"])
    marked = [c for c in mended.cells if c.metadata.get("nbgrader")]
    complete = [c for c in LESSONS["03_bptt"].cells if c.metadata.get("nbgrader")]
    assert [c.metadata.nbgrader.grade_id for c in marked] == [c.id for c in complete]


def test_invented_metadata_is_dropped():
    submitted = with_cell(solved(ONE), "1")
    submitted.cells[2].metadata["nbgrader"] = {"grade": True, "grade_id": "mine", "points": 1000}
    assert checks_in(order(submitted)) == CHECKS


def test_students_have_distinct_ids():
    assert student_id("Zoë O'Neil 田中") == "Zoë O'Neil 田中"
    odd = ["a/b", "a_b", "a*b", "a[b", "..", ".", "", "x" * 300, "x" * 301, "a\nb"]
    ids = [student_id(name) for name in odd]
    assert len(set(ids)) == len(odd)
    assert all(name.strip(". ") and not set(name) & set("/*?[]\n") for name in ids)
