"""The sandbox in which students' notebooks run: Linux namespaces, made by bubblewrap.

Inside there are Python and its packages, the course's code and its data, all read-only, and a
small empty disk. There is no network, no other process, nothing of the teacher's home, the lessons,
the gradebook or another submission, and no way out but the pipe.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib

import rnn_lib
from classroom.lessons import ROOT

DISK = 500_000_000
"""Bytes that a notebook may write, in files and again in shared memory."""

_COURSE, _HANDED_IN, _FONTS, _DISK = "/course", "/handed-in", "/fonts", "/tmp"

COPIES = {_HANDED_IN: f"{_DISK}/homework", _FONTS: f"{_DISK}/matplotlib"}
"""What is copied inside, since programs write there: the working folder, matplotlib's own."""


def command(folder: Path, inside: list[str]) -> list[str]:
    """Return the command that runs another one in a sandbox of its own.

    Parameters
    ----------
    folder : Path
        What the student handed in.
    inside : list of str
        The command to run, with the course's code on its path.
    """
    bwrap = shutil.which("bwrap") or "bwrap"
    options = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    options += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
    options += ["--proc", "/proc", "--dev", "/dev"]
    for disk in (_DISK, "/dev/shm"):
        options += ["--size", str(DISK), "--tmpfs", disk]
    for path, place in _readable(folder):
        options += ["--ro-bind", str(path), place]
    for path in map(Path, ("/bin", "/sbin", "/lib", "/lib32", "/lib64")):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _DISK, "--clearenv"]
    for name, value in _environment().items():
        options += ["--setenv", name, value]
    return [bwrap, *options, "--", *inside]


def _readable(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what can be read inside, and where it stands there."""
    paths = ["/usr", sys.base_prefix, sys.prefix, os.environ.get("RNN_LIB_IMDB", "")]
    paths += [f"/etc/{name}" for name in ("ld.so.cache", "alternatives", "fonts", "localtime")]
    yield from ((Path(path), path) for path in paths if path and Path(path).exists())
    yield folder, _HANDED_IN
    yield Path(matplotlib.get_cachedir()), _FONTS
    for code in (Path(rnn_lib.__file__), Path(__file__)):
        yield code.parent, f"{_COURSE}/{code.parent.name}"
    for name in ("data", "pyproject.toml"):  # by which rnn_lib knows its data
        if (ROOT / name).exists():
            yield ROOT / name, f"{_COURSE}/{name}"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin"))
    own = {"HOME": f"{_DISK}/home", "TMPDIR": _DISK, "PATH": path, "PYTHONPATH": _COURSE}
    own["MPLCONFIGDIR"] = COPIES[_FONTS]
    if "RNN_LIB_IMDB" in os.environ:
        own["RNN_LIB_IMDB"] = os.environ["RNN_LIB_IMDB"]
    return kept | own


def why_not() -> str:
    """Try it; return why there is no sandbox on this machine, "" if there is one."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    for path, _ in _readable(anything := Path(__file__).parent):
        if Path.home().is_relative_to(path) or ROOT.is_relative_to(path):
            return f"Python's own folder {path} holds more than Python"
    trial = command(anything, [sys.executable, "-c", "import classroom.crossing"])
    try:
        tried = subprocess.run(trial, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = tried.stderr.strip().splitlines()
    return "" if tried.returncode == 0 else (said or ["bubblewrap fails"])[-1]
