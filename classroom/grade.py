"""Grade a class: ``python -m classroom.grade SUBMISSIONS``.

Every notebook is graded in a process of its own, several at once. Each result is saved in
build/class/results/ as soon as it is known, so that a second call grades only what is new or has
changed, wherever the first one stopped.
"""

import argparse
import contextlib
import functools
import hashlib
import hmac
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
from nbformat import NotebookNode
from tqdm import tqdm

import rnn_lib
from classroom import report, sandbox
from classroom.course import COURSE, prepare, seed
from classroom.files import WorkedOn, lock, remove_unfinished, shown, to_bytes, write_whole
from classroom.lessons import lesson_paths, read
from classroom.platforms import told
from classroom.repair import named
from classroom.roster import FILE, ID, read_table, write_table
from classroom.submissions import Result, Submission, collect, name_of, student_id
from classroom.worker import FAILED, work
from rnn_lib.language import Message


@dataclass(frozen=True)
class Settings:
    """How notebooks are graded.

    Attributes
    ----------
    seed : str
        An integer, from which each hand-in's own is made; its checks draw sizes and numbers from
        that one.
    timeout : int
        Seconds for one cell.
    memory : float
        Gigabytes for one notebook.
    is_sandboxed : bool
        Whether student code runs in a sandbox.
    """

    seed: str
    timeout: int
    memory: float
    is_sandboxed: bool = True


def grade(
    submissions: list[Submission],
    lessons: dict[str, NotebookNode],
    settings: Settings,
    n_jobs: int,
) -> Iterator[Result]:
    """Grade submissions side by side.

    Parameters
    ----------
    submissions : list of Submission
        Those with a problem are returned ungraded.
    lessons : dict of str to NotebookNode
        The complete lessons, by name, prepared (:func:`classroom.course.prepare`).
    settings : Settings
        Seed and limits.
    n_jobs : int
        How many are graded at once.

    Yields
    ------
    Result
        One for each submission, in the order in which they are done.
    """
    workers = _Workers()
    with ThreadPoolExecutor(n_jobs) as pool:
        jobs = [pool.submit(_graded, s, lessons, settings, workers) for s in submissions]
        try:
            yield from (job.result() for job in as_completed(jobs))
        except BaseException:  # Ctrl-C, most likely
            pool.shutdown(wait=False, cancel_futures=True)
            workers.kill()
            raise


def _graded(submission: Submission, *how: object) -> Result:
    """Grade one submission, or say why not: no file may end the class."""
    if submission.notebook is not None:
        try:
            return _grade_one(submission, *how)
        except RuntimeError as error:
            submission.problem = error.args[0]
        except Exception as error:
            submission.problem = Message(FAILED, error=named(error))
    return Result(submission)


def _grade_one(
    submission: Submission,
    lessons: dict[str, NotebookNode],
    settings: Settings,
    workers: "_Workers",
) -> Result:
    student, lesson = student_id(submission.student), submission.lesson
    kept = COURSE / "results" / student / f"{lesson}.json"
    asked = to_bytes(lessons[lesson]), json.dumps(asdict(settings)).encode()
    modules = sorted(submission.modules.items())
    beside = [part for name, code in modules for part in (name.encode(), code)]
    key = _key(submission.content, *asked, *beside)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        earlier = json.loads(kept.read_text(encoding="utf-8"))
        if earlier.pop("key") == key:
            return Result(submission, **earlier)
    folder = COURSE / "submitted" / student / lesson
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier hand-in
    write_whole(folder / f"{lesson}.ipynb", to_bytes(submission.notebook))
    for name, code in modules:
        write_whole(folder / name, code)
    if submission.timestamp:
        write_whole(folder / "timestamp.txt", submission.timestamp.encode())
    content = b"\0".join([submission.content, *beside])
    own = replace(settings, seed=_own_seed(settings.seed, content))
    found = workers.run(student, lesson, own)
    write_whole(kept, json.dumps({"key": key, **found}).encode())
    return Result(submission, **found)


