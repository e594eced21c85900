"""Students who attack: what each gets, with a sandbox and without.

With one, nothing of the teacher's can be read or written, and nothing is left running. Without one,
the checks are judged outside all the same: no trick gives points.
"""

import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from class_of_students import ONE, WRONG_STEP, exercises_alone, with_cell
from nbformat.v4 import new_code_cell, new_notebook

from classroom import sandbox
from classroom.course import COURSE
from classroom.execution import BoundedExecute
from classroom.lessons import NOTEBOOKS, ROOT

pytestmark = pytest.mark.slow

NO_SANDBOX = sandbox.why_not()
sandboxed = pytest.mark.skipif(bool(NO_SANDBOX), reason=f"no sandbox: {NO_SANDBOX}")
BOTH = pytest.mark.parametrize(
    "is_sandboxed", [pytest.param(True, marks=sandboxed), False], ids=["sandbox", "none"]
)

# A solution that is wrong, and a first cell that sets out to get its points all the same.
TRICKS = {
    "the check replaced": "checks.check_step = checks.check_forward = lambda fn: print('is right')",
    "the module replaced": "import sys\nsys.modules['rnn_lib.checks'] = checks = None",
    "the real checks answer": """
from rnn_lib.checks import checking, exercises, references
checks.check_step = lambda fn: checking.run(exercises.STEP, checking.examine, references.rnn_step)
checks.check_forward = checks.check_step""",
    "a receipt": """
from IPython.display import publish_display_data
def check(fn):
    publish_display_data({"application/vnd.rnn-lib.receipt": "0" * 64})
    publish_display_data({"text/plain": "5.0"})
checks.check_step = checks.check_forward = check""",
    "NumPy replaced": """
np.allclose = np.array_equal = lambda *_, **__: True
np.abs = np.absolute = np.zeros_like
import numpy._core._methods as inside
inside._all = inside._any = lambda *_, **__: True""",
    "Python replaced": """
import builtins
builtins.all = lambda _: True
builtins.abs = lambda _: 0""",
    "traced": "import sys\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: None)",
    "the right function in the caller's frame": """
import sys
def found(name):
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            right = getattr(getattr(value, "exercise", None), "right", None)
            if right:
                return right
        frame = frame.f_back""",
    "the grader's end": """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ in ("Exam", "Outcome", "Verdict"):
        thing.fault = thing.error = None""",
    "what cannot be read": """
from classroom import crossing
crossing.End._post = lambda self, message, **values: self._send(b"[" * 100_000)""",
    "an endless message": """
from classroom import crossing
crossing.End._post = lambda self, message, **values: self._send(b" " * 60_000_000)""",
}


def points(notebook, folder, **settings):
    """Grade lesson 1; return the points of its two exercises, and all that is on the page."""
    settings = {"timeout": 60, "memory": 2} | settings
    BoundedExecute(seed="31", **settings).preprocess(notebook, {"metadata": {"path": str(folder)}})
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    wrong = [any(o.output_type == "error" for o in cell.outputs) for cell in cells]
    return [float(not w) for w in wrong], str([cell.get("outputs") for cell in notebook.cells])


@BOTH
@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_gives_points(trick, is_sandboxed, tmp_path):
    notebook = with_cell(exercises_alone(ONE, e1_1=WRONG_STEP), TRICKS[trick])
    if trick.startswith("the right function"):
        notebook = with_cell(
            exercises_alone(ONE, e1_1="def rnn_step(*given):\n    return found('right')(*given)"),
            TRICKS[trick],
        )
    assert points(notebook, tmp_path, is_sandboxed=is_sandboxed)[0] == [0, 0]


@BOTH
def test_the_seed_is_nowhere_to_be_found(is_sandboxed, tmp_path):
    look = """
import gc, os, sys
from rnn_lib.checks import problems
print("found", problems.seeded_rng()[1], [v for n, v in os.environ.items() if "SEED" in n])
dicts = [thing for thing in gc.get_objects() if isinstance(thing, dict)]
print("found", [thing for thing in dicts if thing.get("seed") == "31"])"""
    got, page = points(with_cell(exercises_alone(ONE), look), tmp_path, is_sandboxed=is_sandboxed)
    assert got == [1, 1]
    assert "found False []\\nfound []" in page


