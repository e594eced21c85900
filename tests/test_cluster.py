"""Grading on other machines: a real scheduler with two workers, started as by hand."""

import contextlib
import shutil
import subprocess
import sys
import time
from concurrent.futures import CancelledError

import psutil
import pytest
from class_of_students import ONE, chosen, solved
from distributed import Client
from distributed.scheduler import KilledWorker
from grading import expect_pages, expect_points_and_reasons, grade, hand_in, start_grading

import classroom.grade
from classroom import cluster
from classroom.course import copy_of_the_course
from classroom.files import to_bytes

# Right, with a file beside it; wrong; malformed.
THREE_STUDENTS = chosen("a module beside the notebook", "mistake W_h transposed", "truncated JSON")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return copy_of_the_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def scheduler(course, tmp_path_factory):
    """Return its address and the processes of its workers; the second has no nanny."""
    folder = tmp_path_factory.mktemp("dask")
    common = [f"--scheduler-file={folder / 'scheduler.json'}", "--no-dashboard"]
    options = ["--nthreads=1", f"--local-directory={folder}"]
    commands = [
        ["scheduler", "--host=127.0.0.1", "--port=0", *common],
        ["worker", *common, *options],
        ["worker", *common, *options, "--no-nanny"],
    ]
    with contextlib.ExitStack() as stack:
        started = []
        for command in commands:
            whole = [sys.executable, "-m", "dask", *command]
            started.append(psutil.Popen(whole, cwd=course, stderr=subprocess.DEVNULL))
            stack.callback(kill_tree, started[-1])
        with Client(scheduler_file=folder / "scheduler.json") as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, started[1:]


def kill_tree(process):
    for member in [*process.children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


@pytest.mark.slow
def test_grades_are_those_of_the_local_run(course, scheduler, tmp_path):
    folder = hand_in(tmp_path / "class", THREE_STUDENTS)
    rows = grade(course, folder, "--seed=1", f"--scheduler={scheduler[0]}")
    for handed_in in THREE_STUDENTS:
        expect_points_and_reasons(handed_in, rows)
    expect_pages(rows, folder)
    shutil.rmtree(course / "build" / "class" / "results")
    assert grade(course, folder, "--seed=1") == rows


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(course, scheduler, tmp_path):
    address, (_, killed) = scheduler
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("Ana", "Bo", "Cy"):
        (folder / f"{name}_01_forward.ipynb").write_bytes(to_bytes(solved(ONE)))
    process = start_grading(course, folder, "--seed=1", f"--scheduler={address}")
    while not (running := notebooks_of(killed)):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    killed.kill()
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "3 files, " in said and "on 2 workers" in said
    rows = grade(course, folder, "--seed=1")  # as they are kept
    assert len(rows) == 6
    assert all(row["points"] == row["maximum"] for row in rows)
    _, alive = psutil.wait_procs(running, timeout=30)
    assert not alive, "what the worker had started ends with it"


def notebooks_of(worker):
    """Return the processes in which notebooks run on a worker."""
    with contextlib.suppress(psutil.Error):
        return [p for p in worker.children(recursive=True) if "classroom.runner" in p.cmdline()]
    return []


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call `make grade` for a class of one; nothing is graded, and it is said why."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "Ana_01_forward.ipynb").write_bytes(to_bytes(solved(ONE)))
    monkeypatch.setattr(classroom.grade, "COURSE", tmp_path / "course")

    def called(address):
        monkeypatch.setattr(
            sys, "argv", ["grade", str(folder), "--seed=1", f"--scheduler={address}"]
        )
        with pytest.raises(SystemExit, match="^Nothing was graded. ") as ended:
            classroom.grade.main()
        assert [path.name for path in tmp_path.iterdir()] == ["inbox"]
        return str(ended.value)

    return called


def test_a_scheduler_out_of_reach_is_named(call, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    assert "No scheduler answers at tcp://127.0.0.1:9: " in call("tcp://127.0.0.1:9")
    assert "No scheduler answers at here: " in call("here")


def test_the_missing_extra_is_named(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "classroom.cluster")
    monkeypatch.delattr(classroom, "cluster")
    assert 'pip install -e ".[cluster]"' in call("tcp://127.0.0.1:9")


class Refusing:
    """In place of dask's client: its one worker ends every notebook with an error."""

    threads: dict = {"w": 1}
    unequal: Exception | None = None
    error: Exception | None = None

    def __init__(self, address, **options):
        pass

    def nthreads(self):
        return self.threads

    def run(self, function, *args, on_error):
        return dict.fromkeys(self.threads, self.unequal)

    def submit(self, *args, pure):
        return self

    def result(self):
        raise self.error


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("threads", {}, "tcp://127.0.0.1:9 has no workers yet"),
        ("unequal", RuntimeError("a worker has no sandbox"), "At w: a worker has no sandbox"),
    ],
)
def test_workers_that_cannot_grade_are_named(call, monkeypatch, attribute, value, said):
    monkeypatch.setattr(cluster, "Client", Refusing)
    monkeypatch.setattr(Refusing, attribute, value)
    assert said in call("tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (KilledWorker("key", None, 3), RuntimeError, "each worker that tried it was killed"),
        (CancelledError(), ConnectionAbortedError, "The scheduler was lost."),
    ],
)
def test_a_lost_worker_costs_a_row_a_lost_scheduler_the_call(monkeypatch, error, raised, said):
    monkeypatch.setattr(cluster, "Client", Refusing)
    monkeypatch.setattr(Refusing, "error", error)
    with pytest.raises(raised, match=said):
        cluster.Cluster("", False).execute(b"", {}, {})


def test_a_worker_grades_only_as_the_teachers_machine_would(monkeypatch):
    cluster._expect_equal(cluster.code(), False)
    with pytest.raises(RuntimeError, match="another version of the course"):
        cluster._execute(b"", {}, {"is_sandboxed": False}, b"another hash")
    monkeypatch.setattr(cluster.sandbox, "why_not", lambda: "bubblewrap is not installed")
    with pytest.raises(RuntimeError, match="has no sandbox .bubblewrap is not installed"):
        cluster._execute(b"", {}, {"is_sandboxed": True}, cluster.code())
