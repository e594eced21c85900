"""What students hand in: found in a folder or a zip, recognized, and put in order.

Students rename files, delete cells, copy them, and send files that are not notebooks. Everything
found becomes a :class:`Submission`: with a notebook that can be graded, or with the reason why not.

A notebook is put in order before it is graded. Its cells are recognized by nbgrader's metadata or,
where an editor has removed that, by their ids, and by what they define. The checks are replaced by
the lesson's own; everything else stays the student's, in the student's order. No code is run here.
"""

import contextlib
import hashlib
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from classroom import repair
from classroom.edition import student_edition, way_on
from classroom.lessons import LANGUAGES, Exercise, exercises
from classroom.platforms import Owner, apart, lesson_in, natural, owners
from classroom.repair import CannotGrade, named, writable
from rnn_lib.language import Message, joined

LARGEST = 100_000_000
"""Bytes of the largest notebook that is read; outputs count."""

LARGEST_MODULE = 1_000_000

LEAST_ROOM, MOST_TIMES = 200_000_000, 20
"""What a zip may hold: this many bytes, or this many times its own, whichever is more."""

_UNREADABLE = "cannot be read: {error}"
_NOT_HANDED_IN = {"timestamp.txt", "desktop.ini", "thumbs.db"}
_NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}")


@dataclass
class Submission:
    """One file that somebody handed in.

    Attributes
    ----------
    student : str
        As in the name of the folder or file, "" if it cannot be known.
    file : str
        Its path within the folder or zip file.
    lesson : str
        The lesson's name, "" where it is not known.
    notebook : NotebookNode, optional
        Ready to be graded.
    content : bytes
        Of the file, unchanged.
    modules : dict of str to bytes
        What lies beside the notebook for it to import, by the file's name.
    problem : str
        Why it cannot be graded, if it cannot.
    language : str, optional
        Of the notebook.
    is_spare : bool
        Whether another file is graded for the same lesson.
    timestamp : str
        When it was handed in, if nbgrader recorded it.
    platform, platform_id : str
        The form in which its path was read ("Moodle", "Canvas", ...; see
        :mod:`classroom.platforms`), and the platform's number for the student, if it has one.
    remark : str
        About how it was handed in, for the teacher to look at.
    """

    student: str
    file: str
    lesson: str = ""
    notebook: NotebookNode | None = None
    content: bytes = b""
    modules: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""
    language: str | None = None
    is_spare: bool = False
    timestamp: str = ""
    platform: str = ""
    platform_id: str = ""
    remark: str = ""


@dataclass
class Result:
    """The result of grading one submission.

    Attributes
    ----------
    submission : Submission
        Its `problem` says why it was not graded, if it was not.
    reasons, remarks, mistakes : dict of str to str
        By the check's cell.
    """

    submission: Submission
    reasons: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)


def collect(
    source: Path,
    lessons: dict[str, NotebookNode],
    students: Mapping[str, str] | None = None,
    roster: Mapping[str, str] | None = None,
) -> list[Submission]:
    """Read all submissions.

    Parameters
    ----------
    source : Path
        A folder or zip file, in a learning platform's form, with a folder for each student, or
        flat: ``name_03_bptt.ipynb``.
    lessons : dict of str to NotebookNode
        The complete lessons, by name.
    students : mapping of str to str, optional
        Students by file, for those whose paths do not tell.
    roster : mapping of str to str, optional
        Students by what the platform calls them, its number or a name.

    Returns
    -------
    list of Submission
        One for every file handed in, sorted by student and lesson. Of several for one lesson the
        latest can be graded, the others say so.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such folder or zip file, or nothing in it.
    """
    found: dict[PurePosixPath, _File] = {}
    for file in _files(source):
        while file.path in found:  # as two members of a zip can be called
            file.path = file.path.with_stem(f"{file.path.stem} again")
        found[file.path] = file
    if not found:
        raise ValueError(f"{source}: no files in it")
    owned = owners(found, lessons, name_of(source), lambda path: _content(found[path]))
    if not owned:
        raise ValueError(f"{source}: nothing in it that a student handed in")
    for path, owner in owned.items():
        if student := (students or {}).get(writable(str(path))):
            platform = owner.platform if owner.student else "table"
            owned[path] = replace(owner, student=student, platform=platform)
    submissions = {path: _read(found[path], lessons) for path in owned}
    owned = apart(owned, lambda path: submissions[path].lesson)
    for path, owner in owned.items():
        _assign(submissions[path], owner, roster or {})
    kept = _with_modules(submissions.values())
    times = {path: (owned[path].attempt, found[path].modified) for path in owned}
    # Of equal times the last name counts: it has the later date or the greater number.
    newest_first = sorted(
        owned, key=lambda path: (times[path], natural(str(path.parent / path.stem))), reverse=True
    )
    _choose([(submissions[path], times[path]) for path in newest_first])
    return sorted(kept, key=lambda s: (s.student, s.lesson, s.file))