def ran(source, folder, **settings):
    """Run one cell as in grading; return all that it put out, and how long it took."""
    marks = {"grade": True, "solution": False, "grade_id": "last", "points": 1}
    cells = [new_code_cell(source), new_code_cell("1", metadata={"nbgrader": marks})]
    notebook, start = new_notebook(cells=cells), time.monotonic()
    settings = {"timeout": 30, "memory": 2, "is_sandboxed": True} | settings
    BoundedExecute(**settings).preprocess(notebook, {"metadata": {"path": str(folder)}})
    return str(cells[0].outputs), time.monotonic() - start


@sandboxed
@pytest.mark.parametrize(
    "path",
    [
        *(NOTEBOOKS / "01_forward.ipynb", COURSE / "gradebook.db", COURSE / "seed.txt"),
        *(COURSE / "source", COURSE / "submitted", ROOT / "tests", ROOT / ".git"),
        *("/etc/passwd", "/etc/shadow", "/home", "/root/.ssh", "/root/.bashrc", "/var", "/run"),
    ],
    ids=str,
)
def test_nothing_of_the_teachers_can_be_read(path, tmp_path):
    said, _ = ran(f"import os; print('there:', os.path.exists({str(path)!r}))", tmp_path)
    assert "there: False" in said


@sandboxed
def test_nothing_can_be_written_but_a_small_disk_of_its_own(tmp_path):
    (tmp_path / "handed_in.py").write_text("x = 1")
    places = [sys.prefix, "/usr", "/course/rnn_lib", "/course/classroom", "/", "/dev"]
    elsewhere = [tmp_path, ROOT]  # where there may be such a folder inside, on the small disk
    said, _ = ran(
        f"""
import handed_in, os, pathlib
ours = [os.path.dirname(os.__file__), os.path.expanduser("~/.ipython")]
for place in {[*map(str, places)]} + ours + {[*map(str, elsewhere)]}:
    try:
        pathlib.Path(place, "sitecustomize.pth").write_text("import os")
        print("wrote" if place not in {[*map(str, elsewhere)]} else "inside", place)
    except OSError as error:
        print("not", place)
pathlib.Path("handed_in.py").write_text("x = 2")
try:
    with open("large", "wb") as file:
        for _ in range(2000):
            file.write(bytes(10**6))
except OSError as error:
    print("full:", error.strerror)
""",
        tmp_path,
    )
    assert "wrote" not in said.replace("wrote /tmp/home/.ipython", "")
    assert "full: No space left on device" in said
    assert not any((place / "sitecustomize.pth").exists() for place in elsewhere)
    assert [path.name for path in tmp_path.iterdir()] == ["handed_in.py"]
    assert (tmp_path / "handed_in.py").read_text() == "x = 1"


@sandboxed
def test_nothing_of_the_environment_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    look = "import os, glob\nprint(dict(os.environ))\nfor p in glob.glob('/proc/*/environ'):\n"
    look += "    print(open(p).read())"
    assert "s3cret" not in ran(look, tmp_path)[0]
    assert "GITHUB_TOKEN" not in ran(look, tmp_path, is_sandboxed=False)[0].partition("/proc")[0]


@sandboxed
def test_no_other_process_and_no_network_is_seen(tmp_path):
    look = """
import os, socket, psutil
print("processes:", len(psutil.pids()) < 8)
print("devices:", [name for _, name in socket.if_nameindex()])
for address in (("127.0.0.1", {port}), ("1.1.1.1", 53)):
    try:
        socket.create_connection(address, timeout=3)
        print("connected")
    except OSError as error:
        print("refused")
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        said, _ = ran(look.replace("{port}", str(server.getsockname()[1])), tmp_path)
    assert "processes: True" in said
    assert "devices: ['lo']" in said
    assert "connected" not in said


@sandboxed
def test_what_a_notebook_leaves_behind_reaches_no_later_kernel(tmp_path):
    leave = """
