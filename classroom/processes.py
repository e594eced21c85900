"""Functions that run in a process of their own, bounded and killed with all that it has started."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import psutil

from classroom.repair import named
from rnn_lib.language import Message, translated

try:
    import resource
except ImportError:  # Windows
    resource = None

FAILED = "grading failed: {error}"

_PR_SET_CHILD_SUBREAPER = 36
_OWN_MEMORY = 4  # gigabytes of addresses, of which few are used
_LONGEST = 1200  # seconds; more than BoundedExecute.total_time, which stops gently
_ASKS, _RETURNS, _FAILS = "asks", "returns", "fails"


class Workers:
    """The processes of this one; none outlives it.

    Parameters
    ----------
    answer : callable, optional
        Called here, when a function that runs there calls :func:`ask`.
    preload : str
        The module that all of them need.
    """

    def __init__(self, answer: Callable | None = None, preload: str = "classroom.worker") -> None:
        self.answer = answer
        # nbgrader takes two seconds to import. Where there is a fork server, it does so once.
        method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
        self._context = get_context(method)
        self._context.set_forkserver_preload([preload])
        self._running: set[BaseProcess] = set()
        self._stopped = False

    def run(self, function: Callable, *args: object, memory: float) -> object:
        """Call a function in a new process, with so many gigabytes; return what it returns.

        Raises
        ------
        RuntimeError
            If it failed; the message is a reason for the table.
        """
        if self._stopped:
            raise RuntimeError("stopped")
        pipe, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, memory, function, args))
        process.start()
        theirs.close()
        self._running.add(process)
        try:
            kind, content = _receive(pipe)
            while kind == _ASKS:
                pipe.send(self.answer(*content))
                kind, content = _receive(pipe)
        except (EOFError, BrokenPipeError):
            raise RuntimeError(Message("grading failed: its process was killed")) from None
        finally:
            _kill(process)
            self._running.discard(process)
        if kind == _FAILS:
            raise RuntimeError(content)
        return content

    def kill(self) -> None:
        """Kill all processes."""
        self._stopped = True
        for process in list(self._running):
            _kill(process)


def _receive(pipe: Connection) -> tuple[str, object]:
    if not pipe.poll(_LONGEST):
        what = "grading did not end within {n} minutes"
        raise RuntimeError(Message(what, n=_LONGEST // 60))
    return pipe.recv()


def _kill(process: BaseProcess) -> None:
    """Kill a process and its descendants; kernels are sessions of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(process.pid)
        for member in [*first.children(recursive=True), first]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    process.join()


# -- in the process -------------------------------------------------------------------------------

_pipe: Connection | None = None


def ask(*question: object) -> object:
    """Return what the process that started this one answers."""
    _pipe.send((_ASKS, question))
    return _pipe.recv()


def _work(pipe: Connection, memory: float, function: Callable, args: tuple) -> None:
    """Call a function; send back what it returns, or an error's text."""
    global _pipe
    _pipe = pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if sys.platform == "linux":
        # What student code leaves running becomes our child, and is killed with us.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        # A check trains what student code describes; what that needs is bounded, too.
        limit = int((memory + _OWN_MEMORY) * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # nbgrader's log
        os.dup2(nowhere, stream)
    try:
        pipe.send((_RETURNS, function(*args)))
    except RuntimeError as error:  # nbgrader's own words
        pipe.send((_FAILS, translated(Message(FAILED, error=str(error)))))
    except Exception as error:
        pipe.send((_FAILS, translated(Message(FAILED, error=named(error)))))
    # Wait to be killed: if we ended by ourselves, our descendants could no longer be found.
    threading.Event().wait()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
