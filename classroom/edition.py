"""The student edition: the lessons without solutions and without outputs.

    python -m classroom.edition               writes build/student/
    python -m classroom.edition --keep-both   where a student has worked, writes beside it

Nothing that a student wrote is ever overwritten (:mod:`classroom.files`).

nbgrader's own ``generate_assignment`` gives the same notebooks: see nbgrader_config.py.
"""

import argparse
import copy
import hashlib
import sys

from nbformat import NotebookNode

from classroom.files import WorkedOn, shown, to_bytes, write_generated
from classroom.lessons import BEGIN, END, ROOT, exercises, lesson_paths, read

STUDENT = ROOT / "build" / "student"


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
    put_stubs(edition)
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


def put_stubs(lesson: NotebookNode) -> None:
    """Replace each solution, in place, by a stub that stops with the exercise's number."""
    for exercise in exercises(lesson):
        before, rest = exercise.solution.source.split(BEGIN)
        exercise.solution.source = before + exercise.stub + rest.partition(END)[2]


def _checksum(cell: NotebookNode) -> str:
    """Compute nbgrader's checksum, by which it sees later whether a cell was changed."""
    marks = cell.metadata.nbgrader
    parts = [cell.source, cell.cell_type, marks.grade, marks.solution, marks.locked, marks.grade_id]
    if marks.grade:
        parts.append(float(marks.points))
    return hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def main() -> None:
    """Write the student edition of all lessons to build/student/."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--keep-both", action="store_true", help="write beside files that have been edited"
    )
    keep_both = parser.parse_args().keep_both
    try:
        editions = {path.name: to_bytes(student_edition(read(path))) for path in lesson_paths()}
        written = write_generated(STUDENT, editions, keep_both)
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