def name_of(source: Path) -> str:
    """Return the name of a folder or zip file, without ``.zip`` and with all other dots."""
    return source.stem if source.suffix.lower() == ".zip" else source.name


def _assign(submission: Submission, owner: Owner, roster: Mapping[str, str]) -> None:
    """Say whose a submission is."""
    known = roster.get(owner.id) or roster.get(owner.student) or owner.student
    submission.student = writable(known)
    submission.platform, submission.platform_id = owner.platform, owner.id
    submission.remark = owner.remark
    if not known:
        submission.notebook, submission.problem = None, Message("whose it is cannot be known")


def _choose(newest_first: list[tuple[Submission, tuple]]) -> None:
    """Leave one submission of each student for each lesson to be graded, the latest."""
    graded: dict[tuple[str, str], tuple[Submission, tuple]] = {}
    for submission, time in newest_first:
        if submission.notebook is None:
            continue
        newest, its_time = graded.setdefault(
            (submission.student, submission.lesson), (submission, time)
        )
        if newest is submission:
            continue
        submission.notebook = None
        again = "handed in more than once: {file} is graded"
        submission.problem = Message(again, file=newest.file)
        if time == its_time and submission.content != newest.content:
            same = Message("{file} has the same time and is not graded", file=submission.file)
            newest.remark = joined("{most}; {last}", filter(None, [newest.remark, same]))
    for submission, _ in newest_first:
        key = submission.student, submission.lesson
        submission.is_spare = submission.notebook is None and key in graded


def _read(file: "_File", lessons: dict[str, NotebookNode]) -> Submission:
    """Make a submission of a file, one that can be graded or one that says why not."""
    submission = Submission("", writable(str(file.path)), timestamp=file.timestamp)
    try:
        submission.lesson = lesson_in(file.path, lessons)
        content = file.read()
        if file.path.suffix == ".py":
            if file.path.stem.isidentifier():
                submission.modules = {file.path.name: content}
            raise _not_a_notebook(file.path)
        submitted = repair.notebook(content)
        submission.content, submission.language = content, submitted.metadata.lang
        submission.lesson = _recognize(submitted, lessons) or submission.lesson
        if not submission.lesson:
            raise CannotGrade(Message("not recognized as one of the lessons"))
        if not any(exercises(lessons[submission.lesson])):
            raise CannotGrade(Message("this lesson has no exercises"))
        submission.notebook = in_order(submitted, lessons[submission.lesson])
    except CannotGrade as reason:
        submission.problem = reason.args[0]
    except Exception as error:  # no file may end the class
        submission.problem = Message("reading failed: {error}", error=named(error))
    return submission


def _with_modules(submissions: Iterable[Submission]) -> list[Submission]:
    """Give each notebook the modules that lie beside it; those have no rows of their own."""

    def place(submission: Submission) -> tuple[str, PurePosixPath]:
        return submission.student, PurePosixPath(submission.file).parent

    notebooks, others = defaultdict(list), []
    for submission in submissions:
        if submission.notebook is not None:
            notebooks[place(submission)].append(submission)
    for submission in submissions:
        beside = notebooks[place(submission)] if submission.notebook is None else []
        for neighbor in beside:
            neighbor.modules |= submission.modules
        if not (beside and submission.modules):
            others.append(submission)
    return others


