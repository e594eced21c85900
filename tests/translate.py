"""The lessons and README in other languages: made from the English ones, and never by hand.

    python tests/translate.py    updates catalogues, writes what follows, lists what is to be done

A language is a folder of catalogues, such as ``locale/ja/``. A paragraph of a Markdown cell and a
comment of a code cell are each one entry of ``locale/ja/<lesson>.po``, in the order of the lesson;
an entry's context is the id of its cell. From them follow ``notebooks/ja/`` and ``README.ja.md``,
and from the library's own catalogue what the checks have printed. What has no translation, or only
that of an older text, stays English.
"""

import copy
import difflib
import functools
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import polib
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from run_lessons import describe_figures

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "locale"

Say = Callable[[str, str, str], str]

PARAGRAPHS = re.compile(r"(^```.*?^```|\n{2,})", re.MULTILINE | re.DOTALL)  # code, or in between
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
TEXT_IN_FORMULA = re.compile(r"\\text\{([^}]*[^\W\d_]{3}[^}]*)\}")  # words, not names such as lr
CODE = re.compile(r"`[^`]+`")
HTML = re.compile(r"</?\w[^>]*>")
TARGET = re.compile(r"(?<=\])\([^)]*\)")
_SHAPES_AND_NAMES = re.compile(r"\([^()]*,[^()]*\)|\w*_[\w{}^+-]*")
_NOT_A_COMMENT = re.compile(r"##|# (isort|fmt|noqa|type):")  # marks of solutions, and for tools
_WORD = re.compile(r"[A-Za-z]{2}")
_PLACE = re.compile(r"\{(\w+)[^}]*\}")
# How the library puts messages together, where there is nothing to translate.
_FRAMES = ("{name} {verdict}: {what}", "{name}: {what}", "{most}; {last}")


# -- where the texts are ------------------------------------------------------------------------


def is_prose(paragraph: str) -> bool:
    """Tell whether there is anything to translate in a paragraph."""
    if paragraph.startswith("```"):
        return " # " in paragraph  # commands with comments
    formulas = "".join(FORMULA.findall(paragraph))
    for not_prose in (FORMULA, CODE, HTML, TARGET):
        paragraph = not_prose.sub("", paragraph)
    return bool(_WORD.search(paragraph) or TEXT_IN_FORMULA.search(formulas))


def tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    """Split Python code into tokens."""
    return tokenize.generate_tokens(io.StringIO(code).readline)


def is_comment(token: tokenize.TokenInfo) -> bool:
    """Tell whether a token is a comment in words."""
    return (
        token.type == tokenize.COMMENT
        and not _NOT_A_COMMENT.match(token.string)
        and bool(_WORD.search(_SHAPES_AND_NAMES.sub("", token.string)))
    )


def with_texts(notebook: NotebookNode, say: Say) -> NotebookNode:
    """Return a copy of a notebook whose texts are those that `say` gives in their place.

    It is told the id of the cell, "paragraph" or "comment", and the text, in the order of reading.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts = PARAGRAPHS.split(cell.source)
            cell.source = "".join(
                say(cell.id, "paragraph", part) if is_prose(part) else part for part in parts
            )
        else:
            lines = cell.source.split("\n")
            for token in tokens(cell.source):
                if is_comment(token):
                    row, column = token.start
                    comment = say(cell.id, "comment", token.string.removeprefix("# "))
                    lines[row - 1] = f"{lines[row - 1][:column]}# {comment}"
            cell.source = "\n".join(lines)
    return notebook


def sources() -> dict[str, NotebookNode]:
    """Return what is translated, by name: the lessons, and README as a notebook of one cell."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    lessons = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return lessons | {"README": new_notebook(cells=[new_markdown_cell(readme, id="README")])}


# -- catalogues ---------------------------------------------------------------------------------


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


def updated(name: str, notebook: NotebookNode, old: polib.POFile) -> polib.POFile:
    """Make a notebook's catalogue, with the translations of an older one that still hold.

    Where the English changed a little, the old translation stays, marked as fuzzy: it is not used,
    but it helps whoever translates the new text.
    """
    new = polib.POFile(wrapwidth=0)
    new.metadata = old.metadata
    kept = {(entry.msgctxt, entry.msgid): entry for entry in old if entry.msgstr}

    def record(cell: str, kind: str, text: str) -> str:
        if new.find(text, msgctxt=cell) is None:
            where = [(name, str(len(new) + 1))]
            new.append(polib.POEntry(msgctxt=cell, msgid=text, comment=kind, occurrences=where))
        return text

    with_texts(notebook, record)
    for entry in new:
        if same := kept.pop((entry.msgctxt, entry.msgid), None):
            for what in ("msgstr", "flags", "previous_msgid", "tcomment"):
                setattr(entry, what, getattr(same, what))
    for entry in new.untranslated_entries():
        changed = [text for cell, text in kept if cell == entry.msgctxt]
        for text in difflib.get_close_matches(entry.msgid, changed, n=1):
            entry.msgstr = kept.pop((entry.msgctxt, text)).msgstr
            entry.previous_msgid, entry.flags = text, ["fuzzy"]
    return new


