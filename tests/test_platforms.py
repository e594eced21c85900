"""Who is who: the names that platforms give to files are read as what they say.

Everything here is built from names; no notebook is written.
"""

import re
from pathlib import PurePosixPath

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from classroom.platforms import apart, lesson_in, owners, told

LESSONS = ["01_forward", "02_tiny_array", "03_bptt"]
M = "_assignsubmission_file"
GRADESCOPE = b"""\
submission_98765:
  :submitters:
  - :name: Ana A
    :sid: '100'
    :email: ana@example.org
  :created_at: 2026-11-20 10:00:00.5 Z
  :results: !ruby/hash:Odd {score: 1}
submission_98766:
  :submitters:
  - :name: Bo B
    :sid: '200'
  - :name: Cy C
    :sid: '300'
"""


def read(*paths, outer="inbox", content=GRADESCOPE):
    """Return who handed in what, by path."""
    return owners([PurePosixPath(path) for path in paths], LESSONS, outer, lambda path: content)


# A layout: its name, what is said of it, and the student of each file; None for a file that nobody
# handed in.
LAYOUTS = {
    "Moodle, in folders": (
        "a Moodle export, 2 students",
        {
            f"Ana A_101{M}/01_forward.ipynb": "Ana A",
            f"Bo B_102{M}_/renamed.ipynb": "Bo B",
            "Bo B_102_assignsubmission_onlinetext/onlinetext.html": None,
        },
    ),
    "Moodle, two exports side by side, numbers that differ": (
        "a Moodle export, 2 students",
        {
            f"Lesson 1-4711/Ana A_101{M}/01_forward.ipynb": "Ana A",
            f"Lesson 1-4711/Bo B_102{M}/01_forward.ipynb": "Bo B",
            f"Lesson 3-4712/Ana A_201{M}/03_bptt.ipynb": "Ana A",
            f"Lesson 3-4712/Bo B_202{M}/03_bptt.ipynb": "Bo B",
        },
    ),
    "Moodle, two lessons in one folder": (
        "a Moodle export, 1 student",
        {f"Ana A_101{M}/01_forward.ipynb": "Ana A", f"Ana A_201{M}/03_bptt.ipynb": "Ana A"},
    ),
    "Moodle, two students of one name": (
        "a Moodle export, 2 students",
        {
            f"Ana A_101{M}/03_bptt.ipynb": "Ana A (101)",
            f"Ana A_102{M}/03_bptt.ipynb": "Ana A (102)",
        },
    ),
    "Moodle, a lesson handed in again in another assignment": (
        "a Moodle export, 1 student",
        {
            f"L3-1/Ana A_101{M}/03_bptt.ipynb": "Ana A",
            f"late-2/Ana A_201{M}/03_bptt.ipynb": "Ana A",
        },
    ),
    "Moodle, not in folders": (
        "a Moodle export, 2 students",
        {f"Ana_123{M}_03_bptt.ipynb": "Ana", f"Bo_124{M}_homework 3.ipynb": "Bo"},
    ),
    "Moodle, anonymous, and a group": (
        "a Moodle export, 3 students",
        {
            f"Participant_7{M}/03_bptt.ipynb": "Participant (7)",
            f"Participant_8{M}/03_bptt.ipynb": "Participant (8)",
            f"Default group{M}/03_bptt.ipynb": "Default group",
        },
    ),
    "Canvas": (
        "a Canvas export, 3 students",
        {
            "lopezana_12345_678901_01_forward.ipynb": "lopezana",
            "lopezana_LATE_12345_678902_03_bptt-1.ipynb": "lopezana",
            "neilbo_12346_678903_my homework.ipynb": "neilbo",
            "neilbo_12346_678904_x_1_2_y.ipynb": "neilbo",
            "anon_x7Yz_678905_mine.ipynb": "anon_x7Yz",
            "neilbo_12346_text.html": None,
        },
    ),
    "Canvas, two students of one name": (
        "a Canvas export, 2 students",
        {
            "lopezana_1_10_01_forward.ipynb": "lopezana (1)",
            "lopezana_2_11_03_bptt.ipynb": "lopezana (2)",
        },
    ),
    "Canvas, and one that came by mail": (
        "a Canvas export, 3 students; 1 other file by the name",
        {
            "submissions/lopezana_1_10_01_forward.ipynb": "lopezana",
            "submissions/neilbo_2_11_01_forward.ipynb": "neilbo",
            "Cy_01_forward.ipynb": "Cy",
        },
    ),
    "Blackboard": (
        "a Blackboard export, 2 students",
        {
            "L3_anaa_attempt_2026-11-20-10-00-00_03_bptt.ipynb": "anaa",
            "L3_anaa_attempt_2026-11-21-09-30-00_03_bptt.ipynb": "anaa",
            "L3_bo_attempt_2026-11-21-09-30-00_x_cy_attempt_2027-01-01-00-00-00_y.ipynb": "bo",
            "L3_anaa_attempt_2026-11-20-10-00-00.txt": None,
        },
    ),
    "Blackboard, the assignment called like the lesson": (
        "a Blackboard export, 2 students",
        {
            "01_forward_anaa_attempt_2026-11-13-10-00-00_01_forward.ipynb": "anaa",
            "03_bptt_anaa_attempt_2026-11-20-10-00-00_03_bptt.ipynb": "anaa",
            "03_bptt_bob_attempt_2026-11-20-10-00-00_mine.ipynb": "bob",
        },
    ),
    "Blackboard, names that end alike": (
        "a Blackboard export, 2 students",
        {
            "L3_a_lee_attempt_2026-11-20-10-00-00_03_bptt.ipynb": "lee (L3_a_lee)",
            "L3_b_lee_attempt_2026-11-20-10-00-00_03_bptt.ipynb": "lee (L3_b_lee)",
        },
    ),
    "Brightspace": (
        "a Brightspace export, 2 students",
        {
            "11-22 - Ana A - Nov 20, 2026 1000 AM/03_bptt.ipynb": "Ana A",
            "11-22 - Ana A - Nov 21, 2026 930 AM/03_bptt.ipynb": "Ana A",
            "11-23 - Bo B-C - 20 November 2026 1100 PM/mine.ipynb": "Bo B-C",
            "index.html": None,
        },
    ),
    "Brightspace, flat": (
        "a Brightspace export, 2 students",
        {
            "11-22 - Ana A - Nov 20, 2026 1000 AM - 03_bptt.ipynb": "Ana A",
            "11-23 - Bo B - Nov 20, 2026 1100 AM - 03_bptt.ipynb": "Bo B",
        },
    ),
    "Drive, copies with Colab's name": (
        "",
        {
            "Copy of 03_bptt.ipynb": "",
            "Copy of 03_bptt(1).ipynb": "",
            "Copy of 03_bptt (2).ipynb": "",
            "03_bptt (1).ipynb": "",
            "homework_03_bptt.ipynb": "",
        },
    ),
    "Drive, the same in a folder": (
        "",
        dict.fromkeys((f"Drive/Copy of 03_bptt({n}).ipynb" for n in range(3)), ""),
    ),
    "Drive, names in the files": (
        "files with the students' names, 4 students",
        {
            "Ana - 03_bptt.ipynb": "Ana",
            "Cy - Copy of 03_bptt.ipynb": "Cy",
            "Copy of Bo Neil 03_bptt.ipynb": "Bo Neil",
            "Copy of 03_bptt - Di (1).ipynb": "Di",
            "Copy of 03_bptt.ipynb": "",
        },
    ),
    "GitHub Classroom": (
        "repositories of GitHub Classroom, 2 students",
        {
            "lesson-3-submissions/lesson-3-ana-lopez/03_bptt.ipynb": "ana-lopez",
            "lesson-3-submissions/lesson-3-bo/mine/03_bptt.ipynb": "bo",
            "lesson-1-submissions/lesson-1-bo/01_forward.ipynb": "bo",
        },
    ),
    "GitHub Classroom, the assignment called like the lesson": (
        "repositories of GitHub Classroom, 2 students",
        {
            "sub/03_bptt-ana/03_bptt.ipynb": "ana",
            "sub/03_bptt-bo/03_bptt.ipynb": "bo",
            "sub/01-forward-bo/01_forward.ipynb": "bo",
        },
    ),
    "Teams": (
        "a Teams library, 2 students",
        {
            "Student Work/Submitted files/Ana/Lesson 3/Version 1/03_bptt.ipynb": "Ana",
            "Student Work/Submitted files/Ana/Lesson 3/Version 2/03_bptt.ipynb": "Ana",
            "Student Work/Submitted files/Bo/Lesson 3/03_bptt.ipynb": "Bo",
            "Student Work/Working files/Ana/Lesson 3/03_bptt.ipynb": None,
            "Student Work/Working files/Cy/Lesson 3/03_bptt.ipynb": None,
        },
    ),
    "Gradescope": (
        "a Gradescope export, 3 students",
        {
            "assignment_1_export/submission_98765/03_bptt.ipynb": "Ana A",
            "assignment_1_export/submission_98766/03_bptt.ipynb": "Bo B, Cy C",
            "assignment_1_export/submission_98767/03_bptt.ipynb": "submission_98767",
            "assignment_1_export/submission_metadata.yml": None,
        },
    ),
    "ILIAS": (
        "an ILIAS export, 2 students",
        {
            "multi_feedback_Lesson_3/A_Ana_anaa_123/03_bptt.ipynb": "Ana A",
            "multi_feedback_Lesson_3/B-C_Bo Max_bob_124/mine.ipynb": "Bo Max B-C",
        },
    ),
    "nbgrader": (
        "a folder for each student, 2 students",
        {
            "Ana López/homework 1/01_forward.ipynb": "Ana López",
            "Ana López/homework 3/03_bptt.ipynb": "Ana López",
            "bo/homework 1/mine.ipynb": "bo",
        },
    ),
    "an accent of its own, as on a Mac": (
        "a folder for each student, 2 students",
        {"Zoe\u0308/03_bptt.ipynb": "Zoë", "Bo/03_bptt.ipynb": "Bo"},
    ),
    "a folder for each lesson": (
        "a folder for each student, 2 students",
        {
            "01_forward/Ana/01_forward.ipynb": "Ana",
            "01_forward/Bo/01_forward.ipynb": "Bo",
            "03_bptt/Ana/03_bptt.ipynb": "Ana",
        },
    ),
    "a folder for each lesson, files inside": (
        "files with the students' names, 2 students",
        {
            "Lesson 1/Ana_01_forward.ipynb": "Ana",
            "Lesson 1/bo.ipynb": "bo",
            "Lesson 3/Ana.ipynb": "Ana",
        },
    ),
    "a folder for each section": (
        "a folder for each student, 3 students",
        {
            "Section A/Ana/03_bptt.ipynb": "Ana",
            "Section A/Bo/03_bptt.ipynb": "Bo",
            "Section B/Cy/hw/03_bptt.ipynb": "Cy",
        },
    ),
    "a folder for each day": (
        "a folder for each student, 4 students",
        {
            "Monday/Ana/03_bptt.ipynb": "Ana",
            "Monday/Bo/03_bptt.ipynb": "Bo",
            "Friday/Cy/03_bptt.ipynb": "Cy",
            "Friday/Di/03_bptt.ipynb": "Di",
        },
    ),
    "students who keep older versions in folders": (
        "a folder for each student, 2 students",
        {
            "Ana/old/03_bptt.ipynb": "Ana",
            "Ana/final/03_bptt.ipynb": "Ana",
            "Bo/hw/03_bptt.ipynb": "Bo",
        },
    ),
    "one of two, by their numbers": (
        "a folder for each student, 2 students",
        {
            "s101/old/03_bptt.ipynb": "s101",
            "s101/final/03_bptt.ipynb": "s101",
            "s102/03_bptt.ipynb": "s102",
        },
    ),
    "all of them": (
        "a folder for each student, 2 students",
        {
            "Ana/old/03_bptt.ipynb": "Ana",
            "Ana/final/03_bptt.ipynb": "Ana",
            "Bo/old/03_bptt.ipynb": "Bo",
            "Bo/final/03_bptt.ipynb": "Bo",
        },
    ),
    "all of them, in files": (
        "a folder for each student, 2 students",
        {
            "Ana/draft_03_bptt.ipynb": "Ana",
            "Ana/final_03_bptt.ipynb": "Ana",
            "Bo/draft_03_bptt.ipynb": "Bo",
            "Bo/final_03_bptt.ipynb": "Bo",
        },
    ),
    "one student, homework by homework": (
        "a folder for each student, 1 student",
        {"Ana/homework 1/01_forward.ipynb": "Ana", "Ana/homework 3/03_bptt.ipynb": "Ana"},
    ),
    "one student, who kept both": (
        "a folder for each student, 1 student",
        {
            "Ana/03_bptt.ipynb": "Ana",
            "Ana/03_bptt-new.ipynb": "Ana",
            "Ana/03_bptt-new-2.ipynb": "Ana",
        },
    ),
    "one student's own folder": (
        "the files of one student, 1 student",
        {
            "01_forward.ipynb": "inbox",
            "03_bptt.ipynb": "inbox",
            "03_bptt-new.ipynb": "inbox",
        },
    ),
    "the same, homework by homework": (
        "the files of one student, 1 student",
        {"homework 1/01_forward.ipynb": "inbox", "homework 3/03_bptt.ipynb": "inbox"},
    ),
    "flat, by the numbers of students": (
        "files with the students' names, 2 students",
        {"4711001_03_bptt.ipynb": "4711001", "4711002_03_bptt.ipynb": "4711002"},
    ),
    "folders with the numbers of students": (
        "a folder for each student, 2 students",
        {"all/student1/03_bptt.ipynb": "student1", "all/student2/hw/03_bptt.ipynb": "student2"},
    ),
    "what lies beside the folders": (
        "a folder for each student, 3 students; 1 other file by the name",
        {"all/Ana/03_bptt.ipynb": "Ana", "all/Bo/03_bptt.ipynb": "Bo", "list.xlsx": "list"},
    ),
    "an empty folder": (
        "a folder for each student, 3 students; 1 other file by the name",
        {"all/Ana/03_bptt.ipynb": "Ana", "all/Bo/03_bptt.ipynb": "Bo", "all/cy": "cy"},
    ),
    "flat, in several spellings": (
        "files with the students' names, 5 students",
        {
            "Ana_01_forward.ipynb": "Ana",
            "Ana my homework.ipynb": "Ana",
            "Bo-01_forward (1).ipynb": "Bo",
            "01_forward - Cy (2).ipynb": "Cy",
            "Di_03_bptt-new.ipynb": "Di",
            "nobody.ipynb": "nobody",
        },
    ),
    "the whole project handed in": (
        "a folder for each student, 2 students",
        {
            "Ana/rnn/build/student/03_bptt.ipynb": "Ana",
            "Ana/rnn/mine.ipynb": "Ana",
            "Ana/rnn/notebooks/03_bptt.ipynb": None,
            "Ana/rnn/build/lessons/03_bptt.ipynb": None,
            "Ana/rnn/README.md": None,
            "Bo/rnn/notebooks/03_bptt.ipynb": "Bo",
            "Bo/rnn/rnn_lib/layers.py": None,
        },
    ),
    "one student's whole project": (
        "a folder for each student, 1 student",
        {"Ana/rnn/build/student/03_bptt.ipynb": "Ana", "Ana/rnn/notebooks/03_bptt.ipynb": None},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_students_are_read_from_the_names(layout):
    said, expected = LAYOUTS[layout]
    found = apart(read(*expected), lambda path: lesson_in(path, LESSONS))
    assert {
        path: found[PurePosixPath(path)].student if PurePosixPath(path) in found else None
        for path in expected
    } == (expected)
    assert told((owner.student, owner.platform) for owner in found.values()) == (
        f"Read as {said}." if said else "No name of a student was found."
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (
            "L3_ana_attempt_2026-11-09-10-00-00_03_bptt.ipynb",
            "L3_ana_attempt_2026-11-10-09-30-00_03_bptt.ipynb",
        ),
        (
            "1-2 - Ana A - Nov 20, 2026 1000 AM/03_bptt.ipynb",
            "1-2 - Ana A - Nov 20, 2026 930 PM/03_bptt.ipynb",
        ),
        (
            "1-2 - Ana A - 30 September 2026 1130/03_bptt.ipynb",
            "1-2 - Ana A - 01 October 2026 0900/03_bptt.ipynb",
        ),
        (
            "1-2 - Ana A - Nov 20, 2026 109 PM - 03_bptt.ipynb",
            "1-2 - Ana A - Nov 20, 2026 1059 PM - 03_bptt.ipynb",
        ),
        ("ana_1_99_03_bptt.ipynb", "ana_LATE_1_100_03_bptt-1.ipynb"),
        (
            "Submitted files/Ana/Lesson 3/Version 9/03_bptt.ipynb",
            "Submitted files/Ana/Lesson 3/Version 10/03_bptt.ipynb",
        ),
    ],
    ids=["Blackboard", "Brightspace", "day first", "after noon", "Canvas", "Teams"],
)
def test_attempts_have_the_platforms_own_stamps(earlier, later):
    found = read(earlier, later)
    assert "" < found[PurePosixPath(earlier)].attempt < found[PurePosixPath(later)].attempt


def test_a_date_of_another_form_is_no_stamp():
    (owner,) = read("1-2 - Ana A - 20. Okt. 2026 1000/03_bptt.ipynb").values()
    assert (owner.student, owner.attempt) == ("Ana A", "")


@pytest.mark.parametrize(
    ("path", "platform", "known_by"),
    [
        (f"Ana A_101{M}/03_bptt.ipynb", "Moodle", "101"),
        ("lopezana_LATE_12345_678902_03_bptt-1.ipynb", "Canvas", "12345"),
        ("1-2 - Ana A - Nov 20, 2026 1000 AM/03_bptt.ipynb", "Brightspace", "1-2"),
        ("submission_98765/03_bptt.ipynb", "Gradescope", "100"),
        ("sub/03_bptt-ana-lopez/03_bptt.ipynb", "GitHub Classroom", "ana-lopez"),
        ("A_Ana_anaa_123/03_bptt.ipynb", "ILIAS", "123"),
        ("Ana/03_bptt.ipynb", "folders", ""),
    ],
)
def test_what_the_platform_knows_a_student_by_is_kept(path, platform, known_by):
    owner = read(path, "submission_metadata.yml")[PurePosixPath(path)]
    assert (owner.platform, owner.id) == (platform, known_by)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2",
        b"- a list",
        b"submission_98765: {:submitters: 3}",
        b"submission_98765: {:submitters: [{:sid: 1}]}",
        b"[" * 10_000,
        b"\xff\xfe\x00",
    ],
    ids=range(7),
)
def test_without_gradescopes_list_its_numbers_stand(content):
    found = read("submission_98765/03_bptt.ipynb", "submission_metadata.yml", content=content)
    assert [owner.student for owner in found.values()] == ["submission_98765"]


