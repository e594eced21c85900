"""Data that are damaged, half there, hostile or out of reach: a clear error, and nothing lost."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import itertools
import os
import random
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pooch  # noqa: F401  # now: a process without rights may not be able to
import pytest
from test_imdb import PROJECT, SilentHandler, downloading, same, write_archive

from rnn_lib import imdb, review_files
from rnn_lib.imdb import load_imdb, load_reviews

pytestmark = pytest.mark.lesson4

GROUPS = list(itertools.product(("train", "test"), ("neg", "pos")))
NO_ARCHIVE = "the archive is damaged, or incomplete"
posix = pytest.mark.skipif(sys.platform == "win32", reason="rights and limits of POSIX")


@pytest.fixture(autouse=True)
def nothing_else_lies_around(monkeypatch, tmp_path):
    monkeypatch.delenv("RNN_LIB_IMDB", raising=False)
    monkeypatch.setattr(imdb, "data_folder", lambda: tmp_path / "downloads")


@pytest.fixture
def files():
    """Three reviews a group, and urls that list them."""
    contents = {}
    for kind, label in GROUPS:
        for number in range(3):
            review = f"Film {number} is a {label} one, say those who {kind}."
            contents[f"aclImdb/{kind}/{label}/{number}_7.txt"] = review.encode()
        urls = b"http://www.imdb.com/title/tt0000001/usercomments\n" * 3
        contents[f"aclImdb/{kind}/urls_{label}.txt"] = urls
    return contents


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.fixture(params=[write_archive, write_folder])
def write(request, tmp_path):
    """Write the files, as archive or as folder, and return its path."""
    return functools.partial(request.param, tmp_path / "reviews")


@pytest.fixture
def archive(files, tmp_path):
    return write_archive(tmp_path / "aclImdb_v1.tar.gz", files)


def everything(folder):
    """All that is in a folder, and what it holds."""
    return {path: path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


@contextlib.contextmanager
def disk_full(n_bytes):
    """Let no file grow beyond so many bytes."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def no_right_to_write(folder):
    """Be somebody who may read there and no more, even where the tests run as root."""
    folder.chmod(0o555)
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


# Archives: hostile ones

ZEROS = gzip.compress(bytes(64 << 20))


