"""Who shares a text: pairs of students whose solutions are the same, but for names and order.

A lesson's text is taken apart into its statements, names numbered and comments left out. What the
lesson itself contains, its solutions included, everybody may have from there: it counts for
nothing. What is left is compared as a whole, in whatever order it stands. This proves nothing:
docs/teaching.md says why.
"""

import ast
import builtins
import contextlib
import functools
import io
import itertools
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator

import pandas as pd
from nbformat import NotebookNode

from classroom.edition import student_edition
from classroom.submissions import Submission

LEVEL = 0.75
"""Pairs are listed from here on: tokens that both have, of all that one or the other has."""

LEAST = 40
"""Tokens that both must have: short texts are alike by chance."""

COLUMNS = ["lesson", "student", "other student", "similarity", "tokens in common"]
"""Of similar.csv: a row for each pair."""

_LEAST_OF_A_CELL = 10
_LONGEST = 100_000  # characters of a cell
_LAYOUT = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
_KEPT = {*keyword.kwlist, *dir(builtins), "np"}


def similar(submissions: Iterable[Submission], lessons: dict[str, NotebookNode]) -> pd.DataFrame:
    """Compare the notebooks of each lesson, two by two.

    Parameters
    ----------
    submissions : iterable of Submission
        Those without a notebook are left out.
    lessons : dict of str to NotebookNode
        The complete lessons, by name.

    Returns
    -------
    DataFrame
        See :data:`COLUMNS`; the most similar come first.
    """
    rows = []
    texts: dict[str, list[tuple[str, Counter[str]]]] = {}
    given: dict[str, set[str]] = {}
    for submission in submissions:
        if submission.notebook is not None:
            lesson = submission.lesson
            if lesson not in given:
                given[lesson] = _given(lessons[lesson])
            own = submission.student, _own(submission.notebook, given[lesson])
            texts.setdefault(lesson, []).append(own)
    for lesson, handed_in in texts.items():
        for (student, own), (other, others) in itertools.combinations(handed_in, 2):
            shared = _n_tokens({s: min(own[s], others[s]) for s in own.keys() & others.keys()})
            all_together = _n_tokens(own) + _n_tokens(others) - shared
            if student != other and shared >= max(LEAST, LEVEL * all_together):
                share = round(shared / all_together, 2)
                rows.append([lesson, *sorted((student, other)), share, shared])
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(COLUMNS[-2:], ascending=False, ignore_index=True)


def _given(lesson: NotebookNode) -> set[str]:
    """Return all statements that a student may have from a lesson."""
    cells = [*lesson.cells, *student_edition(lesson).cells]
    return {s for cell in cells if cell.cell_type == "code" for s in statements(cell.source)}


def _own(notebook: NotebookNode, given: set[str]) -> Counter[str]:
    """Return what a student has written, cells of a few tokens left out."""
    own = Counter()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            written = Counter(s for s in statements(cell.source) if s not in given)
            if _n_tokens(written) >= _LEAST_OF_A_CELL:
                own += written
    return own


@functools.lru_cache(10_000)  # most cells are the lesson's own, in every notebook
def statements(source: str) -> tuple[str, ...]:
    """Take code apart into statements: tokens with blanks between, names numbered in each from 0.

    Comments, layout, docstrings and the heads of functions are left out; names of Python and NumPy
    are kept, as are those of attributes.
    """
    lines = (line for line in source[:_LONGEST].splitlines() if not line.startswith(("%", "!")))
    # As in classroom.worker: not every cell is Python, and what nests too deeply cannot be read.
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        code = ast.unparse(ast.parse("\n".join(lines)))
        tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(code).readline)
            if token.type not in _LAYOUT
        ]
        return tuple(_statements(tokens))
    return ()


def _statements(tokens: list[tokenize.TokenInfo]) -> Iterator[str]:
    statement, names, before = [], {}, ""
    for token in tokens:
        text = token.string
        if token.type == tokenize.NEWLINE:
            if len(statement) > 1 and statement[0] not in ("def", "@"):
                yield " ".join(statement)
            statement, names, before = [], {}, ""
            continue
        if token.type == tokenize.STRING:
            text = "''"
        elif token.type == tokenize.NAME and before != "." and text not in _KEPT:
            text = names.setdefault(text, str(len(names)))
        statement.append(text)
        before = token.string


def _n_tokens(text: dict[str, int]) -> int:
    return sum((1 + statement.count(" ")) * count for statement, count in text.items())
