"""What students hand in: found in a folder or a zip, recognized, and put in order.

Students rename files, delete cells, copy them, and send files that are not notebooks. Everything
found becomes a :class:`Submission`: with a notebook that can be graded, or with the reason why not.

A notebook is put in order before it is graded. Its cells are recognized by nbgrader's metadata or,
where an editor has removed that, by their ids, and by what they define. The checks are replaced by
the lesson's own; everything else stays the student's, in the student's order. No code is run here.
"""

import hashlib
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from nbformat.validator import normalize

from classroom.edition import student_edition, way_on
from classroom.files import to_bytes
from classroom.lessons import Exercise, exercises

LARGEST = 200_000_000
"""Bytes of the largest notebook that is read; outputs count."""

_NOT_HANDED_IN = {"timestamp.txt", "desktop.ini", "thumbs.db"}


@dataclass
class Submission:
    """One file that somebody handed in.

    Attributes
    ----------
    student : str
        As in the name of the folder or file.
    file : str
        Its path within the folder or zip file.
    lesson : str
        The lesson's name, "" where it is not known.
    notebook : NotebookNode, optional
        Ready to be graded.
    content : bytes
        Of the file, unchanged.
    problem : str
        Why it cannot be graded, if it cannot.
    is_spare : bool
        Whether another file is graded for the same lesson.
    timestamp : str
        When it was handed in, if nbgrader recorded it.
    platform, platform_id : str
        The learning platform that the export is from, and the student's number there.
    """

    student: str
    file: str
    lesson: str = ""
    notebook: NotebookNode | None = None
    content: bytes = b""
    problem: str = ""
    is_spare: bool = False
    timestamp: str = ""
    platform: str = ""
    platform_id: str = ""


@dataclass
class Result:
    """The result of grading one submission.

    Attributes
    ----------
    submission : Submission
        Its `problem` says why it was not graded, if it was not.
    reasons, remarks : dict of str to str
        By the check's cell.
    """

    submission: Submission
    reasons: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)


class CannotGrade(Exception):
    """A submission cannot be graded; the message says why."""


def collect(source: Path, lessons: dict[str, NotebookNode]) -> list[Submission]:
    """Read all submissions.

    Parameters
    ----------
    source : Path
        A folder or zip file with nbgrader's layout, ``student/assignment/file.ipynb``, with one
        folder per student, or flat: ``name_03_bptt.ipynb``.
    lessons : dict of str to NotebookNode
        The complete lessons, by name.

    Returns
    -------
    list of Submission
        One for every file, sorted by student and lesson. Of several for one lesson the newest can
        be graded, the others say so.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such folder or zip file, or nothing in it.
    """
    found = sorted(_files(source), key=lambda file: file.modified, reverse=True)
    if not found:
        raise ValueError(f"{source}: no files in it")
    while _is_wrapped(found, lessons):
        found = [replace(file, path=PurePosixPath(*file.path.parts[1:])) for file in found]
    flat = [file.path.stem for file in found if len(file.path.parts) == 1]
    students = {_split(stem, lessons)[0] for stem in flat} - {""}
    submissions = [_read(file, lessons, students) for file in found]
    graded: dict[tuple[str, str], Submission] = {}
    for submission in submissions:
        if submission.notebook is not None:
            newest = graded.setdefault((submission.student, submission.lesson), submission)
            if newest is not submission:
                submission.notebook = None
                submission.problem = f"handed in more than once: {newest.file} is graded"
    for submission in submissions:
        key = submission.student, submission.lesson
        submission.is_spare = submission.notebook is None and key in graded
    return sorted(submissions, key=lambda s: (s.student, s.lesson, s.file))


def _is_wrapped(files: list["_File"], lessons: Iterable[str]) -> bool:
    """Say whether all lies in one folder that is not a student's, as in the zip of a folder."""
    if len({file.path.parts[0] for file in files}) > 1 or any(
        len(file.path.parts) == 1 for file in files
    ):
        return False
    inside = [PurePosixPath(*file.path.parts[1:]) for file in files]
    flat = [path for path in inside if len(path.parts) == 1]
    folders = {path.parts[0] for path in inside} - {path.name for path in flat}
    if any(_split(path.stem, lessons)[0] for path in flat):
        return True
    if len(folders) == 1 and not flat:
        return _is_wrapped(
            [replace(f, path=p) for f, p in zip(files, inside, strict=True)], lessons
        )
    # One student's own folders have the names of assignments.
    return len(folders) > 1 and not any(lesson in name for lesson in lessons for name in folders)


