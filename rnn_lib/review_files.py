"""The text files of the data set, out of the authors' archive or its folder, read without trust.

Nothing is unpacked to disk, nothing read that is not one of the texts, and what could not be the
authors' is given up long before it fills the memory.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

NUMBER_AND_STARS = r"\d{1,9}_\d+\.txt"
REVIEW_FILE = re.compile(rf"(?:.*/)?(train|test)/(neg|pos|unsup)/({NUMBER_AND_STARS})")
URLS_FILE = re.compile(r"(?:.*/)?(train|test)/urls_(neg|pos|unsup)\.txt")

# Bytes, far more than the authors' archive has; what has more was not made by them.
MOST_IN_ALL = 1 << 30  # a file as it lies there, or the whole archive unpacked
_MOST_AT_ONCE = 64 << 20  # in the archive from one file's start to the next
_MOST_IN_TEXT = {REVIEW_FILE: 1 << 20, URLS_FILE: 16 << 20}


def files_in_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read every text file of the unpacked archive.

    Parameters
    ----------
    path : Path
        The folder aclImdb, or the one around it.

    Yields
    ------
    str, bytes
        Name, such as ``train/neg/0_3.txt``, and content.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If one is far too large.
    """
    root = path / "aclImdb" if (path / "aclImdb").is_dir() else path
    for pattern in ("*/urls_*.txt", "*/*/*.txt"):
        for file in root.glob(pattern):
            if _is_wanted(file.as_posix(), file.stat().st_size):
                yield file.relative_to(root).as_posix(), file.read_bytes()


class _Unpacked(gzip.GzipFile):
    """What the archive's compression hides, up to where the authors' would long have ended."""

    in_all = since_last = 0

    def read(self, size: int = -1) -> bytes:
        content = super().read(size)
        self.in_all += len(content)
        self.since_last += len(content)
        if self.in_all > MOST_IN_ALL or self.since_last > _MOST_AT_ONCE:
            raise ValueError("it unpacks to far more than the authors' archive")
        if not content:  # tarfile would take it for the end, or wait for more without end
            raise EOFError("it ends without an end marker")
        return content


# All of what gzip and tarfile were seen to raise where bytes are wrong, and our own.
_DAMAGE = tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RecursionError, ValueError


def files_in_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read every text file of the archive, in one go.

    Parameters
    ----------
    path : Path
        The archive.

    Yields
    ------
    str, bytes
        Name, such as ``aclImdb/train/neg/0_3.txt``, and content.

    Raises
    ------
    OSError
        If the archive cannot be read.
    ValueError
        If it is another kind of file, damaged, not complete, or far too large.
    """
    try:
        with _Unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                stream.since_last = 0
                archive.members = []  # tarfile would remember every one
                if member.isfile() and _is_wanted(member.name, member.size):
                    yield member.name, archive.extractfile(member).read()
            # Only at the end of the file does gzip compare its checksum.
            padding = gzip.GzipFile.read(stream, _MOST_AT_ONCE)
            if len(padding) == _MOST_AT_ONCE or padding.strip(b"\0"):
                raise ValueError("it goes on after its end marker")
    except _DAMAGE as error:
        raise ValueError(
            f"{path}: expected the archive aclImdb_v1.tar.gz; it is another kind of file, "
            f"or not complete: {error}"
        ) from error


def _is_wanted(name: str, size: int) -> bool:
    """Tell our text files from others; one of ours that is far too large is no text."""
    for pattern, most in _MOST_IN_TEXT.items():
        if pattern.fullmatch(name):
            if size > most:
                raise ValueError(f"expected at most {most} bytes in {name}, got {size}")
            return True
    return False