def student_id(name: str) -> str:
    """Return a name that nbgrader and file systems accept; different names stay different."""
    plain = re.sub(r"[^\w .,'@-]", "_", name).strip(" .")[:80]
    if plain and plain == name:
        return name
    return f"{plain or 'student'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


# -- files --------------------------------------------------------------------------------------


@dataclass
class _File:
    path: PurePosixPath  # a notebook's ends in .ipynb, as Jupyter wrote it
    modified: float | tuple  # seconds in a folder, date and time in a zip
    size: int
    content: Callable[[], bytes]
    timestamp: str = ""
    problem: str = ""

    def read(self) -> bytes:
        if self.problem:
            raise CannotGrade(self.problem)
        if self.path.suffix.lower() == ".zip":
            raise CannotGrade(
                Message("a zip file: unpack it into a folder with the student's name")
            )
        if self.path.suffix not in (".ipynb", ".py"):
            raise _not_a_notebook(self.path)
        if self.size > (LARGEST if self.path.suffix == ".ipynb" else LARGEST_MODULE):
            what = "too large: {size:.0f} MB; outputs can be cleared"
            raise CannotGrade(Message(what, size=self.size / 1e6))
        try:
            return self.content()
        except Exception as error:  # as for a damaged zip, below
            raise CannotGrade(Message(_UNREADABLE, error=named(error))) from None


def _not_a_notebook(path: PurePosixPath) -> CannotGrade:
    what = "not a notebook: the file's name ends in {ending!r}"
    return CannotGrade(Message(what, ending=path.suffix))


def _content(file: _File) -> bytes:
    """Read a file that a platform has added; nothing, if it cannot be read."""
    with contextlib.suppress(Exception):  # a damaged zip, as above
        if file.size <= LARGEST and not file.problem:
            return file.content()
    return b""


def _files(source: Path) -> Iterator[_File]:
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such folder or zip file")
    for file in _in_folder(source) if source.is_dir() else _in_zip(source):
        if _is_handed_in(file.path):
            # Browsers and mail programs add an ending, old cameras' systems write it large.
            as_written = _NOTEBOOK.sub(".ipynb", file.path.name)
            yield replace(file, path=file.path.with_name(as_written))


def _in_folder(folder: Path) -> Iterator[_File]:
    for path in sorted(folder.rglob("*")):
        file = _File(PurePosixPath(path.relative_to(folder).as_posix()), 0.0, 0, path.read_bytes)
        try:
            status = path.lstat()
            file.modified, file.size = status.st_mtime, status.st_size
            if path.is_symlink():
                file.problem = Message("a link to another file")
            elif path.is_dir():
                if any(path.iterdir()):
                    continue
                file.problem = Message("nothing in this folder")
            elif not path.is_file():  # reading a pipe would wait forever
                file.problem = Message("not a file: a pipe or a device")
            else:
                file.timestamp = _noted_time(path.with_name("timestamp.txt"))
        except OSError as error:
            file.problem = Message(_UNREADABLE, error=named(error))
        yield file


def _noted_time(path: Path) -> str:
    """Return the time that nbgrader noted; "" if the file says anything else."""
    if not path.is_file():
        return ""
    try:
        with path.open(encoding="utf-8") as file:
            noted = file.read(100).strip()
        parse_utc(noted)
    except Exception:  # dateutil raises many kinds
        return ""
    return noted