def to_do(po: polib.POFile) -> list[str]:
    """Say what is to be translated, each with its cell."""
    return [
        f"cell {e.msgctxt}: {'changed' if e.fuzzy else 'missing'}: {e.msgid!r:.90}"
        for e in po
        if not e.translated()
    ]


# -- what follows from them ---------------------------------------------------------------------


class Messages:
    """What the library says, in another language, from the catalogue of its templates.

    A template's parts, such as ``{what}``, may be messages themselves. Of all ways to read a line,
    that counts which leaves the fewest letters in English, and of these the simplest.
    """

    def __init__(self, path: Path) -> None:
        entries = polib.pofile(str(path)).translated_entries() if path.exists() else []
        said = {frame: frame for frame in _FRAMES} | {e.msgid: e.msgstr for e in entries}
        self._templates = [(_pattern(english), english, other) for english, other in said.items()]
        self._best = functools.cache(lambda text: min(self._readings(text)))

    def line(self, text: str) -> str:
        """Translate a line of an output, or a row of it, ``    word     text``."""
        if row := re.fullmatch(r"    (\S+) +(.+)", text):
            word, rest = map(self.text, row.groups())
            return f"    {word:<9} {rest}"
        return self.text(text)

    def text(self, text: str) -> str:
        """Translate a message; other texts stay as they are."""
        return self._best(text)[-1]

    def _readings(self, text: str) -> Iterator[tuple[int, int, int, str]]:
        """Yield translations, each after its letters and templates, and its rank among equals."""
        yield sum(map(str.isalpha, text)), 0, 0, text
        for pattern, english, other in self._templates:
            if found := pattern.fullmatch(text):
                parts = {name: self._best(part) for name, part in found.groupdict().items()}
                letters, templates = (sum(part[n] for part in parts.values()) for n in (0, 1))
                said = _PLACE.sub(lambda place, parts=parts: parts[place[1]][-1], other)
                yield letters, 1 + templates, 1 if english.startswith("{name}") else 2, said


def _pattern(template: str) -> re.Pattern:
    """Return what finds the parts of a message that was made from a template."""
    fixed, *rest = _PLACE.split(template)
    pattern = re.escape(fixed)
    for name, fixed in zip(rest[::2], rest[1::2], strict=True):
        part = f"(?P={name})" if f"<{name}>" in pattern else f"(?P<{name}>.+?)"
        pattern += part + re.escape(fixed)
    return re.compile(pattern)


def edition(notebook: NotebookNode, po: polib.POFile, messages: Messages) -> NotebookNode:
    """Return a notebook in the language of a catalogue: the same cells, code and outputs.

    Comments, prose, what the checks said and the texts of figures are translated.
    """
    known = {(entry.msgctxt, entry.msgid): entry.msgstr for entry in po.translated_entries()}
    notebook = with_texts(notebook, lambda cell, _, text: known.get((cell, text), text))
    for cell in notebook.cells:
        if "checks." in cell.source:
            for output in cell.get("outputs", ()):
                if output.output_type == "stream":
                    output.text = "\n".join(map(messages.line, output.text.split("\n")))
    describe_figures(notebook.cells)
    return notebook


def languages() -> list[str]:
    """Return the languages that there are besides English."""
    return sorted(path.name for path in LOCALE.iterdir() if path.is_dir())


def files(language: str) -> dict[Path, str]:
    """Return what follows from the catalogues of a language: contents by path."""
    messages = Messages(ROOT / "rnn_lib" / "locale" / language / "LC_MESSAGES" / "rnn_lib.po")
    made = {
        name: edition(notebook, catalogue(LOCALE / language / f"{name}.po"), messages)
        for name, notebook in sources().items()
    }
    readme = re.sub(r"\(notebooks/", f"(notebooks/{language}/", made.pop("README").cells[0].source)
    folder = ROOT / "notebooks" / language
    lessons = {folder / f"{name}.ipynb": nbformat.writes(nb) + "\n" for name, nb in made.items()}
    return lessons | {ROOT / f"README.{language}.md": readme}


def main() -> None:
    """Update the catalogues of all languages, write what follows, and list what is to be done."""
    for language in languages():
        n_missing = 0
        for name, notebook in sources().items():
            path = LOCALE / language / f"{name}.po"
            po = updated(name, notebook, catalogue(path))
            po.save(str(path), newline="\n")
            for what in to_do(po):
                print(f"{language}/{name}.po, {what}")
            n_missing += len(to_do(po))
        for path, text in files(language).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{language}: {n_missing} texts are to be translated")


if __name__ == "__main__":
    main()