def test_a_list_that_a_student_hands_in_names_nobody():
    paths = "submission_98765/03_bptt.ipynb", "submission_98765/submission_metadata.yml"
    assert [owner.student for owner in read(*paths).values()] == ["submission_98765"]


@pytest.mark.parametrize(
    "outer", [f"Ana A_101{M}", "Submitted files", "03-bptt-submissions"], ids=lambda name: name
)
def test_the_folders_own_name_can_be_part_of_the_form(outer):
    inside = {
        f"Ana A_101{M}": "03_bptt.ipynb",
        "Submitted files": "Ana A/Lesson 3/03_bptt.ipynb",
        "03-bptt-submissions": "03-bptt-ana/03_bptt.ipynb",
    }
    (owner,) = read(inside[outer], outer=outer).values()
    assert owner.student in ("Ana A", "ana")
    assert owner.platform not in ("folders", "one")


def test_a_folder_called_like_a_lesson_is_no_repository():
    found = read("Ana/03_bptt.ipynb", "Bo/03_bptt.ipynb", outer="03_bptt-inbox")
    assert [owner.student for owner in found.values()] == ["Ana", "Bo"]


def test_no_student_decides_how_the_class_is_read():
    """Nor hands in for another, by files called as Canvas calls them."""
    class_of_two = ["s101/hw 1/03_bptt.ipynb", "s102/hw 1/03_bptt.ipynb"]
    many = [f"s103/s101_1_{n}_03_bptt.ipynb" for n in range(20)]
    found = read(*class_of_two, *many, "s103/x/03_bptt.ipynb", "s103/y/03_bptt.ipynb")
    assert {owner.student for owner in found.values()} == {"s101", "s102", "s103"}
    assert all(owner.student == path.parts[0] for path, owner in found.items())


