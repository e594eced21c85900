"""Run a student's notebook, whatever its code does: ``python -m classroom.runner``.

This is what stands around the kernel, in a process of its own: inside the sandbox, where there is
one. What to run comes through the pipe, and what came of it goes back, cell by cell; between a cell
with a check and the grader it only hands messages on. Nothing that it says is trusted, since
student code may have taken its place.

Student code loops forever, exhausts the memory, prints a gigabyte, or ends the process. Each of
these costs the points of the cells that depend on it, and no others: a cell that takes too long is
interrupted; one that ends the kernel ends this process, and is left out when all is run again.
"""

import contextlib
import json
import os
import secrets
import shutil
import sys
import threading
import time
from multiprocessing.connection import Connection, Listener
from typing import BinaryIO

sys.modules["rfc3987_syntax"] = None  # checks of web addresses, which take a second to import

from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbformat.notebooknode import NotebookNode, from_dict  # noqa: E402
from nbformat.v4 import new_output  # noqa: E402

from classroom.crossing import ADDRESS, KEY, LARGEST, Ended, read_frame, write_frame  # noqa: E402

try:
    import resource
except ImportError:  # Windows
    resource = None

BEGINS, CROSSES, ENDS, IS_LOST, IS_DONE = b"B", b"C", b"E", b"L", b"D"
"""What a message says: a cell begins, a check's message crosses, a cell has ended with these
outputs, it has ended the kernel, all is done."""

MOST_PROCESSES = 64
"""Of one notebook; the grader counts them."""

_MOST_THREADS = 512  # at once, until the grader has counted

_LEFT_OUT = "\n... the rest of the output is left out ...\n"

# What a kernel does first: it takes its folder off the path, exchanges the checks, and puts its
# folder last, so that a student's module never takes the place of another of that name; and it
# forgets how to end itself, which exit() and quit() would have it do in the middle of the notebook.
_AT_THE_START = (
    "__import__('sys').path[:] = filter(None, __import__('sys').path)",
    "__import__('classroom.inside').inside.install()",
    "__import__('sys').path.append('')",
    "get_ipython().ask_exit = lambda: print('exit() ends nothing here: the notebook goes on')",
)

# One thread per kernel: notebooks are graded side by side.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Runner(NotebookClient):
    """The client of a kernel, with bounds on time, memory and output.

    Parameters
    ----------
    task : dict
        ``cells`` to run; of these, by index, the ``checks`` and those to leave out, ``lost``; the
        limits ``timeout``, ``seconds``, ``memory`` and ``largest_output``.
    wire : Wire
        The way out.
    """

    def __init__(self, task: dict, wire: "Wire") -> None:
        self._task, self._wire = task, wire
        self._deadline = time.monotonic() + task["seconds"]
        notebook = from_dict({"cells": task["cells"], "metadata": {}})
        super().__init__(
            notebook,
            kernel_manager_class=AsyncKernelManager,
            kernel_name="python3",
            timeout=task["timeout"],
            interrupt_on_timeout=True,
            allow_errors=True,
            raise_on_iopub_timeout=True,
            shutdown_kernel="immediate",
            extra_arguments=[f"--IPKernelApp.exec_lines={line}" for line in _AT_THE_START],
            on_cell_executed=_record_error,
        )

    def run(self, folder: str) -> None:
        """Run all cells in a folder; tell the grader of each."""
        with self.setup_kernel(env=os.environ | _ONE_THREAD | self._wire.variables, cwd=folder):
            if hasattr(resource, "prlimit"):
                limit = int(self._task["memory"] * 1e9)
                resource.prlimit(self.km.provisioner.pid, resource.RLIMIT_AS, (limit, limit))
            self.wait_for_reply(self.kc.kernel_info())
            for index, cell in enumerate(self.nb.cells):
                if cell.cell_type == "code":
                    self._wire.say(BEGINS, index)
                    self._run(index, cell)
                    self._wire.say(ENDS, index, json.dumps(cell.outputs).encode())
            self._wire.say(IS_DONE)

    def _run(self, index: int, cell: NotebookNode) -> None:
        cell.outputs, self._n_characters = [], 0
        if index in self._task["lost"]:
            add_error(cell, "KernelLost", "this cell ended the kernel, or could not be stopped")
            return
        if time.monotonic() > self._deadline:
            add_error(cell, "NotRun", "the notebook had used up its time")
            return
        self._wire.open_for(index if index in self._task["checks"] else None)
        try:
            self.execute_cell(cell, index)
        except Exception:  # dead, unresponsive, or sending malformed messages
            self._wire.say(IS_LOST, index)
            os._exit(1)
        finally:
            self._wire.open_for(None)

    def _get_timeout(self, cell):
        left = max(1, self._deadline - time.monotonic())
        return min(self.timeout or left, left)

    async def _async_handle_timeout(self, timeout, cell=None):
        message = f"this cell took longer than {timeout:.0f} seconds"
        self.error_on_timeout = {
            "ename": "CellTimeoutError",
            "evalue": message,
            "traceback": [f"CellTimeoutError: {message}"],
        }
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(self, msg, cell, cell_index):
        """Keep a cell's output, up to a limit."""
        content = msg["content"]
        if msg["msg_type"] == "error":
            content["evalue"] = content["evalue"][:10_000]
            content["traceback"] = [line[:10_000] for line in content["traceback"]]
        elif msg["msg_type"] == "stream" or "data" in content:
            largest = self._task["largest_output"]
            had_room = self._n_characters < largest
            parts = [content.get("text", ""), *map(str, content.get("data", {}).values())]
            self._n_characters += sum(map(len, parts))
            if self._n_characters > largest:
                if had_room:
                    cell.outputs.append(new_output("stream", name="stdout", text=_LEFT_OUT))
                return None
        return super().process_message(msg, cell, cell_index)