import json, pathlib, sys
home = pathlib.Path.home()
code = "print('left behind')"
left = {
    ".ipython/profile_default/startup/00.py": code,
    ".ipython/profile_default/ipython_config.py": f"c.IPKernelApp.exec_lines = [{code!r}]",
    ".jupyter/jupyter_config.py": code,
    ".local/lib/python3.11/site-packages/usercustomize.py": code,
    ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(
        {"argv": [sys.executable, "-c", code, "{connection_file}"], "language": "python"}
    ),
}
for name, text in left.items():
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
print("written:", len(left))"""
    look = """
import pathlib
names = [".jupyter", ".local", ".ipython/profile_default/ipython_config.py"]
print("there:", [name for name in names if (pathlib.Path.home() / name).exists()])"""
    assert "written: 5" in ran(leave, tmp_path)[0]
    said, _ = ran(look, tmp_path)
    assert "there: []" in said
    assert "left behind" not in said


@sandboxed
def test_no_other_kernel_and_no_other_hand_in_is_found(tmp_path):
    """One waits, with a file of its own, while the other looks for it."""
    look = """
import os, time
open("mine.txt", "w").write("x")
time.sleep({seconds})
files = [os.path.join(top, name) for place in ("/tmp", "/dev/shm", "/handed-in", "/home", "/run")
         for top, _, names in os.walk(place) for name in names]
kernels = [name for name in files if name.endswith(".json") and "shell_port" in open(name).read()]
texts = [name for name in files if name.endswith(("mine.txt", "theirs.txt"))]
print("kernels:", len(kernels), "texts:", texts)"""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "theirs.txt").write_text("not mine")
    (tmp_path / "two").mkdir()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ran, look.replace("{seconds}", "8"), tmp_path / "one")
        said, _ = ran(look.replace("{seconds}", "0"), tmp_path / "two")
        assert not waiting.done()
    assert "kernels: 1 texts: ['/tmp/homework/mine.txt']" in said
    assert "theirs.txt" in waiting.result()[0]


def left_running(mark):
    return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]


@sandboxed
def test_what_is_left_running_ends_with_the_notebook(tmp_path):
    mark = str(10**6 + os.getpid())
    ran(f"import subprocess\nsubprocess.Popen(['setsid', '-f', 'sleep', '{mark}'])", tmp_path)
    assert left_running(mark) == []


@sandboxed
@pytest.mark.parametrize(
    "source",
    [
        "import os, time\nfor _ in range(200):\n    if not os.fork():\n        time.sleep(60)\n"
        "time.sleep(20)",
        "import subprocess, sys, time\nlarge = 'import time; x = b\"1\" * 400_000_000; '\n"
        "large += 'time.sleep(60)'\n"
        "for _ in range(7):\n    subprocess.Popen([sys.executable, '-c', large])\ntime.sleep(20)",
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    ],
    ids=["200 processes", "memory over processes", "its runner killed"],
)
def test_what_takes_too_much_costs_its_own_cell(source, tmp_path):
    said, _ = ran(source, tmp_path)
    assert "this cell ended the kernel" in said


@BOTH
def test_a_runner_that_was_stopped_costs_its_notebook_alone(is_sandboxed, tmp_path, monkeypatch):
    monkeypatch.setattr("classroom.execution._GRACE", 5)
    stop = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"
    _, seconds = ran(stop, tmp_path, is_sandboxed=is_sandboxed, total_time=20, timeout=5)
    assert seconds < 90


def test_without_bubblewrap_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert sandbox.why_not() == "bubblewrap is not installed"


def test_python_from_a_folder_with_more_in_it_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(ROOT))
    if sandbox.shutil.which("bwrap"):
        assert sandbox.why_not() == f"Python's own folder {ROOT} holds more than Python"


def test_a_trial_that_fails_says_why(monkeypatch, tmp_path):
    fails = tmp_path / "bwrap"
    fails.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    fails.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert sandbox.why_not() == "bwrap: No permissions to create new namespace"