@pytest.mark.parametrize(
    "inside",
    [
        f"Ana A_101{M}/Bo B_102{M}/03_bptt.ipynb",
        "submission_98765/submission_98766/03_bptt.ipynb",
        "1-2 - Ana A - Nov 20, 2026 1000 AM/1-3 - Bo - Nov 21, 2026 1000 AM/03_bptt.ipynb",
        "Submitted files/Ana A/L3/Submitted files/Bo/L3/Version 9/03_bptt.ipynb",
        "sub/03_bptt-Ana-A/03_bptt-Bo/03_bptt.ipynb",
        "A_Ana_anaa_123/B_Bo_bob_124/03_bptt.ipynb",
        "L3_Ana_attempt_2026-11-20-10-00-00_L3_Bo_attempt_2027-11-20-10-00-00_3.ipynb",
        "Ana_1_99_Bo_2_100_03_bptt.ipynb",
    ],
)
def test_a_name_within_a_name_is_not_the_student(inside):
    owner = read(inside, "submission_metadata.yml")[PurePosixPath(inside)]
    assert owner.student in ("Ana A", "Ana-A", "Ana")
    assert owner.platform not in ("folders", "files")


def test_the_whole_project_handed_in_is_remarked():
    found = read("Ana/rnn/build/student/03_bptt.ipynb", "Ana/rnn/notebooks/03_bptt.ipynb")
    (owner,) = found.values()
    assert owner.remark == "the whole project was handed in: build/student/ counts, not notebooks/"