def header(name, size, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse(size):
    """An archive of one byte, which says that it is so many, with nothing in between."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("aclImdb/train/neg/0_3.txt")
        member.size = 1
        member.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(size)}
        archive.addfile(member, io.BytesIO(b"a"))
    return content.getvalue()


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "no archive of files"),
        (header("aclImdb/train/neg/0_3.txt", 10 << 30), "unpacks to far more"),
        (header("aclImdb/train/urls_neg.txt", 10 << 30), "unpacks to far more"),
        (header("aclImdb/other", 10 << 30), "unpacks to far more"),
        (header("a name", 10 << 30, tarfile.GNUTYPE_LONGNAME), "unpacks to far more"),
        (header("a table", 10 << 30, tarfile.XHDTYPE), "unpacks to far more"),
    ],
)
def test_ten_gigabytes_out_of_ten_megabytes(start, reason, tmp_path):
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(start) + ZEROS * 160)
    tracemalloc.start()
    with pytest.raises(ValueError, match=reason):
        load_reviews(path)
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()


def test_text_that_claims_a_petabyte_is_not_read(tmp_path):
    (tmp_path / "sparse.tar.gz").write_bytes(gzip.compress(sparse(1 << 50)))
    with pytest.raises(ValueError, match="there are no film reviews in it"):
        load_reviews(tmp_path / "sparse.tar.gz")


def test_many_small_files_that_are_too_much_together(files, archive, monkeypatch):
    monkeypatch.setattr(review_files, "_MOST_BYTES", 30_000)
    assert len(load_reviews(archive)) == 12
    files |= {f"aclImdb/train/{n}.feat": bytes(1000) for n in range(20)}
    with pytest.raises(ValueError, match="unpacks to far more"):
        load_reviews(write_archive(archive, files))


@pytest.mark.parametrize("name", ["aclImdb_v1.tar.gz", "imdb_master.csv"])
def test_a_file_of_ten_gigabytes_is_not_read(name, tmp_path):
    with open(tmp_path / name, "wb") as file:
        file.truncate(10 << 30)
    for load in (load_reviews, load_imdb):
        with pytest.raises(ValueError, match=f"{name}: expected at most .* got 10737418240"):
            load(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        header("aclImdb/other", 1 << 62),  # tarfile would look for its end till the end of days
        (header("a name", 1, tarfile.GNUTYPE_LONGNAME) + bytes(512)) * 5000,  # each within another
    ],
)
def test_headers_that_lead_astray(content, tmp_path):
    path = tmp_path / "astray.tar.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=NO_ARCHIVE):
        load_reviews(path)


@pytest.mark.parametrize("around", ["../../../", "/", "./", "C:\\..\\"])
def test_names_that_lead_elsewhere_write_nothing(around, files, archive, tmp_path):
    expected = load_reviews(archive)
    path = write_archive(tmp_path / "a.tar.gz", {around + name: files[name] for name in files})
    before = everything(tmp_path)
    pd.testing.assert_frame_equal(load_reviews(path), expected)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_are_not_followed(kind, files, archive, tmp_path):
    (tmp_path / "secret").write_text("Not a review.")
    expected = load_reviews(archive)
    with tarfile.open(archive, "w:gz") as changed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            changed.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo("aclImdb/train/neg/3_7.txt")
        member.type, member.linkname = kind, str(tmp_path / "secret")
        changed.addfile(member)
    before = everything(tmp_path)
    pd.testing.assert_frame_equal(load_reviews(archive), expected)
    assert everything(tmp_path) == before


# Archives: damaged ones


def test_a_tar_cut_short_and_then_compressed(archive):
    """The sum at gzip's end is right; what it holds is not whole."""
    content = gzip.decompress(archive.read_bytes())
    end = len(content.rstrip(b"\0"))
    for n_bytes in range(512, end, 256):
        archive.write_bytes(gzip.compress(content[:n_bytes], 1))
        with pytest.raises(ValueError, match=NO_ARCHIVE):
            load_reviews(archive)


def test_a_tar_that_ends_before_its_end(files, archive):
    """Where a header is damaged, tarfile takes it for the end."""
    write_archive(archive, files | {"last": b"word " * 4000})
    content = bytearray(gzip.decompress(archive.read_bytes()))
    content[content.index(b"last")] ^= 1
    archive.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match="goes on after its end marker"):
        load_reviews(archive)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_damage_anywhere_in_the_headers(form, files, tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=form) as whole:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(text), 1.5 if form == tarfile.PAX_FORMAT else 1
            whole.addfile(member, io.BytesIO(text))
    path = tmp_path / "damaged.tar.gz"
    rng = random.Random(0)
    errors = 0
    for _ in range(300):
        damaged = bytearray(content.getvalue())
        start = rng.randrange(0, len(damaged), 512)
        for _ in range(rng.choice([1, 2, 8])):
            damaged[start + rng.randrange(160)] = rng.choice(b"0179 -xgLKS\0\x80\xff")
        if damaged[start + 257 : start + 262] == b"ustar":  # its own sum is right again
            damaged[start + 148 : start + 156] = b" " * 8
            damaged[start + 148 : start + 156] = b"%06o\0 " % sum(damaged[start : start + 512])
        path.write_bytes(gzip.compress(damaged, 1))
        try:
            load_reviews(path)
        except ValueError as error:
            assert str(path) in str(error)
            errors += 1
    assert errors > 50


# Sets of which a part is missing


def test_the_files_of_these_tests_are_a_whole_set(files, write):
    assert len(load_reviews(write(files))) == 12


@pytest.mark.parametrize(("kind", "label"), GROUPS)
@pytest.mark.parametrize("with_urls", [True, False])
def test_a_group_without_reviews(kind, label, with_urls, files, write):
    files = {
        name: content
        for name, content in files.items()
        if f"{kind}/{label}/" not in name and (with_urls or "urls" not in name)
    }
    n = 3 if with_urls else 1
    with pytest.raises(
        ValueError, match=f"at least {n} reviews such as .* in {kind}/{label}, got 0: incomplete"
    ):
        load_reviews(write(files))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_review_that_the_urls_list(number, files, write):
    del files[f"aclImdb/test/pos/{number}_7.txt"]
    path = write(files)
    with pytest.raises(ValueError, match="expected at least 3 reviews .* in test/pos, got 2"):
        load_reviews(path)


def test_a_gap_where_no_urls_are(files, write):
    del files["aclImdb/train/urls_neg.txt"], files["aclImdb/train/neg/1_7.txt"]
    with pytest.raises(ValueError, match="expected at least 3 reviews .* in train/neg, got 2"):
        load_reviews(write(files))


@pytest.mark.parametrize("name", ["neg/1_7.txt", "urls_neg.txt"])
@pytest.mark.parametrize("content", [b"", b" \n", bytes(3)])
def test_a_file_of_nothing(name, content, files, write):
    files[f"aclImdb/train/{name}"] = content
    with pytest.raises(ValueError, match=f"train/{name} is empty, or not UTF-8: incomplete"):
        load_reviews(write(files))


