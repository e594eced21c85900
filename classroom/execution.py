"""Let a student's notebook run, and judge what it defines.

The notebook runs in a process of its own (:mod:`runner`), in the sandbox where there is one
(:mod:`sandbox`). When it comes to a check, the check runs here (:mod:`judging`). So a check counts
only if it was run by the grader; what has been printed or raised in the student's process earns
nothing. A notebook that ends its process is run again without the cell that did it.

Both may happen on another machine (:mod:`cluster`).
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer, Unicode

import rnn_lib
from classroom import sandbox
from classroom.crossing import End, Ended, read_frame, write_frame
from classroom.judging import Verdict, called_check, judge
from classroom.lessons import language_of
from classroom.processes import ask
from classroom.runner import BEGINS, CROSSES, ENDS, IS_DONE, IS_LOST, MOST_PROCESSES, add_error
from rnn_lib.language import VARIABLE, Message, translated

_GRACE = 30  # seconds in which a cell can still be interrupted, and its outputs come
# What a student's process gets to know of this one's environment.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "RNN_LIB_IMDB", "USER", "LOGNAME"),
    *("SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "USERPROFILE"),  # Windows
)

_LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


_SETTINGS = ("seed", "timeout", "memory", "total_time", "is_sandboxed", "largest_output")


def execute(notebook: bytes, files: dict[str, bytes], settings: dict[str, object]) -> bytes:
    """Run and judge a notebook that came from another machine.

    Parameters
    ----------
    notebook : bytes
        As nbgrader prepared it.
    files : dict of str to bytes
        What stands in its folder, by name.
    settings : dict
        Of :class:`BoundedExecute`.

    Returns
    -------
    bytes
        The notebook with the outputs.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        resources, nb = {"metadata": {"path": folder}}, _notebook(notebook)
        os.environ[VARIABLE] = language_of(nb)
        executed, _ = BoundedExecute(**settings).preprocess(nb, resources)
    return _to_bytes(executed)


def _to_bytes(notebook: NotebookNode) -> bytes:
    return json.dumps(notebook).encode()  # half of an emoji comes through, too


def _notebook(content: bytes) -> NotebookNode:
    return from_dict(json.loads(content))


class KernelLost(Exception):
    """The kernel died in a cell, or would not stop."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(f"kernel lost in cell {index}")


class BoundedExecute(NbGraderPreprocessor):
    """The place of nbgrader's execution, with bounds on time, memory and output."""

    seed = Unicode("", help="What the checks draw their problems from").tag(config=True)
    timeout = Integer(120, help="Seconds for a cell").tag(config=True)
    memory = Float(4.0, help="Gigabytes for a notebook (Linux)").tag(config=True)
    total_time = Integer(900, help="Seconds for a whole notebook").tag(config=True)
    is_sandboxed = Bool(True, help="Whether student code runs in a sandbox").tag(config=True)
    is_elsewhere = Bool(False, help="Whether another machine runs it").tag(config=True)
    largest_output = Integer(1_000_000, help="Characters kept of a cell's output").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run all cells down to the last check; what stands below it cannot change a grade."""
        folder = Path(resources["metadata"]["path"]).resolve()
        if self.is_elsewhere:
            files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
            settings = {name: getattr(self, name) for name in _SETTINGS}
            return _notebook(ask(_to_bytes(nb), files, settings)), resources
        deadline = time.monotonic() + self.total_time
        lost: set[int] = set()
        starts_left = 3
        nb.metadata["language_info"] = _LANGUAGE
        while True:
            try:
                self._run(nb, folder, lost, deadline)
                return nb, resources
            except KernelLost as error:
                lost.add(error.index)
                if time.monotonic() > deadline:
                    return nb, resources
            except Ended:  # it died as it started: two kernels chose the same port
                starts_left -= 1
                if not starts_left:
                    raise RuntimeError("the kernel died as it started") from None

    def _run(self, nb: NotebookNode, folder: Path, lost: set[int], deadline: float) -> None:
        checks = [index for index, cell in enumerate(nb.cells) if _is_check(cell)]
        task = {
            "cells": nb.cells[: 1 + checks[-1] if checks else 0],
            "checks": checks,
            "lost": [*lost],
            "timeout": self.timeout,
            "seconds": max(0, deadline - time.monotonic()),
            "memory": self.memory,
            "largest_output": self.largest_output,
        }
        cells, began, verdicts = task["cells"], None, {}
        for index in checks:  # nothing is right that nobody has judged
            cells[index].outputs = []
            what = translated(Message("the notebook did not come to this check"))
            add_error(cells[index], "NotRun", what)
        with Process(task, folder, self.is_sandboxed) as process:
            while True:
                try:
                    kind, index, content = process.read()
                except Ended:
                    if began is None:
                        raise
                    kind, index = IS_LOST, began
                if kind == IS_DONE:
                    return
                if not 0 <= index < len(cells) or (kind == IS_LOST and index in lost):
                    raise RuntimeError("the student's code took the place of what runs it")
                if kind == IS_LOST:
                    raise KernelLost(index)
                if kind == BEGINS:
                    began = index
                elif kind == CROSSES and index == began and index in checks:
                    process.put_back((kind, index, content))
                    verdicts[index] = self._ask(cells[index], process, index)
                elif kind == ENDS:
                    cells[index].outputs = _outputs(content)
                    if index in checks:
                        _judge(cells[index], verdicts.pop(index, None))

    def _ask(self, cell: NotebookNode, process: "Process", index: int) -> Verdict | None:
        """Run the check of a cell, which waits for it."""
        check = called_check(cell.source)

        def receive() -> bytes:
            kind, about, content = process.read()
            if (kind, about) != (CROSSES, index):
                process.put_back((kind, about, content))
                raise Ended
            return content

        end = End(lambda content: process.write(CROSSES, index, content), receive, is_grader=True)
        with contextlib.suppress(Ended):
            return check and judge(check, end, self.seed)
        return None


def _is_check(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _outputs(content: bytes) -> list[NotebookNode]:
    """Read a cell's outputs; student code may have written anything."""
    try:
        outputs = from_dict(json.loads(content))
        for output in outputs:
            nbformat.validate(output, ref="output", version=4)
        return list(outputs)
    except Exception:
        return [new_output("stream", name="stdout", text="(outputs that cannot be read)\n")]


