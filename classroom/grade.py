"""Grade a class: ``python -m classroom.grade SUBMISSIONS``.

Every notebook is graded in a process of its own, several at once, and runs here or on another
machine. Each result is saved in build/class/results/ as soon as it is known, so that a second call
grades only what is new or has changed, wherever the first one stopped.
"""

import argparse
import contextlib
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
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from tqdm import tqdm

from classroom import report, sandbox, worker
from classroom.course import COURSE, code, prepare, seed
from classroom.files import WorkedOn, lock, remove_unfinished, shown, to_bytes, write_whole
from classroom.lessons import lesson_paths, read
from classroom.platforms import told
from classroom.processes import FAILED, Workers
from classroom.repair import named
from classroom.roster import FILE, ID, read_table, write_table
from classroom.submissions import Result, Submission, collect, name_of, student_id
from rnn_lib.language import Message

if TYPE_CHECKING:
    from classroom.cluster import Cluster


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
    cluster: "Cluster | None" = None,
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
    cluster : Cluster, optional
        Where notebooks run, if not here. All else, such as the gradebook, is here.

    Yields
    ------
    Result
        One for each submission, in the order in which they are done.
    """
    workers = Workers(cluster and cluster.execute)
    with ThreadPoolExecutor(n_jobs) as pool:
        jobs = [pool.submit(_graded, s, lessons, settings, workers) for s in submissions]
        try:
            yield from (job.result() for job in as_completed(jobs))
        except BaseException:  # Ctrl-C, most likely
            pool.shutdown(wait=False, cancel_futures=True)
            workers.kill()
            if cluster:
                cluster.close()
            raise


def _graded(submission: Submission, *how: object) -> Result:
    """Grade one submission, or say why not: no file may end the class."""
    if submission.notebook is not None:
        try:
            return _grade_one(submission, *how)
        except ConnectionAbortedError:  # of the cluster, which concerns all
            raise
        except RuntimeError as error:
            submission.problem = error.args[0]
        except Exception as error:
            submission.problem = Message(FAILED, error=named(error))
    return Result(submission)


def _grade_one(
    submission: Submission,
    lessons: dict[str, NotebookNode],
    settings: Settings,
    workers: Workers,
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
    for name, content in modules:
        write_whole(folder / name, content)
    if submission.timestamp:
        write_whole(folder / "timestamp.txt", submission.timestamp.encode())
    content = b"\0".join([submission.content, *beside])
    own = asdict(replace(settings, seed=_own_seed(settings.seed, content)))
    own["is_elsewhere"] = workers.answer is not None
    found = workers.run(worker.grade, student, lesson, own, memory=settings.memory)
    write_whole(kept, json.dumps({"key": key, **found}).encode())
    return Result(submission, **found)


def _own_seed(secret: str, content: bytes) -> str:
    """Make the seed of one hand-in: nobody can note what a check asks, and pass it on."""
    return str(int.from_bytes(hmac.digest(secret.encode(), content, "sha256")[:4]))


def _key(*parts: bytes) -> str:
    """Identify all that a result depends on, the grading code included."""
    return hashlib.sha256(b"\0".join([*parts, code()])).hexdigest()


_WITH = "Student code runs in a sandbox (bubblewrap)."
_WARNING = "Student code runs WITHOUT a sandbox, with your rights: see docs/teaching.md."
_WITHOUT = (
    "Install bubblewrap on Linux; or grade without, with SANDBOX=none (--sandbox=none): "
    "student code then runs with your rights, see docs/teaching.md"
)


def main() -> None:
    """Grade all notebooks in a folder or zip file; resume where an earlier call stopped."""
    arguments = _arguments()
    chosen = seed() if arguments.seed is None else str(arguments.seed)
    settings = Settings(chosen, arguments.timeout, arguments.memory, not arguments.sandbox)
    lessons = {path.stem: read(path) for path in lesson_paths()}
    source = arguments.submissions.resolve()
    out = source.with_name(f"{name_of(source)}-grades")
    with _nothing_graded():
        if source.is_relative_to(COURSE):
            raise ValueError("build/class/ is for nbgrader: copy the folder elsewhere, grade that")
        cluster = _reach(arguments.scheduler, settings)
        at_work = lock(COURSE, f"process {os.getpid()} on {platform.node()}, since {time.ctime()}")
        remove_unfinished(COURSE)
        roster = read_table(arguments.roster, ID) if arguments.roster else {}
        submissions = _collect(source, lessons, roster)
        out.mkdir(exist_ok=True)
        prepare(lessons)

    present = {s.student for s in submissions if s.student != s.file}
    absent = {student for student in roster.values() if student} - present
    if roster:
        _print_names("Not in the roster: ", present - set(roster.values()))
    n_jobs = arguments.jobs or os.cpu_count() + (cluster.n_at_once if cluster else 0)
    where = f" on {cluster.n_workers} workers" if cluster else ""
    print(f"{len(submissions)} files, {n_jobs} at once{where}.", flush=True)
    print(_WITH if settings.is_sandboxed else _WARNING, flush=True)
    with _tables_kept():
        results, stopped = _grade_all(submissions, lessons, settings, n_jobs, cluster)
        tables = report.write(out, results, lessons, sorted(absent))
    n_graded = sum(not result.submission.problem for result in results)
    print(f"{n_graded} of them graded, seed {settings.seed}.")
    for path in tables:
        print(shown(path))
    _print_names("Handed in nothing: ", absent)
    at_work.close()
    if stopped:
        sys.exit("Stopped. What is graded is kept; the same command resumes from here.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("submissions", type=Path, help="folder or zip file")
    parser.add_argument("--jobs", type=_number(int, 1), help="notebooks at once")
    parser.add_argument(
        "--timeout", type=_number(int, 1), default=120, help="seconds a cell may take"
    )
    parser.add_argument("--memory", type=_number(float, 1), default=4, help="GB for a notebook")
    parser.add_argument("--seed", type=_number(int, 0), help="of the checks, this time")
    parser.add_argument("--roster", type=Path, help="CSV file with the columns id and student")
    parser.add_argument("--sandbox", choices=["none"], help="do without one, where there is none")
    parser.add_argument("--scheduler", help="of dask, whose workers run the notebooks")
    return parser.parse_args()


@contextlib.contextmanager
def _nothing_graded() -> Iterator[None]:
    """Let an error end the call with what it says: so far nothing is graded."""
    try:
        yield
    except WorkedOn as error:
        sys.exit(f"Nothing was graded. Edit the lessons in notebooks/, not these copies: {error}")
    except BlockingIOError as error:
        sys.exit(f"Nothing was graded. This class is being graded already: {error}")
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"Nothing was graded. {error}")


def _reach(scheduler: str | None, settings: Settings) -> "Cluster | None":
    """Find where the notebooks can run: on a scheduler's workers, or here, which is None.

    Raises
    ------
    RuntimeError
        If they cannot.
    """
    if scheduler:
        try:
            from classroom.cluster import Cluster
        except ImportError:
            missing = 'A scheduler needs dask: .venv/bin/python -m pip install -e ".[cluster]"'
            raise RuntimeError(missing) from None
        return Cluster(scheduler, settings.is_sandboxed)
    if settings.is_sandboxed and (reason := sandbox.why_not()):
        raise RuntimeError(f"There is no sandbox here ({reason}). {_WITHOUT}")
    return None


@contextlib.contextmanager
def _tables_kept() -> Iterator[None]:
    """Let an error of the disk or the cluster end the call: the tables are those from before."""
    try:
        yield
    except OSError as error:
        sys.exit(
            f"{error}\nThe tables are as they were before. What is graded is kept; "
            "the same command resumes from here."
        )


def _grade_all(submissions: list[Submission], *how: object) -> tuple[list[Result], bool]:
    """Grade with a progress bar; return the results, and whether Ctrl-C ended it."""
    results = []
    with tqdm(total=len(submissions), unit="notebook", disable=None) as bar:
        try:
            for result in grade(submissions, *how):
                if result.submission.problem and result.submission.notebook:
                    _expect_room()  # a full disk concerns all, not this student
                results.append(result)
                bar.update()
        except KeyboardInterrupt:
            return results, True
    return results, False


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
