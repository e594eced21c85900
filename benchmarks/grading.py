"""How many notebooks are graded in a minute, and what memory that takes.

    python -m benchmarks.grading [students] [--workers 1 2 4]

Makes a class in which everybody has solved everything, in a copy of the course, and grades one
lesson after the other: with the processes of `make grade`, or on dask's workers on this machine,
so many at a time; memory is then that of `make grade` alone. Needs `pip install -e ".[class]"`,
or ".[cluster]".
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from classroom.course import copy_of_the_course
from classroom.lessons import exercises, lesson_paths, read


def hand_in(folder: Path, lesson: Path, n_students: int) -> Path:
    """Write one solved notebook for each student, no two the same."""
    folder.mkdir(parents=True)
    solved = lesson.read_text(encoding="utf-8")
    for number in range(n_students):
        path = folder / f"student {number:03}_{lesson.name}"
        path.write_text(solved + number * "\n", encoding="utf-8")
    return folder


@contextlib.contextmanager
def scheduler(course: Path, n_workers: int) -> Iterator[list[str]]:
    """Start a scheduler with workers; yield the option that names it, none without workers."""
    if not n_workers:
        yield []
        return
    from distributed import Client

    file = course / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    common = [f"--scheduler-file={file}", "--no-dashboard"]
    workers = [f"--nworkers={n_workers}", "--nthreads=1", f"--local-directory={course / 'dask'}"]
    started = []
    try:
        for what in (["scheduler", "--host=127.0.0.1", "--port=0"], ["worker", *workers]):
            command = [*dask, *what, *common]
            started.append(psutil.Popen(command, cwd=course, stderr=subprocess.DEVNULL))
        with Client(scheduler_file=file) as client:
            client.wait_for_workers(n_workers)
            address = client.scheduler.address
        yield [f"--scheduler={address}"]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
        file.unlink(missing_ok=True)


def grade(course: Path, submissions: Path, *options: str) -> tuple[float, float]:
    """Grade; return seconds, and the largest memory seen of all processes together, in bytes."""
    shutil.rmtree(course / "build" / "class" / "results", ignore_errors=True)
    start = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-m", "classroom.grade", str(submissions), *options],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(unique_memory, [process, *process.children(recursive=True)])))
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"grading {submissions.name} failed")
    return time.perf_counter() - start, peak


def unique_memory(process: psutil.Process) -> int:
    """Return the memory of a process that it does not share, 0 if it has ended."""
    try:
        return process.memory_full_info().uss
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Grade the lessons with exercises, and print a row for each and each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("students", type=int, nargs="?", default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[0], help="0: without dask")
    arguments = parser.parse_args()
    n_students = arguments.students
    print(f"{n_students} students, {os.cpu_count()} cores")
    print(
        "lesson               workers    notebooks a minute    seconds a notebook and core    "
        "peak memory (GB)"
    )
    with tempfile.TemporaryDirectory() as folder:
        course = copy_of_the_course(Path(folder))
        for lesson in (path for path in lesson_paths() if any(exercises(read(path)))):
            submissions = hand_in(course / "inbox" / lesson.stem, lesson, n_students)
            for n_workers in arguments.workers:
                with scheduler(course, n_workers) as options:
                    seconds, peak = grade(course, submissions, *options)
                a_minute = 60 * n_students / seconds
                print(
                    f"{lesson.stem:20} {n_workers or '-':>7} {a_minute:21.0f} "
                    f"{60 * os.cpu_count() / a_minute:30.1f} {peak / 1e9:19.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