@pytest.mark.parametrize("part", ["_", "1", " - ", "a_", "Ana_1", "Copy of ", "20"])
def test_endless_names_do_not_take_endless_time(part):
    long = part * (60_000 // len(part))
    read(f"{long}/{long}.ipynb", f"{long}_assignsubmission_fil", f"{long}_attempt_2026.ipynb")


# -- anything ------------------------------------------------------------------------------------

PIECES = """Ana A|_101|_attempt_2026-11-20-10-00-00|1-2| - |hw|.ipynb|Nov 20, 2026 1000 AM|_anon_a1
31 Feb 2026 1000|Submitted files|Version 2|submission_|-submissions|notebooks|build|student|rnn_lib
A_Ana_anaa_123|_9_8_|.txt|index.html|Copy of | (1)|-new-2|20261120|\udc80|e\u0301"""
PIECES = [*LESSONS, M, *re.split(r"[|\n]", PIECES)]
LETTERS = st.text(st.characters(blacklist_characters="/\0"), max_size=4)
NAMES = st.lists(st.sampled_from(PIECES) | LETTERS, min_size=1, max_size=4).map("".join)
NAMES = NAMES.filter(lambda name: name not in ("", ".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: PurePosixPath(*parts))

KEYS = st.sampled_from([":submitters", ":name", ":sid", ":created_at", "other"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
PEOPLE = VALUES | st.just([{":name": "Ana A", ":sid": "100"}])
ENTRIES = st.fixed_dictionaries({":submitters": PEOPLE, ":created_at": VALUES}) | VALUES
TABLES = st.dictionaries(st.sampled_from(["submission_1", "submission_2"]), ENTRIES)
LISTS = st.binary(max_size=60) | TABLES.map(yaml.dump).map(str.encode)


def expect_comparable(found):
    """What stands in all owners is text: attempts are compared and names are sorted."""
    texts = [text for owner in found.values() for text in (owner.student, owner.id, owner.attempt)]
    assert {type(text) for text in texts} <= {str}


@given(paths=st.lists(PATHS, min_size=1, max_size=6, unique=True), outer=NAMES)
def test_whatever_a_file_is_called_the_class_is_read(paths, outer):
    found = apart(owners(paths, LESSONS, outer), lambda path: lesson_in(path, LESSONS))
    assert set(found) <= set(paths)
    expect_comparable(found)
    assert told((owner.student, owner.platform) for owner in found.values())


@given(content=LISTS)
@example(b"submission_1: {':submitters': [{':name': Ana A}], ':created_at': []}")
def test_whatever_stands_in_gradescopes_list_the_class_is_read(content):
    paths = ["submission_1/03_bptt.ipynb", "submission_2/03_bptt.ipynb", "submission_metadata.yml"]
    found = read(*paths, content=content)
    assert len(found) == 2
    expect_comparable(found)
