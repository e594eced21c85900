"""A notebook in whatever form it was saved: read, repaired, and ready to be put in order.

Colab, Kaggle and VS Code write formats without cell ids; editors and converters leave fields where
the schema has none, and widgets without their state. Jupyter opens nearly all of that. So the
schema is not asked: what grading needs is taken out of the file, whatever else stands in it, and a
notebook is built anew of that. What is needed is each cell's kind, text, id and name for nbgrader,
and the pictures in the prose.
"""

import itertools
import json
import re
import uuid

from nbformat import NotebookNode
from nbformat.v4 import nbformat, nbformat_minor

from classroom.lessons import language_of
from rnn_lib.language import Message

MOST_VALUES = 10_000_000
"""In the file of a notebook: about a second, and less than a gigabyte while it is read."""

MOST_CELLS, LONGEST_TEXT = 10_000, 10_000_000
"""Of the cells together, outputs left out."""

CONFLICT = "a merge conflict: two versions stand in the {where}, between <<<<<<< and >>>>>>>"
"""What is said of a file or cell that :func:`in_conflict` finds."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class CannotGrade(Exception):
    """A submission cannot be graded; the message says why."""


def notebook(content: bytes) -> NotebookNode:
    """Read a notebook of any format.

    Parameters
    ----------
    content : bytes
        Of the file.

    Returns
    -------
    NotebookNode
        In nbgrader's format, valid, without outputs. Of the metadata only its language is left, and
        nbgrader's name for a cell.

    Raises
    ------
    CannotGrade
        If there are no cells in it, or one of them has no text.
    """
    if not content.strip():
        raise CannotGrade(Message("the file is empty"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotGrade(Message("not a notebook: its text is not UTF-8")) from None
    if sum(map(text.count, '"[{,')) > MOST_VALUES:
        raise CannotGrade(
            Message("too large: more than ten million values; outputs can be cleared")
        )
    try:
        found = json.loads(text, parse_int=bool, parse_float=bool)  # no number in it matters
    except (ValueError, RecursionError):
        if in_conflict(text):
            raise CannotGrade(Message(CONFLICT, where=Message("file"))) from None
        raise CannotGrade(Message("not a complete notebook: it is cut off or damaged")) from None
    cells = [_cell(cell, n) for n, cell in enumerate(_cells(found), start=1)]
    if sum(len(cell.source) for cell in cells) > LONGEST_TEXT:
        raise CannotGrade(
            Message("too large: more than ten million characters without the outputs")
        )
    set_distinct_ids(cells, set())
    mended = NotebookNode(
        cells=cells,
        metadata=NotebookNode(lang=_inside(found, "metadata", "lang")),
        nbformat=nbformat,
        nbformat_minor=nbformat_minor,
    )
    mended.metadata["lang"] = language_of(mended)
    return mended


def in_conflict(text: str) -> bool:
    """Say whether a merge has left its markers in a text."""
    return all(re.search(rf"^{mark * 7}(\s|$)", text, re.MULTILINE) for mark in "<=>")


def set_distinct_ids(cells: list[NotebookNode], taken: set[str]) -> None:
    """Give a new id to each cell without one, or whose id is `taken`, or stands above it."""
    for cell in cells:
        if not cell.get("id") or cell.id in taken:
            cell["id"] = uuid.uuid4().hex[:8]
        taken.add(cell.id)


def make_code(cell: NotebookNode) -> None:
    """Make a code cell of what was turned into Markdown or raw text."""
    cell.pop("attachments", None)
    cell.update(cell_type="code", outputs=[], execution_count=None)


def named(error: BaseException) -> str:
    """Return an error's name and the beginning of its message, if Python can build it at all."""
    name = type(error).__name__
    try:
        lines = str(error).split("\n")
    except Exception:
        lines = [""]
    return writable(f"{name}: {lines[0][:120]}".removesuffix(": "))


def writable(text: str) -> str:
    """Escape what UTF-8 cannot encode, such as file names in another encoding."""
    return text.encode(errors="backslashreplace").decode()


def _cells(found: object) -> list:
    """Return the cells; in format 3 and older they stand on worksheets."""
    sheets = found.get("worksheets", [found]) if isinstance(found, dict) else None
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        raise CannotGrade(Message("not a complete notebook: no list of cells in it"))
    lists = [sheet.get("cells") for sheet in sheets]
    if not all(isinstance(cells, list) for cells in lists):
        raise CannotGrade(Message("not a complete notebook: no list of cells in it"))
    cells = list(itertools.chain.from_iterable(lists))
    if not cells:
        raise CannotGrade(Message("a notebook without cells"))
    if len(cells) > MOST_CELLS:
        raise CannotGrade(Message("too large: more than {n:,} cells", n=MOST_CELLS))
    return cells


def _cell(found: object, n: int) -> NotebookNode:
    source = _text(found.get("source", found.get("input"))) if isinstance(found, dict) else None
    if source is None:
        raise CannotGrade(Message("not a complete notebook: cell {n} has no text", n=n))
    kind = found.get("cell_type")
    cell = NotebookNode(
        cell_type=kind if kind in ("code", "markdown") else "raw",
        metadata=NotebookNode(),
        source=source,
    )
    if isinstance(found.get("id"), str) and _ID.fullmatch(found["id"]):
        cell["id"] = found["id"]
    if isinstance(name := _inside(found, "metadata", "nbgrader", "grade_id"), str):
        cell.metadata["nbgrader"] = NotebookNode(grade_id=name)
    if kind == "code":
        make_code(cell)
    elif isinstance(found.get("attachments"), dict):
        cell["attachments"] = _pictures(found["attachments"])
    return cell


def _inside(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _pictures(attachments: dict) -> NotebookNode:
    """Return those that have the form of pictures: by name, then by type, as text."""
    named = {name: data for name, data in attachments.items() if isinstance(data, dict)}
    return NotebookNode(
        {
            _text(name): NotebookNode({_text(kind): text})
            for name, data in named.items()
            for kind, value in data.items()
            if kind.startswith("image/") and (text := _text(value)) is not None
        }
    )


def _text(value: object) -> str | None:
    """Return a text, which may stand there in lines, or None if it is none."""
    lines = value if isinstance(value, list) else [value]
    if not all(isinstance(line, str) for line in lines):
        return None
    # Half of an emoji, which JSON can spell but UTF-8 cannot, becomes a question mark.
    return "".join(lines).encode(errors="replace").decode()
