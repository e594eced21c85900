"""Fuzz what reads files, guided by coverage: whatever a file holds, it is read or rejected.

    python tests/fuzz_readers.py READER MINUTES

READER is archive or csv (`load_reviews`), notebook (one that is handed in: all that `make grade`
does up to executing it) or zip (of notebooks). A find is any error but those that a reader
announces, or more than ten seconds, or more than 1 GB. The run goes on after it; the smallest file
for each is kept in build/fuzz/. This is no test, and only a person runs it. It needs `pip install
atheris`, and Linux.
"""

import argparse
import contextlib
import copy
import functools
import gzip
import io
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import atheris
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# Atheris sees into what is imported here.
WATCHED = ["rnn_lib", "classroom", "nbformat", "tarfile", "zipfile"]
with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=WATCHED):
    import tarfile
    import zipfile

    import nbformat

    from classroom.edition import student_edition
    from classroom.files import to_bytes
    from classroom.lessons import lesson_paths, read
    from classroom.submissions import collect, student_id
    from rnn_lib import load_reviews

FINDS = ROOT / "build" / "fuzz"
RAM = Path("/dev/shm")
FOLDER = Path(tempfile.mkdtemp(dir=RAM if RAM.is_dir() else None))
SECONDS, BYTES = 10, 1 << 30

# Only what grading looks for, so that many can be read in a second.
LESSONS = {path.stem: read(path) for path in lesson_paths()}
for lesson in LESSONS.values():
    asked = [c for c in lesson.cells if "nbgrader" in c.metadata or "### Exercise" in c.source]
    lesson.cells = asked or lesson.cells[:3]


# -- readers, which say whether they accept a file, and what they should accept -------------------


def read_archive(path):
    """Read a tar, changed inside or out, as the .tar.gz that it should be."""
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        path.write_bytes(gzip.compress(content, 1, mtime=0))
    return len(load_reviews(path)) > 0


def read_submissions(source):
    submissions = collect(source, LESSONS)
    for submission in submissions:  # grading makes folders, tables and notebooks of them
        assert "reading failed" not in submission.problem, submission.problem  # not thought of
        student_id(submission.student)
        f"{submission.student}{submission.file}{submission.problem}".encode()
        if submission.notebook is not None:
            nbformat.validate(nbformat.reads(to_bytes(submission.notebook), as_version=4))
    return any(submission.notebook is not None for submission in submissions)


