"""Tables for a spreadsheet, in which no text of a student's becomes a formula or a row of its own.

Where a comma stands in numbers, spreadsheets take the semicolon to separate the columns of a CSV:
what follows one may stand at the beginning of a cell there.
"""

import re

import pandas as pd

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Some spreadsheets take the wide forms, too.
_FORMULA = re.compile(r"(^|;)(?=[\s\"]*[=+@＝＋－＠-])")


def to_csv(table: pd.DataFrame) -> bytes:
    """Return a table as a spreadsheet reads it, without its index."""
    # The byte order mark tells a spreadsheet that this is UTF-8.
    return table.map(plain).to_csv(index=False).encode("utf-8-sig")


def plain(value: object) -> object:
    """Return a text as one line in which nothing begins as a formula does; others as they are."""
    return _FORMULA.sub(r"\1'", _CONTROL.sub(" ", value)) if isinstance(value, str) else value
