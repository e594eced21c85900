"""A table of a class is read back cell by cell, and nothing in it is a formula."""

import csv
import io
import itertools

import pandas as pd
import pytest

from classroom.tables import plain, to_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")']
LEADS = ["", " ", "\t", "\r", "\n", "\r\n", "x;", "x; ", 'x;"', "x\r;", "x\t", "x\n", 'x";', ";;"]
HOSTILE = [lead + formula + end for lead in LEADS for formula in FORMULAS for end in ("", ";", '"')]
TABLE = pd.DataFrame(
    {"student": HOSTILE, "points": -1.5, "reason": HOSTILE[::-1], "lesson": "01_forward"}
)


def cells(content, separator, quotes):
    """Read a table as a spreadsheet does that takes another sign for the separator."""
    text = content.decode("utf-8-sig")
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting))


def formulas(content, separator, quotes=True):
    found = itertools.chain.from_iterable(cells(content, separator, quotes))
    found = (cell.strip(' "') for cell in found)
    return [cell for cell in found if cell[:1] in set("=+-@＝＋－＠") - {""} and cell != "-1.5"]


@pytest.mark.parametrize("quotes", [True, False])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_no_cell_is_a_formula_whatever_separates_the_cells(separator, quotes):
    assert formulas(to_csv(TABLE), separator, quotes) == []


def test_rows_and_texts_are_read_back():
    header, *rows = cells(to_csv(TABLE), ",", True)
    assert header == list(TABLE)
    assert len(rows) == len(HOSTILE)
    assert formulas(to_csv(TABLE), ",") == []
    for row, hostile in zip(rows, HOSTILE, strict=True):
        assert row[0].replace("'", "").split() == hostile.replace("'", "").split()
        assert row[1] == "-1.5"


def test_a_row_is_a_line():
    assert len(to_csv(TABLE).splitlines()) == 1 + len(HOSTILE)


@pytest.mark.parametrize("separator", [",", ";"])
def test_these_tests_find_formulas(separator):
    content = TABLE.to_csv(index=False).encode()
    assert len(formulas(content, separator)) > 100


@pytest.mark.parametrize(
    "text",
    ["Ana López", "O'Brien", "a; b", "1.1: expected (3, 4), got -1", "wrong; mistake: x - y"],
)
def test_ordinary_texts_are_left_as_they_are(text):
    assert plain(text) == text