def _judge(cell: NotebookNode, verdict: Verdict | None) -> None:
    """Leave the outputs of a check that nbgrader should read, and add what the check says."""
    # nbgrader takes a warning for a failure, and a displayed number for a grade.
    cell.outputs = [o for o in cell.outputs if o.output_type in ("stream", "error")]
    for output in cell.outputs:
        if output.output_type == "stream":
            output.name = "stdout"
    if any(output.output_type == "error" for output in cell.outputs):
        return
    if verdict is None:
        what = Message("this check was not run: something else stood in its place")
        add_error(cell, "CheckReplaced", translated(what))
    elif verdict.error is not None:
        cell.metadata["mistake"] = verdict.mistake
        add_error(cell, type(verdict.error).__name__, str(verdict.error), verdict.traceback)
    else:
        cell.outputs.append(new_output("stream", name="stdout", text=verdict.printed))
        if verdict.is_half:
            points = f"{cell.metadata.nbgrader.points / 2:g}"
            cell.outputs.append(new_output("execute_result", data={"text/plain": points}))


class Process:
    """The process in which a notebook runs: it ends with all that it has started.

    Parameters
    ----------
    task : dict
        For :class:`classroom.runner.Runner`.
    folder : Path
        What was handed in: the notebook runs in a copy of it.
    is_sandboxed : bool
        Whether it runs in a sandbox.
    """

    def __init__(self, task: dict, folder: Path, is_sandboxed: bool) -> None:
        self._scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._command = [sys.executable, "-m", "classroom.runner"]
        copies = {str(folder): str(Path(self._scratch.name) / "homework")}
        if is_sandboxed:
            self._command, copies = sandbox.command(folder, self._command), sandbox.COPIES
        self._task = task | {"copies": copies, "is_sandboxed": is_sandboxed}
        self._waiting: list[tuple[bytes, int, bytes]] = []
        self._over = threading.Event()

    def __enter__(self) -> "Process":
        """Start it."""
        folders = {
            str(Path(module).resolve().parents[1]) for module in (__file__, rnn_lib.__file__)
        }
        known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        paths = {"PYTHONPATH": os.pathsep.join(folders), "TMPDIR": self._scratch.name}
        self._popen = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=known | paths,
        )
        threading.Thread(target=self._watch, daemon=True).start()
        with contextlib.suppress(Ended):
            self.write(b"T", 0, json.dumps(self._task).encode())
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it."""
        self._over.set()
        self._kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._popen.wait()
        self._scratch.cleanup()

    def read(self) -> tuple[bytes, int, bytes]:
        """Return the next message: its kind, the cell that it is about, its content.

        Raises
        ------
        Ended
            If there will be none.
        """
        return self._waiting.pop() if self._waiting else read_frame(self._popen.stdout)

    def put_back(self, message: tuple[bytes, int, bytes]) -> None:
        """Let a message be the next."""
        self._waiting.append(message)

    def write(self, kind: bytes, index: int, content: bytes) -> None:
        """Send a message.

        Raises
        ------
        Ended
            If nobody is there.
        """
        try:
            write_frame(self._popen.stdin, kind, index, content)
        except OSError:
            raise Ended from None

    def _watch(self) -> None:
        """Kill it if its time is up, or if all of it together is too large."""
        ends = time.monotonic() + self._task["seconds"] + _GRACE
        while not self._over.wait(0.5):
            family = self._family()
            used = sum(map(_memory, family)) / 1e9
            is_large = used > self._task["memory"] or len(family) > MOST_PROCESSES
            if is_large or time.monotonic() > ends:
                self._kill()

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._popen.pid)
            return [first, *first.children(recursive=True)]
        return []

    def _kill(self) -> None:
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0
