"""Lessons in another language: made from the English ones and a catalogue for each.

A paragraph of a Markdown cell, a comment of a code cell and the text of a figure (``alt``) are
each one entry of ``locale/ja/<lesson>.po``, in the order of the lesson; an entry's context is the
id of its cell. One walk over a lesson finds the entries and puts the translations in their places,
so that the two cannot disagree.

    python -m classroom.translation    updates all catalogues, and lists what is to be translated
"""

import copy
import difflib
import io
import re
import tokenize
from collections.abc import Callable
from pathlib import Path

import polib
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from classroom.lessons import NOTEBOOKS, ROOT, read

LOCALE = ROOT / "locale"

Say = Callable[[str, str, str], str]  # cell id, kind of text, text -> what stands there instead

_PARAGRAPHS = re.compile(r"(^```.*?^```|\n{2,})", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
_TEXT_IN_FORMULA = re.compile(r"\\text\{[^}]*[a-z]{3}")
_NOT_PROSE = re.compile(r"`[^`]+`|<[^>]+>|\]\([^)]*\)")
_NOT_WORDS = re.compile(r"\([^()]*,[^()]*\)|\w*_[\w{}^+-]*")  # shapes, and names such as n_steps
_NOT_A_COMMENT = re.compile(r"##|# (isort|fmt|noqa|type):")  # marks of solutions, and for tools
_WORD = re.compile(r"[A-Za-z]{2}")


def _is_prose(paragraph: str) -> bool:
    """Tell whether there is anything to translate in a paragraph."""
    if paragraph.startswith("```"):
        return " # " in paragraph  # commands with comments
    formulas = "".join(_FORMULA.findall(paragraph))
    rest = _NOT_PROSE.sub("", _FORMULA.sub("", paragraph))
    return bool(_TEXT_IN_FORMULA.search(formulas) or _WORD.search(rest))


def _is_comment(token: tokenize.TokenInfo) -> bool:
    """Tell whether a token is a comment in words."""
    return (
        token.type == tokenize.COMMENT
        and not _NOT_A_COMMENT.match(token.string)
        and bool(_WORD.search(_NOT_WORDS.sub("", token.string)))
    )


def translated(notebook: NotebookNode, say: Say) -> NotebookNode:
    """Return a copy of a notebook with each of its texts replaced.

    Parameters
    ----------
    notebook : NotebookNode
        An English notebook, which is left as it is.
    say : callable
        Gets a cell's id, "paragraph", "comment" or "alt", and the text; returns what takes its
        place. It is called in the order of reading.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts = _PARAGRAPHS.split(cell.source)
            cell.source = "".join(
                say(cell.id, "paragraph", part) if _is_prose(part) else part for part in parts
            )
            continue
        lines = cell.source.split("\n")
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline):
            if _is_comment(token):
                row, column = token.start
                comment = say(cell.id, "comment", token.string.removeprefix("# "))
                lines[row - 1] = f"{lines[row - 1][:column]}# {comment}"
        cell.source = "\n".join(lines)
        for output in cell.outputs:
            for about in output.get("metadata", {}).values():
                if "alt" in about:
                    about["alt"] = say(cell.id, "alt", about["alt"])
    return notebook


def sources() -> dict[str, NotebookNode]:
    """Return what is translated, by name: the lessons, and README as a notebook of one cell."""
    lessons = {path.stem: read(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return lessons | {"README": new_notebook(cells=[new_markdown_cell(readme, id="README")])}


def updated(name: str, notebook: NotebookNode, old: polib.POFile) -> polib.POFile:
    """Make the catalogue of a notebook, with the translations of an older one that still hold.

    Where the English changed a little, the old translation stays, marked as fuzzy: it is not used,
    but it may help whoever translates the new text.
    """
    new = polib.POFile(wrapwidth=0)
    new.metadata = old.metadata
    kept = {(entry.msgctxt, entry.msgid): entry for entry in old if entry.msgstr}

    def record(cell: str, kind: str, text: str) -> str:
        if new.find(text, msgctxt=cell) is None:
            where = [(name, str(len(new) + 1))]
            new.append(polib.POEntry(msgctxt=cell, msgid=text, comment=kind, occurrences=where))
        return text

    translated(notebook, record)
    for entry in new:
        if same := kept.pop((entry.msgctxt, entry.msgid), None):
            entry.msgstr, entry.flags = same.msgstr, same.flags
            entry.previous_msgid = same.previous_msgid
    for entry in new.untranslated_entries():
        changed = [text for cell, text in kept if cell == entry.msgctxt]
        for text in difflib.get_close_matches(entry.msgid, changed, n=1):
            entry.msgstr = kept.pop((entry.msgctxt, text)).msgstr
            entry.previous_msgid, entry.flags = text, ["fuzzy"]
    return new


def catalogue(path: Path) -> polib.POFile:
    """Read a catalogue; an empty one where there is none yet."""
    if path.exists():
        return polib.pofile(str(path), wrapwidth=0)
    empty = polib.POFile(wrapwidth=0)
    empty.metadata = {
        "Language": path.parent.name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return empty


def main() -> None:
    """Update the catalogues of every language, and list what is to be translated."""
    for folder in sorted(path for path in LOCALE.iterdir() if path.is_dir()):
        for name, notebook in sources().items():
            path = folder / f"{name}.po"
            new = updated(name, notebook, catalogue(path))
            new.save(str(path), newline="\n")
            for entry in new:
                if not entry.translated():
                    what = "changed" if entry.fuzzy else "missing"
                    print(f"{folder.name} {name}, cell {entry.msgctxt}: {what}: {entry.msgid:.60}")


if __name__ == "__main__":
    main()