def test_unlabeled_reviews_are_all_there_or_none(files, write):
    files["aclImdb/train/urls_unsup.txt"] = files["aclImdb/train/urls_neg.txt"]
    assert len(load_reviews(write(files))) == 12
    files["aclImdb/train/unsup/1_0.txt"] = b"Seen on a Tuesday."
    with pytest.raises(ValueError, match="expected at least 3 reviews .* in train/unsup, got 1"):
        load_reviews(write(files))


# Kaggle's table

TEXTS = [
    'He said "no".\nShe said "yes",\r\nand so, "well",\n\n,, it went "on".',
    "Très café, à la carte.",
    "  NA, and a blank at each end ",
]


@pytest.fixture
def table():
    rows = [(k, t, label, f"{n}_7.txt") for k, label in GROUPS for n, t in enumerate(TEXTS)]
    return pd.DataFrame(rows, columns=["type", "review", "label", "file"])


def write_csv(path, table, encoding="ISO-8859-1"):
    path.write_bytes(table.to_csv(lineterminator="\n").encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "utf-8", "utf-8-sig"])
def test_texts_of_a_csv_come_back_exactly(encoding, table, tmp_path):
    reviews = load_reviews(write_csv(tmp_path / "a.csv", table, encoding))
    assert reviews["review"].tolist() == TEXTS * 4
    without_number = table.to_csv(index=False, lineterminator="\n")
    (tmp_path / "a.csv").write_bytes(without_number.encode(encoding))
    pd.testing.assert_frame_equal(load_reviews(tmp_path / "a.csv"), reviews)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_csv_in_another_encoding(encoding, table, tmp_path):
    with pytest.raises(ValueError, match="a.csv.*load_reviews reads aclImdb"):
        load_reviews(write_csv(tmp_path / "a.csv", table, encoding))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"12,train,Good.,pos\n", "row 13: expected such as train/neg/0_3.txt: 'train/pos/'"),
        (b"12\n", "row 13: expected such as train/neg/0_3.txt: '//'"),
        (b"12,train,Good.,, really.,pos,3_7.txt\n", "no table of reviews: .* saw 7"),
        (b'12,train,"Good.,pos,3_7.txt\n', "no table of reviews: .*EOF inside string"),
        (b"12,train,Good.,fair,3_7.txt\n", "row 13: .*'train/fair/3_7.txt'"),
        (b"12,train,Good.,pos,3.txt\n", "row 13: .*'train/pos/3.txt'"),
        (b"12,train, ,pos,3_7.txt\n", "train/pos/3_7.txt is empty, or not UTF-8"),
        (b"12,train,Good.,pos,4_7.txt\n", "expected at least 5 reviews .* in train/pos, got 4"),
    ],
)
def test_a_row_that_is_wrong(row, reason, table, tmp_path):
    path = write_csv(tmp_path / "a.csv", table)
    path.write_bytes(path.read_bytes() + row)
    with pytest.raises(ValueError, match=f"a.csv.*{reason}"):
        load_reviews(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"<html>No such page.</html>", b'"', b"a,b\n1"])
def test_a_csv_that_is_no_such_table(content, tmp_path):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match="a.csv.*load_reviews reads aclImdb"):
        load_reviews(tmp_path / "a.csv")


def test_a_csv_cut_inside_a_row(table, tmp_path):
    content = write_csv(tmp_path / "a.csv", table).read_bytes()
    for end in range(1, len(content) - 1):
        if b"7.txt\n" not in content[end - 6 : end + 1]:  # there a row would be whole
            (tmp_path / "a.csv").write_bytes(content[:end])
            with pytest.raises(ValueError, match="a.csv"):
                load_reviews(tmp_path / "a.csv")


@pytest.mark.parametrize("group", GROUPS)
def test_a_csv_without_one_of_the_groups(group, table, tmp_path):
    table = table[(table["type"] != group[0]) | (table["label"] != group[1])]
    with pytest.raises(ValueError, match=f"in {'/'.join(group)}, got 0"):
        load_reviews(write_csv(tmp_path / "a.csv", table))


# The download