def archives():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in ("train/neg", "train/pos", "test/neg", "test/pos"):
            texts = {f"{part}/0_7.txt": "Café: rain, one joke.", f"{part}/1_8.txt": "So-so<br />"}
            texts[part.replace("/", "/urls_") + ".txt"] = "http://imdb.com/title/tt0000007/u\n" * 2
            for name, text in texts.items():
                member = tarfile.TarInfo(f"aclImdb/{name}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
    return [stream.getvalue(), gzip.compress(stream.getvalue())]


def csvs():
    parts = ("train,neg", "train,pos", "train,unsup", "test,neg", "test,pos")
    rows = [f'"Long, ""deep"", dull",{part},0_7.txt' for part in parts]
    return ["\n".join(["review,type,label,file", *rows, ""]).encode()]


def notebooks():
    edition = student_edition(LESSONS["01_forward"])
    return [to_bytes(edition), nbformat.writes(nbformat.convert(edition, 3)).encode()]


def zips():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, notebook in zip("AB", notebooks(), strict=True):
            archive.writestr(f"{student}/01_forward.ipynb", notebook)
    return [stream.getvalue()]


READERS = {  # how, the file, what is accepted, which errors are announced
    "archive": (read_archive, "a.tar.gz", archives, ValueError),
    "csv": (lambda path: len(load_reviews(path)) > 0, "a.csv", csvs, ValueError),
    # A zip may be refused; one student's notebook must not stop the class.
    "notebook": (lambda path: read_submissions(path.parent), "A_01_forward.ipynb", notebooks, ()),
    "zip": (read_submissions, "a.zip", zips, ValueError),
}


# -- changes --------------------------------------------------------------------------------------

ODD = [None, True, 0, -1, 2.5, 10**400, float("inf"), float("nan"), "", "\0", "\ud800", [], {}]


def change(valid, content, max_size, seed):
    """Change bytes or, as often, what they mean: then checksums and syntax stay right."""
    random = Random(seed)
    if random.random() < 0.5:
        for start in random.sample([content, random.choice(valid)], 2):
            with contextlib.suppress(Exception):  # it means nothing any more
                changed = change_inside(start, max_size, random)
                if len(changed) <= max_size:
                    return changed
    return atheris.Mutate(content, max_size)


def change_inside(content, max_size, random):
    if content.startswith(b"PK"):
        return change_zip(content, max_size, random)
    if content.lstrip().startswith(b"{"):
        return change_json(content, random)
    changed = atheris.Mutate(content, max_size)
    return with_checksums(changed) if content[257:262] == b"ustar" else changed


def change_zip(content, max_size, random):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [[member, archive.read(member)] for member in archive.infolist()]
    one, other = random.choice(members), random.choice(members)
    match random.randrange(8):
        case 0:
            members.remove(one)
        case 1:
            one[1] = other[1]
        case _:
            one[1] = change_inside(one[1], max_size, random)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for member, inside in members:
            archive.writestr(member, inside, member.compress_type)
    return stream.getvalue()


def change_json(content, random):
    tree = json.loads(content)
    places = list(places_in(tree))
    (inside, key), (other, its_key) = random.choice(places), random.choice(places)
    match random.randrange(5):
        case 0:
            inside[key] = copy.copy(random.choice(ODD))
        case 1:
            inside[key] = copy.deepcopy(other[its_key])
        case 2:
            del inside[key]
        case 3:
            for _ in range(random.choice([1, 100, random.randrange(1000)])):
                inside[key] = random.choice([[inside[key]], {"a": inside[key]}])
        case 4:
            text = atheris.Mutate(str(inside[key]).encode(), 1000).decode(errors="replace")
            inside[key] = int(text) if isinstance(inside[key], int) else text
    return json.dumps(tree).encode()


def places_in(tree):
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from places_in(value)


def with_checksums(tar):
    """Put into each header the sum of its bytes, at which tarfile looks first."""
    tar = bytearray(tar)
    for start in range(0, len(tar) - 511, 512):
        if tar[start + 257 : start + 262] == b"ustar":
            tar[start + 148 : start + 156] = b" " * 8
            tar[start + 148 : start + 156] = b"%06o\0 " % sum(tar[start : start + 512])
    return bytes(tar)


# -- the run --------------------------------------------------------------------------------------


class TooLong(BaseException):
    """No Exception: what catches those must not catch this one."""


def too_long(*_):
    raise TooLong(f"more than {SECONDS} seconds")


class Run:
    """What came of all inputs so far."""

    def __init__(self, name, minutes):
        self.name, self.minutes, self.end = name, minutes, time.monotonic() + 60 * minutes
        self.read_file, file, _, self.announced = READERS[name]
        self.path = FOLDER / "input" / file
        self.counts, self.finds = Counter(), Counter()

    def one_input(self, content):
        if time.monotonic() > self.end:
            self.stop()
        self.path.write_bytes(content)
        try:
            signal.alarm(SECONDS)
            came_of_it = "accepted" if self.read_file(self.path) else "refused"
        except self.announced:
            came_of_it = "refused"
        except (Exception, TooLong) as error:
            came_of_it = "finds"
            self.note(error)
        finally:
            signal.alarm(0)
        self.counts[came_of_it] += 1

    def note(self, error):
        """Keep the smallest file for each kind of error and innermost line of ours."""
        folders = [ROOT / name for name in ("rnn_lib", "classroom", "tests")]
        for frame in traceback.extract_tb(error.__traceback__):
            if any(Path(frame.filename).is_relative_to(folder) for folder in folders):
                place = f"{Path(frame.filename).stem}-{frame.lineno}"
        find = f"{self.name}-{type(error).__name__}-{place}{self.path.suffix}"
        if find not in self.finds:
            print("", find, *traceback.format_exception(error)[-12:], sep="\n", flush=True)
        self.finds[find] += 1
        kept, size = FINDS / find, self.path.stat().st_size
        if not kept.exists() or size < kept.stat().st_size:
            shutil.copyfile(self.path, kept)

    def stop(self):
        n, peak = self.counts.total(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"{n:,} inputs in {self.minutes:g} minutes, at most {peak:.0f} MB:")
        print(", ".join(f"{n:,} {what}" for what, n in self.counts.items()))
        for find, n in self.finds.items():
            print(f"    {find}: {n:,} times, smallest file {(FINDS / find).stat().st_size:,} bytes")
        sys.stdout.flush()
        shutil.rmtree(FOLDER)
        os._exit(bool(self.finds))  # atheris knows no other end than an error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("minutes", type=float)
    arguments = parser.parse_args()
    run = Run(arguments.reader, arguments.minutes)
    corpus = FOLDER / "corpus"
    for folder in (FINDS, run.path.parent, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    logging.disable()
    signal.signal(signal.SIGALRM, too_long)
    limit = psutil.Process().memory_info().vms + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    valid = READERS[run.name][2]()
    for number, content in enumerate(valid):
        (corpus / str(number)).write_bytes(content)
        run.one_input(content)
    if run.counts["accepted"] < len(valid):
        sys.exit("A file that should be accepted is not.")
    longest = 2 * max(map(len, valid))
    options = ["-verbosity=0", "-rss_limit_mb=0", "-mutate_depth=2", f"-max_len={longest}"]
    mutator = functools.partial(change, valid)
    atheris.Setup([sys.argv[0], *options, str(corpus)], run.one_input, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