def _read(file: "_File", lessons: dict[str, NotebookNode], students: set[str]) -> Submission:
    """Make a submission of a file, one that can be graded or one that says why not."""
    student, name = _student(file.path, lessons, students), str(file.path)
    submission = Submission(_writable(student), _writable(name), timestamp=file.timestamp)
    try:
        submission.content = file.read()
        submitted = _parse(submission.content)
        submission.lesson = _recognize(submitted, lessons) or _named(file.path, lessons)
        if not submission.lesson:
            raise CannotGrade("not recognized as one of the lessons")
        if not any(exercises(lessons[submission.lesson])):
            raise CannotGrade("this lesson has no exercises")
        submission.notebook = in_order(submitted, lessons[submission.lesson])
    except CannotGrade as reason:
        submission.problem = str(reason)
        submission.lesson = submission.lesson or _named(file.path, lessons)
    return submission


def student_id(name: str) -> str:
    """Return a name that nbgrader and file systems accept; different names stay different."""
    plain = re.sub(r"[^\w .,'@-]", "_", name).strip(" .")[:80]
    if plain and plain == name:
        return name
    return f"{plain or 'student'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


# -- files --------------------------------------------------------------------------------------


@dataclass
class _File:
    path: PurePosixPath
    modified: float | tuple  # seconds in a folder, date and time in a zip
    size: int
    content: Callable[[], bytes]
    timestamp: str = ""
    is_link: bool = False

    def read(self) -> bytes:
        if self.is_link:
            raise CannotGrade("a link to another file")
        if not self.path.suffix and not self.size:
            raise CannotGrade("nothing in this folder")
        if self.path.suffix == ".zip":
            raise CannotGrade("a zip file: unpack it into a folder with the student's name")
        if self.path.suffix != ".ipynb":
            raise CannotGrade(f"not a notebook: the file's name ends in {self.path.suffix!r}")
        if self.size > LARGEST:
            raise CannotGrade(f"too large: {self.size / 1e6:.0f} MB; outputs can be cleared")
        try:
            return self.content()
        except Exception as error:  # as for a damaged zip, below
            raise CannotGrade(f"cannot be read: {_first_line(error)}") from None


def _files(source: Path) -> Iterator[_File]:
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            inside = PurePosixPath(path.relative_to(source).as_posix())
            if not _is_handed_in(inside):
                continue
            status = path.lstat()
            is_link = path.is_symlink()
            if is_link or (path.is_dir() and not any(path.iterdir())):
                yield _File(inside, status.st_mtime, 0, path.read_bytes, is_link=is_link)
            elif path.is_file():
                noted = path.with_name("timestamp.txt")
                timestamp = noted.read_text(errors="replace") if noted.is_file() else ""
                yield _File(inside, status.st_mtime, status.st_size, path.read_bytes, timestamp)
        return
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such folder or zip file")
    # Members are read, never unpacked, so that their paths can do no harm.
    try:
        archive = zipfile.ZipFile(source)
    except Exception as error:  # for a damaged zip Python raises many kinds
        damaged = ", and this one is damaged" if source.suffix == ".zip" else ""
        raise ValueError(f"{source}: expected a folder or a zip file{damaged}") from error
    for member in archive.infolist():
        parts = PurePosixPath(member.filename).parts
        inside = PurePosixPath(*(part for part in parts if part not in ("/", "..")))
        if inside.parts and not member.is_dir() and _is_handed_in(inside):
            yield _File(
                inside, member.date_time, member.file_size, lambda m=member: archive.read(m)
            )


def _is_handed_in(path: PurePosixPath) -> bool:
    """Say whether a student chose to hand this in; systems and editors leave files of their own."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and path.name.lower() not in _NOT_HANDED_IN


def _parse(content: bytes) -> NotebookNode:
    if not content.strip():
        raise CannotGrade("the file is empty")
    try:
        with warnings.catch_warnings(action="ignore"):  # about what normalize() then repairs
            notebook = nbformat.reads(content.decode("utf-8-sig"), as_version=4)
            _, notebook = normalize(notebook, strip_invalid_metadata=True)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.validate(notebook)
        # Half of an emoji, which JSON can spell but UTF-8 cannot, becomes a question mark.
        notebook = nbformat.reads(to_bytes(notebook, "replace").decode(), as_version=4)
    except UnicodeDecodeError:
        raise CannotGrade("not a notebook: its text is not UTF-8") from None
    except NotJSONError:
        raise CannotGrade("not a complete notebook: it is cut off or damaged") from None
    except Exception as error:  # nbformat raises whatever a wrong structure makes Python raise
        raise CannotGrade(f"not a complete notebook: {_first_line(error)}") from None
    if not notebook.cells:
        raise CannotGrade("a notebook without cells")
    return notebook


def _first_line(error: Exception) -> str:
    """Return the beginning of an error's message, if Python can build it at all."""
    try:
        lines = str(error).splitlines()
    except Exception:
        lines = []
    return _writable((lines or [type(error).__name__])[0][:120])