def _in_zip(source: Path) -> Iterator[_File]:
    # Members are read, never unpacked, so that their paths can do no harm.
    try:
        archive = zipfile.ZipFile(source)
    except Exception as error:  # for a damaged zip Python raises many kinds
        damaged = ", and this one is damaged" if source.suffix == ".zip" else ""
        raise ValueError(f"{source}: expected a folder or a zip file{damaged}") from error
    room = max(LEAST_ROOM, MOST_TIMES * source.stat().st_size)
    for member in sorted(archive.infolist(), key=lambda member: member.file_size):
        name = _name_in_zip(member)
        parts = [part[:255] for part in PurePosixPath(name).parts if part not in ("/", "..")]
        if not parts or name.endswith("/"):
            continue
        inside = PurePosixPath(*parts[:20], *parts[20:][-1:])
        file = _File(inside, member.date_time, member.file_size, partial(archive.read, member))
        room -= member.file_size
        if room < 0:  # the largest are left out, so that they cost nobody else
            file.problem = Message("too large: the zip file's contents are too much together")
        yield file


def _name_in_zip(member: zipfile.ZipInfo) -> str:
    """Return a member's path, whichever system wrote it.

    A zip need not say how names are encoded. Where it does not, Python takes them for an American
    PC's; macOS means UTF-8, a Japanese PC cp932.
    """
    name = member.orig_filename.partition("\0")[0]
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437")
        with contextlib.suppress(UnicodeDecodeError):
            in_japanese = raw.decode("cp932")
            # A single one is an umlaut with the letter after it: Schröder, read as Japanese.
            name = in_japanese if _JAPANESE.search(in_japanese) else name
        with contextlib.suppress(UnicodeDecodeError):
            name = raw.decode("utf-8")
    return name.replace("\\", "/")


def _is_handed_in(path: PurePosixPath) -> bool:
    """Say whether a student chose to hand this in; systems and editors leave files of their own."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and path.name.lower() not in _NOT_HANDED_IN


# -- which lesson -------------------------------------------------------------------------------


def _recognize(submitted: NotebookNode, lessons: dict[str, NotebookNode]) -> str:
    """Return the lesson that most of the code cells come from, "" if few come from any."""
    sources = {_plain(cell.source) for cell in submitted.cells}
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
    ways_on = {
        _plain(cell.source)
        for exercise in asked
        for language in LANGUAGES
        for cell in way_on(exercise, language)
    }
    cells[:] = [cell for cell in cells if _plain(cell.source) not in ways_on]
    for cell in cells:
        marks = cell.metadata.pop("nbgrader", None)
        cell["came_as"] = [cell.id, marks.get("grade_id") if isinstance(marks, dict) else None]
    solutions = {}
    for exercise in asked:
        solution = _solution(exercise, [cell for cell in cells if "nbgrader" not in cell.metadata])
        if solution is not None:
            repair.make_code(solution)
            solution.metadata["nbgrader"] = released[exercise.solution.id].metadata.nbgrader
            solutions[exercise.number] = solution
    for exercise in asked:
        check = released[exercise.check.id]
        copies = [cell for cell in cells if _is_copy(cell, check)]
        above = copies[-1] if copies else solutions.get(exercise.number)
        below = (i for i, cell in enumerate(cells, start=1) if cell is above)
        cells.insert(next(below, len(cells)), check)
        unedited = [cell for cell in copies if _plain(cell.source) == _plain(check.source)]
        cells[:] = [cell for cell in cells if not any(cell is copy for copy in unedited)]

    theirs = [cell for cell in cells if cell.pop("came_as", None)]
    repair.set_distinct_ids(theirs, {exercise.check.id for exercise in asked})
    submitted.metadata["kernelspec"] = lesson.metadata.kernelspec
    return submitted


def _solution(exercise: Exercise, cells: list[NotebookNode]) -> NotebookNode | None:
    """Find the cell in which the exercise was done; a slip of the hand makes it Markdown or raw."""
    marked = [cell for cell in cells if exercise.solution.id in cell.came_as]
    define = [cell for cell in cells if f"def {exercise.function}(" in cell.source]
    code = [cell for cell in marked + define if cell.cell_type == "code"]
    return next(iter(code + marked), None)


def _is_copy(cell: NotebookNode, check: NotebookNode) -> bool:
    ours = check.id in cell.get("came_as", ())
    return ours or (cell.cell_type == "code" and _plain(cell.source) == _plain(check.source))
