"""Files that are written whole or not at all, and never over somebody's work.

What was generated is remembered by its hash in a file beside it. A file that is no longer what was
generated counts as work, even if it was only run and saved. Reading what students hand in is left
to :mod:`classroom.submissions`.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import nbformat
from nbformat import NotebookNode

from rnn_lib import storage

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

_REMEMBERED = ".generated.json"
_FAR = 1 << 20  # Windows locks bytes, and nobody can read those: beyond all that is written


def to_bytes(notebook: NotebookNode, errors: str = "strict") -> bytes:
    """Return a notebook as it stands in a file; `errors` as for ``str.encode``."""
    return (nbformat.writes(notebook) + "\n").encode(errors=errors)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, into a folder that is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_whole(path, content)


@contextlib.contextmanager
def renewed(folder: Path, *names: str) -> Iterator[Path]:
    """Exchange some of a folder's files, all of them or none.

    Parameters
    ----------
    folder : Path
        It is made if there is none.
    *names : str
        Of files and folders in it. What is not written again is removed; all others stay.

    Yields
    ------
    Path
        An empty folder. What has been written into it is moved when the block ends; nothing is if
        the block raises an error, such as that of a full disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new, old = (folder / f".{age}" for age in ("new", "old"))
    for leftover in (new, old):  # of a call that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir()
    try:
        yield new
        old.mkdir()
        for name in names:
            for path, to in ((folder / name, old / name), (new / name, folder / name)):
                if path.exists():
                    os.replace(path, to)
    finally:
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)


def lock(folder: Path, wording: str) -> IO[str]:
    """Let one process at a time work in a folder.

    Parameters
    ----------
    folder : Path
        It is made if there is none.
    wording : str
        Who is at work: what another process is told.

    Returns
    -------
    file
        The lock, which ends when it is closed, or with the process, however that ends.

    Raises
    ------
    BlockingIOError
        If another process is at work; the message is its wording.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "at_work.txt").open("a+", encoding="utf-8")
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        file.seek(0)
        told = file.read()
        file.close()
        raise BlockingIOError(told) from None
    file.truncate(0)
    file.write(wording)
    file.flush()
    return file


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed had begun to write into a folder."""
    for path in folder.rglob(storage.UNFINISHED):
        path.unlink(missing_ok=True)


def write_generated(folder: Path, files: dict[str, bytes], keep_both: bool = False) -> list[Path]:
    """Write generated files into a folder in which somebody may have worked.

    Parameters
    ----------
    folder : Path
        It is made if there is none.
    files : dict of str to bytes
        Contents by name.
    keep_both : bool
        Whether to write beside a file that has been edited, under another name.

    Returns
    -------
    list of Path
        Where the contents stand now.

    Raises
    ------
    WorkedOn
        If a file has been edited and `keep_both` is not set; then nothing is written at all.
    """
    generated = _remembered(folder)

    def is_work(path: Path, content: bytes) -> bool:
        known = {generated.get(path.name), _hash(content)}
        return path.exists() and _hash(path.read_bytes()) not in known

    works = [folder / name for name, content in files.items() if is_work(folder / name, content)]
    if works and not keep_both:
        raise WorkedOn(works)
    written = []
    for name, content in files.items():
        free = (path for path in _names(folder / name) if not is_work(path, content))
        written.append(next(free))
        write_whole(written[-1], content)
        generated[written[-1].name] = _hash(content)
    write_whole(folder / _REMEMBERED, json.dumps(generated, indent=1).encode())
    return written


class WorkedOn(FileExistsError):
    """Files have been edited since they were generated: they hold somebody's work."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        super().__init__(f"edited since they were generated: {', '.join(map(str, paths))}")


def _remembered(folder: Path) -> dict[str, str]:
    """Return the hashes of generated files by name, none if they cannot be read."""
    try:
        return dict(json.loads((folder / _REMEMBERED).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _names(path: Path) -> Iterator[Path]:
    """Yield a.ipynb, a-new.ipynb, a-new-2.ipynb, a-new-3.ipynb ..."""
    yield path
    yield path.with_stem(f"{path.stem}-new")
    for n in itertools.count(2):
        yield path.with_stem(f"{path.stem}-new-{n}")


def shown(path: Path) -> str:
    """Return a path as a person in the project's folder writes it."""
    return os.path.relpath(path)