class Handler(SilentHandler):
    together = threading.Barrier(2)

    def do_GET(self):
        content = Path(self.directory, "aclImdb_v1.tar.gz").read_bytes()
        if self.path.startswith("/html/"):
            content = b"<html>Please log in to this network.</html>"
        elif not self.path.startswith(("/half/", "/whole/", "/together/")):
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if self.path.startswith("/together/"):
            self.together.wait(60)  # until the other one has half of it, too
        if not self.path.startswith("/half/"):
            self.wfile.write(content[len(content) // 2 :])


@pytest.fixture
def published(tmp_path):
    (tmp_path / "published").mkdir()
    path = tmp_path / "published" / "aclImdb_v1.tar.gz"
    path.write_bytes(np.random.default_rng(0).bytes(300_000))
    return path.read_bytes()


@pytest.fixture
def serve(published, tmp_path, monkeypatch):
    """Choose what the server does; what it has is taken for what the authors published."""
    handler = functools.partial(Handler, directory=tmp_path / "published")
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "URL_SHA256", hashlib.sha256(published).hexdigest())

    def choose(what):
        url = f"http://127.0.0.1:{httpd.server_port}/{what}/aclImdb_v1.tar.gz"
        monkeypatch.setattr(downloading, "URL", url)

    yield choose
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(params=[None, b"an older one"])
def folder(request, tmp_path):
    """Where the download goes: nothing there yet, or a file of that name that is not right."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    if request.param:
        (folder / "aclImdb_v1.tar.gz").write_bytes(request.param)
    return folder


def test_a_whole_download_replaces_what_is_not_right(serve, published, folder):
    serve("whole")
    archive = downloading.download()
    assert everything(folder) == {archive: published}


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ("gone", OSError, "Could not get http.*Without a network"),
        ("half", OSError, "Could not get http.*Without a network"),
        ("html", ValueError, "Could not get http.*SHA256 hash"),
    ],
)
def test_a_download_that_fails_changes_nothing(what, error, words, serve, folder):
    serve(what)
    before = everything(folder)
    with pytest.raises(error, match=words):
        downloading.download()
    assert everything(folder) == before


def test_a_server_that_never_answers(folder, monkeypatch):
    before = everything(folder)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(
            downloading, "URL", f"http://127.0.0.1:{silent.getsockname()[1]}/a.tar.gz"
        )
        with pytest.raises(OSError, match="Could not get .*: ReadTimeout"):
            downloading.download()
    assert everything(folder) == before


@posix
def test_a_disk_that_fills_up_while_downloading(serve, folder):
    serve("whole")
    before = everything(folder)
    with disk_full(1 << 16), pytest.raises(OSError, match=f"into {folder}: .*too large"):
        downloading.download()
    assert everything(folder) == before


@posix
def test_a_folder_that_may_not_be_written_to(serve):
    serve("whole")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "aclImdb_v1.tar.gz").write_bytes(b"an older one")
        before = everything(folder)
        for into in (folder, folder / "data"):
            with (
                no_right_to_write(folder),
                pytest.raises(OSError, match=f"into {into}: PermissionError.*denied"),
            ):
                downloading.download(into)
        assert everything(folder) == before


def test_a_folder_that_is_a_file(serve, tmp_path):
    serve("whole")
    (tmp_path / "data").write_text("kept")
    for into in (tmp_path / "data", tmp_path / "data" / "imdb"):
        with pytest.raises(OSError, match="Could not get .* into .*data"):
            downloading.download(into)
    assert (tmp_path / "data").read_text() == "kept"


def test_two_downloads_at_once(serve, published, folder):
    serve("together")
    code = (
        "import sys; sys.path.append('data'); import download as d;"
        f"d.URL, d.URL_SHA256 = {downloading.URL!r}, {downloading.URL_SHA256!r};"
        f"print(d.download({str(folder)!r}))"
    )
    start = functools.partial(subprocess.Popen, [sys.executable, "-c", code], cwd=PROJECT)
    both = [start(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    archive = folder / "aclImdb_v1.tar.gz"
    for one in both:
        out, err = one.communicate(timeout=120)
        assert (one.returncode, out.strip()) == (0, str(archive)), err
    assert everything(folder) == {archive: published}


# The cache of encoded reviews


@posix
def test_a_disk_that_fills_up_while_the_cache_is_written(archive, tmp_path):
    expected = load_imdb(archive, n_validation=0)
    (kept,) = (tmp_path / "downloads").iterdir()
    kept.write_bytes(b"an older one")
    before = everything(tmp_path)
    with disk_full(1000):
        assert same(load_imdb(archive, n_validation=0), expected)
    assert everything(tmp_path) == before


@posix
def test_a_cache_that_may_not_be_written(files, monkeypatch):
    monkeypatch.setattr(imdb, "_CODE", ())  # whoever it is may not read this code
    with tempfile.TemporaryDirectory() as name:
        archive = write_archive(Path(name) / "aclImdb_v1.tar.gz", files)
        expected = load_imdb(archive, n_validation=0)
        before = everything(Path(name))
        for data in (Path(name), Path(name) / "data"):
            monkeypatch.setattr(imdb, "data_folder", lambda data=data: data)
            with no_right_to_write(Path(name)):
                assert same(load_imdb(archive, n_validation=0), expected)
        assert everything(Path(name)) == before


def test_without_a_cache_the_source_is_read_once(archive, monkeypatch):
    expected = load_imdb(archive, n_validation=0)
    monkeypatch.delattr(imdb, "_cache_name")
    assert same(load_imdb(archive, n_validation=0, cache=False), expected)
