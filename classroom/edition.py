"""The student edition: the lessons without solutions and without outputs.

Below each check stands a folded cell with which one can read on without the exercise.

    python -m classroom.edition               writes build/student/
    python -m classroom.edition --keep-both   where a student has worked, writes beside it

Both in the language that the environment variable ``RNN_LIB_LANG`` names, such as ``ja``.

Nothing that a student wrote is ever overwritten (:mod:`classroom.files`).

nbgrader's own ``generate_assignment`` gives the same notebooks: see nbgrader_config.py.
"""

import argparse
import copy
import hashlib
import shlex
import sys

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from classroom.files import WorkedOn, shown, to_bytes, write_generated
from classroom.lessons import (
    BEGIN,
    END,
    NOTEBOOKS,
    ROOT,
    Exercise,
    exercises,
    language_asked_for,
    lesson_paths,
    read,
)

STUDENT = ROOT / "build" / "student"

# What takes a function's place where the checks have none of that name.
_IN_PLACE_OF = {
    "tiny_states": "from rnn_lib.checks.references import rnn_forward as tiny_states",
    "looks_right": None,  # nothing below needs it
    "my_rung": None,
    "training_step": """\
import functools

import rnn_lib

training_step = functools.partial(rnn_lib.training_step, clip_norm=1.0)""",
    "small_model": """\
def small_model():
    \"""Not good enough for the check, but the network below can grow from it.\"""
    how = {"initializer": orthogonal(0.9), "readout": MeanState(scale=30), "clip_norm": 1.0}
    return ScratchRNNClassifier(n_nodes1=32, n_output=2, optimizer="adam", **how)""",
}

INSTALL = """\
# On Colab or Kaggle: install the course where it is missing.
from importlib.util import find_spec

if find_spec("rnn_lib") is None:
    %pip install --quiet {}"""


def student_edition(lesson: NotebookNode) -> NotebookNode:
    """Return a lesson as a student gets it: stubs, no outputs, locked checks.

    Parameters
    ----------
    lesson : NotebookNode
        The complete lesson, which is left as it is.

    Returns
    -------
    NotebookNode
        The same cells, ready to be worked on.
    """
    edition = copy.deepcopy(lesson)
    open_exercises(edition)
    for cell in edition.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        marks = cell.metadata.get("nbgrader")
        if marks:
            cell.metadata["deletable"] = False
            if marks["grade"]:
                cell.metadata["editable"] = False
            marks["checksum"], marks["cell_type"] = _checksum(cell), cell.cell_type
    return edition


def open_exercises(lesson: NotebookNode) -> None:
    """Replace each solution by a stub that stops with the exercise's number; add the way on."""
    for exercise in list(exercises(lesson)):
        before, rest = exercise.solution.source.split(BEGIN)
        exercise.solution.source = before + exercise.stub + rest.partition(END)[2]
        below = 1 + lesson.cells.index(exercise.check)
        lesson.cells[below:below] = way_on(exercise)


def way_on(exercise: Exercise) -> list[NotebookNode]:
    """Make the folded cell that lets a student read on without the exercise, if any is needed.

    Parameters
    ----------
    exercise : Exercise
        The exercise that is left open.

    Returns
    -------
    list of NotebookNode
        One cell or none. It carries no points, and grading takes it out again.
    """
    name = exercise.function
    code = _IN_PLACE_OF.get(name, f"from rnn_lib.checks.references import {name}")
    note = f"# To read on without exercise {exercise.number}, run this cell (no points)."
    metadata = {"jupyter": {"source_hidden": True}}
    cell_id = f"way-on-{exercise.number.replace('.', '-')}"
    return [new_code_cell(f"{note}\n{code}", metadata=metadata, id=cell_id)] if code else []


def _checksum(cell: NotebookNode) -> str:
    """Compute nbgrader's checksum, by which it sees later whether a cell was changed."""
    marks = cell.metadata.nbgrader
    parts = [cell.source, cell.cell_type, marks.grade, marks.solution, marks.locked, marks.grade_id]
    if marks.grade:
        parts.append(float(marks.points))
    return hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def editions(repository: str | None = None, language: str = "") -> dict[str, bytes]:
    """Return the files of the student edition, the appendix included, by name.

    Parameters
    ----------
    repository : str, optional
        The address of the project. With it each lesson begins with a cell that installs the course
        where it is missing, as on Colab and Kaggle.
    language : str, optional
        A folder of notebooks/; English unless given.
    """
    appendix = sorted((NOTEBOOKS / language).glob("appendix_*.ipynb"))
    paths = [*lesson_paths(language), *appendix]
    lessons = {path.name: student_edition(read(path)) for path in paths}
    if repository:
        for lesson in lessons.values():
            code = INSTALL.format(shlex.quote(f"git+{repository}"))
            if language:  # there, nobody else tells the checks
                code += f"\n%env RNN_LIB_LANG={language}"
            lesson.cells.insert(0, new_code_cell(code, id="install"))
    return {name: to_bytes(lesson) for name, lesson in lessons.items()}


def main() -> None:
    """Write the student edition of all lessons to build/student/."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--keep-both", action="store_true", help="write beside files that have been edited"
    )
    parser.add_argument("--repository", help="the project's address: lessons install from it")
    arguments = parser.parse_args()
    try:
        contents = editions(arguments.repository, language_asked_for())
        written = write_generated(STUDENT, contents, arguments.keep_both)
    except WorkedOn as work:
        sys.exit(
            "These files have been edited since they were generated, so nothing was written:\n"
            + "".join(f"    {shown(path)}\n" for path in work.paths)
            + "To get the new edition beside them: make student KEEP_BOTH=1"
        )
    except (OSError, ValueError) as error:
        sys.exit(f"Nothing was written. {error}")
    for path in written:
        print(shown(path))


if __name__ == "__main__":
    main()
