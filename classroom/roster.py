"""Two tables that a teacher can fill in: whose the files are, and who is in the class."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from classroom.files import write_whole

FILE, ID, STUDENT = "file", "id", "student"


def read_table(path: Path, key: str) -> dict[str, str]:
    """Read a table with two columns, as spreadsheets save it.

    Parameters
    ----------
    path : Path
        A CSV file, separated by commas, semicolons or tabs.
    key : str
        The column in front of `student`; others are ignored.

    Returns
    -------
    dict of str to str
        The student for each key; "" where none is filled in.

    Raises
    ------
    ValueError
        If a column is missing, or a key has two students.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # Excel's "CSV", in Western Europe and America
        text = content.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restval="")
    columns = [(name or "").strip().lower() for name in rows.fieldnames or []]
    missing = [name for name in (key, STUDENT) if name not in columns]
    if missing:
        raise ValueError(f"{path}: expected the columns {key} and {STUDENT}, no {missing[0]} found")
    rows.fieldnames = columns
    table: dict[str, str] = {}
    for row in rows:
        known, student = (
            unicodedata.normalize("NFC", row[name].strip()) for name in (key, STUDENT)
        )
        if table.get(known, student) != student:
            raise ValueError(f"{path}: {known} has two students, {table[known]} and {student}")
        if known or student:
            table[known or student] = student
    return table


def write_table(path: Path, files: Iterable[str], students: Mapping[str, str]) -> None:
    """Write a table of files for the teacher to fill in; what is filled in stays."""
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    table.writerow([FILE, STUDENT])
    table.writerows([file, students.get(file, "")] for file in sorted({*files, *students}))
    write_whole(path, text.getvalue().encode("utf-8-sig"))
