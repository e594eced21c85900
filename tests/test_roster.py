"""The teacher's tables: whose the files are, and who is in the class."""

import pandas as pd
import pytest
from class_of_students import LESSONS, notebook, solved

from classroom import grade, report
from classroom.files import to_bytes
from classroom.roster import FILE, ID, read_table, write_table

ROSTER = "id,student\n11,Ana López\n,Bo\n13,\n"


@pytest.mark.parametrize(
    "content",
    [
        ROSTER.encode(),
        ROSTER.encode("utf-8-sig"),
        ROSTER.replace(",", ";").encode("cp1252"),  # Excel in Spain
        ROSTER.replace(",", "\t").replace("\n", "\r\n").encode(),
        ROSTER.replace("id,student", " ID ,Student,group").replace("López\n", "López,2\n").encode(),
        ROSTER.replace("ó", "o\u0301").encode(),  # a Mac's way to write it
    ],
    ids=["plain", "mark", "Excel", "tabs", "another column", "Mac"],
)
def test_tables_are_read_as_spreadsheets_save_them(tmp_path, content):
    (tmp_path / "students.csv").write_bytes(content)
    table = read_table(tmp_path / "students.csv", ID)
    assert table == {"11": "Ana López", "Bo": "Bo", "13": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected the columns id and student, no id found"),
        ("id,name\n1,Ana\n", "expected the columns id and student, no student found"),
        ("id,student\n1,Ana\n1,Bo\n", "1 has two students, Ana and Bo"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path, content, message):
    (tmp_path / "students.csv").write_text(content)
    with pytest.raises(ValueError, match=f"students.csv: {message}"):
        read_table(tmp_path / "students.csv", ID)


def test_what_is_written_to_be_filled_in_is_read_again(tmp_path):
    files = ["a, b;c.ipynb", 'quo"te.ipynb', "Zoë.ipynb"]
    write_table(tmp_path / "t.csv", files, {"Zoë.ipynb": "Zoë", "gone.ipynb": "Di"})
    expected = dict.fromkeys(files, "") | {"Zoë.ipynb": "Zoë", "gone.ipynb": "Di"}
    assert read_table(tmp_path / "t.csv", FILE) == expected


@pytest.fixture
def inbox(tmp_path):
    """Two copies on a Drive, which nobody renamed."""
    (tmp_path / "inbox").mkdir()
    for name in ("Copy of 01_forward.ipynb", "Copy of 01_forward(1).ipynb"):
        (tmp_path / "inbox" / name).write_bytes(to_bytes(notebook("01_forward")))
    return tmp_path / "inbox"


def test_nothing_is_graded_while_no_name_is_known(inbox):
    table = inbox.with_name("inbox-students.csv")
    for _ in range(2):
        with pytest.raises(ValueError, match="2 of 2 files. Fill in .*inbox-students.csv, and"):
            grade._collect(inbox, LESSONS, {})
    assert list(read_table(table, FILE).items()) == [
        ("inbox/Copy of 01_forward(1).ipynb", ""),
        ("inbox/Copy of 01_forward.ipynb", ""),
    ]


def test_the_next_call_reads_the_table(inbox, capsys):
    table = inbox.with_name("inbox-students.csv")
    table.write_text("file;student\ninbox/Copy of 01_forward.ipynb;11\n")
    submissions = grade._collect(inbox, LESSONS, {"11": "Ana"})
    assert [(s.student, s.problem) for s in submissions] == [
        (
            "Copy of 01_forward(1).ipynb",
            "whose it is cannot be known: fill in inbox-students.csv",
        ),
        ("Ana", ""),
    ]
    assert capsys.readouterr().out.startswith(
        "Read as files whose students stand in a table, 1 student.\n"
        "Whose they are cannot be known: 1 of 2 files. Fill in "
    )
    assert read_table(table, FILE) == {
        "inbox/Copy of 01_forward(1).ipynb": "",
        "inbox/Copy of 01_forward.ipynb": "11",
    }


def test_the_first_line_says_how_the_folder_was_read(tmp_path, capsys):
    for name in ("Ana A_101", "Bo B_102"):
        folder = tmp_path / f"{name}_assignsubmission_file"
        folder.mkdir()
        (folder / "01_forward.ipynb").write_bytes(to_bytes(solved("01_forward")))
    grade._collect(tmp_path, LESSONS, {})
    assert capsys.readouterr().out == "Read as a Moodle export, 2 students.\n"
    assert not tmp_path.with_name(f"{tmp_path.name}-students.csv").exists()


def test_who_handed_in_nothing_has_0_in_total():
    rows = [("Bo", "01_forward", 2.0, 5.0), ("Cy", "03_bptt", 17.0, 17.0)]
    grades = pd.DataFrame(rows, columns=["student", "lesson", "points", "maximum"])
    totals = report._totals(grades, ["Ana", "Di"])
    assert totals.index.name == "student"
    assert totals["total of 22"].to_dict() == {"Ana": 0, "Bo": 2, "Cy": 17, "Di": 0}
    assert totals.loc["Ana"].isna().sum() == 2
