"""Run notebooks on other machines, with dask.distributed.

A notebook goes there as nbgrader prepared it, with the files beside it, the limits and the seed of
this hand-in; it comes back executed and judged. All else stays here: the lessons, the gradebook,
the course's secret, names. A machine that is lost loses nothing, since dask runs its notebooks
again on another.
"""

import functools
import multiprocessing
from concurrent.futures import CancelledError

from distributed import Client
from distributed.scheduler import KilledWorker

from classroom import sandbox
from classroom.course import code
from classroom.execution import execute
from classroom.processes import Workers
from rnn_lib.language import Message

_PATIENCE = 10  # seconds for a scheduler to answer


class Cluster:
    """The workers of a scheduler.

    Parameters
    ----------
    address : str
        The scheduler's, such as ``tcp://10.0.0.5:8786``.
    is_sandboxed : bool
        Whether student code runs in a sandbox there.

    Attributes
    ----------
    n_workers, n_at_once : int
        How many workers there are, and how many notebooks they run at once.

    Raises
    ------
    RuntimeError
        If it cannot be reached, or one of its workers cannot grade as this process would.
    """

    def __init__(self, address: str, is_sandboxed: bool) -> None:
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"No scheduler answers at {address}: {error}") from None
        threads = self._client.nthreads()
        self.n_workers, self.n_at_once = len(threads), sum(threads.values())
        if not threads:
            raise RuntimeError(f"The scheduler at {address} has no workers yet.")
        found = self._client.run(_expect_equal, code(), is_sandboxed, on_error="return")
        for worker, error in found.items():
            if error:
                raise RuntimeError(f"At {worker}: {error}")

    def execute(self, notebook: bytes, files: dict[str, bytes], settings: dict) -> bytes:
        """Do there what :func:`classroom.execution.execute` does.

        Raises
        ------
        RuntimeError
            If it failed; the message is a reason for the table.
        ConnectionAbortedError
            If the scheduler is lost.
        """
        job = self._client.submit(_execute, notebook, files, settings, code(), pure=False)
        try:
            return job.result()
        except KilledWorker:
            what = "grading failed: each worker that tried it was killed"
            raise RuntimeError(Message(what)) from None
        except CancelledError:
            raise ConnectionAbortedError("The scheduler was lost.") from None

    def close(self) -> None:
        """Leave; what is running there ends by itself."""
        self._client.close()


# -- on a worker ----------------------------------------------------------------------------------


def _execute(notebook: bytes, files: dict[str, bytes], settings: dict, expected: bytes) -> bytes:
    _expect_equal(expected, settings["is_sandboxed"])  # it may have come later than the others
    return _workers().run(execute, notebook, files, settings, memory=settings["memory"])


@functools.cache  # errors are not kept
def _expect_equal(expected: bytes, is_sandboxed: bool) -> None:
    """Make sure that a notebook gets the same points here as where the class is.

    Raises
    ------
    RuntimeError
        If it would not.
    """
    if code() != expected:
        raise RuntimeError("a worker has another version of the course: update and restart it")
    if is_sandboxed and (reason := sandbox.why_not()):
        raise RuntimeError(f"a worker has no sandbox ({reason})")


@functools.cache
def _workers() -> Workers:
    # dask's nanny makes a daemon of its worker, which may have no children. Ours end with it.
    multiprocessing.current_process().daemon = False
    return Workers(preload=__name__)  # dask, too: every process imports the main module
