"""How many notebooks are graded in a minute, and what memory that takes.

    python -m benchmarks.grading [students]

Makes a class in which everybody has solved everything, in a copy of the course, and grades one
lesson after the other. Needs `pip install -e ".[class]"`.
"""

import os
import subprocess
import sys
import tempfile
import time
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


def grade(course: Path, submissions: Path) -> tuple[float, float]:
    """Grade; return seconds, and the largest memory seen of all processes together, in bytes."""
    start = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-m", "classroom.grade", str(submissions)],
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
    """Grade the lessons with exercises, and print a row for each."""
    n_students = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{n_students} students, {os.cpu_count()} cores")
    print("lesson       notebooks a minute    seconds a notebook and core    peak memory (GB)")
    with tempfile.TemporaryDirectory() as folder:
        course = copy_of_the_course(Path(folder))
        for lesson in (path for path in lesson_paths() if any(exercises(read(path)))):
            submissions = hand_in(course / "inbox" / lesson.stem, lesson, n_students)
            seconds, peak = grade(course, submissions)
            a_minute = 60 * n_students / seconds
            print(
                f"{lesson.stem:12} {a_minute:18.0f} {60 * os.cpu_count() / a_minute:29.1f} "
                f"{peak / 1e9:19.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
