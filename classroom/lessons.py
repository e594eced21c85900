"""What the lessons' notebooks say about their exercises: number, function, cells, points."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

_ANNOUNCED = re.compile(r"^### \w+ (\d+\.\d+)[:：] ?\S", re.MULTILINE)  # in any language
_DEFINED = re.compile(r"^def (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """A function that the student writes, and the check under it.

    Attributes
    ----------
    number : str
        As in the prose: "3.2".
    function : str
        The function's name.
    solution, check : NotebookNode
        The two cells.
    """

    number: str
    function: str
    solution: NotebookNode
    check: NotebookNode

    def __str__(self) -> str:
        return f"{self.number} {self.function}"

    @property
    def stub(self) -> str:
        """The line that takes the place of the solution."""
        return f'raise NotImplementedError("Exercise {self.number}: write {self.function}")'

    @property
    def points(self) -> float:
        """What the check is worth."""
        return float(self.check.metadata.nbgrader.points)


def lesson_paths(language: str = "") -> list[Path]:
    """Return the lessons' notebooks, in order; `language` as :func:`language_asked_for` says it."""
    return sorted((NOTEBOOKS / language).glob("0*.ipynb"))


def language_asked_for() -> str:
    """Return the language of ``RNN_LIB_LANG`` as a folder of notebooks/; "" is English.

    Raises
    ------
    ValueError
        If there are no lessons in it.
    """
    language = os.environ.get("RNN_LIB_LANG", "")
    there = {"en", *(path.parent.name for path in NOTEBOOKS.glob("[a-z]*/0*.ipynb"))}
    if language and language not in there:
        known = ", ".join(sorted(there))
        raise ValueError(f"There are no lessons in {language!r}, there are some in {known}.")
    return "" if language == "en" else language


def read(path: Path) -> NotebookNode:
    """Read one of our own notebooks."""
    return nbformat.read(path, as_version=4)


def exercises(notebook: NotebookNode) -> Iterator[Exercise]:
    """Find the exercises of a complete lesson.

    Raises
    ------
    ValueError
        If a solution has no number in the prose above it, or no check with points below it.
    """
    number = ""
    for cell, below in zip(notebook.cells, [*notebook.cells[1:], NotebookNode()], strict=True):
        if cell.cell_type == "markdown":
            number = ([number] + _ANNOUNCED.findall(cell.source))[-1]
        elif BEGIN in cell.source:
            if not number:
                raise ValueError(f"cell {cell.id}: no heading `### Exercise N.M: ...` above it")
            marks = below.get("metadata", {}).get("nbgrader", {})
            if not marks.get("grade"):
                raise ValueError(f"cell {cell.id}: no check with points stands below it")
            if not isinstance(marks.get("points"), (int, float)):
                raise ValueError(
                    f"cell {below.id}, exercise {number}: points should be a number, "
                    f"got {marks.get('points')!r}"
                )
            yield Exercise(number, _DEFINED.findall(cell.source)[-1], cell, below)
            number = ""
