"""The student edition: the lessons without solutions and without outputs.

    python -m classroom.edition               writes build/student/
    python -m classroom.edition --keep-both   where a student has worked, writes beside it

Nothing that a student wrote is ever overwritten. What was generated is remembered by its hash; a
file that is no longer what was generated counts as work, even if it was only run and saved.

nbgrader's own ``generate_assignment`` gives the same notebooks: see nbgrader_config.py.
"""

import argparse
import copy
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from classroom.lessons import BEGIN, END, ROOT, exercises, lesson_paths, read

STUDENT = ROOT / "build" / "student"
_REMEMBERED = ".generated.json"


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
    """Replace each solution by a line that stops with the exercise's number, in place."""
    for exercise in exercises(lesson):
        before, rest = exercise.solution.source.split(BEGIN)
        exercise.solution.source = before + exercise.stub + rest.partition(END)[2]


def _checksum(cell: NotebookNode) -> str:
    """Compute what nbgrader notes of a cell, to see later whether it was changed."""
    marks = cell.metadata.nbgrader
    parts = [cell.source, cell.cell_type, marks.grade, marks.solution, marks.locked, marks.grade_id]
    if marks.grade:
        parts.append(float(marks.points))
    return hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def to_bytes(notebook: NotebookNode, errors: str = "strict") -> bytes:
    """Return a notebook as it stands in a file; `errors` as for ``str.encode``."""
    return (nbformat.writes(notebook) + "\n").encode(errors=errors)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, it is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def write_generated(folder: Path, files: dict[str, bytes], keep_both: bool = False) -> list[Path]:
    """Write generated files into a folder in which somebody may have worked.

    Parameters
    ----------
    folder : Path
        It is made if there is none.
    files : dict of str to bytes
        Contents by name.
    keep_both : bool
        Whether to write beside a file that has been worked on, under another name.

    Returns
    -------
    list of Path
        Where the contents stand now.

    Raises
    ------
    WorkedOn
        If a file has been worked on and `keep_both` is not set; then nothing is written at all.
    """
    generated = _remembered(folder)

    def is_work(path: Path, content: bytes) -> bool:
        known = {generated.get(path.name), _hash(content)}
        return path.exists() and _hash(path.read_bytes()) not in known

    works = [folder / name for name, content in files.items() if is_work(folder / name, content)]
    if works and not keep_both:
        raise WorkedOn(works)
    written = []
    for name, content in files.items():
        free = (path for path in _names(folder / name) if not is_work(path, content))
        written.append(next(free))
        write_whole(written[-1], content)
        generated[written[-1].name] = _hash(content)
    write_whole(folder / _REMEMBERED, json.dumps(generated, indent=1).encode())
    return written


class WorkedOn(FileExistsError):
    """Files are no longer what was generated: somebody has worked in them."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        super().__init__(f"worked on since they were generated: {', '.join(map(str, paths))}")


def _remembered(folder: Path) -> dict[str, str]:
    """Return the hashes of what was generated, by name; what cannot be read counts as nothing."""
    try:
        return dict(json.loads((folder / _REMEMBERED).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _names(path: Path) -> Iterator[Path]:
    """Yield a.ipynb, a-new.ipynb, a-new-2.ipynb, a-new-3.ipynb ..."""
    yield path
    yield path.with_stem(f"{path.stem}-new")
    for n in itertools.count(2):
        yield path.with_stem(f"{path.stem}-new-{n}")


def main() -> None:
    """Write the student edition of all lessons to build/student/."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--keep-both", action="store_true", help="write beside files that have been worked on"
    )
    keep_both = parser.parse_args().keep_both
    try:
        editions = {path.name: to_bytes(student_edition(read(path))) for path in lesson_paths()}
        written = write_generated(STUDENT, editions, keep_both)
    except WorkedOn as work:
        sys.exit(
            "These files were worked on since they were made, so nothing was written:\n"
            + "".join(f"    {shown(path)}\n" for path in work.paths)
            + "To get the new edition beside them: make student KEEP_BOTH=1"
        )
    except (OSError, ValueError) as error:
        sys.exit(f"Nothing was written. {error}")
    for path in written:
        print(shown(path))


def shown(path: Path) -> str:
    """Return a path as a person in the project's folder writes it."""
    return os.path.relpath(path)


if __name__ == "__main__":
    main()