def _own_seed(secret: str, content: bytes) -> str:
    """Make the seed of one hand-in: nobody can note what a check asks, and pass it on."""
    return str(int.from_bytes(hmac.digest(secret.encode(), content, "sha256")[:4]))


def _key(*parts: bytes) -> str:
    """Identify all that a result depends on, the grading code included."""
    return hashlib.sha256(b"\0".join([*parts, _code()])).hexdigest()


@functools.cache
def _code() -> bytes:
    """Hash the grading code and its data, such as the list of mistakes."""
    folders = Path(rnn_lib.__file__).parent, Path(__file__).parent
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    judging = [path.read_bytes() for path in paths if path.suffix != ".pyc"]
    return hashlib.sha256(b"\0".join(judging)).digest()


class _Workers:
    """The grading processes; none outlives this one."""

    def __init__(self) -> None:
        # nbgrader takes two seconds to import. Where there is a fork server, it does so once.
        method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
        self._context = get_context(method)
        self._context.set_forkserver_preload(["classroom.worker"])
        self._running: set[BaseProcess] = set()
        self._stopped = False

    def run(self, student: str, lesson: str, settings: Settings) -> dict[str, dict[str, str]]:
        """Grade one notebook in a new process.

        Raises
        ------
        RuntimeError
            If grading failed; the message is a reason for the table.
        """
        if self._stopped:
            raise RuntimeError("stopped")
        receiver, sender = self._context.Pipe(duplex=False)
        worker = self._context.Process(
            target=work, args=(sender, student, lesson, asdict(settings))
        )
        worker.start()
        sender.close()
        self._running.add(worker)
        try:
            if not receiver.poll(_LONGEST):
                what = "grading did not end within {n} minutes"
                raise RuntimeError(Message(what, n=_LONGEST // 60))
            answer = receiver.recv()
        except EOFError:
            raise RuntimeError(Message("grading failed: its process was killed")) from None
        finally:
            _kill(worker)
            self._running.discard(worker)
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def kill(self) -> None:
        """Kill all processes."""
        self._stopped = True
        for worker in list(self._running):
            _kill(worker)


_LONGEST = 1200  # seconds; more than BoundedExecute.total_time, which stops gently


def _kill(worker: BaseProcess) -> None:
    """Kill a process and its descendants; kernels are sessions of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(worker.pid)
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    worker.join()


_WITH = "Student code runs in a sandbox (bubblewrap)."
_WARNING = "Student code runs WITHOUT a sandbox, with your rights: see docs/teaching.md."
_WITHOUT = (
    "Install bubblewrap on Linux; or grade without, with SANDBOX=none (--sandbox=none): "
    "student code then runs with your rights, see docs/teaching.md"
)


def main() -> None:
    """Grade all notebooks in a folder or zip file; resume where an earlier call stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("submissions", type=Path, help="folder or zip file")
    parser.add_argument(
        "--jobs", type=_number(int, 1), default=os.cpu_count(), help="notebooks at once"
    )
    parser.add_argument(
        "--timeout", type=_number(int, 1), default=120, help="seconds a cell may take"
    )
    parser.add_argument("--memory", type=_number(float, 1), default=4, help="GB for a notebook")
    parser.add_argument("--seed", type=_number(int, 0), help="of the checks, this time")
    parser.add_argument("--roster", type=Path, help="CSV file with the columns id and student")
    parser.add_argument("--sandbox", choices=["none"], help="do without one, where there is none")
    arguments = parser.parse_args()
    chosen = seed() if arguments.seed is None else str(arguments.seed)
    settings = Settings(chosen, arguments.timeout, arguments.memory, not arguments.sandbox)
    lessons = {path.stem: read(path) for path in lesson_paths()}
    source = arguments.submissions.resolve()
    out = source.with_name(f"{name_of(source)}-grades")
    try:
        if source.is_relative_to(COURSE):
            raise ValueError("build/class/ is for nbgrader: copy the folder elsewhere, grade that")
        if settings.is_sandboxed and (reason := sandbox.why_not()):
            raise RuntimeError(f"There is no sandbox here ({reason}). {_WITHOUT}")
        at_work = lock(COURSE, f"process {os.getpid()} on {platform.node()}, since {time.ctime()}")
        remove_unfinished(COURSE)
        roster = read_table(arguments.roster, ID) if arguments.roster else {}
        submissions = _collect(source, lessons, roster)
        out.mkdir(exist_ok=True)
        prepare(lessons)
    except WorkedOn as error:
        sys.exit(f"Nothing was graded. Edit the lessons in notebooks/, not these copies: {error}")
    except BlockingIOError as error:
        sys.exit(f"Nothing was graded. This class is being graded already: {error}")
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"Nothing was graded. {error}")

    present = {s.student for s in submissions if s.student != s.file}
    if roster:
        _print_names("Not in the roster: ", present - set(roster.values()))
    print(f"{len(submissions)} files, {arguments.jobs} at once.", flush=True)
    print(_WITH if settings.is_sandboxed else _WARNING, flush=True)
    results, stopped = [], False
    try:
        bar = tqdm(total=len(submissions), unit="notebook", disable=None)
        for result in grade(submissions, lessons, settings, arguments.jobs):
            if result.submission.problem and result.submission.notebook:
                _expect_room()  # a full disk concerns all, not this student
            results.append(result)
            bar.update()
    except KeyboardInterrupt:
        stopped = True
    except OSError as error:
        sys.exit(_NO_TABLES.format(error))
    finally:
        bar.close()
    absent = {student for student in roster.values() if student} - present
    try:
        tables = report.write(out, results, lessons, sorted(absent))
    except OSError as error:
        sys.exit(_NO_TABLES.format(error))
    n_graded = sum(not result.submission.problem for result in results)
    print(f"{n_graded} of them graded, seed {settings.seed}.")
    for path in tables:
        print(shown(path))
    _print_names("Handed in nothing: ", absent)
    at_work.close()
    if stopped:
        sys.exit("Stopped. What is graded is kept; the same command resumes from here.")


_NO_TABLES = """{}
The tables are as they were before. What is graded is kept; the same command resumes from here."""


def _expect_room() -> None:
    """Make sure that the disk has room for one more page.

    Raises
    ------
    OSError
        If it has not.
    """
    path = COURSE / "room"
    write_whole(path, bytes(1_000_000))
    path.unlink()


def _collect(
    source: Path, lessons: dict[str, NotebookNode], roster: dict[str, str]
) -> list[Submission]:
    """Read all submissions, and say whose they are.

    Files without a student's name are written into a table beside the folder for the teacher to
    fill in. It is read here by the next call.
    """
    table = source.with_name(f"{name_of(source)}-students.csv")
    filled_in = read_table(table, FILE) if table.exists() else {}
    # The folder's name in front keeps a spreadsheet from taking a file's name for a formula.
    students = {file.partition("/")[2]: student for file, student in filled_in.items()}
    submissions = collect(source, lessons, students, roster)
    unknown = [submission for submission in submissions if not submission.student]
    if unknown:
        write_table(table, [f"{name_of(source)}/{s.file}" for s in unknown], filled_in)
        said = f"Whose they are cannot be known: {len(unknown)} of {len(submissions)} files."
        remedy = f"Fill in {shown(table)}, and call again."
        if len(unknown) == len(submissions):
            raise ValueError(f"{said} {remedy}")
    print(told((submission.student, submission.platform) for submission in submissions))
    if unknown:
        print(f"{said} {remedy}")
    for submission in unknown:
        submission.student = submission.file
        what = "{problem}: fill in {table}"
        submission.problem = Message(what, problem=submission.problem, table=table.name)
    return submissions


def _print_names(what: str, names: Collection[str]) -> None:
    if names:
        print(f"{what}{', '.join(sorted(names))}.")


def _number(kind: type, least: int) -> Callable[[str], float]:
    """Make a parser of a number that is at least `least`."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not value >= least:
            raise argparse.ArgumentTypeError(f"expected a number of at least {least}, got {text}")
        return value

    return read


if __name__ == "__main__":
    main()