def _writable(text: str) -> str:
    """Escape what UTF-8 cannot encode, such as file names in another encoding."""
    return text.encode(errors="backslashreplace").decode()


# -- whose, and which lesson --------------------------------------------------------------------


def _split(stem: str, lessons: Iterable[str]) -> tuple[str, str]:
    """Split name_03_bptt into the name and the lesson, both "" if no lesson is named."""
    for lesson in lessons:
        before, found, after = stem.partition(lesson)
        if found:
            return before.strip(" _-.") or after.strip(" _-.()0123456789"), lesson
    return "", ""


def _named(path: PurePosixPath, lessons: Iterable[str]) -> str:
    named = (_split(part, lessons)[1] for part in reversed(path.parts))
    return next(filter(None, named), "")


def _student(path: PurePosixPath, lessons: Iterable[str], students: set[str]) -> str:
    """Read the student's name from a path: its outermost folder, or what precedes the lesson."""
    name = path.parts[0]
    if len(path.parts) == 1:
        name = _split(path.stem, lessons)[0]
        if not name:  # renamed: perhaps the name is one that other files have as well
            name = max((s for s in students if path.stem.startswith(s)), key=len, default=path.stem)
    # A name typed on a Mac may spell é as two characters.
    return unicodedata.normalize("NFC", name)


def _recognize(submitted: NotebookNode, lessons: dict[str, NotebookNode]) -> str:
    """Return the lesson that most of the code cells come from, "" if few come from any."""
    sources = {_plain(cell.source) for cell in submitted.cells if cell.cell_type == "code"}
    ids = {cell.get("id") for cell in submitted.cells}
    shares = {}
    for name, lesson in lessons.items():
        cells = [cell for cell in lesson.cells if cell.cell_type == "code"]
        same = [cell for cell in cells if _plain(cell.source) in sources or cell.id in ids]
        shares[name] = len(same) / len(cells)
    best = max(shares, key=shares.get)
    return best if shares[best] > 0.2 else ""


def _plain(source: str) -> str:
    return "".join(source.split())


# -- in order -----------------------------------------------------------------------------------


def in_order(submitted: NotebookNode, lesson: NotebookNode) -> NotebookNode:
    """Give a submission the lesson's checks and nbgrader's metadata.

    Parameters
    ----------
    submitted : NotebookNode
        As handed in; changed in place.
    lesson : NotebookNode
        The complete lesson.

    Returns
    -------
    NotebookNode
        Every check stands in it once: where the student's last copy of it stood, or else below the
        exercise, or else at the end. A check that the student edited stays as an ordinary cell.
    """
    cells, asked = submitted.cells, list(exercises(lesson))
    released = {cell.id: cell for cell in student_edition(lesson).cells}
    ways_on = {_plain(cell.source) for exercise in asked for cell in way_on(exercise)}
    cells[:] = [cell for cell in cells if _plain(cell.source) not in ways_on]
    for cell in cells:
        marks = cell.metadata.pop("nbgrader", None)
        cell["came_as"] = [cell.id, marks.get("grade_id") if isinstance(marks, dict) else None]
    solutions = {}
    for exercise in asked:
        solution = _solution(exercise, [cell for cell in cells if "nbgrader" not in cell.metadata])
        if solution is not None:
            solution.metadata["nbgrader"] = released[exercise.solution.id].metadata.nbgrader
            solutions[exercise.number] = solution
    for exercise in asked:
        check = released[exercise.check.id]
        copies = [cell for cell in cells if _is_copy(cell, check)]
        above = copies[-1] if copies else solutions.get(exercise.number, cells[-1])
        cells.insert(1 + next(i for i, cell in enumerate(cells) if cell is above), check)
        unedited = [cell for cell in copies if _plain(cell.source) == _plain(check.source)]
        cells[:] = [cell for cell in cells if not any(cell is copy for copy in unedited)]

    seen = {exercise.check.id for exercise in asked}
    for cell in cells:
        if cell.pop("came_as", None):  # it is the student's
            if cell.id in seen:
                cell["id"] = nbformat.v4.new_code_cell().id
            seen.add(cell.id)
    submitted.metadata["kernelspec"] = lesson.metadata.kernelspec
    return submitted


def _solution(exercise: Exercise, cells: list[NotebookNode]) -> NotebookNode | None:
    """Find the cell in which the exercise was done."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    marked = [cell for cell in code if exercise.solution.id in cell.came_as]
    define = [cell for cell in code if f"def {exercise.function}(" in cell.source]
    return next(iter(marked + define), None)


def _is_copy(cell: NotebookNode, check: NotebookNode) -> bool:
    ours = check.id in cell.get("came_as", ())
    return ours or (cell.cell_type == "code" and _plain(cell.source) == _plain(check.source))