def _record_error(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
    """Record the error that the kernel replied, if no output says it, as after an interruption."""
    reply = execute_reply["content"]
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    if reply["status"] == "error" and reply["ename"] not in errors:
        add_error(cell, reply["ename"], reply["evalue"], reply["traceback"])


def add_error(
    cell: NotebookNode, name: str, message: str, traceback: list[str] | None = None
) -> None:
    """Add an error to what a cell puts out."""
    traceback = traceback or [f"{name}: {message}"]
    cell.outputs.append(new_output("error", ename=name, evalue=message, traceback=traceback))


class Wire:
    """The pipe to the grader, and the way for a check's messages between it and the kernel."""

    def __init__(self, from_grader: BinaryIO, to_grader: BinaryIO) -> None:
        self._from_grader, self._to_grader = from_grader, to_grader
        self._writing = threading.Lock()
        self._index = self._kernel = None
        key = secrets.token_bytes()
        self._listener = Listener(authkey=key)
        self.variables = {ADDRESS: self._listener.address, KEY: key.hex()}
        for pump in (self._accept, self._hand_in):
            threading.Thread(target=pump, daemon=True).start()

    def say(self, kind: bytes, index: int = 0, content: bytes = b"") -> None:
        """Send a message to the grader."""
        with self._writing:
            write_frame(self._to_grader, kind, index, content)

    def open_for(self, index: int | None) -> None:
        """Let the messages of one cell's check pass, or none."""
        self._index = index

    def _accept(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                kernel, index = self._listener.accept(), self._index
                if index is None:
                    kernel.close()
                else:
                    self._kernel = kernel
                    threading.Thread(
                        target=self._hand_out, args=(kernel, index), daemon=True
                    ).start()

    def _hand_out(self, kernel: Connection, index: int) -> None:
        with kernel, contextlib.suppress(EOFError, OSError):
            while True:
                self.say(CROSSES, index, kernel.recv_bytes(LARGEST))

    def _hand_in(self) -> None:
        while True:
            try:
                _, index, content = read_frame(self._from_grader)
            except Ended:
                os._exit(1)
            with contextlib.suppress(Exception):
                if index == self._index:
                    self._kernel.send_bytes(content)


def main() -> None:
    """Run what comes through the pipe, in a copy of what was handed in."""
    pipe = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")  # a kernel inherits 0, 1, 2
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    task = json.loads(read_frame(pipe[0])[2])
    for source, copy in task["copies"].items():
        shutil.copytree(source, copy)
    if hasattr(resource, "RLIMIT_NPROC") and task["is_sandboxed"]:  # elsewhere all of a user count
        resource.setrlimit(resource.RLIMIT_NPROC, (_MOST_THREADS, _MOST_THREADS))
    Runner(task, Wire(*pipe)).run(next(iter(task["copies"].values())))
    os._exit(0)


if __name__ == "__main__":
    main()
