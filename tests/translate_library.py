"""The catalogues of what the checks and grading say: updated, and compiled.

    make translate    updates all, and lists what is to be translated

A message is found where it is made: ``Message("...")``. What stands in tables is taken from them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import polib

from classroom import mistakes as of_a_class
from classroom import report
from rnn_lib.checks import accuracy, exercises, messages, own_test
from rnn_lib.checks.exercise import Exercise, Record
from rnn_lib.checks.mistakes import TABLE
from rnn_lib.language import LOCALE

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ROOT / "rnn_lib", ROOT / "classroom"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/rnn_lib.po"))

_MAKERS = {"Message": 0, "joined": 0, "translated": 0, "add_error": 2}
"""What is called with a message, or a template of one, and which argument it is."""

LABELS = (
    *("mistake", "try", "and", "also", "note", "read", "where", "error", "line", "expected"),
    *("got", "words", "ids", "row", "worst", "overall", "when", "trained"),
)
"""Of the rows of a check's message."""


def in_code(source: str) -> Iterator[str]:
    """Yield the messages in a module, those that have a name there, too."""
    nodes = list(ast.walk(ast.parse(source)))
    named: dict[str, list[ast.expr]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                named.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(names)], value=ast.Tuple(values)):
                for name, value in zip(names, values, strict=False):
                    named.setdefault(getattr(name, "id", ""), []).append(value)
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(maker), args=args) if len(args) > _MAKERS.get(maker, 9):
                yield from _texts(args[_MAKERS[maker]], named)


def _texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one, named)
            yield from _texts(other, named)
        case ast.Name(name):
            for value in named.get(name, ()):
                yield from _texts(value, named)


def in_tables() -> Iterator[str]:
    """Yield what stands in the tables of mistakes, exercises and columns."""
    for name, entry in TABLE.items():
        yield name
        for key in ("try", "read"):
            text = entry.get(key, {})
            yield from text.values() if isinstance(text, dict) else [text]
        yield from (advice for *_, advice in entry.get("settings", ()))
    for module in (exercises, accuracy, own_test):
        for record in vars(module).values():
            if isinstance(record, Record):
                yield record.section
            if isinstance(record, Exercise):
                yield from (record.verified, record.untouched, record.source, *record.returns)
    yield from (row[-1] for row in accuracy.BUDGET + accuracy.RUNG_BUDGET)
    yield from (of_a_class.NOT_BEGUN, of_a_class.OTHER, *of_a_class.COLUMNS[-3:])
    yield from report.ON_PAGES
    yield messages.TRUNCATION


def has_words(text: str) -> bool:
    """Say whether there is anything to translate, besides placeholders, code and names."""
    try:
        literal = "".join(part for part, *_ in Formatter().parse(text))
    except ValueError:  # braces in code
        literal = text
    literal = re.sub("`[^`]+`", "", literal)
    return " " in literal or (literal.isalpha() and literal not in _NAMES)


_NAMES = {name for r in vars(exercises).values() if isinstance(r, Exercise) for name in r.returns}


def all_messages() -> list[str]:
    """Return every message that can be shown."""
    paths = [path for folder in FOLDERS for path in sorted(folder.rglob("*.py"))]
    found = [text for path in paths for text in in_code(path.read_text(encoding="utf-8"))]
    there = [text for text in dict.fromkeys([*found, *in_tables()]) if has_words(text)]
    return [*LABELS, *there]


def updated(catalogue: polib.POFile) -> polib.POFile:
    """Return a catalogue with an entry for each message there is, in order, and no other."""
    known = {entry.msgid: entry.msgstr for entry in catalogue}
    new = polib.POFile(wrapwidth=0)
    new.metadata = catalogue.metadata
    new.extend(polib.POEntry(msgid=m, msgstr=known.get(m, "")) for m in all_messages())
    return new


def main() -> None:
    """Update the catalogues, and compile them."""
    for path in CATALOGUES:
        catalogue = updated(polib.pofile(str(path), wrapwidth=0))
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        for entry in catalogue.untranslated_entries():
            print(f"{path.relative_to(ROOT)}: {entry.msgid}")


if __name__ == "__main__":
    main()
